// Nault's exports: the seed encrypted as CryptoJS does it (a key out of the password by MD5, then AES-256-CBC), and the
// indexes of the accounts, as JSON in a file or in base64 behind `/import-wallet#`.
//
// That key costs an attacker next to nothing to guess; the wallet is kept by our own vault afterwards.

/** What is read from an export before its password is known. */
export interface NaultExport {
	/** `Salted__`, 8 bytes of salt, and the encrypted seed, in base64. */
	sealed: string;
	indexes: number[];
}

/** Why an export could not be opened. */
export class NaultError extends Error {
	constructor(
		readonly code: "nault-password" | "nault-kind",
		message: string,
	) {
		super(message);
		this.name = "NaultError";
	}
}

const LINK = /\/import-wallet#([\w+/=-]+)$/;
/** Most accounts that are taken from an export. */
const MOST_ACCOUNTS = 64;
const SALT_AT = 8;
const DATA_AT = 16;

/** Reads an export, or nothing if the text is none. */
export function readNault(text: string): NaultExport | undefined {
	try {
		const inLink = LINK.exec(text.trim())?.[1];
		const value = JSON.parse(inLink ? atob(inLink) : text);
		if (typeof value !== "object" || value === null) return undefined;
		const { seed, privateKey, expandedKey, indexes, accountsIndex } = value;
		if (privateKey || expandedKey) {
			throw new NaultError(
				"nault-kind",
				"This Nault wallet holds a single key without a seed; open it in Nault and send its money to an account of a seed.",
			);
		}
		if (typeof seed !== "string") return undefined;
		const counted = Array.from(
			{ length: Math.min(Number(accountsIndex) || 1, MOST_ACCOUNTS) },
			(_, index) => index,
		);
		const listed = Array.isArray(indexes)
			? indexes.filter((index) => Number.isInteger(index) && index >= 0 && index < 2 ** 32)
			: [];
		return { sealed: seed, indexes: listed.length > 0 ? listed.slice(0, MOST_ACCOUNTS) : counted };
	} catch (error) {
		if (error instanceof NaultError) throw error;
		return undefined;
	}
}

/** The seed of an export, 64 hex digits. */
export async function openNault({ sealed }: NaultExport, password: string): Promise<string> {
	const wrong = () =>
		new NaultError("nault-password", "That is not the password that this export was made with.");
	try {
		const data = Uint8Array.from(atob(sealed), (character) => character.charCodeAt(0));
		const { key, iv } = await keyOf(password, data.subarray(SALT_AT, DATA_AT));
		const plain = await crypto.subtle.decrypt(
			{ name: "AES-CBC", iv },
			await crypto.subtle.importKey("raw", key, "AES-CBC", false, ["decrypt"]),
			data.subarray(DATA_AT),
		);
		const seed = new TextDecoder().decode(plain);
		if (/^[0-9a-f]{64}$/i.test(seed)) return seed.toUpperCase();
	} catch {
		// Wrong padding is how a wrong password shows.
	}
	throw wrong();
}

/** Key and start value as OpenSSL's `EVP_BytesToKey` makes them: 48 bytes of chained MD5. */
async function keyOf(password: string, salt: Uint8Array) {
	const { createMD5 } = await import("hash-wasm");
	const md5 = await createMD5();
	const secret = new TextEncoder().encode(password);
	const made = new Uint8Array(48);
	let last = new Uint8Array(0);
	for (let at = 0; at < made.length; at += last.length) {
		last = Uint8Array.from(md5.init().update(last).update(secret).update(salt).digest("binary"));
		made.set(last, at);
	}
	return { key: made.slice(0, 32), iv: made.slice(32) };
}
