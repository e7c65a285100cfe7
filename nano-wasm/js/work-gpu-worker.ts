// The worker that drives a graphics processor for the work pool. It speaks like a thread.
//
// At first use it tries the processor: what it finds must be what the threads' kernel finds, and it must be faster than
// one thread. Otherwise it says why it is not used, and the pool goes on without it.

import { fit, Gpu, type GpuSearch, Unfit } from "./work-gpu.js";
import type { FromThread, ToThread } from "./work-protocol.js";
import { GROUP } from "./work-shader.js";

type Kernel = (
	root0: bigint,
	root1: bigint,
	root2: bigint,
	root3: bigint,
	threshold: bigint,
	start: bigint,
	count: number,
) => bigint;

/** How long a dispatch shall take: the longest that it runs on after a search is over. */
const DISPATCH_MS = 8;
/** How often it tells how far it is. */
const REPORT_MS = 100;
/** One in 4,096 nonces. */
const EASY = 0xfff0000000000000n;
/** Hashes that a thread is timed over: some milliseconds. */
const TIMED = 1 << 16;
/** Dispatches that it is timed over, each at most twice as long as the one before. */
const TRIALS = 12;
const NEVER = 0xffffffffffffffffn;

let gpu: Gpu | undefined;
let flag: Int32Array | null = null;
/** The job to work on, as far as messages tell; unused with the flag. */
let wanted = 0;
let groups = 1;

const post = (message: FromThread) => self.postMessage(message);

async function load({ module, software }: Extract<ToThread, { type: "load" }>): Promise<void> {
	try {
		const tried = await Gpu.open(software === true);
		const kernel = new WebAssembly.Instance(module).exports.search as unknown as Kernel;
		await check(tried, kernel);
		const hashesPerSecond = await time(tried);
		const thread = timeThread(kernel);
		if (!software && hashesPerSecond < thread) {
			throw new Unfit(`It is slower than one thread (${tried.name}).`);
		}
		gpu = tried;
		void tried.lost.then((reason) => post({ type: "unfit", reason }));
		post({ type: "ready", adapter: tried.name, hashesPerSecond });
	} catch (error) {
		post({ type: "unfit", reason: error instanceof Error ? error.message : String(error) });
	}
}

/** Both must find the same first nonce, from several places. */
async function check(tried: Gpu, kernel: Kernel): Promise<void> {
	const count = 256 * GROUP;
	const draws = crypto.getRandomValues(new BigUint64Array(8 * 5));
	for (let at = 0; at < draws.length; at += 5) {
		const [start = 0n, root0 = 0n, root1 = 0n, root2 = 0n, root3 = 0n] = draws.subarray(at, at + 5);
		const end = BigInt.asUintN(64, start + BigInt(count));
		const signed = kernel(root0, root1, root2, root3, EASY, start, count);
		const expected = BigInt.asUintN(64, signed);
		const search = { root: [root0, root1, root2, root3], threshold: EASY };
		if (((await tried.first(search, start, 256)) ?? end) !== expected) {
			throw new Unfit(`It reckons wrongly (${tried.name}).`);
		}
	}
}

/** Hashes per second in dispatches as long as they will be. */
async function time(tried: Gpu): Promise<number> {
	const search: GpuSearch = { root: [1n, 2n, 3n, 4n], threshold: NEVER };
	let rate = 0;
	for (let trial = 0; trial < TRIALS; trial++) {
		const began = performance.now();
		await tried.first(search, 0n, groups);
		const took = performance.now() - began;
		rate = Math.max(rate, (groups * GROUP * 1000) / Math.max(took, 0.1));
		groups = fit(groups, took, DISPATCH_MS);
	}
	return rate;
}

function timeThread(kernel: Kernel): number {
	const run = () => kernel(1n, 2n, 3n, 4n, NEVER, 0n, TIMED);
	run();
	const began = performance.now();
	run();
	return (TIMED * 1000) / Math.max(performance.now() - began, 0.1);
}

async function search(
	used: Gpu,
	{ job, root, threshold, start }: Extract<ToThread, { type: "search" }>,
): Promise<void> {
	let next = start;
	let hashes = 0;
	let reported = performance.now();
	while ((flag ? Atomics.load(flag, 0) : wanted) === job) {
		const began = performance.now();
		const tried = groups * GROUP;
		const nonce = await used.first({ root, threshold }, next, groups);
		if (nonce !== undefined) {
			hashes += Number(BigInt.asUintN(64, nonce - next)) + 1;
			return post({ type: "found", job, hashes, nonce });
		}
		hashes += tried;
		next = BigInt.asUintN(64, next + BigInt(tried));
		const now = performance.now();
		if (now - reported >= REPORT_MS) {
			post({ type: "progress", job, hashes });
			hashes = 0;
			reported = now;
		}
		groups = fit(groups, now - began, DISPATCH_MS);
	}
}

/** The newest search, begun when the one before has seen that it is over: they share buffers. */
let searching: Promise<void> = Promise.resolve();

self.onmessage = ({ data }: MessageEvent<ToThread>) => {
	switch (data.type) {
		case "load":
			flag = data.stop;
			void load(data);
			break;
		case "search": {
			wanted = data.job;
			const used = gpu;
			if (!used) break;
			searching = searching
				.then(() => search(used, data))
				.catch((error) => post({ type: "unfit", reason: String(error) }));
			break;
		}
		case "stop":
			if (wanted === data.job) wanted = 0;
			break;
	}
};
