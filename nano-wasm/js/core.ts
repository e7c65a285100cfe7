// The package's `core` entry: Nano itself without a node. Keys, addresses, amounts, blocks, proofs.

import { NanoError } from "./errors.js";
import { loadOwn } from "./own-wasm.js";
import type { NetworkName, ProofVote, StateBlockJson } from "./types.js";
import load, * as wasm from "./wasm/core.js";

export { NanoError } from "./errors.js";
export type { NetworkName, ProofVote, StateBlockJson } from "./types.js";

/** An account that was derived from a secret. */
export interface DerivedAccount {
	/** Secret, 64 hex digits. */
	privateKey: string;
	/** 64 hex digits. */
	publicKey: string;
	/** `nano_…` */
	address: string;
}

/** An address that was read. */
export interface ParsedAddress {
	/** 64 hex digits. */
	publicKey: string;
	/** The address in its `nano_…` form. */
	address: string;
}

/** What a state block is made of. */
export interface BlockParts {
	/** Address of its account. */
	account: string;
	/** Hash of the block before; `null` for the first one. */
	previous: string | null;
	/** Address of the representative. */
	representative: string;
	/** Balance after the block, raw. */
	balance: bigint;
	/** Send: the destination's address. Receive: hash of the send. Change: `null`. */
	link: string | null;
}

/** What a block does. */
export type BlockKind = "open" | "receive" | "send" | "change" | "epoch";

/** What a valid proof proves. */
export interface ProvenFrontier {
	/** Address of the account. */
	account: string;
	/** Hash of its proven block, 64 hex digits. */
	frontier: string;
	/** Its balance, raw. */
	balance: bigint;
	/** Address of its representative. */
	representative: string;
	/** Voting weight that confirmed it, raw. */
	weight: bigint;
	/** Voting weight that was needed, raw. */
	threshold: bigint;
	/** All voting weight in the table it was checked against, raw. */
	networkTotal: bigint;
	/** Date of that table, Unix milliseconds. */
	weightsAsOf: number;
	/** Who voted, heaviest first. */
	votes: ProofVote[];
}

/** What a proof says it is about, before anything of it is checked. */
export interface ProofSubject {
	/** Address of the account. */
	account: string;
	/** The network. */
	network: NetworkName;
}

/** What the names of the wasm's errors begin with (`src/fault.rs`). */
const FAULT = "nano:";

let loading: Promise<void> | undefined;

/**
 * Loads the wasm; everything else here needs it. Calling it again is free.
 * @param source where `core.wasm` is, or its bytes, when it is not beside this script
 */
export function initCore(source?: URL | string | BufferSource | WebAssembly.Module): Promise<void> {
	if (loading) return loading;
	const started = (source ? load({ module_or_path: source }) : ownCore()).then(
		() => {},
		(cause: unknown) => {
			loading = undefined;
			throw new NanoError("core-unavailable", "core.wasm could not be loaded.", { cause });
		},
	);
	loading = started;
	return started;
}

const ownCore = () =>
	loadOwn(
		load,
		() => new URL("./core.wasm", import.meta.url),
		() => import("./core-inlined.js"),
		"core.wasm",
	);

/** Calls into the wasm, whose errors carry their code as name. */
function call<T>(body: () => T): T {
	try {
		return body();
	} catch (cause) {
		if (cause instanceof Error && cause.name.startsWith(FAULT)) {
			throw new NanoError(cause.name.slice(FAULT.length), cause.message);
		}
		if (!loading) {
			throw new NanoError("not-initialised", "Call and await initCore() first.", { cause });
		}
		throw cause;
	}
}

/** A new random seed, 64 hex digits. */
export function generateSeed(): string {
	return call(() => wasm.generateSeed());
}

/** The account with this index of a Nano seed. */
export function deriveAccount(seed: string, index: number): DerivedAccount {
	return call(() => JSON.parse(wasm.deriveAccount(seed, index)));
}

/** A Nano seed as 24 words. */
export function seedToWords(seed: string): string {
	return call(() => wasm.seedToWords(seed));
}

/** The Nano seed that 24 words encode, 64 hex digits. */
export function wordsToSeed(words: string): string {
	return call(() => wasm.wordsToSeed(words));
}

/** The account with this index of a BIP39 phrase, m/44'/165'/index', as hardware wallets derive it. */
export function bip39Account(words: string, passphrase: string, index: number): DerivedAccount {
	return call(() => JSON.parse(wasm.bip39Account(words, passphrase, index)));
}

/** Reads an address in its `nano_` or `xrb_` form. */
export function parseAddress(text: string): ParsedAddress {
	return call(() => JSON.parse(wasm.parseAddress(text)));
}

/** Raw from an amount in nano such as `"1.5"`, exactly. */
export function nanoToRaw(nano: string): bigint {
	return call(() => BigInt(wasm.nanoToRaw(nano)));
}

/** An amount in nano from raw, exactly. */
export function rawToNano(raw: bigint): string {
	return call(() => wasm.rawToNano(raw.toString()));
}

/** A state block without signature and work. */
export function buildBlock(parts: BlockParts): StateBlockJson {
	return call(() =>
		JSON.parse(
			wasm.buildBlock(
				parts.account,
				parts.previous ?? undefined,
				parts.representative,
				parts.balance.toString(),
				parts.link ?? undefined,
			),
		),
	);
}

/** A block's hash, 64 hex digits. */
export function hashBlock(block: StateBlockJson): string {
	return call(() => wasm.hashBlock(JSON.stringify(block)));
}

/** The block with its signature by this private key. */
export function signBlock(block: StateBlockJson, privateKey: string): StateBlockJson {
	return call(() => JSON.parse(wasm.signBlock(JSON.stringify(block), privateKey)));
}

/** What a block's work is over, 64 hex digits. */
export function workRoot(block: StateBlockJson): string {
	return call(() => wasm.workRoot(JSON.stringify(block)));
}

/** Difficulty that a block of this kind needs on a network, 16 hex digits. */
export function workThreshold(network: NetworkName, kind: BlockKind): string {
	return call(() => wasm.workThreshold(network, kind));
}

/** Whether work over a root reaches a difficulty; all three as hex digits. */
export function validateWork(root: string, work: string, threshold: string): boolean {
	return call(() => wasm.validateWork(root, work, threshold));
}

/** Whether a signature (128 hex digits) by a public key (64) holds for a message, as Nano's nodes see it. */
export function verifySignature(
	publicKey: string,
	message: Uint8Array,
	signature: string,
): boolean {
	return call(() => wasm.verifySignature(publicKey, message, signature));
}

/**
 * Checks a balance proof; fails with the reason's code when it does not hold.
 * @param proof its JSON text or binary form
 * @param address the account it must be about
 * @param weights a weight table as JSON text; default: the live network's that the package ships
 */
export function verifyProof(
	proof: string | Uint8Array,
	address: string,
	network: NetworkName,
	weights?: string,
): ProvenFrontier {
	return call(() => {
		const text =
			typeof proof === "string"
				? wasm.verifyProofText(proof, address, network, weights)
				: wasm.verifyProofBytes(proof, address, network, weights);
		const proven = JSON.parse(text);
		return {
			...proven,
			balance: BigInt(proven.balance),
			weight: BigInt(proven.weight),
			threshold: BigInt(proven.threshold),
			networkTotal: BigInt(proven.networkTotal),
			votes: proven.votes.map((vote: { representative: string; weight: string }) => ({
				representative: vote.representative,
				weight: BigInt(vote.weight),
			})),
		};
	});
}

/** Account and network that the binary form of a proof names; nothing of it is checked. */
export function proofSubject(proof: Uint8Array): ProofSubject {
	return call(() => JSON.parse(wasm.proofSubject(proof)));
}

/**
 * The binary form of a proof, for links and files: checked, and with no more votes than it takes to prove.
 * @param proof its JSON text; the other parameters are those of `verifyProof`
 */
export function packProof(
	proof: string,
	address: string,
	network: NetworkName,
	weights?: string,
): Uint8Array<ArrayBuffer> {
	return call(() => wasm.packProof(proof, address, network, weights)) as Uint8Array<ArrayBuffer>;
}
