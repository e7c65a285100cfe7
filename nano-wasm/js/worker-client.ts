// Typed commands to the node's worker and its answers.

import { aborted, NanoError } from "./errors.js";
import type { Command, Envelope, Reply } from "./protocol.js";

type WithoutId<T> = T extends { id: number } ? Omit<T, "id"> : never;

/** A command that the worker answers. */
export type Request = WithoutId<Command>;

/** What the worker says besides answers. */
export type News = Exclude<Reply, { type: "result" } | { type: "error" }>;

interface Waiting {
	resolve: (value: unknown) => void;
	reject: (error: NanoError) => void;
}

/** The page's end of the worker. */
export class WorkerClient {
	#worker: Worker | undefined;
	/** What was said to the worker before it answered anything; `undefined` afterwards. */
	#early: Envelope[] | undefined = [];
	readonly #waiting = new Map<number, Waiting>();
	#next = 1;
	/** Why nothing can be asked any more. */
	#over: NanoError | undefined;

	/**
	 * @param onNews called with what the worker says besides answers
	 * @param onFailure called once if the worker dies
	 */
	constructor(
		onNews: (news: News, attachment: ArrayBuffer | null) => void,
		onFailure: (error: NanoError) => void,
	) {
		const adopt = (worker: Worker, onError: (event: ErrorEvent) => void) => {
			this.#worker = worker;
			worker.onmessage = hear;
			worker.onerror = (event) => {
				event.preventDefault();
				onError(event);
			};
		};
		const hear = ({ data }: MessageEvent<Envelope>) => {
			const reply = JSON.parse(data[0]) as Reply;
			// A worker that has answered has loaded all that it needs.
			if (reply.type !== "beat") this.#early = undefined;
			if (reply.type === "result") this.#settle(reply.id)?.resolve(reply.value);
			else if (reply.type === "error") {
				this.#settle(reply.id)?.reject(new NanoError(reply.code, reply.message));
			} else onNews(reply, data[1] as ArrayBuffer | null);
		};
		const fail = (event: { message?: string; error?: unknown }) => {
			const error = new NanoError(
				"worker-failed",
				`The node's worker failed: ${event.message || "its script or wasm could not be loaded"}. Start a new node.`,
				{ cause: event.error },
			);
			this.close(error);
			onFailure(error);
		};
		const rescue = async (event: { message?: string; error?: unknown }) => {
			if (!this.#early || this.#over) return fail(event);
			this.#worker?.terminate();
			try {
				const inlined = import("./node-inlined.js");
				const { workerUrl } = await import("./inlined.js");
				const url = await workerUrl(
					await inlined,
					"node-worker.js",
					"node.wasm",
					"node-later.wasm",
				);
				if (this.#over) return;
				adopt(new Worker(url, { type: "module", name: "nanonet" }), fail);
				for (const envelope of this.#early) this.#worker?.postMessage(envelope);
			} catch {
				fail(event);
			}
		};
		try {
			// Written out where it is used: bundlers find the worker's file by these very words.
			adopt(
				new Worker(new URL("./node-worker.js", import.meta.url), {
					type: "module",
					name: "nanonet",
				}),
				rescue,
			);
		} catch (error) {
			void rescue({ error });
		}
	}

	/** Sends a command that is not answered. An attached channel or buffer moves to the worker. */
	post(command: Command, attachment: RTCDataChannel | ArrayBuffer | null = null): void {
		if (this.#over) return;
		const envelope: Envelope = [JSON.stringify(command), attachment];
		this.#early?.push(envelope);
		this.#worker?.postMessage(envelope, attachment ? [attachment] : []);
	}

	/** Sends a command and waits for its answer. */
	request<T>(request: Request, signal?: AbortSignal): Promise<T> {
		return new Promise<T>((resolve, reject) => {
			if (this.#over) return reject(this.#over);
			if (signal?.aborted) return reject(aborted(signal));
			const id = this.#next++;
			const onAbort = () => {
				this.#waiting.delete(id);
				this.post({ type: "cancel", request: id });
				reject(aborted(signal as AbortSignal));
			};
			signal?.addEventListener("abort", onAbort, { once: true });
			const settled = () => signal?.removeEventListener("abort", onAbort);
			this.#waiting.set(id, {
				resolve: (value) => {
					settled();
					resolve(value as T);
				},
				reject: (error) => {
					settled();
					reject(error);
				},
			});
			this.post({ ...request, id } as Command);
		});
	}

	/** Ends the worker; whoever still waits fails with `error`. */
	close(error: NanoError): void {
		if (this.#over) return;
		this.#over = error;
		this.#worker?.terminate();
		for (const waiting of this.#waiting.values()) waiting.reject(error);
		this.#waiting.clear();
	}

	#settle(id: number): Waiting | undefined {
		const waiting = this.#waiting.get(id);
		this.#waiting.delete(id);
		return waiting;
	}
}
