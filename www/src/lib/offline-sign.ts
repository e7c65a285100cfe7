// A block's way to a browser that has the key and no network, and back.
//
// The texts are those that Nault writes (`nanosign:` with the block and the one before it, `nanoprocess:` with the
// signed one), so that either end can be another wallet. The signer reads what a block does from the two blocks, whose
// hashes hold together; it never believes a number that stands beside them.

import type { StateBlockJson } from "nanonet";
import { loadCore } from "./wallet.js";

const SIGN = "nanosign:";
const PROCESS = "nanoprocess:";
/** Longest text that is read. */
const MOST = 8_192;

/** What a block does to its account. */
export interface BlockDeed {
	block: StateBlockJson;
	kind: "send" | "receive" | "change" | "open";
	/** Raw. */
	amount: bigint;
	/** Destination of a send, hash of what is received. */
	other: string;
	/** Balance afterwards, raw. */
	balance: bigint;
}

/** Why a text cannot be signed or sent. */
export class SignTextError extends Error {
	constructor(
		readonly code: "no-block" | "no-previous" | "wrong-previous",
		message: string,
	) {
		super(message);
		this.name = "SignTextError";
	}
}

/** The text to be signed. */
export function signText(unsigned: StateBlockJson, previous: object | null): string {
	return `${SIGN}${JSON.stringify({ block: unsigned, ...(previous ? { previous } : {}) })}`;
}

/** The text of a signed block. */
export function processText(signed: StateBlockJson): string {
	return `${PROCESS}${JSON.stringify({ block: signed })}`;
}

function read(text: string, scheme: string): { block: StateBlockJson; previous?: StateBlockJson } {
	const trimmed = text.trim();
	try {
		if (trimmed.length > MOST || !trimmed.startsWith(scheme)) throw new Error();
		const value = JSON.parse(trimmed.slice(scheme.length));
		if (typeof value.block?.account !== "string") throw new Error();
		return value;
	} catch {
		throw new SignTextError(
			"no-block",
			`This is not what was expected: a text that begins with ${scheme}. Copy or scan it whole.`,
		);
	}
}

/** The block that came back signed. */
export const readSigned = (text: string): StateBlockJson => ({
	...read(text, PROCESS).block,
	type: "state",
});

/** What a text asks to be signed, and what that does. */
export async function readUnsigned(text: string): Promise<BlockDeed> {
	const { buildBlock, hashBlock, parseAddress } = await loadCore();
	const { block: given, previous } = read(text, SIGN);
	const zero = "0".repeat(64);
	const opens = given.previous === zero;
	// Made anew out of what is signed: whatever else stands in the text is not looked at.
	const block = buildBlock({
		account: given.account,
		previous: opens ? null : given.previous,
		representative: given.representative,
		balance: BigInt(given.balance),
		link: given.link,
	});
	const balance = BigInt(block.balance);
	if (opens) return { block, kind: "open", amount: balance, other: block.link, balance };
	if (!previous) {
		throw new SignTextError(
			"no-previous",
			"The block before this one is missing, so nothing shows how much it moves. It is not signed.",
		);
	}
	const before: StateBlockJson = { ...previous, type: "state" };
	const sameAccount =
		parseAddress(before.account).publicKey === parseAddress(block.account).publicKey;
	if (!sameAccount || hashBlock(before) !== block.previous) {
		throw new SignTextError(
			"wrong-previous",
			"The block before this one is not the one it builds on. It is not signed.",
		);
	}
	const difference = balance - BigInt(before.balance);
	if (difference > 0n) {
		return { block, kind: "receive", amount: difference, other: block.link, balance };
	}
	if (difference === 0n) {
		return { block, kind: "change", amount: 0n, other: block.representative, balance };
	}
	const other = block.link_as_account ?? block.link;
	return { block, kind: "send", amount: -difference, other, balance };
}
