// The work kernel's native engines, each in one thread, beside the `blake2` crate in the same run.

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { against, type Bench, type Figure, round } from "./figures.js";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Million hashes per second of every engine that the processor has. */
export const powNative: Bench = {
	about: "native work engines, million hashes per second of one thread, beside the blake2 crate",
	figures: ["blake2b_simd", "scalar", "avx2", "avx512", "neon"],
	limits: { scalar: { least: 1 }, avx2: { least: 2.9 } },
	async run(): Promise<Figure[]> {
		const args = ["bench", "-q", "-p", "nano-pow", "--bench", "kernels", "--", "--json"];
		const out = execFileSync("cargo", args, {
			cwd: root,
			encoding: "utf8",
			stdio: ["ignore", "pipe", "inherit"],
		});
		const { blake2 = Number.NaN, ...rates }: Record<string, number> = JSON.parse(out);
		return Object.entries(rates).map(([name, rate]) =>
			against({ name, value: round(rate), unit: "MH/s" }, "blake2", round(blake2)),
		);
	},
};
