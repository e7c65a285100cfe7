// Workers of the work benchmark, as text: one for our kernel without the pool, one for `nanocurrency`, which brings none.

/**
 * Runs our kernel over as many nonces as it is told, in one call that finds nothing. Short calls come first: a browser
 * exchanges its hasty code for the good one between calls only.
 */
export const kernelWorker = `
let kernel;
async function load() {
	const { instance } = await WebAssembly.instantiateStreaming(fetch("/nanonet/work-relaxed.wasm"));
	for (let call = 0; call < 300; call++) instance.exports.search(1n, 2n, 3n, 4n, -1n, 0n, 10000);
	return instance.exports.search;
}
onmessage = async ({ data }) => {
	kernel ??= await load();
	kernel(1n, 2n, 3n, 4n, -1n, BigInt(Date.now()) << 24n, data);
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
