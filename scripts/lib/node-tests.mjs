// Runs TypeScript tests with Node's own test runner.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { root, run } from "./run.mjs";
import { Problem } from "./say.mjs";

/**
 * @param {string} folder relative to the root; every `*.test.ts` in it runs, one file after the other
 * @param {Record<string, string>} [env]
 */
export async function nodeTests(folder, env = {}) {
	const files = readdirSync(join(root, folder))
		.filter((name) => name.endsWith(".test.ts"))
		.sort()
		.map((name) => join(folder, name));
	if (files.length === 0) {
		throw new Problem(
			`There are no tests in ${folder}.`,
			"A folder of tests must hold *.test.ts files.",
		);
	}
	await run(
		process.execPath,
		["--import", "tsx", "--test", "--test-concurrency=1", "--test-reporter=spec", ...files],
		{ env },
	);
}
