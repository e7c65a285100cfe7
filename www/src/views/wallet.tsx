// A simple wallet: one account, its seed encrypted in this browser.
//
// States: none (create or import) -> open <-> locked. Opening needs the password; leaving the page locks.

import { useState } from "preact/hooks";
import { vaultExists } from "../lib/vault.js";
import type { OpenWallet } from "../lib/wallet.js";
import { Account } from "./wallet-account.js";
import { Create, Unlock } from "./wallet-door.js";

/** The wallet view. */
export function WalletView({ shown }: { shown: boolean }) {
	const [wallet, setWallet] = useState<OpenWallet | null>(null);
	const [exists, setExists] = useState(vaultExists());
	if (wallet) {
		return <Account wallet={wallet} shown={shown} lock={() => setWallet(null)} />;
	}
	const opened = (open: OpenWallet) => {
		setExists(true);
		setWallet(open);
	};
	return exists ? (
		<Unlock opened={opened} forgotten={() => setExists(false)} />
	) : (
		<Create opened={opened} />
	);
}
