// Computes work on several threads.
//
// Each thread is a worker with the kernel's small wasm. A job gives every thread a range of nonces of
// its own, as long as the whole space divided by the threads, from a random start. Threads search in
// batches of a few milliseconds and look between them whether the job is still wanted: at a shared
// flag where the page is cross-origin isolated, else by letting a message in. The first nonce found
// ends the job. One job runs at a time, with all threads; others wait in order. A job of the background
// runs on one thread while there is no other, and begins again afterwards: every nonce is a new draw, so
// nothing is lost by that.

import { aborted, NanoError } from "./errors.js";
import type { FromThread, ToThread } from "./work-protocol.js";
import type { WorkOptions, WorkPoolOptions } from "./work-types.js";

/** Threads that are of use to a person waiting; more only cost memory. */
const MOST_THREADS = 32;
/** What a send needs on the live network. */
const LIVE_SEND = "fffffff800000000";
/** At most this often a caller hears of progress. */
const PROGRESS_MS = 200;
const SPACE = 1n << 64n;

interface Job {
	readonly number: number;
	readonly root: bigint[];
	readonly threshold: bigint;
	readonly options: WorkOptions;
	readonly resolve: (work: string) => void;
	readonly reject: (error: NanoError) => void;
	hashes: number;
	started: number;
	told: number;
}

/**
 * Threads that compute work, kept until `close`. The first is made by `prepare`, so that a page that has
 * lost its network still computes; the others at the first search. A thread that cannot be made is done
 * without while another is there.
 */
export class WorkPool {
	/** How many threads it uses. */
	readonly threads: number;
	readonly #threshold: string;
	readonly #workers = new Set<Worker>();
	#module: Promise<WebAssembly.Module> | undefined;
	readonly #flag: Int32Array | null;
	readonly #queue: Job[] = [];
	#running: Job | undefined;
	#next = 1;
	#closed = false;

	constructor(options: WorkPoolOptions = {}) {
		const wanted = options.threads ?? navigator.hardwareConcurrency ?? 2;
		this.threads = Math.max(1, Math.min(MOST_THREADS, Math.floor(wanted)));
		this.#threshold = options.threshold ?? LIVE_SEND;
		this.#flag = globalThis.crossOriginIsolated
			? new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
			: null;
	}

	/**
	 * Finds work.
	 * @param root the hash of the previous block, or the public key of an account's first block, 64 hex digits
	 * @returns the nonce, 16 hex digits, as the block's `work`
	 */
	generate(root: string, options: WorkOptions = {}): Promise<string> {
		return new Promise((resolve, reject) => {
			const { signal } = options;
			if (this.#closed) return reject(closed());
			if (signal?.aborted) return reject(aborted(signal));
			const number = this.#next++;
			const job: Job = {
				number,
				root: words(root),
				threshold: hex(options.threshold ?? this.#threshold, 16, "threshold"),
				options,
				resolve: (work) => {
					signal?.removeEventListener("abort", onAbort);
					resolve(work);
				},
				reject: (error) => {
					signal?.removeEventListener("abort", onAbort);
					reject(error);
				},
				hashes: 0,
				started: 0,
				told: 0,
			};
			const onAbort = () => {
				this.#drop(job);
				job.reject(aborted(signal as AbortSignal));
			};
			signal?.addEventListener("abort", onAbort, { once: true });
			this.#queue.push(job);
			if (!options.background) this.#pause();
			this.#advance();
		});
	}

	/** Loads the kernel and makes the first thread. A failure shows at the next search. */
	async prepare(): Promise<void> {
		await this.#load(1).catch(() => {});
	}

	/** Ends the threads; searches that are not done fail. */
	close(): void {
		if (this.#closed) return;
		this.#closed = true;
		this.#fail(closed());
	}

	/** Starts the next job if none runs. */
	#advance(): void {
		if (this.#running) return;
		const urgent = this.#queue.findIndex(({ options }) => !options.background);
		const [job] = this.#queue.splice(Math.max(0, urgent), 1);
		if (!job) return;
		this.#running = job;
		const threads = job.options.background ? 1 : this.threads;
		this.#load(threads).then(
			(workers) => {
				if (this.#running === job) this.#begin(job, workers.slice(0, threads));
			},
			(cause) => {
				if (this.#running !== job) return;
				this.#fail(
					new NanoError("work-unavailable", "The work kernel (work.wasm) could not be loaded.", {
						cause,
					}),
				);
			},
		);
	}

	#begin(job: Job, workers: Worker[]): void {
		job.started = performance.now();
		job.told = job.started;
		if (this.#flag) Atomics.store(this.#flag, 0, job.number);
		const base = crypto.getRandomValues(new BigUint64Array(1))[0] ?? 0n;
		const share = SPACE / BigInt(workers.length);
		workers.forEach((worker, index) => {
			send(worker, {
				type: "search",
				job: job.number,
				root: job.root,
				threshold: job.threshold,
				start: BigInt.asUintN(64, base + share * BigInt(index)),
			});
		});
	}

	/** At least one thread and at most `count`, made when they are first needed. */
	async #load(count: number): Promise<Worker[]> {
		this.#module ??= compile(new URL("./work.wasm", import.meta.url)).catch((error) => {
			// The network may be back at the next try.
			this.#module = undefined;
			throw error;
		});
		const module = await this.#module;
		if (this.#closed) throw closed();
		while (this.#workers.size < count) this.#workers.add(this.#thread(module));
		return [...this.#workers];
	}

	#thread(module: WebAssembly.Module): Worker {
		const worker = new Worker(new URL("./work-worker.js", import.meta.url), {
			type: "module",
			name: `nanonet work ${this.#workers.size + 1}`,
		});
		worker.onmessage = ({ data }: MessageEvent<FromThread>) => this.#heard(data);
		worker.onerror = (event) => {
			event.preventDefault();
			worker.terminate();
			this.#workers.delete(worker);
			if (this.#workers.size > 0) return;
			this.#fail(
				new NanoError("work-unavailable", `The work threads failed: ${event.message}.`, {
					cause: event.error,
				}),
			);
		};
		send(worker, { type: "load", module, stop: this.#flag });
		return worker;
	}

	#heard(message: FromThread): void {
		const job = this.#running;
		// Threads may still speak of a job that another one has ended.
		if (job?.number !== message.job) return;
		job.hashes += message.hashes;
		if (message.type === "found") {
			this.#drop(job);
			job.resolve(message.nonce.toString(16).padStart(16, "0"));
		} else this.#tell(job);
	}

	#tell(job: Job): void {
		const now = performance.now();
		if (!job.options.onProgress || now - job.told < PROGRESS_MS) return;
		job.told = now;
		const elapsedMs = now - job.started;
		const mean = Number(SPACE) / Number(SPACE - job.threshold);
		job.options.onProgress({
			hashes: job.hashes,
			elapsedMs,
			hashesPerSecond: (job.hashes * 1000) / elapsedMs,
			expectedMs: (mean * elapsedMs) / Math.max(1, job.hashes),
			fraction: -Math.expm1(-job.hashes / mean),
		});
	}

	/** Takes a job out, running or waiting, and goes on with the next. */
	#drop(job: Job): void {
		const place = this.#queue.indexOf(job);
		if (place >= 0) this.#queue.splice(place, 1);
		if (this.#running !== job) return;
		this.#halt(job);
		this.#advance();
	}

	/** Puts a job of the background back. */
	#pause(): void {
		const job = this.#running;
		if (!job?.options.background) return;
		this.#halt(job);
		this.#queue.push(job);
	}

	/** Tells the threads that the running job is over. */
	#halt(job: Job): void {
		this.#running = undefined;
		if (this.#flag) Atomics.store(this.#flag, 0, 0);
		else for (const worker of this.#workers) send(worker, { type: "stop", job: job.number });
	}

	/** Ends threads and jobs. The next search starts anew, unless the pool is closed. */
	#fail(error: NanoError): void {
		const jobs = [...(this.#running ? [this.#running] : []), ...this.#queue];
		this.#running = undefined;
		this.#queue.length = 0;
		for (const worker of this.#workers) worker.terminate();
		this.#workers.clear();
		this.#module = undefined;
		for (const job of jobs) job.reject(error);
	}
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

function closed(): NanoError {
	return new NanoError("stopped", "The work pool is closed.");
}

function hex(text: string, digits: number, what: string): bigint {
	if (text.length !== digits || !/^[0-9a-fA-F]+$/.test(text)) {
		throw new NanoError(`bad-${what}`, `The ${what} must be ${digits} hex digits, not "${text}".`);
	}
	return BigInt(`0x${text}`);
}

/** The root as the kernel takes it: four little-endian words. */
function words(root: string): bigint[] {
	hex(root, 64, "root");
	return [0, 16, 32, 48].map((at) => {
		const bytes = root.slice(at, at + 16).match(/../g) ?? [];
		return BigInt(`0x${bytes.reverse().join("")}`);
	});
}
