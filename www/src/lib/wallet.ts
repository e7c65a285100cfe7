// The wallet's own rules: build on the proven frontier, sign here, let the node find a way to the network.
//
// A send or receive passes through: working (its own workers) -> publishing -> confirmed with a proof.
// Keys stay in this module; the node only ever sees signed blocks.

import type { AccountAnswer, BlockJson, NanoNode, Receivable } from "nanonet";
import type * as Core from "nanonet/core";

/** Where a block is on its way. */
export type Progress =
	| { step: "working"; fraction: number }
	| { step: "publishing" }
	| { step: "confirmed"; hash: string };

let core: Promise<typeof Core> | undefined;

/** The package's small part for keys, addresses and blocks, loaded when first needed. */
export function loadCore(): Promise<typeof Core> {
	core ??= import("nanonet/core").then(async (loaded) => {
		await loaded.initCore();
		return loaded;
	});
	return core;
}

/** An opened wallet's account. */
export interface OpenWallet {
	address: string;
	privateKey: string;
	seed: string;
}

/** The first account of a seed. */
export async function openWallet(seed: string): Promise<OpenWallet> {
	const { deriveAccount } = await loadCore();
	const { address, privateKey } = deriveAccount(seed, 0);
	return { address, privateKey, seed };
}

/** Reads what a person pasted: 64 hex digits, or the 24 words of a Nano seed. */
export async function readSeed(text: string): Promise<string> {
	const { wordsToSeed } = await loadCore();
	const trimmed = text.trim();
	if (/^[0-9a-f]{64}$/i.test(trimmed)) return trimmed.toUpperCase();
	const words = trimmed.toLowerCase().split(/\s+/);
	if (words.length === 24) return wordsToSeed(words.join(" "));
	throw new Error(
		`A seed has 64 hexadecimal digits or 24 words; this has ${trimmed.length} characters in ${words.length} ${words.length === 1 ? "word" : "words"}.`,
	);
}

async function publish(
	node: NanoNode,
	wallet: OpenWallet,
	fields: { previous: string | null; representative: string; balance: bigint; link: string },
	kind: "send" | "receive",
	progress: (progress: Progress) => void,
	signal?: AbortSignal,
): Promise<string> {
	const { buildBlock, signBlock, workRoot, workThreshold } = await loadCore();
	const unsigned = buildBlock({ account: wallet.address, ...fields });
	progress({ step: "working", fraction: 0 });
	const work = await node.work.generate(workRoot(unsigned), {
		threshold: workThreshold(node.network, kind),
		onProgress: (at) => progress({ step: "working", fraction: at.fraction }),
		...(signal ? { signal } : {}),
	});
	const block: BlockJson = { ...signBlock(unsigned, wallet.privateKey), work };
	progress({ step: "publishing" });
	const { hash } = await node.process(block, signal ? { signal } : {});
	progress({ step: "confirmed", hash });
	return hash;
}

/** Sends an amount in raw. The account's answer must be fresh enough to build on: it is asked for again. */
export async function send(
	node: NanoNode,
	wallet: OpenWallet,
	to: string,
	amount: bigint,
	progress: (progress: Progress) => void,
	signal?: AbortSignal,
): Promise<string> {
	const { parseAddress } = await loadCore();
	const destination = parseAddress(to);
	const own = await node.account(wallet.address, { fresh: true });
	if (!own.opened || own.frontier === null || own.representative === null) {
		throw new Error("This account has no money yet: receive some first.");
	}
	if (amount <= 0n) throw new Error("The amount must be more than zero.");
	if (amount > own.balance) throw new Error("The amount is more than the proven balance.");
	return publish(
		node,
		wallet,
		{
			previous: own.frontier,
			representative: own.representative,
			balance: own.balance - amount,
			link: destination.address,
		},
		"send",
		progress,
		signal,
	);
}

/** Receives one proven send. */
export async function receive(
	node: NanoNode,
	wallet: OpenWallet,
	own: AccountAnswer,
	incoming: Receivable,
	progress: (progress: Progress) => void,
): Promise<string> {
	return publish(
		node,
		wallet,
		{
			previous: own.frontier,
			// A first block has to name somebody: the sender's own choice votes, and can be changed later.
			representative:
				own.representative ??
				(await node.account(incoming.source)).representative ??
				incoming.source,
			balance: own.balance + incoming.amount,
			link: incoming.hash,
		},
		"receive",
		progress,
	);
}
