// One thread of the work pool.

import type { FromThread, ToThread } from "./work-protocol.js";

/** The export of `work.wasm` (`nano-pow/src/raw.rs`). wasm's 64-bit numbers are signed here. */
type Search = (
	root0: bigint,
	root1: bigint,
	root2: bigint,
	root3: bigint,
	threshold: bigint,
	start: bigint,
	count: number,
) => bigint;

/** How long a batch shall take: the longest that a job runs on after it is over. */
const BATCH_MS = 3;
const FIRST_BATCH = 4_096;
const LARGEST_BATCH = 1 << 24;
/** How often a thread tells how far it is. */
const REPORT_MS = 100;

let kernel: Search | undefined;
let flag: Int32Array | null = null;
/** The job to work on, as far as messages tell; unused with the flag. */
let wanted = 0;
let batch = FIRST_BATCH;

const post = (message: FromThread) => self.postMessage(message);

/** Lets waiting messages in; a timer would cost four milliseconds. */
const doorbell = new MessageChannel();
let rung: (() => void) | undefined;
doorbell.port1.onmessage = () => rung?.();
const breathe = () =>
	new Promise<void>((resolve) => {
		rung = resolve;
		doorbell.port2.postMessage(null);
	});

async function search({
	job,
	root,
	threshold,
	start,
}: Extract<ToThread, { type: "search" }>): Promise<void> {
	const [root0 = 0n, root1 = 0n, root2 = 0n, root3 = 0n] = root;
	let next = start;
	let hashes = 0;
	let reported = performance.now();
	while (kernel && (flag ? Atomics.load(flag, 0) : wanted) === job) {
		const began = performance.now();
		const end = BigInt.asUintN(64, next + BigInt(batch));
		const nonce = BigInt.asUintN(64, kernel(root0, root1, root2, root3, threshold, next, batch));
		if (nonce !== end) {
			hashes += Number(BigInt.asUintN(64, nonce - next)) + 1;
			return post({ type: "found", job, hashes, nonce });
		}
		hashes += batch;
		next = end;
		const now = performance.now();
		if (now - reported >= REPORT_MS) {
			post({ type: "progress", job, hashes });
			hashes = 0;
			reported = now;
		}
		// At most doubled, since a clock too coarse for the batch reads zero.
		const fit = now > began ? (batch * BATCH_MS) / (now - began) : 2 * batch;
		batch = Math.max(1, Math.min(LARGEST_BATCH, 2 * batch, Math.round(fit)));
		if (!flag) await breathe();
	}
}

self.onmessage = ({ data }: MessageEvent<ToThread>) => {
	switch (data.type) {
		case "load":
			kernel = new WebAssembly.Instance(data.module).exports.search as unknown as Search;
			flag = data.stop;
			break;
		case "search":
			wanted = data.job;
			void search(data);
			break;
		case "stop":
			if (wanted === data.job) wanted = 0;
			break;
	}
};
