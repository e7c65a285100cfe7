// Blocks of the caller's own accounts: built on the newest known block, given work, signed by the caller's key or by
// whoever holds it, and published. Loaded when first used.
//
// Blocks of one account are made one after the other: the next is built when the one before is stored as pending, so
// two calls at once never build on the same block.

import {
	type BlockKind,
	type BlockParts,
	buildBlock,
	hashBlock,
	initCore,
	parseAddress,
	signBlock,
	verifySignature,
	workRoot,
	workThreshold,
} from "./core.js";
import { aborted, NanoError } from "./errors.js";
import type { FacadeNode } from "./facade-types.js";
import { type Head, type Standing, standing } from "./head.js";
import type { ChangeRequest, ReceiveRequest, SendRequest, Signer } from "./own-types.js";
import type { CallOptions, ProcessResult, StateBlockJson } from "./types.js";

/** Longest wait for an account's state. */
const PATIENCE_MS = 10_000;

/** What a block changes. */
interface Plan {
	kind: BlockKind;
	parts: Omit<BlockParts, "account">;
}

/** Makes blocks for one node. */
export class OwnBlocks {
	readonly #node: FacadeNode;
	/** The newest call of each account; settled when its block is stored. */
	readonly #turns = new Map<string, Promise<unknown>>();

	constructor(node: FacadeNode) {
		this.#node = node;
	}

	/** Sends an amount. */
	send(signer: Signer, { to, amount }: SendRequest, options: CallOptions) {
		return this.#make(signer, options, ({ head }) => {
			if (amount <= 0n) throw new NanoError("bad-amount", "The amount must be more than 0 raw.");
			const before = opened(head, signer.address);
			const balance = BigInt(before.balance) - amount;
			if (balance < 0n) {
				const problem = `${signer.address} has ${before.balance} raw, which is less than ${amount}.`;
				throw new NanoError("insufficient-balance", problem);
			}
			return { kind: "send", parts: { ...built(before), balance, link: to } };
		});
	}

	/** Receives a proven send; the largest, unless one is named. */
	receive(signer: Signer, { hash, representative }: ReceiveRequest, options: CallOptions) {
		return this.#make(signer, options, ({ head, receivable }) => {
			if (head === undefined) throw unknown(signer.address);
			const send = receivable.find((one) => hash === undefined || one.hash === hash.toUpperCase());
			if (!send) {
				const what = hash === undefined ? "no send" : `no send ${hash}`;
				throw new NanoError("nothing-receivable", `${signer.address} has ${what} to receive.`);
			}
			if (head) {
				const balance = BigInt(head.balance) + send.amount;
				return { kind: "receive", parts: { ...built(head), balance, link: send.hash } };
			}
			if (representative === undefined) {
				const problem = `${signer.address} receives for the first time: name its representative.`;
				throw new NanoError("representative-needed", problem);
			}
			const parts = { previous: null, representative, balance: send.amount, link: send.hash };
			return { kind: "open", parts };
		});
	}

	/** Changes the representative. */
	change(signer: Signer, { representative }: ChangeRequest, options: CallOptions) {
		return this.#make(signer, options, ({ head }) => {
			const before = opened(head, signer.address);
			const balance = BigInt(before.balance);
			return { kind: "change", parts: { ...built(before), representative, balance, link: null } };
		});
	}

	/** Takes its turn, makes the block, and waits until it is proven confirmed. */
	async #make(
		signer: Signer,
		options: CallOptions,
		plan: (state: Standing) => Plan,
	): Promise<ProcessResult> {
		const { signal } = options;
		await initCore();
		const { address } = parseAddress(signer.address);
		const before = this.#turns.get(address);
		const published = (async () => {
			await before?.catch(() => {});
			if (signal?.aborted) throw aborted(signal);
			const until = signal ? { signal } : {};
			const state = await standing(this.#node, address, { timeoutMs: PATIENCE_MS, ...until });
			if (signal?.aborted) throw aborted(signal);
			if (state.head === undefined && state.problem) throw state.problem;
			const { kind, parts } = plan(state);
			const unsigned = buildBlock({ account: address, ...parts });
			const difficulty = workThreshold(this.#node.network, kind);
			const purpose = kind === "send" || kind === "change" ? "send" : "receive";
			const [block, work] = await Promise.all([
				signed(unsigned, signer),
				this.#node.work.generate(workRoot(unsigned), { difficulty, purpose, ...until }),
			]);
			const done = this.#node.process({ ...block, work }, until);
			// Its failure is the caller's; whoever waits for his turn goes on.
			done.catch(() => {});
			// Answered after the block was stored: the worker takes commands in order.
			await this.#node.pending();
			return { done };
		})();
		this.#turns.set(address, published);
		try {
			return await (await published).done;
		} finally {
			if (this.#turns.get(address) === published) this.#turns.delete(address);
		}
	}
}

/** What stays as it was. */
const built = (head: Head) => ({ previous: head.frontier, representative: head.representative });

function opened(head: Head | null | undefined, account: string): Head {
	if (head === undefined) throw unknown(account);
	if (head === null) {
		throw new NanoError("unopened", `${account} has received nothing yet, so it can send nothing.`);
	}
	return head;
}

const unknown = (account: string) =>
	new NanoError(
		"unknown-account",
		`Nothing is known of the chain of ${account}, so nothing may be built on it. Ask again, or name an anchor.`,
	);

/** The block with its signature, which is checked: a wrong one would be refused everywhere. */
async function signed(block: StateBlockJson, signer: Signer): Promise<StateBlockJson> {
	if ("privateKey" in signer) return checked(signBlock(block, signer.privateKey), signer);
	const hash = hashBlock(block);
	return checked({ ...block, signature: await signer.sign(hash, block) }, signer);
}

function checked(block: StateBlockJson, { address }: Signer): StateBlockJson {
	const { publicKey } = parseAddress(address);
	const hash = Uint8Array.from(hashBlock(block).match(/../g) ?? [], (byte) =>
		Number.parseInt(byte, 16),
	);
	if (!verifySignature(publicKey, hash, block.signature ?? "")) {
		throw new NanoError("bad-signature", `The signature is not one of ${address} over its block.`);
	}
	return block;
}
