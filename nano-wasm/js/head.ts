// An account's newest block as this node knows it: an own one that is pending, or the proven one.

import type { FacadeNode } from "./facade-types.js";
import type { AccountAnswer, PendingBlock, Receivable } from "./types.js";

/** An account's newest block as `src/rpc.rs` reads it. */
export interface Head {
	frontier: string;
	/** Raw, decimal. */
	balance: string;
	representative: string;
}

/** What an answer proves; nothing where nothing may be concluded. */
export function provenHead(answer: AccountAnswer): { head: Head | null } | undefined {
	if (answer.state === "unknown") return undefined;
	const { frontier, representative } = answer;
	const head =
		frontier && representative
			? { frontier, balance: answer.balance.toString(), representative }
			: null;
	return { head };
}

/** Where an account stands. */
export interface Standing {
	/** Its newest block; `null` while it has none, `undefined` where nothing may be concluded. */
	head: Head | null | undefined;
	/** Proven sends it may still receive, as far as the nanonet answered. */
	receivable: Receivable[];
	/** Why there was no answer. */
	problem?: unknown;
}

/** Asks for an account's state and puts own pending blocks on top. */
export async function standing(
	node: FacadeNode,
	account: string,
	options: { timeoutMs: number; signal?: AbortSignal },
): Promise<Standing> {
	let problem: unknown;
	const [pending, answer] = await Promise.all([
		node.pending(),
		node.account(account, { fresh: true, ...options }).catch((error: unknown) => {
			problem = error;
			return undefined;
		}),
	]);
	let head = answer && provenHead(answer)?.head;
	// Own blocks follow one another: as long as one builds on the newest known, that one is newer.
	const own = pending.filter(({ block }) => block.account === account);
	for (let next = follower(own, head); next; next = follower(own, head)) {
		const { balance, representative } = next.block;
		head = { frontier: next.hash, balance, representative };
	}
	const received = new Set(own.map(({ block }) => block.link));
	const receivable = (answer?.receivable ?? []).filter(({ hash }) => !received.has(hash));
	return { head, receivable, ...(problem === undefined ? {} : { problem }) };
}

/** The pending block that builds on `head`. */
function follower(own: PendingBlock[], head: Head | null | undefined): PendingBlock | undefined {
	const before = head?.frontier ?? "0".repeat(64);
	return own.find(({ block, hash }) => block.previous === before && hash !== before);
}
