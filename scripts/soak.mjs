// `npm run soak [-- [TARGET…] [--seconds N] [--seeds N] [--nodes N]]`: fuzzes every way in, by default ten
// minutes each, and plays each scenario of faults and attacks over a hundred seeds with a thousand nodes;
// `npm run soak -- list` tells the targets, scenarios among them.
// For the fuzzer it takes a nightly Rust if rustup has one, else tells the stable one to take nightly's options.

import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { prerequisites } from "./lib/prerequisites.mjs";
import { find, root, run } from "./lib/run.mjs";
import { Problem, script, step } from "./lib/say.mjs";

const fuzz = join(root, "fuzz");
const simulation = ["run", "--release", "--quiet", "-p", "simulation", "--"];
/** Scenarios that are about figures, not about faults. */
const plain = new Set(["lookup", "gossip", "slice", "mainnet-load", "million"]);

/** @param {string | undefined} text @param {string} what */
function count(text, what) {
	const number = Number(text);
	if (!Number.isInteger(number) || number < 1) {
		throw new Problem(`"${text}" is not a number of ${what}.`, "Give one such as 60.");
	}
	return number;
}

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

/** Names of the scenarios that report violations. */
async function scenarios() {
	const names = await run("cargo", [...simulation, "list"], { quiet: true });
	return names.split("\n").filter((name) => name && !plain.has(name));
}

/** Plays a scenario over seeds from 1 on. @param {string} name @param {number} seeds @param {number} nodes */
async function play(name, seeds, nodes) {
	for (let seed = 1; seed <= seeds; seed += 1) {
		const args = [name, "--nodes", String(nodes), "--seed", String(seed), "--json"];
		const report = JSON.parse(await run("cargo", [...simulation, ...args], { quiet: true }));
		if (report.violations !== 0) {
			throw new Problem(
				`${name} broke ${report.violations} promises with seed ${seed}: ${JSON.stringify(report.broken)}`,
				`Play it again: cargo ${[...simulation, ...args].join(" ")}`,
			);
		}
	}
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
		options: {
			seconds: { type: "string", default: "600" },
			seeds: { type: "string", default: "100" },
			nodes: { type: "string", default: "1000" },
		},
	});
	const seconds = count(values.seconds, "seconds");
	const [seeds, nodes] = [count(values.seeds, "seeds"), count(values.nodes, "nodes")];
	const known = readdirSync(join(fuzz, "fuzz_targets"))
		.map((file) => file.replace(/\.rs$/, ""))
		.sort();
	if (positionals[0] === "list") {
		for (const target of known) {
			console.log(`${target.padEnd(16)} ${about(target)}`);
		}
		for (const name of await scenarios()) {
			console.log(`${name.padEnd(16)} a scenario of the simulation, see docs/adversaries.md`);
		}
		return;
	}
	await prerequisites();
	const played = await scenarios();
	const all = [...known, ...played];
	const unknown = positionals.find((name) => !all.includes(name));
	if (unknown !== undefined) {
		throw new Problem(`There is no target "${unknown}".`, `Known are ${all.join(", ")}.`);
	}
	const chosen = positionals.length > 0 ? positionals : all;
	for (const name of chosen.filter((name) => played.includes(name))) {
		await step(`Playing ${name} with ${seeds} seeds`, () => play(name, seeds, nodes));
	}
	const targets = chosen.filter((name) => known.includes(name));
	if (targets.length === 0) return;

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
