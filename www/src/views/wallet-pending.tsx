// The account's blocks on their way: what they do and where they stand, also after a reload.

import type { AccountAnswer, PendingBlock } from "nanonet";
import { nanoExact, short, shortHash } from "../lib/format.js";
import { useSession } from "../lib/session.js";
import { pendingOf, whereItStands } from "../lib/transactions.js";

/** What a block does, if it follows on the state that is known. */
function deed({ block }: PendingBlock, own: AccountAnswer | null): string {
	const follows =
		own && own.state !== "unknown" && block.previous === (own.frontier ?? "0".repeat(64));
	if (!follows) return "A block";
	const change = BigInt(block.balance) - own.balance;
	if (change < 0n) {
		return `Sending Ӿ ${nanoExact(-change)} to ${short(block.link_as_account ?? "")}`;
	}
	return change > 0n ? `Receiving Ӿ ${nanoExact(change)}` : "A change";
}

/** Blocks of `address` that are not decided yet. */
export function Pending({ address, own }: { address: string; own: AccountAnswer | null }) {
	const { pending, transactions } = useSession();
	const blocks = pendingOf(pending, address);
	if (blocks.length === 0) return null;
	return (
		<ul class="rows pending" aria-label="On their way">
			{blocks.map((item) => (
				<li key={item.hash}>
					<strong>{deed(item, own)}</strong>
					<span class="quiet">
						{whereItStands(transactions.get(item.hash))} · block{" "}
						<code title={item.hash}>{shortHash(item.hash)}</code>
					</span>
				</li>
			))}
		</ul>
	);
}
