// As much of IndexedDB as the node uses (`src/node/storage.rs`), over one file per database: object stores with text
// keys and bytes, transactions that see all of their own changes and are written as one.

import { type Change, TableLog } from "./log.js";

type Handler = ((event: { target: unknown }) => void) | null;

/** Calls a handler once, after whoever made the request has had time to set it. */
const later = (run: () => void) => setImmediate(run);

class IDBRequest {
	onsuccess: Handler = null;
	onerror: Handler = null;
	readyState: "pending" | "done" = "pending";
	result: unknown;
	error: DOMException | null = null;

	settle(run: () => unknown): this {
		later(() => {
			this.readyState = "done";
			try {
				this.result = run();
			} catch (error) {
				this.error = new DOMException((error as Error).message, "UnknownError");
				this.onerror?.(new StorageEvent(this));
				return;
			}
			this.onsuccess?.(new StorageEvent(this));
		});
		return this;
	}
}

class IDBOpenDBRequest extends IDBRequest {
	onupgradeneeded: Handler = null;
	onblocked: Handler = null;
}

class StorageEvent extends Event {
	readonly #target: unknown;

	constructor(target: unknown) {
		super("storage");
		this.#target = target;
	}

	override get target(): EventTarget {
		return this.#target as EventTarget;
	}
}

class IDBVersionChangeEvent extends StorageEvent {}

class IDBObjectStore {
	readonly #name: string;
	readonly #log: TableLog;
	readonly #changes: Change[];

	constructor(name: string, log: TableLog, changes: Change[]) {
		this.#name = name;
		this.#log = log;
		this.#changes = changes;
	}

	/** Rows in key order, with this transaction's changes. */
	#rows(): [string, Uint8Array][] {
		const rows = new Map(this.#log.tables.get(this.#name));
		for (const { table, key, value } of this.#changes) {
			if (table !== this.#name) continue;
			if (value) rows.set(key, value);
			else rows.delete(key);
		}
		return [...rows].sort(([a], [b]) => (a < b ? -1 : 1));
	}

	get(key: string): IDBRequest {
		return new IDBRequest().settle(() => this.#rows().find(([name]) => name === key)?.[1]);
	}

	getAll(): IDBRequest {
		return new IDBRequest().settle(() => this.#rows().map(([, value]) => value));
	}

	getAllKeys(): IDBRequest {
		return new IDBRequest().settle(() => this.#rows().map(([key]) => key));
	}

	put(value: Uint8Array, key: string): IDBRequest {
		this.#changes.push({ table: this.#name, key, value: Uint8Array.from(value) });
		return new IDBRequest().settle(() => key);
	}

	delete(key: string): IDBRequest {
		this.#changes.push({ table: this.#name, key, value: null });
		return new IDBRequest().settle(() => undefined);
	}
}

class IDBTransaction {
	oncomplete: Handler = null;
	onabort: Handler = null;
	onerror: Handler = null;
	error: DOMException | null = null;
	readonly #log: TableLog;
	readonly #durable: boolean;
	readonly #changes: Change[] = [];

	constructor(log: TableLog, durable: boolean) {
		this.#log = log;
		this.#durable = durable;
	}

	objectStore(name: string): IDBObjectStore {
		return new IDBObjectStore(name, this.#log, this.#changes);
	}

	commit(): void {
		later(() => {
			try {
				this.#log.commit(this.#changes, this.#durable);
			} catch (error) {
				this.error = new DOMException((error as Error).message, "QuotaExceededError");
				this.onerror?.(new StorageEvent(this));
				return;
			}
			this.oncomplete?.(new StorageEvent(this));
		});
	}
}

class IDBDatabase {
	readonly #log: TableLog;

	constructor(log: TableLog) {
		this.#log = log;
	}

	/** A store is there as soon as something is put into it. */
	createObjectStore(name: string): IDBObjectStore {
		return new IDBObjectStore(name, this.#log, []);
	}

	transaction(
		_stores: string[],
		_mode: string,
		options: { durability?: string } = {},
	): IDBTransaction {
		return new IDBTransaction(this.#log, options.durability === "strict");
	}
}

class IDBFactory {
	readonly #folder: string;

	constructor(folder: string) {
		this.#folder = folder;
	}

	open(name: string): IDBOpenDBRequest {
		return new IDBOpenDBRequest().settle(() => new IDBDatabase(new TableLog(this.#folder, name)));
	}
}

/** Puts IndexedDB over the files of a folder where the worker looks for it. */
export function installStorage(folder: string, put: (name: string, value: unknown) => void): void {
	const kinds = {
		IDBRequest,
		IDBOpenDBRequest,
		IDBVersionChangeEvent,
		IDBObjectStore,
		IDBTransaction,
		IDBDatabase,
		IDBFactory,
	};
	for (const [name, kind] of Object.entries(kinds)) put(name, kind);
	put("indexedDB", new IDBFactory(folder));
}
