// What is known of the person's own blocks on their way, in words.

import type { PendingBlock, TransactionEvent } from "nanonet";

/** The newest event of each own block of this run, by hash. */
export type TransactionNews = ReadonlyMap<string, TransactionEvent>;

/** Blocks whose news are remembered; the oldest goes first. */
const NEWS_LIMIT = 64;

/** The news with one more event. */
export function withEvent(news: TransactionNews, event: TransactionEvent): TransactionNews {
	const next = new Map(news);
	next.delete(event.hash);
	next.set(event.hash, event);
	const [oldest] = next.keys();
	if (next.size > NEWS_LIMIT && oldest) next.delete(oldest);
	return next;
}

/** Blocks of one account. */
export function pendingOf(pending: PendingBlock[], address: string): PendingBlock[] {
	return pending.filter(({ block }) => block.account === address);
}

const REASONS: Record<string, string> = {
	"no-full-node": "it is connected to no full node right now",
	busy: "it has too much to do right now",
	"not-on-frontier": "it has not seen the block before it confirmed yet",
	"not-a-bridge": "it is no bridge",
	invalid: "full nodes say that it does not follow from the account's state",
};

const because = (reason = "") => REASONS[reason] ?? reason.replaceAll("-", " ");

/** Where a block stands, as a clause after "Sending: ". */
export function whereItStands(event: TransactionEvent | undefined): string {
	switch (event?.state) {
		case "waiting":
			return "no bridge can be reached; it is stored here and goes out as soon as one can";
		case "accepted":
			return `${event.fullNodes ?? "some"} full nodes have it, waiting for the votes`;
		case "refused":
			return `a bridge did not pass it on, because ${because(event.reason)}; it is kept here and sent again`;
		case "given-up":
			return "not confirmed for minutes; it is kept here and sent again";
		default:
			return "sent to the network, waiting for the votes";
	}
}
