// The page's side of the work benchmark. A job is one search; what counts are the nonces tried until the first find:
// what threads do after it is waste. All threads of a job are taken to be equally fast, so a job counts as many times
// what the finder tried as there are threads.
//
// A page serves one library with one number of threads, which it keeps as a wallet would.
//
// Messages between page and workers are listened to, since no library tells how many nonces it tried.

// @ts-expect-error: resolved by the bundler, which has the packages measured against
import { NanoPow } from "nano-pow";
// The built package, served beside this page.
// @ts-expect-error: resolved by the browser, not by the compiler
import { WorkPool } from "/nanonet/work.js";
import type { Job, JobResult } from "./pow.js";

/** What is said between the page and its workers. */
type Said = { worker: Worker; to: boolean; data: unknown };
const said: Said[] = [];

/** A worker whose messages are listened to. */
class HeardWorker extends Worker {
	constructor(url: string | URL, options?: WorkerOptions) {
		super(url, options);
		this.addEventListener("message", ({ data }) => said.push({ worker: this, to: false, data }));
	}

	override postMessage(data: unknown): void {
		said.push({ worker: this, to: true, data });
		super.postMessage(data);
	}
}
globalThis.Worker = HeardWorker;

let pool: typeof WorkPool.prototype | undefined;

async function ours({ threads, root, difficulty }: Job): Promise<number> {
	pool ??= new WorkPool({ threads, gpu: "off" });
	await pool.generate(root, { difficulty });
	const found = said.find(({ data }) => (data as { type?: string }).type === "found");
	let finder = 0;
	for (const { worker, data } of said) {
		const { hashes = 0 } = data as { hashes?: number };
		if (worker === found?.worker) finder += hashes;
	}
	return finder * threads;
}

/** Nonces of one of its calls: it gives a worker a seed whose lowest 24 bits are zero and looks through them. */
const RANGE = 1 << 24;

const reversed = (work: bigint) => {
	const bytes = work.toString(16).padStart(16, "0").match(/../g) ?? [];
	return BigInt(`0x${bytes.reverse().join("")}`);
};

async function nanoPow({ threads, root, difficulty }: Job): Promise<number> {
	await NanoPow.work_generate(root, { api: "wasm", effort: threads, difficulty });
	// Its workers begin together and are waited for together, so what they were given comes in rounds.
	let counted = 0;
	let least = Number.POSITIVE_INFINITY;
	const seeds = new Map<Worker, bigint>();
	for (const { worker, to, data } of said) {
		if (to) {
			if (typeof data === "string" && data.startsWith("{")) {
				seeds.set(worker, BigInt(`0x${JSON.parse(data).seed}`));
			}
		} else if (seeds.has(worker)) {
			const seed = seeds.get(worker) ?? 0n;
			seeds.delete(worker);
			if (typeof data === "bigint") {
				const inside = [data, reversed(data)].find((work) => work >> 24n === seed >> 24n);
				if (inside === undefined) throw new Error("nano-pow found a nonce outside its range.");
				least = Math.min(least, Number(inside & 0xffffffn) + 1);
			}
			// The round is over and nobody found anything.
			if (seeds.size === 0 && least === Number.POSITIVE_INFINITY) counted += threads * RANGE;
		}
	}
	return counted + threads * least;
}

async function nanocurrency({ threads, root, difficulty }: Job): Promise<number> {
	const workers = Array.from({ length: threads }, () => new Worker("/nanocurrency-worker.js"));
	const tried = await new Promise<number>((resolve, reject) => {
		workers.forEach((worker, index) => {
			worker.onerror = ({ message }) => reject(new Error(message));
			worker.onmessage = ({ data }) => resolve(data);
			worker.postMessage({ root, difficulty, index, count: threads });
		});
	});
	for (const worker of workers) worker.terminate();
	return tried * threads;
}

let kernel: Worker | undefined;

/** Our kernel alone, in one call as long as one of nano-pow's. */
async function kernelAlone(): Promise<number> {
	kernel ??= new Worker("/kernel-worker.js");
	const worker = kernel;
	await new Promise<void>((resolve, reject) => {
		worker.onerror = ({ message }) => reject(new Error(message));
		worker.onmessage = () => resolve();
		worker.postMessage(RANGE);
	});
	return RANGE;
}

/** Searches that a share is told by. */
const SAMPLES = 100;
/** One in 65,536 nonces. */
const EASY = "ffff000000000000";

/**
 * The share of nonces that reach the difficulty, of those that nano-pow passes, which it finds: our kernel looks through
 * the same ones. Version 5.1.9 overlooks some.
 */
async function nanoPowFinds(): Promise<number> {
	const { instance } = await WebAssembly.instantiateStreaming(fetch("/nanonet/work-simd.wasm"));
	const search = instance.exports.search as (...given: unknown[]) => bigint;
	let found = 0;
	let there = 0;
	for (let sample = 0; sample < SAMPLES; sample++) {
		said.length = 0;
		const bytes = crypto.getRandomValues(new Uint8Array(32));
		const root = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
		const { work } = await NanoPow.work_generate(root, {
			...{ api: "wasm", effort: 1, difficulty: EASY },
		});
		const last = BigInt(`0x${work}`);
		const words = new BigInt64Array(bytes.buffer);
		let next = last & ~0xffffffn;
		while (next <= last) {
			const count = Number(last - next) + 1;
			const nonce = BigInt.asUintN(64, search(...words, BigInt(`0x${EASY}`), next, count));
			if (nonce > last) throw new Error("nano-pow found a nonce that our kernel does not know.");
			there++;
			next = nonce + 1n;
		}
		found++;
	}
	return found / there;
}

const run = async (job: Job): Promise<JobResult> => {
	said.length = 0;
	const began = performance.now();
	const hashes = await { ours, nanoPow, nanocurrency, kernel: kernelAlone }[job.library](job);
	return { hashes, millis: performance.now() - began };
};

Object.assign(globalThis, { run, nanoPowFinds });
