// `npm test`: everything that needs only Rust, Node and a browser.
// `npm test -- rust` or `npm test -- browser` runs one part.

import { browser } from "./lib/browser.mjs";
import { buildAll, buildPackage } from "./lib/build.mjs";
import { nodeTests } from "./lib/node-tests.mjs";
import { prerequisites } from "./lib/prerequisites.mjs";
import { cargoQuiet, run } from "./lib/run.mjs";
import { Problem, script, step } from "./lib/say.mjs";

const parts = {
	rust: async () => {
		await step("Rust tests", () => run("cargo", ["test", ...cargoQuiet]));
		await step("Rust tests of the browser node that need no browser", () =>
			run("cargo", ["test", ...cargoQuiet, "-p", "nano-wasm", "--features", "core,node"]),
		);
	},
	browser: async () => {
		const path = await browser();
		await buildAll();
		await buildPackage(["--all"]);
		await step("Sizes within their limits", () =>
			run(process.execPath, ["--import", "tsx", "tests/bench/main.ts", "size"]),
		);
		await step("Tests in a browser", () => nodeTests("tests/e2e", { NANONET_BROWSER: path }));
	},
};

script(async () => {
	const chosen = process.argv[2];
	if (chosen && !Object.hasOwn(parts, chosen)) {
		throw new Problem(
			`There is no part "${chosen}" of the tests.`,
			`Choose one of: ${Object.keys(parts).join(", ")}; or give none for all.`,
		);
	}
	await prerequisites();
	for (const [name, part] of Object.entries(parts)) {
		if (!chosen || chosen === name) await part();
	}
});
