// What a page has and Node.js and Deno lack, for the package's own scripts alone: the bundler puts these names where
// they are used (`--inject`), so that nothing of the program around is altered.

import { availableParallelism } from "node:os";
import { Worker as Thread } from "node:worker_threads";
import { withFiles } from "./file-fetch.js";
import type { ThreadData } from "./thread-data.js";

/** Node.js 20 has WebSockets behind this flag, which a thread may be given by itself. */
const FLAGS = "WebSocket" in globalThis ? [] : ["--experimental-websocket", "--no-warnings"];

/** A browser's worker as a thread. */
export class Worker {
	onmessage: ((event: { data: unknown }) => void) | null = null;
	onerror: ((event: { message: string; error: unknown; preventDefault(): void }) => void) | null =
		null;
	readonly #thread: Thread;

	constructor(script: URL, { name }: { name?: string } = {}) {
		const workerData: ThreadData = { script: script.href };
		this.#thread = new Thread(new URL("./server-thread.js", import.meta.url), {
			workerData,
			execArgv: FLAGS,
			...(name ? { name } : {}),
		});
		this.#thread.on("message", (data) => this.onmessage?.({ data }));
		this.#thread.on("error", (error) =>
			this.onerror?.({ message: error.message, error, preventDefault: () => {} }),
		);
	}

	postMessage(message: unknown, transfer: ArrayBuffer[] = []): void {
		this.#thread.postMessage(message, transfer);
	}

	terminate(): void {
		void this.#thread.terminate();
	}
}

/** A server is online as far as anyone tells, and shares its node with no tabs. */
export const navigator = { onLine: true, hardwareConcurrency: availableParallelism() };

/** A program belongs to no origin. */
export const location = { origin: undefined };

/** Nothing happens to a server that a page is told of. */
export function addEventListener(): void {}
export function removeEventListener(): void {}

/** A listener's own error ends the program, as errors that nobody catches do. */
export function reportError(error: unknown): void {
	queueMicrotask(() => {
		throw error;
	});
}

/** Work is kept in memory. */
export const localStorage = undefined;

/** Also reads files, of which the package's own are some. */
export const fetch = withFiles(globalThis.fetch);
