// The leading tab's side of the others: their questions, and what they watch.
//
// Bounded: at most `MOST_ASKS` questions of other tabs are open at once; one beyond is answered by an error.

import type { NanoError } from "./errors.js";
import type { LocalNode } from "./local-node.js";
import type { TabMessage } from "./tab-protocol.js";
import type { Request } from "./worker-client.js";

/** Questions of other tabs that are open at once. */
const MOST_ASKS = 512;

/** Answers the other tabs for the node in this one. */
export class TabDesk {
	readonly #node: LocalNode;
	readonly #post: (message: TabMessage) => void;
	readonly #name: string;
	/** Open questions by tab and number. */
	readonly #open = new Map<string, Map<number, AbortController>>();
	/** Who watches an account. */
	readonly #watching = new Map<string, Set<string>>();
	readonly #over = new AbortController();

	/**
	 * @param name of the election, from which the names of the tabs' own locks are made
	 */
	constructor(node: LocalNode, name: string, post: (message: TabMessage) => void) {
		this.#node = node;
		this.#name = name;
		this.#post = post;
	}

	/** Asks the node for a tab; watches are counted, so that one tab's end is not another's. */
	request<T>(from: string, request: Request, signal?: AbortSignal): Promise<T> {
		if (request.type === "watch") {
			const watchers = this.#watching.get(request.address) ?? new Set();
			this.#watching.set(request.address, watchers.add(from));
		} else if (request.type === "unwatch") {
			const watchers = this.#watching.get(request.address);
			watchers?.delete(from);
			if (watchers && watchers.size > 0) return Promise.resolve(undefined as T);
			this.#watching.delete(request.address);
		}
		return this.#node.request<T>(request, signal);
	}

	/** Answers another tab. A question that is open already is not asked twice. */
	ask({ from, ask, request }: Extract<TabMessage, { kind: "ask" }>): void {
		const open = this.#open.get(from) ?? this.#enter(from);
		if (open.has(ask)) return;
		let count = 0;
		for (const asks of this.#open.values()) count += asks.size;
		if (count >= MOST_ASKS) {
			const message = "Too many questions of other tabs are open; wait for some to end.";
			this.#post({ kind: "fail", to: from, ask, code: "too-many-questions", message });
			return;
		}
		const control = new AbortController();
		open.set(ask, control);
		this.request(from, request, control.signal)
			.then(
				(value) => this.#post({ kind: "answer", to: from, ask, value }),
				({ code, message }: NanoError) => {
					// A node that ends here goes on elsewhere, where the question is asked again.
					if (MOVED.has(code)) return;
					this.#post({ kind: "fail", to: from, ask, code, message });
				},
			)
			.finally(() => open.delete(ask));
	}

	/** A tab does not wait any more. */
	cancel(from: string, ask: number): void {
		this.#open.get(from)?.get(ask)?.abort();
	}

	/** A tab is gone, with all it wanted. */
	leave(from: string): void {
		for (const control of this.#open.get(from)?.values() ?? []) control.abort();
		this.#open.delete(from);
		for (const [address, watchers] of this.#watching) {
			if (!watchers.has(from)) continue;
			// A node that ends has nothing to unwatch.
			this.request(from, { type: "unwatch", address }).catch(() => {});
		}
	}

	/** Ends answering. */
	close(): void {
		this.#over.abort();
	}

	/** A tab asks for the first time: its lock is free when it is gone, however it went. */
	#enter(from: string): Map<number, AbortController> {
		const open = new Map<number, AbortController>();
		this.#open.set(from, open);
		navigator.locks
			.request(tabLock(this.#name, from), { signal: this.#over.signal }, () => this.leave(from))
			.catch(() => {});
		return open;
	}
}

/** Codes of errors that say that the node is no longer here, and nothing of the question. */
export const MOVED: ReadonlySet<string> = new Set(["moved", "stopped", "worker-failed", "deposed"]);

/** The lock that a tab holds as long as it lives. */
export const tabLock = (name: string, tab: string): string => `${name}-tab-${tab}`;
