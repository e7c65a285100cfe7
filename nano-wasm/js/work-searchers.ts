// Those who search for the work pool: threads with the kernel's small wasm, and where it is worth it a graphics
// processor, driven by a worker that speaks like a thread.
//
// Threads are made when first needed and kept. A thread that cannot be made is done without while another is there.
// A graphics processor is asked for once, at the first search with all threads; it joins from the next search on, and
// when it fails its part of the search is lost and nothing else: every nonce is a new draw.

import { NanoError } from "./errors.js";
import type { FromThread, ToThread } from "./work-protocol.js";
import type { GpuState, WorkEngine, WorkPoolOptions } from "./work-types.js";

/** A module with one function that uses vector instructions: browsers without them do not validate it. */
const VECTORS = Uint8Array.of(
	...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0],
	...[10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11],
);
/** The same with a relaxed one. */
const RELAXED = Uint8Array.of(
	...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0],
	...[10, 15, 1, 13, 0, 65, 0, 253, 15, 65, 0, 253, 15, 253, 128, 2, 11],
);
const SPACE = 1n << 64n;

/** A search as searchers need to know it. */
export interface Search {
	readonly number: number;
	readonly root: bigint[];
	readonly threshold: bigint;
}

/** One that searches. */
export interface Searcher {
	readonly worker: Worker;
	readonly engine: WorkEngine;
}

/** What the pool is told. */
export interface Listener {
	heard(message: Extract<FromThread, { type: "progress" | "found" }>, from: Searcher): void;
	/** Nobody is left who could search. */
	failed(error: NanoError): void;
	/** The graphics processor has come or gone, or threads are made in another way. */
	changed(): void;
}

/** All searchers of a pool. */
export class Searchers {
	/** What threads hash with. */
	readonly engine: Exclude<WorkEngine, "webgpu"> = WebAssembly.validate(VECTORS)
		? "simd128"
		: "scalar";
	readonly #threads = new Set<Searcher>();
	#gpu: Searcher | undefined;
	#gpuState: GpuState;
	readonly #gpuWanted: "auto" | "off" | "only";
	#module: Promise<WebAssembly.Module> | undefined;
	/** Addresses of the workers' scripts where they are not beside this one. */
	#scripts: { thread: string; gpu: string } | undefined;
	/** Whether the files beside this script were given up. */
	#inlined = false;
	readonly #flag: Int32Array | null;
	readonly #listener: Listener;
	#closed = false;

	constructor(gpu: WorkPoolOptions["gpu"], listener: Listener) {
		this.#listener = listener;
		this.#gpuWanted = gpu ?? "auto";
		this.#gpuState = { state: this.#gpuWanted === "off" ? "off" : "unasked" };
		this.#flag = globalThis.crossOriginIsolated
			? new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
			: null;
	}

	/** Whether a graphics processor helps. */
	get gpu(): GpuState {
		return this.#gpuState;
	}

	/** At most `count` threads and at least one searcher; with `gpu` also the graphics processor, if there is one. */
	async load(count: number, gpu: boolean): Promise<Searcher[]> {
		this.#module ??= this.#compile().catch((error) => {
			// The network may be back at the next try.
			this.#module = undefined;
			throw error;
		});
		const module = await this.#module;
		if (this.#closed) throw closed();
		if (gpu && this.#gpuState.state === "unasked") this.#askGpu(module);
		const only = this.#gpuWanted === "only" && this.#gpuState.state !== "refused";
		if (only) return this.#gpuState.state === "used" && this.#gpu ? [this.#gpu] : [];
		try {
			while (this.#threads.size < count) this.#threads.add(this.#thread(module));
		} catch (error) {
			if (this.#inlined) throw error;
			// No thread is made from another origin's script.
			this.#giveUpFiles();
			return this.load(count, gpu);
		}
		const threads = [...this.#threads].slice(0, count);
		return gpu && this.#gpu && this.#gpuState.state === "used" ? [...threads, this.#gpu] : threads;
	}

	/** Gives each a range of nonces of its own, as long as the whole space divided by them, from a random start. */
	begin(search: Search, searchers: Searcher[]): void {
		if (this.#flag) Atomics.store(this.#flag, 0, search.number);
		const base = crypto.getRandomValues(new BigUint64Array(1))[0] ?? 0n;
		const share = SPACE / BigInt(Math.max(1, searchers.length));
		searchers.forEach(({ worker }, index) => {
			send(worker, {
				type: "search",
				job: search.number,
				root: search.root,
				threshold: search.threshold,
				start: BigInt.asUintN(64, base + share * BigInt(index)),
			});
		});
	}

	/** Tells all that a search is over. */
	halt(search: Search): void {
		if (this.#flag) Atomics.store(this.#flag, 0, 0);
		else {
			for (const { worker } of [...this.#threads, ...(this.#gpu ? [this.#gpu] : [])]) {
				send(worker, { type: "stop", job: search.number });
			}
		}
	}

	/** Ends all; the next `load` makes new ones. */
	reset(): void {
		for (const { worker } of this.#threads) worker.terminate();
		this.#threads.clear();
		this.#gpu?.worker.terminate();
		this.#gpu = undefined;
		if (this.#gpuState.state !== "off") this.#gpuState = { state: "unasked" };
		this.#module = undefined;
	}

	/** Ends all for good. */
	close(): void {
		this.#closed = true;
		this.reset();
	}

	/** The kernel from beside this script, or where a bundler left it behind out of another script. */
	async #compile(): Promise<WebAssembly.Module> {
		let problem: unknown;
		if (!this.#inlined) {
			try {
				return await compile(kernel());
			} catch (error) {
				problem = error;
			}
		}
		try {
			const inlined = await import("./work-inlined.js");
			const { bytes, workerUrl } = await import("./inlined.js");
			this.#scripts ??= {
				thread: await workerUrl(inlined, "work-worker.js"),
				gpu: await workerUrl(inlined, "work-gpu-worker.js"),
			};
			return await WebAssembly.compile(await bytes(inlined, `${kernelName()}.wasm`));
		} catch (error) {
			throw problem ?? error;
		}
	}

	/** From now on everything is made from what is inside scripts. */
	#giveUpFiles(): void {
		this.#inlined = true;
		this.#module = undefined;
	}

	/** Makes a thread. webpack names its file after the thread, so the name has no space. */
	#thread(module: WebAssembly.Module): Searcher {
		const worker = this.#scripts
			? new Worker(this.#scripts.thread, { type: "module", name: "nanonet-work" })
			: new Worker(new URL("./work-worker.js", import.meta.url), {
					type: "module",
					name: "nanonet-work",
				});
		const searcher = { worker, engine: this.engine };
		worker.onmessage = ({ data }: MessageEvent<FromThread>) => {
			if (data.type === "found" || data.type === "progress") this.#listener.heard(data, searcher);
		};
		worker.onerror = (event) => {
			event.preventDefault();
			worker.terminate();
			this.#threads.delete(searcher);
			if (this.#threads.size > 0) return;
			if (!this.#inlined) {
				// Perhaps the kernel is beside this script, and the thread's own is not.
				this.#giveUpFiles();
				this.#listener.changed();
				return;
			}
			this.#listener.failed(
				new NanoError("work-unavailable", `The work threads failed: ${event.message}.`, {
					cause: event.error,
				}),
			);
		};
		send(worker, { type: "load", module, stop: this.#flag });
		return searcher;
	}

	#askGpu(module: WebAssembly.Module): void {
		if (!("gpu" in navigator)) {
			this.#gpuState = { state: "refused", reason: "This browser has no WebGPU." };
			return;
		}
		const worker = this.#scripts
			? new Worker(this.#scripts.gpu, { type: "module", name: "nanonet-work-gpu" })
			: new Worker(new URL("./work-gpu-worker.js", import.meta.url), {
					type: "module",
					name: "nanonet-work-gpu",
				});
		const searcher = { worker, engine: "webgpu" as const };
		this.#gpu = searcher;
		this.#gpuState = { state: "asked" };
		worker.onmessage = ({ data }: MessageEvent<FromThread>) => {
			if (data.type === "found" || data.type === "progress") this.#listener.heard(data, searcher);
			else if (data.type === "unfit") this.#refuseGpu(searcher, data.reason);
			else {
				const { adapter, hashesPerSecond } = data;
				this.#gpuState = { state: "used", adapter, hashesPerSecond };
				this.#listener.changed();
			}
		};
		worker.onerror = (event) => {
			event.preventDefault();
			this.#refuseGpu(searcher, `Its worker failed: ${event.message}.`);
		};
		const software = this.#gpuWanted === "only";
		send(worker, { type: "load", module, stop: this.#flag, software });
	}

	#refuseGpu(searcher: Searcher, reason: string): void {
		searcher.worker.terminate();
		if (this.#gpu !== searcher) return;
		this.#gpu = undefined;
		this.#gpuState = { state: "refused", reason };
		this.#listener.changed();
	}
}

/** The fastest kernel that this browser can run. */
function kernelName(): "work-relaxed" | "work-simd" | "work" {
	if (WebAssembly.validate(RELAXED)) return "work-relaxed";
	return WebAssembly.validate(VECTORS) ? "work-simd" : "work";
}

/** Where it is. Each is written out: bundlers find the files by these very words. */
function kernel(): URL {
	switch (kernelName()) {
		case "work-relaxed":
			return new URL("./work-relaxed.wasm", import.meta.url);
		case "work-simd":
			return new URL("./work-simd.wasm", import.meta.url);
		case "work":
			return new URL("./work.wasm", import.meta.url);
	}
}

/** What a pool says that was closed. */
export function closed(): NanoError {
	return new NanoError("stopped", "The work pool is closed.");
}

function send(worker: Worker, message: ToThread): void {
	worker.postMessage(message);
}

/** Compiles while it loads where the server names the type, else after. */
async function compile(url: URL): Promise<WebAssembly.Module> {
	const response = await fetch(url);
	if (!response.ok) throw new Error(`${url}: HTTP status ${response.status}`);
	if (response.headers.get("content-type") === "application/wasm") {
		return WebAssembly.compileStreaming(response);
	}
	return WebAssembly.compile(await response.arrayBuffer());
}
