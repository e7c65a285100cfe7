// The wallet's seed at rest: encrypted with a key that only the person's password gives.
//
// States: empty -> locked <-> open. The seed (or what a phrase's words encode) is in memory only while open. Argon2id (64 MiB, 3 passes) makes
// guessing the password slow; AES-256-GCM notices a wrong password or damaged storage.

import { argon2id } from "hash-wasm";
import type { Secret, SecretKind } from "./wallet.js";

const PLACE = "nanonet-vault";
const VERSION = 2;
/** What is encrypted: one byte for the kind, then the secret. */
const KINDS: SecretKind[] = ["nano", "bip39"];
const MEMORY_KIB = 65_536;
const PASSES = 3;
/** Shortest password taken. */
export const PASSWORD_LENGTH = 8;

interface Stored {
	version: number;
	salt: string;
	iv: string;
	sealed: string;
}

/** What can go wrong with the vault, with a text to show. */
export class VaultError extends Error {
	constructor(
		readonly code: "wrong-password" | "damaged" | "too-short",
		message: string,
	) {
		super(message);
		this.name = "VaultError";
	}
}

const toHex = (data: Uint8Array) =>
	Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");
const fromHex = (text: string) =>
	Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

async function keyOf(password: string, salt: Uint8Array): Promise<CryptoKey> {
	const raw = await argon2id({
		password: password.normalize("NFKC"),
		salt,
		iterations: PASSES,
		memorySize: MEMORY_KIB,
		parallelism: 1,
		hashLength: 32,
		outputType: "binary",
	});
	return crypto.subtle.importKey("raw", raw as BufferSource, "AES-GCM", false, [
		"encrypt",
		"decrypt",
	]);
}

function stored(): Stored | undefined {
	const text = localStorage.getItem(PLACE);
	if (text === null) return undefined;
	try {
		const value = JSON.parse(text) as Stored;
		if (value.version === VERSION && value.salt && value.iv && value.sealed) return value;
	} catch {
		// Told below: the text is kept, so that nothing is lost.
	}
	throw new VaultError(
		"damaged",
		"The stored wallet cannot be read. It was left as it is; import your seed to use it elsewhere.",
	);
}

/** Whether this browser keeps a wallet. */
export function vaultExists(): boolean {
	return localStorage.getItem(PLACE) !== null;
}

/** Encrypts a secret under a password and keeps it, in place of an earlier one. */
export async function seal(secret: Secret, password: string): Promise<void> {
	if (password.length < PASSWORD_LENGTH) {
		throw new VaultError(
			"too-short",
			`The password needs at least ${PASSWORD_LENGTH} characters: it is all that protects the seed on this device.`,
		);
	}
	const salt = crypto.getRandomValues(new Uint8Array(16));
	const iv = crypto.getRandomValues(new Uint8Array(12));
	const key = await keyOf(password, salt);
	const sealed = await crypto.subtle.encrypt(
		{ name: "AES-GCM", iv },
		key,
		Uint8Array.of(KINDS.indexOf(secret.kind), ...fromHex(secret.hex)),
	);
	const value: Stored = {
		version: VERSION,
		salt: toHex(salt),
		iv: toHex(iv),
		sealed: toHex(new Uint8Array(sealed)),
	};
	localStorage.setItem(PLACE, JSON.stringify(value));
}

/** The secret, if the password is right. */
export async function open(password: string): Promise<Secret> {
	const value = stored();
	if (!value) throw new VaultError("damaged", "This browser keeps no wallet.");
	const key = await keyOf(password, fromHex(value.salt));
	try {
		const plain = await crypto.subtle.decrypt(
			{ name: "AES-GCM", iv: fromHex(value.iv) as BufferSource },
			key,
			fromHex(value.sealed) as BufferSource,
		);
		const [kind = 0, ...bytes] = new Uint8Array(plain);
		return {
			kind: KINDS[kind] ?? "nano",
			hex: toHex(Uint8Array.from(bytes)).toUpperCase(),
		};
	} catch {
		throw new VaultError("wrong-password", "That is not the password of this wallet.");
	}
}

/** Forgets the wallet. Its money stays where it is; only the seed opens it again. */
export function forget(): void {
	localStorage.removeItem(PLACE);
}
