// The wallet's keys, and how what a person pasted becomes one.
//
// Keys stay in the page; the node only ever sees signed blocks.

import type * as Core from "nanonet/core";

let core: Promise<typeof Core> | undefined;

/** The package's small part for keys, addresses and blocks, loaded when first needed. */
export function loadCore(): Promise<typeof Core> {
	core ??= import("nanonet/core").then(async (loaded) => {
		await loaded.initCore();
		return loaded;
	});
	return core;
}

/** How an account's key comes from 32 secret bytes: as Nano's own seed, or as a BIP39 phrase of 24 words. */
export type SecretKind = "nano" | "bip39";

/** What opens a wallet. */
export interface Secret {
	kind: SecretKind;
	/** 64 hex digits: the seed, or what the phrase's words encode. */
	hex: string;
}

/** An opened wallet's account. */
export interface OpenWallet {
	address: string;
	privateKey: string;
}

/** The first account of a secret. */
export async function openWallet({ kind, hex }: Secret): Promise<OpenWallet> {
	const { bip39Account, deriveAccount, seedToWords } = await loadCore();
	const { address, privateKey } =
		kind === "nano" ? deriveAccount(hex, 0) : bip39Account(seedToWords(hex), "", 0);
	return { address, privateKey };
}

/**
 * Reads what a person pasted. 64 hexadecimal digits are a Nano seed; 24 words can be one or a BIP39 phrase, and
 * nothing in them says which: both are given, for the person to choose.
 */
export async function readSecret(text: string): Promise<Secret[]> {
	const { wordsToSeed } = await loadCore();
	const trimmed = text.trim();
	if (/^[0-9a-f]{64}$/i.test(trimmed)) return [{ kind: "nano", hex: trimmed.toUpperCase() }];
	const words = trimmed.toLowerCase().split(/\s+/);
	if (words.length === 24) {
		const hex = wordsToSeed(words.join(" "));
		return [
			{ kind: "nano", hex },
			{ kind: "bip39", hex },
		];
	}
	throw new Error(
		`A seed has 64 hexadecimal digits or 24 words; this has ${trimmed.length} characters in ${words.length} ${words.length === 1 ? "word" : "words"}.`,
	);
}
