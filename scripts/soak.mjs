// `npm run soak [-- SECONDS]`: fuzzes every decoder, by default ten minutes each. Needs a nightly Rust.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { prerequisites } from "./lib/prerequisites.mjs";
import { find, root, run } from "./lib/run.mjs";
import { Problem, script, step } from "./lib/say.mjs";

script(async () => {
	await prerequisites();
	const seconds = Number(process.argv[2] ?? 600);
	if (!Number.isInteger(seconds) || seconds < 1) {
		throw new Problem(`"${process.argv[2]}" is not a number of seconds.`, "Give one such as 60.");
	}
	if (!find("cargo-fuzz")) {
		await step("Building cargo-fuzz (once)", () =>
			run("cargo", ["install", "--quiet", "--locked", "cargo-fuzz"]),
		);
	}
	const manifest = readFileSync(join(root, "fuzz", "Cargo.toml"), "utf8");
	const targets = [...manifest.matchAll(/^\[\[bin\]\]\s+name = "([^"]+)"/gm)].map(([, name]) =>
		String(name),
	);
	if (targets.length === 0) {
		throw new Problem(
			"fuzz/Cargo.toml names no target.",
			"Each is a [[bin]] with its name on the next line.",
		);
	}
	for (const target of targets) {
		await step(`Fuzzing ${target}`, () =>
			run("cargo", ["+nightly", "fuzz", "run", target, "--", `-max_total_time=${seconds}`]),
		);
	}
});
