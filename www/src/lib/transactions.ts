// What is known of the person's own blocks on their way, in words.

import type { PendingBlock, TransactionEvent } from "nanonet";
import { maybe, t } from "./i18n.js";

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

const because = (reason = "") => maybe(`reason.${reason}`) ?? reason.replaceAll("-", " ");

/** Where a block stands, as a clause after "Sending: ". */
export function whereItStands(event: TransactionEvent | undefined): string {
	switch (event?.state) {
		case "waiting":
			return t("stands.waiting");
		case "accepted":
			return t("stands.accepted", { n: event.fullNodes ?? 1 });
		case "refused":
			return t("stands.refused", { why: because(event.reason) });
		case "given-up":
			return t("stands.givenUp");
		default:
			return t("stands.sent");
	}
}
