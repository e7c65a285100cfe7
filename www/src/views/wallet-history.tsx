// What this browser did for an account. It is no history of the account: other wallets' blocks are not in it.

import { ago, nanoExact, short, shortHash } from "../lib/format.js";
import { t } from "../lib/i18n.js";
import { useNow, useSession } from "../lib/session.js";
import { nameOf, type Wallet } from "../lib/wallet-store.js";

/** Rows that are shown at once. */
const SHOWN = 50;

/** The list, newest first. */
export function History({ wallet, address }: { wallet: Wallet; address: string }) {
	const { pending, transactions } = useSession();
	const now = useNow();
	const entries = wallet.contents.history.filter(({ account }) => account === address);
	const stateOf = (hash: string) => {
		if (transactions.get(hash)?.state === "superseded") return t("history.superseded");
		return pending.some((one) => one.hash === hash) ? t("history.pending") : "";
	};
	return (
		<details>
			<summary>{t("history.heading")}</summary>
			<p class="quiet">{t("history.what")}</p>
			{entries.length === 0 ? (
				<p class="empty">{t("history.none")}</p>
			) : (
				<ul class="rows history">
					{entries.slice(0, SHOWN).map(({ at, kind, amount, other, hash }) => (
						<li key={hash}>
							<strong>{t(`history.${kind}`, { amount: nanoExact(BigInt(amount)) })}</strong>
							<span class="quiet">
								<span title={other}>{nameOf(wallet, other) ?? short(other)}</span> · {ago(at, now)}{" "}
								·{" "}
								<code dir="ltr" title={hash}>
									{shortHash(hash)}
								</code>{" "}
								{stateOf(hash)}
							</span>
						</li>
					))}
				</ul>
			)}
		</details>
	);
}
