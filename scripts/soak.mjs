// `npm run soak [-- [TARGET…] [--seconds N]]`: fuzzes every way in, by default ten minutes each;
// `npm run soak -- list` tells the targets.
// Takes a nightly Rust if rustup has one, else tells the stable one to take nightly's options.

import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { prerequisites } from "./lib/prerequisites.mjs";
import { find, root, run } from "./lib/run.mjs";
import { Problem, script, step } from "./lib/say.mjs";

const fuzz = join(root, "fuzz");

/** @param {string} target */
function sourceOf(target) {
	return readFileSync(join(fuzz, "fuzz_targets", `${target}.rs`), "utf8");
}

/** What comes in there, by the target's own first lines. @param {string} target */
function about(target) {
	const lines = sourceOf(target).split("\n");
	const words = lines.filter((line) => line.startsWith("//! ")).map((line) => line.slice(4));
	return words.join(" ");
}

/** The decoders that a target calls; each has a folder of seeds. @param {string} target */
function decodersOf(target) {
	const source = sourceOf(target);
	const names = [...source.matchAll(/::(\w+)\(bytes\)/g)].map(([, name]) => String(name));
	if (names.length === 0) {
		throw new Problem(
			`The target ${target} calls no decoder.`,
			"It should call each as MODULE::DECODER(bytes).",
		);
	}
	return names;
}

/** What `cargo fuzz` is started with: arguments before it, and environment. */
async function toolchain() {
	const installed = find("rustup")
		? await run("rustup", ["toolchain", "list"], { quiet: true })
		: "";
	return /^nightly/m.test(installed)
		? { first: ["+nightly"], env: {} }
		: { first: [], env: { RUSTC_BOOTSTRAP: "1" } };
}

script(async () => {
	const { values, positionals } = parseArgs({
		allowPositionals: true,
		options: { seconds: { type: "string", default: "600" } },
	});
	const seconds = Number(values.seconds);
	if (!Number.isInteger(seconds) || seconds < 1) {
		throw new Problem(`"${values.seconds}" is not a number of seconds.`, "Give one such as 60.");
	}
	const known = readdirSync(join(fuzz, "fuzz_targets"))
		.map((file) => file.replace(/\.rs$/, ""))
		.sort();
	if (positionals[0] === "list") {
		for (const target of known) {
			console.log(`${target.padEnd(10)} ${about(target)}`);
		}
		return;
	}
	const unknown = positionals.find((name) => !known.includes(name));
	if (unknown !== undefined) {
		throw new Problem(`There is no fuzz target "${unknown}".`, `Known are ${known.join(", ")}.`);
	}
	const targets = positionals.length > 0 ? positionals : known;

	await prerequisites();
	if (!find("c++") && !find("clang++")) {
		throw new Problem(
			"A C++ compiler is missing: the fuzzer is built from C++.",
			"Install g++ or clang.",
		);
	}
	if (!find("cargo-fuzz")) {
		await step("Building cargo-fuzz (once)", () =>
			run("cargo", ["install", "--quiet", "--locked", "cargo-fuzz"]),
		);
	}
	const { first, env } = await toolchain();
	for (const target of targets) {
		const folders = [...new Set([target, ...decodersOf(target)])].map((name) =>
			join(fuzz, "corpus", name),
		);
		// What the fuzzer finds goes to the first folder.
		mkdirSync(String(folders[0]), { recursive: true });
		await step(`Fuzzing ${target}`, () =>
			run(
				"cargo",
				[...first, "fuzz", "run", target, ...folders, "--", `-max_total_time=${seconds}`],
				{ env },
			),
		);
	}
});
