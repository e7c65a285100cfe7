// The account's blocks on their way: what they do and where they stand, also after a reload.

import type { AccountAnswer, PendingBlock } from "nanonet";
import { nanoExact, short, shortHash } from "../lib/format.js";
import { t } from "../lib/i18n.js";
import { useSession } from "../lib/session.js";
import { pendingOf, whereItStands } from "../lib/transactions.js";

/** What a block does, if it follows on the state that is known. */
function deed({ block }: PendingBlock, own: AccountAnswer | null): string {
	const follows =
		own && own.state !== "unknown" && block.previous === (own.frontier ?? "0".repeat(64));
	if (!follows) return t("pending.block");
	const change = BigInt(block.balance) - own.balance;
	if (change < 0n) {
		const to = short(block.link_as_account ?? "");
		return t("pending.sending", { amount: nanoExact(-change), to });
	}
	return change > 0n
		? t("pending.receiving", { amount: nanoExact(change) })
		: t("pending.changing");
}

/** Blocks of `address` that are not decided yet. */
export function Pending({ address, own }: { address: string; own: AccountAnswer | null }) {
	const { pending, transactions } = useSession();
	const blocks = pendingOf(pending, address);
	if (blocks.length === 0) return null;
	return (
		<ul class="rows pending" aria-label={t("pending.list")}>
			{blocks.map((item) => (
				<li key={item.hash}>
					<strong>{deed(item, own)}</strong>
					<span class="quiet">
						{whereItStands(transactions.get(item.hash))} · {t("pending.hash")}{" "}
						<code dir="ltr" title={item.hash}>
							{shortHash(item.hash)}
						</code>
					</span>
				</li>
			))}
		</ul>
	);
}
