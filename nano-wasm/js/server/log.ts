// Tables of keys and bytes in one file, which only grows until it is written anew.
//
// A transaction is one entry: its length, a checksum, and its changes. What a crash left half written has a wrong
// checksum and is cut off, so a transaction is there wholly or not at all. When the file is four times what it holds,
// and a mebibyte at least, it is written anew beside and put in place. One process has it at a time: a lock file
// holds the number of that process, and is taken over when no such process lives.

import { createHash } from "node:crypto";
import {
	closeSync,
	fsyncSync,
	mkdirSync,
	openSync,
	readFileSync,
	renameSync,
	truncateSync,
	unlinkSync,
	writeFileSync,
	writeSync,
} from "node:fs";
import { join } from "node:path";

/** One change of a table; without a value the key goes. */
export interface Change {
	table: string;
	key: string;
	value: Uint8Array | null;
}

/** Length and checksum in front of an entry. */
const HEAD = 4 + 8;
const LEAST_REWRITE = 1 << 20;
const REWRITE_FACTOR = 4;

/** An open file of tables. */
export class TableLog {
	readonly tables = new Map<string, Map<string, Uint8Array>>();
	readonly #path: string;
	#file: number;
	#written: number;

	/** Opens the file of this name, making it if need be. Fails when another process has it. */
	constructor(folder: string, name: string) {
		mkdirSync(folder, { recursive: true });
		this.#path = join(folder, `${encodeURIComponent(name)}.log`);
		lock(`${this.#path}.lock`);
		this.#file = openSync(this.#path, "a");
		this.#written = this.#read();
	}

	/** Applies changes; a durable transaction is on disk when this returns. */
	commit(changes: Change[], durable: boolean): void {
		const entry = encode(changes);
		writeSync(this.#file, entry);
		if (durable) fsyncSync(this.#file);
		this.#written += entry.length;
		this.#apply(changes);
		if (this.#written > LEAST_REWRITE && this.#written > REWRITE_FACTOR * this.#live()) {
			this.#rewrite();
		}
	}

	#apply(changes: Change[]): void {
		for (const { table, key, value } of changes) {
			const rows = this.tables.get(table) ?? new Map<string, Uint8Array>();
			this.tables.set(table, rows);
			if (value) rows.set(key, value);
			else rows.delete(key);
		}
	}

	/** Reads what is whole and cuts off the rest; gives the file's length. */
	#read(): number {
		const bytes = readFileSync(this.#path);
		let at = 0;
		while (at + HEAD <= bytes.length) {
			const end = at + HEAD + bytes.readUInt32LE(at);
			if (end > bytes.length) break;
			const body = bytes.subarray(at + HEAD, end);
			if (!checksum(body).equals(bytes.subarray(at + 4, at + HEAD))) break;
			this.#apply(decode(body));
			at = end;
		}
		if (at < bytes.length) truncateSync(this.#path, at);
		return at;
	}

	#live(): number {
		let sum = 0;
		for (const rows of this.tables.values()) {
			for (const [key, value] of rows) sum += key.length + value.length;
		}
		return sum;
	}

	#rewrite(): void {
		const changes: Change[] = [];
		for (const [table, rows] of this.tables) {
			for (const [key, value] of rows) changes.push({ table, key, value });
		}
		const entry = encode(changes);
		const beside = `${this.#path}.new`;
		writeFileSync(beside, entry, { flush: true });
		closeSync(this.#file);
		renameSync(beside, this.#path);
		this.#file = openSync(this.#path, "a");
		this.#written = entry.length;
	}
}

const checksum = (body: Uint8Array): Buffer =>
	createHash("sha256")
		.update(body)
		.digest()
		.subarray(0, HEAD - 4);

function encode(changes: Change[]): Buffer {
	const parts: Buffer[] = [];
	for (const { table, key, value } of changes) {
		const name = Buffer.from(JSON.stringify([table, key, value ? value.length : null]));
		const length = Buffer.alloc(4);
		length.writeUInt32LE(name.length);
		parts.push(length, name, Buffer.from(value ?? []));
	}
	const body = Buffer.concat(parts);
	const length = Buffer.alloc(4);
	length.writeUInt32LE(body.length);
	return Buffer.concat([length, checksum(body), body]);
}

/** What `encode` wrote; the checksum has told that it is whole. */
function decode(body: Buffer): Change[] {
	const changes: Change[] = [];
	for (let at = 0; at < body.length; ) {
		const named = at + 4 + body.readUInt32LE(at);
		const [table, key, length] = JSON.parse(body.toString("utf8", at + 4, named)) as [
			string,
			string,
			number | null,
		];
		at = named + (length ?? 0);
		const value = length === null ? null : Uint8Array.from(body.subarray(named, at));
		changes.push({ table, key, value });
	}
	return changes;
}

/** Takes the lock until this process ends. */
function lock(path: string): void {
	const own = String(process.pid);
	for (let tries = 0; tries < 2; tries++) {
		try {
			writeFileSync(path, own, { flag: "wx" });
			return;
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
		}
		const holder = readFileSync(path, "utf8");
		// A node that was stopped and started again in one process follows itself.
		if (holder === own) return;
		if (lives(Number(holder))) {
			throw new Error(`${path}: process ${holder} has this storage; choose another folder or name`);
		}
		unlinkSync(path);
	}
	throw new Error(`${path} could not be taken`);
}

function lives(process_: number): boolean {
	try {
		process.kill(process_, 0);
		return true;
	} catch (error) {
		return (error as NodeJS.ErrnoException).code === "EPERM";
	}
}
