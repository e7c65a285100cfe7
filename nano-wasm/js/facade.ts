// A full node's RPC in the page, answered from what the node proves; loaded when it is first used.
//
// What is asked and answered, and in which words, is decided in the wasm (`src/rpc.rs`, and behind it the crate
// nano-core, which a bridge answers with, too). This does the I/O of its plans: proven states from the node, work
// from its pool, blocks to `process`, and what no proof covers from the full node of a bridge, by the bridge's own
// RPC. What comes from there is labelled as unverified, except what can be checked here.

import { aborted, NanoError } from "./errors.js";
import type { FacadeNode } from "./facade-types.js";
import { provenHead, standing } from "./head.js";
import { loadOwn } from "./own-wasm.js";
import type { AccountAnswer, BlockJson, TransactionEvent } from "./types.js";
import load, * as wasm from "./wasm/rpc.js";

/** What it takes to answer a request (`src/rpc.rs`). */
type Plan =
	| { kind: "answer"; answer: object }
	| {
			kind: "accounts";
			accounts: string[];
			more: object | null;
			instead: object;
			fresh: boolean;
	  }
	| { kind: "full-node"; question: object }
	| { kind: "process"; block: BlockJson }
	| { kind: "work"; root: string; difficulty: string }
	| { kind: "cancel-work"; root: string }
	| { kind: "version" };

/** Longest wait for one account. */
const PATIENCE_MS = 8_000;
/** Longest wait for a bridge's answer. */
const BRIDGE_MS = 10_000;
/** Accounts that one request asks for at once. */
const AT_ONCE = 16;

/** Full nodes' texts for the reasons of bridges to refuse a block. */
const REFUSALS: Record<string, string> = {
	"bad-signature": "Bad signature",
	"work-too-low": "Block work is less than threshold",
	"legacy-block": "Block is invalid",
	"not-on-frontier": "Gap previous block",
	invalid: "Balance and amount delta do not match",
	"rival-pending": "Fork",
	superseded: "Fork",
};

let loading: Promise<unknown> | undefined;

/** Loads the wasm once; a load that failed is tried again by the next caller. */
function loaded(): Promise<unknown> {
	if (loading) return loading;
	const started = ownRpc().catch((cause: unknown) => {
		loading = undefined;
		throw new NanoError("rpc-unavailable", "rpc.wasm could not be loaded.", { cause });
	});
	loading = started;
	return started;
}

const ownRpc = () =>
	loadOwn(
		load,
		() => new URL("./rpc.wasm", import.meta.url),
		() => import("./rpc-inlined.js"),
		"rpc.wasm",
	);

/** A refusal as full nodes give it. */
const refused = (error: string) => ({ error });

/** Answers requests for one node. */
export class Facade {
	readonly #node: FacadeNode;
	readonly #searches = new Map<string, Set<AbortController>>();

	constructor(node: FacadeNode) {
		this.#node = node;
	}

	/** The answer to a request given as JSON text. */
	async answer(request: string, signal?: AbortSignal): Promise<object> {
		await loaded();
		if (signal?.aborted) throw aborted(signal);
		const plan = JSON.parse(wasm.plan(this.#node.network, request)) as Plan;
		switch (plan.kind) {
			case "answer":
				return plan.answer;
			case "accounts":
				return this.#accounts(request, plan, signal);
			case "full-node":
				return this.#fromFullNode(request, plan.question, signal);
			case "process":
				return this.#process(request, plan.block, signal);
			case "work":
				return this.#work(request, plan, signal);
			case "cancel-work":
				for (const search of this.#searches.get(plan.root) ?? []) search.abort();
				return JSON.parse(wasm.cancelled());
			case "version":
				return JSON.parse(wasm.version(this.#node.network, "IndexedDB"));
		}
	}

	async #accounts(
		request: string,
		plan: Extract<Plan, { kind: "accounts" }>,
		signal?: AbortSignal,
	): Promise<object> {
		const more = plan.more
			? this.#bridge(plan.more, signal).then(JSON.stringify, () => undefined)
			: undefined;
		const states = await this.#states(plan.accounts, plan.fresh, signal);
		if (!states) return this.#fromFullNode(request, plan.instead, signal);
		return JSON.parse(wasm.accounts(request, JSON.stringify(states), await more));
	}

	/** Proven states by address; nothing if one of the accounts has none. */
	async #states(
		accounts: string[],
		fresh: boolean,
		signal?: AbortSignal,
	): Promise<Record<string, object> | undefined> {
		const states: Record<string, object> = {};
		for (let from = 0; from < accounts.length; from += AT_ONCE) {
			const asked = accounts.slice(from, from + AT_ONCE).map((address) => {
				const options = { fresh, timeoutMs: PATIENCE_MS, ...(signal ? { signal } : {}) };
				return this.#node.account(address, options).catch(() => undefined);
			});
			for (const answer of await Promise.all(asked)) {
				const state = answer && proven(answer);
				if (signal?.aborted) throw aborted(signal);
				if (!state) return undefined;
				states[answer.account] = state;
			}
		}
		return states;
	}

	async #fromFullNode(request: string, question: object, signal?: AbortSignal): Promise<object> {
		try {
			const said = await this.#bridge(question, signal);
			return JSON.parse(wasm.fromFullNode(request, JSON.stringify(said)));
		} catch (error) {
			if (error instanceof NanoError && error.code === "aborted") throw error;
			return refused("No proof answers this, and no bridge with a full node's RPC was reached");
		}
	}

	/** What a bridge's full node says; bridges are tried one after the other. */
	async #bridge(question: object, signal?: AbortSignal): Promise<object> {
		const { bridges } = await this.#node.status();
		let cause: unknown;
		for (const bridge of bridges) {
			const limit = AbortSignal.timeout(BRIDGE_MS);
			const until = signal ? either(signal, limit) : limit;
			try {
				const response = await fetch(new URL("/rpc", bridge), {
					method: "POST",
					headers: { "content-type": "application/json" },
					body: JSON.stringify(question),
					signal: until,
				});
				if (response.ok) {
					const said = (await response.json()) as Record<string, unknown>;
					// The bridge's own label says what the bridge verified, not what this node did.
					delete said.nanonet;
					return said;
				}
				cause = response.status;
			} catch (error) {
				if (signal?.aborted) throw aborted(signal);
				cause = error;
			}
		}
		throw new NanoError("no-full-node", "No bridge with a full node's RPC answered.", { cause });
	}

	/** Answers as a full node does: when the block is on its way, not when it is confirmed. */
	async #process(request: string, block: BlockJson, signal?: AbortSignal): Promise<object> {
		const head = await this.#head(block.account, signal);
		const answer = JSON.parse(wasm.process(this.#node.network, request, head)) as {
			hash?: string;
		};
		const { hash } = answer;
		if (hash === undefined) return answer;
		return new Promise((resolve, reject) => {
			const off = this.#node.on("transaction", (event) => {
				if (event.hash === hash) settle(event);
			});
			const done = (result: object) => {
				off();
				resolve(result);
			};
			const settle = ({ state, reason, passing }: TransactionEvent) => {
				if (state === "accepted" || state === "confirmed") done(answer);
				else if (state === "superseded") done(refused("Fork"));
				else if (state === "invalid" || (state === "refused" && !passing)) {
					done(refused(REFUSALS[reason ?? ""] ?? "Error processing block"));
				}
			};
			this.#node.process(block, signal ? { signal } : {}).then(
				() => done(answer),
				(error: NanoError) => {
					off();
					if (error.code === "aborted") reject(error);
					else resolve(refused(REFUSALS[error.code] ?? error.message));
				},
			);
		});
	}

	/** The account's newest block, as JSON. */
	async #head(account: string, signal?: AbortSignal): Promise<string | undefined> {
		const options = { timeoutMs: PATIENCE_MS, ...(signal ? { signal } : {}) };
		const { head } = await standing(this.#node, account, options);
		if (signal?.aborted) throw aborted(signal);
		return head ? JSON.stringify(head) : undefined;
	}

	async #work(
		request: string,
		{ root, difficulty }: { root: string; difficulty: string },
		signal?: AbortSignal,
	): Promise<object> {
		const search = new AbortController();
		const searches = this.#searches.get(root) ?? new Set();
		this.#searches.set(root, searches.add(search));
		try {
			const until = signal ? either(signal, search.signal) : search.signal;
			const nonce = await this.#node.work.generate(root, { difficulty, signal: until });
			return JSON.parse(wasm.workFound(this.#node.network, request, nonce));
		} catch (error) {
			if (signal?.aborted) throw aborted(signal);
			if (search.signal.aborted) return refused("Cancelled");
			return refused((error as Error).message);
		} finally {
			searches.delete(search);
			if (searches.size === 0) this.#searches.delete(root);
		}
	}
}

/** What an answer proves, as `src/rpc.rs` reads it; nothing where nothing may be concluded. */
function proven(answer: AccountAnswer): object | undefined {
	const known = provenHead(answer);
	if (!known) return undefined;
	const receivable = answer.receivable.map(({ hash, source, amount }) => ({
		hash,
		source,
		amount: amount.toString(),
	}));
	return { ...known, receivable, asOf: answer.asOf };
}

/** A signal that is aborted when either is. */
function either(one: AbortSignal, other: AbortSignal): AbortSignal {
	const both = new AbortController();
	for (const signal of [one, other]) {
		if (signal.aborted) both.abort(signal.reason);
		else signal.addEventListener("abort", () => both.abort(signal.reason), { once: true });
	}
	return both.signal;
}
