// What a person pastes or opens to bring a wallet: which formats it can be, and what it opens.

import { type NaultExport, openNault, readNault } from "./nault.js";
import { isExport } from "./vault.js";
import { loadCore, type Secret } from "./wallet.js";

/** What a text is, before a password opens it where it needs one. */
export type Pasted =
	| { format: "secret" }
	| { format: "nault"; nault: NaultExport }
	| { format: "export"; text: string };

/** A secret with the accounts that were in use. */
export interface Brought {
	secret: Secret;
	indexes: number[];
}

/** Why a text opens no wallet. */
export class SecretTextError extends Error {
	constructor(
		readonly code: "no-secret",
		message: string,
	) {
		super(message);
		this.name = "SecretTextError";
	}
}

/** Word counts of a BIP39 phrase. */
const PHRASES = new Set([12, 15, 18, 21, 24]);

/** Which kind of text this is. An export of another wallet that cannot be used here fails with the reason. */
export function recognise(text: string): Pasted {
	if (isExport(text)) return { format: "export", text };
	const nault = readNault(text);
	return nault ? { format: "nault", nault } : { format: "secret" };
}

/** What a Nault export opens with its password. */
export async function fromNault(nault: NaultExport, password: string): Promise<Brought> {
	return {
		secret: { kind: "nano", hex: await openNault(nault, password) },
		indexes: nault.indexes,
	};
}

/**
 * Reads a secret. 64 hexadecimal digits are a Nano seed, as Nault and Natrium show it; 24 words can be one (Natrium's
 * secret phrase, Nault's mnemonic) or a BIP39 phrase, and nothing in them says which: both are given, for the person
 * to choose. A passphrase, or another count of words, makes it a BIP39 phrase.
 */
export async function readSecret(text: string, passphrase = ""): Promise<Secret[]> {
	const { bip39Account, wordsToSeed } = await loadCore();
	const trimmed = text.trim().replace(/^nanoseed:/i, "");
	if (/^[0-9a-f]{64}$/i.test(trimmed)) return [{ kind: "nano", hex: trimmed.toUpperCase() }];
	const list = trimmed.toLowerCase().split(/\s+/);
	if (PHRASES.has(list.length)) {
		const words = list.join(" ");
		// Fails with the reason when they are no phrase.
		bip39Account(words, passphrase, 0);
		const phrase: Secret = { kind: "bip39", words, passphrase: passphrase.normalize("NFKD") };
		if (passphrase !== "" || list.length !== 24) return [phrase];
		return [{ kind: "nano", hex: wordsToSeed(words) }, phrase];
	}
	throw new SecretTextError(
		"no-secret",
		`A seed has 64 hexadecimal digits or 24 words, a BIP39 phrase 12 to 24 words; this has ${trimmed.length} characters in ${list.length} ${list.length === 1 ? "word" : "words"}.`,
	);
}
