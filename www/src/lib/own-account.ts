// What the wallet does with its account, one operation after the other.
//
// States of an operation: queued -> (signing, elsewhere) -> working (its own workers) -> publishing -> confirmed with a proof; or it fails.
//
// Rules:
// - one operation at a time, in all tabs of this browser: a lock named after the account is held until the
//   operation's block is decided, also when nobody watches any more;
// - blocks that are still pending, also those of an earlier visit, are waited for first: a block beside them would
//   fork the account;
// - it builds only on a state for which a bridge has just asked the full nodes, and which is either proven and the
//   end of one chain, or stated to be unopened. Otherwise it says why and builds nothing. A payment may build on one
//   that was asked for seconds ago, while the person wrote it, so that it leaves at once when they click;
// - a payment that could not be received is left after three tries until the wallet is opened again;
// - a block is signed by the account's key, or where that is not here by whoever `sign` asks; what comes back is
//   published only if it is the block that was asked for.

import type {
	AccountAnswer,
	BlockJson,
	NanoNode,
	Receivable,
	StateBlockJson,
	TransactionEvent,
} from "nanonet";
import { pendingOf } from "./transactions.js";
import type { HistoryEntry } from "./vault.js";
import { loadCore, type OpenWallet } from "./wallet.js";

/** Where an operation is. */
export type Progress =
	| { step: "queued" }
	| { step: "signing" }
	| { step: "working"; fraction: number }
	| { step: "publishing"; hash: string }
	| { step: "confirmed"; hash: string };

type Tell = (progress: Progress) => void;

/** What a block says beyond its account. */
interface Change {
	previous: string | null;
	representative: string;
	balance: bigint;
	link: string | null;
}

/** A block and what the person's history shall say of it. */
interface Deed {
	kind: HistoryEntry["kind"];
	amount: bigint;
	other: string;
}

/** Where signatures come from and where published blocks are told. */
export interface Helpers {
	/** Signs a block that builds on `own`; the signal ends the waiting. */
	sign?: (
		unsigned: StateBlockJson,
		own: AccountAnswer,
		signal: AbortSignal,
	) => Promise<StateBlockJson>;
	/** A block is on its way. */
	published?: (entry: HistoryEntry) => void;
}

/** Why the wallet did not do something. */
export class WalletError extends Error {
	constructor(
		readonly code:
			| "not-fresh"
			| "state-unknown"
			| "order-unknown"
			| "no-money"
			| "bad-amount"
			| "superseded"
			| "not-signed",
		message: string,
	) {
		super(message);
		this.name = "WalletError";
	}
}

/** How often one payment is tried to be received. */
const RECEIVE_TRIES = 3;
/** How long ago a state may have been asked for that a payment is built on: about what a block takes to be seen by all. */
const AHEAD_MS = 10_000;
/** How soon it is worth asking again. */
const AHEAD_AGAIN_MS = 4_000;

/** Checks that an answer may be built on; fails with the reason if not. */
export function buildable(own: AccountAnswer): AccountAnswer {
	if (own.order === "unknown") {
		throw new WalletError(
			"order-unknown",
			"Two proven states of this account are known and it is not clear which is newer. Nothing is built before that is settled; try again in a minute.",
		);
	}
	if (own.state === "unknown") {
		throw new WalletError(
			"state-unknown",
			"Nothing is known of this account's own blocks right now, and it may have some. Nothing is built before a bridge could ask the full nodes; try again when one is linked.",
		);
	}
	if (!own.fresh) {
		throw new WalletError(
			"not-fresh",
			"No bridge could ask the full nodes for this account just now, and what this tab holds may be old. Nothing is built on it; try again when a bridge is linked.",
		);
	}
	return own;
}

/** The account of an open wallet. */
export class OwnAccount {
	readonly #node: NanoNode;
	readonly #wallet: OpenWallet;
	readonly #helpers: Helpers;
	readonly #tries = new Map<string, number>();
	#ahead: { asked: number; own: Promise<AccountAnswer> } | undefined;

	constructor(node: NanoNode, wallet: OpenWallet, helpers: Helpers = {}) {
		this.#node = node;
		this.#wallet = wallet;
		this.#helpers = helpers;
	}

	/** Sends an amount in raw. The signal ends it before the block is published, not after. */
	async send(to: string, amount: bigint, tell: Tell, signal: AbortSignal): Promise<void> {
		const { parseAddress } = await loadCore();
		const destination = parseAddress(to).address;
		if (amount <= 0n) throw new WalletError("bad-amount", "The amount must be more than zero.");
		await this.#inTurn(tell, signal, async () => {
			const own = await this.#recent();
			if (own.frontier === null || own.representative === null) {
				throw new WalletError("no-money", "This account has no money yet: receive some first.");
			}
			if (amount > own.balance) {
				throw new WalletError("bad-amount", "The amount is more than the proven balance.");
			}
			const change = {
				previous: own.frontier,
				representative: own.representative,
				balance: own.balance - amount,
				link: destination,
			};
			await this.#publish(own, change, { kind: "send", amount, other: destination }, tell, signal);
		});
	}

	/** Lets another representative vote with the account's weight. */
	async changeRepresentative(to: string, tell: Tell, signal: AbortSignal): Promise<void> {
		const { parseAddress } = await loadCore();
		const representative = parseAddress(to).address;
		await this.#inTurn(tell, signal, async () => {
			const own = await this.#recent();
			if (own.frontier === null) {
				throw new WalletError("no-money", "This account has no money yet: receive some first.");
			}
			const change = { previous: own.frontier, representative, balance: own.balance, link: null };
			const deed: Deed = { kind: "change", amount: 0n, other: representative };
			await this.#publish(own, change, deed, tell, signal);
		});
	}

	/** Receives the largest payment that waits and is wanted; false if there is none. */
	receive(
		tell: Tell,
		signal: AbortSignal,
		wanted: (incoming: Receivable) => boolean = () => true,
	): Promise<boolean> {
		return this.#inTurn(
			() => {},
			signal,
			async () => {
				const own = await this.#state();
				const incoming = own.receivable.find((one) => this.#mayReceive(one) && wanted(one));
				if (!incoming) return false;
				this.#tries.set(incoming.hash, this.#triesOf(incoming.hash) + 1);
				const { amount, source } = incoming;
				const change = await this.#received(own, incoming);
				await this.#publish(own, change, { kind: "receive", amount, other: source }, tell, signal);
				return true;
			},
		);
	}

	/**
	 * Lets the work of the next block be computed before somebody waits for it.
	 * @returns whether it is there; false also if something newer was expected meanwhile
	 */
	async expect({ frontier }: Pick<AccountAnswer, "frontier">): Promise<boolean> {
		const { parseAddress, workThreshold } = await loadCore();
		const root = frontier ?? parseAddress(this.#wallet.address).publicKey;
		const difficulty = workThreshold(this.#node.network, frontier ? "send" : "receive");
		return this.#node.ahead.expect(this.#wallet.address, root, difficulty);
	}

	/** Asks for the account's state while a person still writes the payment that will be built on it. */
	prepare(): void {
		if (this.#ahead && performance.now() - this.#ahead.asked < AHEAD_AGAIN_MS) return;
		const own = this.#state();
		// Whoever builds on it hears of a failure.
		own.catch(() => {});
		this.#ahead = { asked: performance.now(), own };
	}

	/** Whether a wanted payment is still to be received. */
	wants(own: AccountAnswer, wanted: (incoming: Receivable) => boolean = () => true): boolean {
		return own.receivable.some((one) => this.#mayReceive(one) && wanted(one));
	}

	#mayReceive({ hash }: Receivable): boolean {
		return this.#triesOf(hash) < RECEIVE_TRIES;
	}

	#triesOf(hash: string): number {
		return this.#tries.get(hash) ?? 0;
	}

	async #received(own: AccountAnswer, incoming: Receivable) {
		return {
			previous: own.frontier,
			// A first block has to name somebody: the sender's own choice votes, and can be changed later.
			representative:
				own.representative ??
				(await this.#node.account(incoming.source)).representative ??
				incoming.source,
			balance: own.balance + incoming.amount,
			link: incoming.hash,
		};
	}

	async #state(): Promise<AccountAnswer> {
		return buildable(await this.#node.account(this.#wallet.address, { fresh: true }));
	}

	/** The state that was asked for ahead if that is not long ago, one asked for now otherwise. */
	async #recent(): Promise<AccountAnswer> {
		const ahead = this.#ahead;
		if (!ahead || performance.now() - ahead.asked > AHEAD_MS) return this.#state();
		return ahead.own.catch(() => this.#state());
	}

	/** Runs `body` when it is this operation's turn and nothing of the account is pending. */
	async #inTurn<T>(tell: Tell, signal: AbortSignal, body: () => Promise<T>): Promise<T> {
		tell({ step: "queued" });
		return navigator.locks.request(`nanonet-${this.#wallet.address}`, { signal }, async () => {
			await this.#decided(signal);
			signal.throwIfAborted();
			return body();
		});
	}

	async #publish(
		own: AccountAnswer,
		change: Change,
		deed: Deed,
		tell: Tell,
		signal: AbortSignal,
	): Promise<void> {
		const { buildBlock, hashBlock, workRoot, workThreshold } = await loadCore();
		const unsigned = buildBlock({ account: this.#wallet.address, ...change });
		const signed = this.#signed(unsigned, own, tell, signal);
		// Whoever waits for the work hears of it.
		signed.catch(() => {});
		if (this.#wallet.privateKey !== null) tell({ step: "working", fraction: 0 });
		const work = await this.#node.work.generate(workRoot(unsigned), {
			difficulty: workThreshold(this.#node.network, deed.kind),
			purpose: deed.kind === "receive" ? "receive" : "send",
			onProgress: (at) => {
				if (this.#wallet.privateKey !== null) tell({ step: "working", fraction: at.fraction });
			},
			signal,
		});
		const block: BlockJson = { ...(await signed), work };
		const hash = hashBlock(block);
		signal.throwIfAborted();
		this.#helpers.published?.({
			at: Date.now(),
			account: this.#wallet.address,
			kind: deed.kind,
			amount: deed.amount.toString(),
			other: deed.other,
			hash,
		});
		// It is out of date from here on.
		this.#ahead = undefined;
		tell({ step: "publishing", hash });
		await this.#untilConfirmed(block, hash);
		void this.expect({ frontier: hash });
		tell({ step: "confirmed", hash });
	}

	/** The block with its signature, which is checked where it came from elsewhere. */
	async #signed(
		unsigned: StateBlockJson,
		own: AccountAnswer,
		tell: Tell,
		signal: AbortSignal,
	): Promise<StateBlockJson> {
		const { hashBlock, parseAddress, signBlock, verifySignature } = await loadCore();
		if (this.#wallet.privateKey !== null) return signBlock(unsigned, this.#wallet.privateKey);
		tell({ step: "signing" });
		const signed = await this.#helpers.sign?.(unsigned, own, signal);
		const hash = hashBlock(unsigned);
		const bytes = Uint8Array.from(hash.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
		const { publicKey } = parseAddress(this.#wallet.address);
		const signature = signed?.signature ?? "";
		if (!verifySignature(publicKey, bytes, signature)) {
			throw new WalletError(
				"not-signed",
				"What came back is not this block with the account's signature. Nothing was sent.",
			);
		}
		tell({ step: "working", fraction: 0 });
		return { ...unsigned, signature };
	}

	/** Hands a block to the node and waits until a proof decides, whatever a bridge says in between. */
	async #untilConfirmed(block: BlockJson, hash: string): Promise<void> {
		let last: TransactionEvent | undefined;
		const stop = this.#node.on("transaction", (event) => {
			if (event.hash === hash) last = event;
		});
		try {
			await this.#node.process(block);
		} catch (error) {
			const kept = (await this.#pending()).some((pending) => pending.hash === hash);
			if (!kept) throw error;
			await this.#decided();
			if (last?.state === "superseded") {
				throw new WalletError(
					"superseded",
					"Another block of this account was confirmed in the place of this one, so it never will be. Look at the new balance before you try again.",
				);
			}
		} finally {
			stop();
		}
	}

	/** Waits until no block of the account is pending. */
	async #decided(signal?: AbortSignal): Promise<void> {
		let look = () => {};
		const stop = this.#node.on("transaction", () => look());
		const abort = () => look();
		signal?.addEventListener("abort", abort);
		try {
			for (;;) {
				const next = new Promise<void>((resolve) => {
					look = resolve;
				});
				if ((await this.#pending()).length === 0) return;
				signal?.throwIfAborted();
				await next;
			}
		} finally {
			stop();
			signal?.removeEventListener("abort", abort);
		}
	}

	async #pending() {
		return pendingOf(await this.#node.pending(), this.#wallet.address);
	}
}
