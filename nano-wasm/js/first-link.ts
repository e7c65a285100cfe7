// Whether it is worth waiting for the node's first link.

import type { Emitter } from "./emitter.js";
import type { NanoError } from "./errors.js";
import type { NodeEvents } from "./types.js";

/** How long after its start a node may still find its first link. */
const CONNECT_MS = 5_000;

/**
 * A call that fails as `offline` just after the start only came too early: it is made again once the first link is
 * there, or once it is clear that none comes.
 */
export class FirstLink {
	#waiting = true;
	readonly #there: Promise<void>;

	constructor(events: Emitter<NodeEvents>) {
		this.#there = new Promise((resolve) => {
			const done = () => {
				this.#waiting = false;
				off();
				clearTimeout(timer);
				removeEventListener("offline", done);
				resolve();
			};
			const off = events.on("link", done);
			const timer = setTimeout(done, CONNECT_MS);
			addEventListener("offline", done);
			if (!navigator.onLine) done();
		});
	}

	/**
	 * Makes a call, and once more if it came too early.
	 * @param call gets the milliseconds that are left of `timeoutMs`
	 */
	async ask<T>(
		call: (timeoutMs: number) => Promise<T>,
		timeoutMs: number,
		signal?: AbortSignal,
	): Promise<T> {
		const begin = performance.now();
		try {
			return await call(timeoutMs);
		} catch (error) {
			if (!this.#waiting || (error as NanoError).code !== "offline") throw error;
			const ended = new Promise<void>((resolve) => {
				signal?.addEventListener("abort", () => resolve(), { once: true });
				setTimeout(resolve, timeoutMs);
			});
			await Promise.race([this.#there, ended]);
			return call(Math.max(1, Math.round(timeoutMs - (performance.now() - begin))));
		}
	}
}
