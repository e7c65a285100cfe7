// The address book as a file: a list of `{ "name", "address" }`, which is also how Nault writes its own (there `account`).

import { printable } from "./nano-link.js";
import type { BookEntry } from "./vault.js";
import { loadCore } from "./wallet.js";
import { MOST_BOOK } from "./wallet-store.js";

const MOST_BYTES = 1_048_576;
const MOST_NAME = 60;

/** Why a book could not be taken. */
export class BookError extends Error {
	constructor(
		readonly code: "no-book" | "book-full" | "no-name",
		message: string,
	) {
		super(message);
		this.name = "BookError";
	}
}

/** The book as a file's text. */
export const bookText = (book: BookEntry[]): string => JSON.stringify(book, null, "\t");

/** The entries of a file; nothing of them is checked yet. */
export async function readBook(file: Blob): Promise<BookEntry[]> {
	try {
		if (file.size > MOST_BYTES) throw new Error();
		const list: unknown = JSON.parse(await file.text());
		if (!Array.isArray(list)) throw new Error();
		return list.map(({ name, address, account }) => ({
			name: String(name),
			address: String(address ?? account),
		}));
	} catch {
		throw new BookError(
			"no-book",
			"This file is no address book: a JSON list of names with addresses is expected.",
		);
	}
}

/** A book with more entries, each checked; an address that it already has gets the new name. */
export async function mergeBook(book: BookEntry[], more: BookEntry[]): Promise<BookEntry[]> {
	const { parseAddress } = await loadCore();
	const byAddress = new Map(book.map(({ address, name }) => [address, name]));
	for (const { name, address } of more) {
		const shown = printable(name).slice(0, MOST_NAME);
		if (shown === "") throw new BookError("no-name", `The address ${address} has no name.`);
		byAddress.set(parseAddress(address.trim()).address, shown);
	}
	if (byAddress.size > MOST_BOOK) {
		throw new BookError("book-full", `An address book holds at most ${MOST_BOOK} names.`);
	}
	return [...byAddress]
		.map(([address, name]) => ({ address, name }))
		.sort((one, other) => one.name.localeCompare(other.name));
}
