// The page's side of the verification benchmark. The two libraries take turns in slices of equal length, so that
// both see the same machine; each figure is the median of its slices.

import { tools } from "nanocurrency-web";
// The built package, served beside this page.
// @ts-expect-error: resolved by the browser, not by the compiler
import * as core from "/nanonet/core.js";
import type { Measure } from "./verify.js";

type BlockData = Parameters<typeof tools.verifyBlock>[1];

/** The material of one run, made natively by the crate `bench-material`. */
interface Material {
	signatures: { publicKey: string; hash: string; block: BlockData; signature: string }[];
	proof: { bytes: string; address: string; weights: string };
}

/** Calls `work` for a slice of time; gives calls per second. */
function rate(sliceMs: number, work: (index: number) => boolean): number {
	const begin = performance.now();
	let calls = 0;
	let now = begin;
	while (now - begin < sliceMs) {
		for (let index = 0; index < 4; index++) {
			if (!work(calls)) throw new Error("A valid signature was refused: the benchmark is wrong.");
			calls++;
		}
		now = performance.now();
	}
	return (calls * 1000) / (now - begin);
}

const bytes = (hex: string) =>
	Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

const median = (values: number[]) => {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[Math.floor(sorted.length / 2)] ?? 0;
};

const measure: Measure = async (sliceMs, turns) => {
	await core.initCore();
	const material = (await (await fetch("/material.json")).json()) as Material;
	const inputs = material.signatures.map(({ publicKey, hash, block, signature }) => ({
		publicKey,
		block,
		message: bytes(hash),
		signature,
	}));
	const at = (index: number) => {
		const input = inputs[index % inputs.length];
		if (!input) throw new Error("There is nothing to verify.");
		return input;
	};
	const proof = bytes(material.proof.bytes);
	const sides = {
		ours: (index: number) => {
			const input = at(index);
			return core.verifySignature(input.publicKey, input.message, input.signature);
		},
		theirs: (index: number) => {
			const input = at(index);
			// It takes the block and hashes it first, which is less than a hundredth of its time.
			return tools.verifyBlock(input.publicKey, input.block);
		},
		proofs: () =>
			core.verifyProof(proof, material.proof.address, "dev", material.proof.weights).votes
				.length === 16,
	};
	const rates = { ours: [] as number[], theirs: [] as number[], proofs: [] as number[] };
	for (const key of ["ours", "theirs", "proofs"] as const) rate(200, sides[key]);
	for (let turn = 0; turn < turns; turn++) {
		for (const key of ["ours", "theirs", "proofs"] as const) {
			rates[key].push(rate(sliceMs, sides[key]));
		}
	}
	return { ours: median(rates.ours), theirs: median(rates.theirs), proofs: median(rates.proofs) };
};

Object.assign(globalThis, { measure });
