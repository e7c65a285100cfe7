// Computes work on several threads, and on a graphics processor where that is faster.
//
// One search runs at a time, the most urgent; others wait in order. A search gives way to a more urgent one and goes
// on afterwards from another place: every nonce is a new draw, so nothing is lost by that. The first nonce found ends
// it. Searchers look every few milliseconds whether the search is still wanted: at a shared flag where the page is
// cross-origin isolated, else by letting a message in.
//
// What was found is kept: the same root costs nothing a second time, nor after a reload. At most `KEPT` values are
// kept, the oldest go first.

import { aborted, NanoError } from "./errors.js";
import type { FromThread } from "./work-protocol.js";
import { closed, type Searcher, Searchers } from "./work-searchers.js";
import { WorkStore } from "./work-store.js";
import type {
	GpuState,
	WorkEngine,
	WorkOptions,
	WorkPoolOptions,
	WorkPurpose,
	WorkReport,
} from "./work-types.js";

/** Threads that are of use to a person waiting; more only cost memory. */
const MOST_THREADS = 32;
/** Searches that may wait; further ones fail. */
const MOST_WAITING = 256;
/** What a send needs on the live network. */
const LIVE_SEND = "fffffff800000000";
/** At most this often a caller hears of progress. */
const PROGRESS_MS = 200;
const SPACE = 1n << 64n;
/** The most urgent has the lowest number. */
const RANK: Record<WorkPurpose, number> = { send: 0, receive: 1, ahead: 2, join: 3 };

interface Job {
	readonly number: number;
	/** As it was given. */
	readonly over: string;
	readonly root: bigint[];
	readonly threshold: bigint;
	readonly rank: number;
	readonly options: WorkOptions;
	readonly resolve: (work: string) => void;
	readonly reject: (error: NanoError) => void;
	hashes: number;
	engines: Partial<Record<WorkEngine, number>>;
	/** Time spent before it last gave way. */
	spentMs: number;
	started: number;
	told: number;
}

/**
 * Computes work until `close`. The first thread is made by `prepare`, so that a page that has lost its network still
 * computes; the others at the first search.
 */
export class WorkPool {
	/** How many threads it uses. */
	readonly threads: number;
	readonly #difficulty: string;
	readonly #searchers: Searchers;
	readonly #store = new WorkStore();
	readonly #queue: Job[] = [];
	#running: Job | undefined;
	#next = 1;
	#paused = false;
	#closed = false;
	#last: WorkReport | undefined;

	constructor(options: WorkPoolOptions = {}) {
		const wanted = options.threads ?? navigator.hardwareConcurrency ?? 2;
		this.threads = Math.max(1, Math.min(MOST_THREADS, Math.floor(wanted)));
		this.#difficulty = options.difficulty ?? LIVE_SEND;
		this.#searchers = new Searchers(options.gpu, {
			heard: (message, from) => this.#heard(message, from),
			failed: (error) => this.#fail(error),
			changed: () => this.#renew(),
		});
	}

	/** What threads hash with. */
	get engine(): WorkEngine {
		return this.#searchers.engine;
	}

	/** Whether a graphics processor helps. */
	get gpu(): GpuState {
		return this.#searchers.gpu;
	}

	/** What the last search that found something took; nothing before. */
	get last(): WorkReport | undefined {
		return this.#last;
	}

	/**
	 * Finds work; at once if it was found before.
	 * @param root the hash of the previous block, or the public key of an account's first block, 64 hex digits
	 * @returns the nonce, 16 hex digits, as the block's `work`
	 */
	generate(root: string, options: WorkOptions = {}): Promise<string> {
		return new Promise((resolve, reject) => {
			const { signal } = options;
			if (this.#closed) return reject(closed());
			if (signal?.aborted) return reject(aborted(signal));
			const parsed = words(root);
			const threshold = hex(options.difficulty ?? this.#difficulty, 16, "difficulty");
			const kept = this.#store.find(root, threshold);
			if (kept) return resolve(kept);
			if (this.#queue.length >= MOST_WAITING) {
				const problem = `${MOST_WAITING} searches for work wait already. Ask again when some are done.`;
				return reject(new NanoError("busy", problem));
			}
			const job: Job = {
				number: this.#next++,
				over: root,
				root: parsed,
				threshold,
				rank: RANK[options.purpose ?? "send"],
				options,
				resolve: (work) => {
					signal?.removeEventListener("abort", onAbort);
					this.#store.keep(root, work, threshold);
					resolve(work);
				},
				reject: (error) => {
					signal?.removeEventListener("abort", onAbort);
					reject(error);
				},
				hashes: 0,
				engines: {},
				spentMs: 0,
				started: 0,
				told: 0,
			};
			const onAbort = () => {
				this.#drop(job);
				job.reject(aborted(signal as AbortSignal));
			};
			signal?.addEventListener("abort", onAbort, { once: true });
			this.#queue.push(job);
			if (this.#running && job.rank < this.#running.rank) this.#giveWay();
			this.#advance();
		});
	}

	/** Whether work of this difficulty is kept for a root. */
	has(root: string, difficulty = this.#difficulty): boolean {
		return this.#store.find(root, hex(difficulty, 16, "difficulty")) !== undefined;
	}

	/** Loads the kernel and makes the first thread. A failure shows at the next search. */
	async prepare(): Promise<void> {
		await this.#searchers.load(1, false).catch(() => {});
	}

	/** Lets the processor rest until `resume`; searches wait. */
	pause(): void {
		this.#paused = true;
		this.#giveWay();
	}

	/** Ends `pause`. */
	resume(): void {
		this.#paused = false;
		this.#advance();
	}

	/** Ends the threads; searches that are not done fail. */
	close(): void {
		if (this.#closed) return;
		this.#closed = true;
		this.#fail(closed());
		this.#searchers.close();
	}

	/** Starts the most urgent search if none runs. */
	#advance(): void {
		if (this.#running || this.#paused) return;
		const rank = Math.min(...this.#queue.map((job) => job.rank));
		const place = this.#queue.findIndex((job) => job.rank === rank);
		const [job] = place < 0 ? [] : this.#queue.splice(place, 1);
		if (!job) return;
		// Another search over the same root may have found it meanwhile.
		const kept = this.#store.find(job.over, job.threshold);
		if (kept) {
			job.resolve(kept);
			this.#advance();
			return;
		}
		this.#running = job;
		this.#load(job);
	}

	#load(job: Job): void {
		const all = job.rank <= RANK.receive;
		this.#searchers.load(all ? this.threads : 1, all).then(
			(searchers) => {
				if (this.#running !== job) return;
				job.started = performance.now();
				job.told = job.started;
				this.#searchers.begin(job, searchers);
			},
			(cause) => {
				if (this.#running !== job) return;
				this.#fail(
					new NanoError("work-unavailable", "The work kernel could not be loaded.", { cause }),
				);
			},
		);
	}

	/** Begins the running search anew, with others: those who search are not the same any more. */
	#renew(): void {
		if (!this.#running) return;
		this.#giveWay();
		this.#advance();
	}

	#heard(message: Extract<FromThread, { type: "progress" | "found" }>, { engine }: Searcher): void {
		const job = this.#running;
		// Searchers may still speak of a job that another one has ended.
		if (job?.number !== message.job) return;
		job.hashes += message.hashes;
		job.engines[engine] = (job.engines[engine] ?? 0) + message.hashes;
		if (message.type === "found") {
			const elapsedMs = elapsed(job);
			const { hashes, engines } = job;
			this.#last = { hashes, elapsedMs, hashesPerSecond: perSecond(hashes, elapsedMs), engines };
			this.#drop(job);
			job.resolve(message.nonce.toString(16).padStart(16, "0"));
		} else this.#tell(job);
	}

	#tell(job: Job): void {
		const now = performance.now();
		if (!job.options.onProgress || now - job.told < PROGRESS_MS) return;
		job.told = now;
		const elapsedMs = elapsed(job);
		const mean = Number(SPACE) / Number(SPACE - job.threshold);
		job.options.onProgress({
			hashes: job.hashes,
			elapsedMs,
			hashesPerSecond: perSecond(job.hashes, elapsedMs),
			expectedMs: (mean * elapsedMs) / Math.max(1, job.hashes),
			fraction: -Math.expm1(-job.hashes / mean),
		});
	}

	/** Takes a job out, running or waiting, and goes on with the next. */
	#drop(job: Job): void {
		const place = this.#queue.indexOf(job);
		if (place >= 0) this.#queue.splice(place, 1);
		if (this.#running !== job) return;
		this.#running = undefined;
		this.#searchers.halt(job);
		this.#advance();
	}

	/** Puts the running job back, before others of its rank. */
	#giveWay(): void {
		const job = this.#running;
		if (!job) return;
		this.#running = undefined;
		this.#searchers.halt(job);
		if (job.started > 0) job.spentMs = elapsed(job);
		job.started = 0;
		// Under another number, so that nobody goes on with it where it was.
		this.#queue.unshift(Object.assign(job, { number: this.#next++ }));
	}

	/** Ends searchers and jobs. The next search starts anew, unless the pool is closed. */
	#fail(error: NanoError): void {
		const jobs = [...(this.#running ? [this.#running] : []), ...this.#queue];
		this.#running = undefined;
		this.#queue.length = 0;
		this.#searchers.reset();
		for (const job of jobs) job.reject(error);
	}
}

/** Time a job was searched for. */
function elapsed(job: Job): number {
	return job.spentMs + (job.started > 0 ? performance.now() - job.started : 0);
}

function perSecond(hashes: number, millis: number): number {
	return (hashes * 1000) / Math.max(millis, 0.001);
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
