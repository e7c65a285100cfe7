// Workers of the work benchmark, as text: one for our kernel without the pool, one for `nanocurrency`, which brings none.

/** Runs our kernel over as many nonces as it is told, in one call that finds nothing. */
export const kernelWorker = `
const loaded = WebAssembly.compileStreaming(fetch("/nanonet/work-relaxed.wasm"));
onmessage = async ({ data }) => {
	const { search } = new WebAssembly.Instance(await loaded).exports;
	search(1n, 2n, 3n, 4n, -1n, BigInt(Date.now()) << 24n, data);
	postMessage(data);
};
`;

/** Searches its share of all nonces from the share's beginning on, and tells how many it tried. */
export const nanocurrencyWorker = `
import { computeWork } from "nanocurrency";
onmessage = async ({ data: { root, difficulty, index, count } }) => {
	const work = await computeWork(root, {
		workerIndex: index, workerCount: count, workThreshold: difficulty,
	});
	const share = 2n ** 64n / BigInt(count);
	postMessage(Number((BigInt("0x" + work) - share * BigInt(index)) % share) + 1);
};
`;
