// The wallet at rest: everything in it encrypted with a key that only the person's password gives.
//
// States: empty -> locked <-> open. What opens money is in memory only while open. Argon2id (64 MiB, 3 passes) makes
// guessing the password slow; AES-256-GCM notices a wrong password or damaged storage. The key is kept while open, not
// the password, so that later changes are stored without asking again. An export is what is stored, as it is.
//
// Version 3 encrypts the whole wallet as JSON. Versions 1 and 2 encrypted the secret alone, and are rewritten as 3
// when they are opened.

import { loadCore, type Secret } from "./wallet.js";

const PLACE = "nanonet-vault";
const VERSION = 3;
const FORMAT = "nanonet-wallet";
const MEMORY_KIB = 65_536;
const PASSES = 3;
const SECRET_BYTES = 32;
/** Shortest password taken. */
export const PASSWORD_LENGTH = 8;
/** Largest export that is read. */
const MOST_EXPORT = 4_194_304;

/** A named address. */
export interface BookEntry {
	name: string;
	address: string;
}

/** A block that this browser published. */
export interface HistoryEntry {
	/** Unix milliseconds. */
	at: number;
	account: string;
	kind: "send" | "receive" | "change";
	/** Raw, decimal. */
	amount: string;
	/** Who else it is about: destination, source or representative. */
	other: string;
	hash: string;
}

/** Everything in a wallet. */
export interface Contents {
	secret: Secret;
	/** Accounts in use, by index, with the person's names for them. */
	accounts: { index: number; name: string }[];
	book: BookEntry[];
	/** Newest first. */
	history: HistoryEntry[];
	/** Whether the person said that the secret is kept elsewhere, too. */
	backedUp: boolean;
}

interface Stored {
	format?: string;
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
	const { argon2id } = await import("hash-wasm");
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

function parse(text: string): Stored | undefined {
	try {
		const value = JSON.parse(text) as Stored;
		const known = value.version >= 1 && value.version <= VERSION;
		const texts = [value.salt, value.iv, value.sealed];
		if (known && texts.every((part) => /^([0-9a-f]{2})+$/.test(part))) return value;
	} catch {
		// No wallet of ours.
	}
	return undefined;
}

/** Whether a text is an export of a wallet of this page. */
export function isExport(text: string): boolean {
	return text.length <= MOST_EXPORT && parse(text)?.format === FORMAT;
}

/** Whether this browser keeps a wallet. */
export function vaultExists(): boolean {
	return localStorage.getItem(PLACE) !== null;
}

/** The wallet as a text that can be kept elsewhere; it opens with the wallet's password only. */
export function exported(): string {
	return localStorage.getItem(PLACE) ?? "";
}

/** Forgets the wallet. Its money stays where it is; only the seed opens it again. */
export function forget(): void {
	localStorage.removeItem(PLACE);
}

/** An open vault: stores what changes under the key that opened it. */
export class Vault {
	readonly #key: CryptoKey;
	readonly #salt: Uint8Array;
	/** Changes are written one after the other. */
	#writing: Promise<void> = Promise.resolve();

	private constructor(key: CryptoKey, salt: Uint8Array) {
		this.#key = key;
		this.#salt = salt;
	}

	/** Encrypts a wallet under a password and keeps it, in place of an earlier one. */
	static async create(contents: Contents, password: string): Promise<Vault> {
		if (password.length < PASSWORD_LENGTH) {
			throw new VaultError(
				"too-short",
				`The password needs at least ${PASSWORD_LENGTH} characters: it is all that protects the seed on this device.`,
			);
		}
		const salt = crypto.getRandomValues(new Uint8Array(16));
		const vault = new Vault(await keyOf(password, salt), salt);
		await vault.save(contents);
		return vault;
	}

	/** Opens the wallet kept here, or an exported one, if the password is right. */
	static async open(password: string, text = exported()): Promise<[Vault, Contents]> {
		if (text === "") throw new VaultError("damaged", "This browser keeps no wallet.");
		const value = parse(text);
		if (!value) {
			throw new VaultError(
				"damaged",
				"The stored wallet cannot be read. It was left as it is; import your seed to use it elsewhere.",
			);
		}
		const salt = fromHex(value.salt);
		const key = await keyOf(password, salt);
		const plain = await crypto.subtle
			.decrypt({ name: "AES-GCM", iv: fromHex(value.iv) }, key, fromHex(value.sealed))
			.catch(() => {
				throw new VaultError("wrong-password", "That is not the password of this wallet.");
			});
		const vault = new Vault(key, salt);
		if (value.version === VERSION) {
			return [vault, JSON.parse(new TextDecoder().decode(plain)) as Contents];
		}
		const contents = await migrated(new Uint8Array(plain));
		await vault.save(contents);
		return [vault, contents];
	}

	/** Stores the wallet as it is now. */
	save(contents: Contents): Promise<void> {
		this.#writing = this.#writing
			.catch(() => {
				// The one before told whoever waited for it.
			})
			.then(() => this.#write(contents));
		return this.#writing;
	}

	async #write(contents: Contents): Promise<void> {
		const iv = crypto.getRandomValues(new Uint8Array(12));
		const plain = new TextEncoder().encode(JSON.stringify(contents));
		const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, this.#key, plain);
		const value: Stored = {
			format: FORMAT,
			version: VERSION,
			salt: toHex(this.#salt),
			iv: toHex(iv),
			sealed: toHex(new Uint8Array(sealed)),
		};
		localStorage.setItem(PLACE, JSON.stringify(value));
	}
}

/** A wallet of versions 1 and 2: a seed, or from 2 on one byte for the kind before it. */
async function migrated(plain: Uint8Array): Promise<Contents> {
	const kind = plain.length > SECRET_BYTES ? plain[0] : 0;
	const hex = toHex(plain.slice(-SECRET_BYTES)).toUpperCase();
	const { seedToWords } = await loadCore();
	const secret: Secret =
		kind === 1 ? { kind: "bip39", words: seedToWords(hex), passphrase: "" } : { kind: "nano", hex };
	// It could only be made by somebody who said that the words are written down, or had them.
	return newContents(secret, [0], true);
}

/** A wallet that nothing happened in yet. */
export function newContents(secret: Secret, indexes: number[], backedUp: boolean): Contents {
	const accounts = indexes.map((index) => ({ index, name: "" }));
	return { secret, accounts, book: [], history: [], backedUp };
}
