// 24 words can be a Nano seed or a BIP39 phrase, and open a different account as each: the person says which.

import { useEffect, useState } from "preact/hooks";
import { nanoExact, short } from "../lib/format.js";
import { useSession } from "../lib/session.js";
import { openWallet, type Secret, type SecretKind } from "../lib/wallet.js";

const NAMES: Record<SecretKind, string> = {
	nano: "The words of a Nano seed",
	bip39: "A BIP39 phrase, as hardware wallets and several apps make it",
};

/** What is known of the first account that a secret opens. */
interface Found {
	address: string;
	balance: string;
}

/** Shows what each reading of the words opens, with its balance, and lets the person choose. */
export function SecretChoice({
	secrets,
	choose,
	busy,
	problem,
	back,
}: {
	secrets: Secret[];
	choose: (secret: Secret) => void;
	busy: boolean;
	problem: string | null;
	back: () => void;
}) {
	const { node } = useSession();
	const [found, setFound] = useState<Partial<Record<SecretKind, Found>>>({});
	useEffect(() => {
		const controller = new AbortController();
		const look = async ({ kind, hex }: Secret) => {
			const { address } = await openWallet({ kind, hex });
			const tell = (balance: string) => {
				if (!controller.signal.aborted) {
					setFound((before) => ({ ...before, [kind]: { address, balance } }));
				}
			};
			tell("looking for its balance…");
			try {
				const answer = await node?.account(address, { fresh: true, signal: controller.signal });
				if (answer?.state === "opened") tell(`Ӿ ${nanoExact(answer.balance)}`);
				else tell(answer?.state === "unopened" ? "never opened" : "balance unknown");
			} catch {
				tell("balance unknown: nobody could be asked");
			}
		};
		for (const secret of secrets) void look(secret);
		return () => controller.abort();
	}, [node, secrets]);
	return (
		<div class="narrow">
			<div class="card">
				<h2>Which wallet are these words from?</h2>
				<p>The same 24 words open a different account in each kind of wallet.</p>
				<ul class="rows choices">
					{secrets.map((secret) => (
						<li key={secret.kind}>
							<strong>{NAMES[secret.kind]}</strong>
							{found[secret.kind] && (
								<span class="quiet">
									<code title={found[secret.kind]?.address}>
										{short(found[secret.kind]?.address ?? "")}
									</code>{" "}
									· {found[secret.kind]?.balance}
								</span>
							)}
							<button type="button" disabled={busy} onClick={() => choose(secret)}>
								Open this one
							</button>
						</li>
					))}
				</ul>
				<p class="buttons">
					<button type="button" disabled={busy} onClick={back}>
						Back
					</button>
				</p>
				{problem && (
					<p class="banner bad" role="alert">
						{problem}
					</p>
				)}
			</div>
		</div>
	);
}
