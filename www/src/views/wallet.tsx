// The wallet: closed, behind its door, or open.
//
// States: none (create, import or watch) -> open <-> locked. Opening needs the password; leaving the page, the button,
// and time without a touch lock it.

import { useEffect, useState } from "preact/hooks";
import { useSession } from "../lib/session.js";
import { vaultExists } from "../lib/vault.js";
import { keep, useWallet } from "../lib/wallet-store.js";
import { NewWallet } from "./wallet-new.js";
import { OpenWalletView } from "./wallet-open.js";
import { SignElsewhere } from "./wallet-sign.js";
import { Unlock } from "./wallet-unlock.js";

/** The wallet view. */
export function WalletView({ shown }: { shown: boolean }) {
	const { node } = useSession();
	const wallet = useWallet();
	const [exists, setExists] = useState(vaultExists());
	const accounts = wallet?.accounts;
	useEffect(() => {
		if (node) for (const account of accounts ?? []) keep(node, account);
	}, [node, accounts]);
	useEffect(() => {
		if (wallet) setExists(true);
	}, [wallet]);
	if (wallet) {
		return (
			<>
				{wallet.request && <SignElsewhere request={wallet.request} />}
				<OpenWalletView wallet={wallet} shown={shown} />
			</>
		);
	}
	return exists ? <Unlock forgotten={() => setExists(false)} /> : <NewWallet />;
}
