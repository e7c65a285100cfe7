// `npm run check`: formatting, lints and types, warnings denied. `npm run format` mends what can be mended.

import { buildPackage } from "./lib/build.mjs";
import { prerequisites } from "./lib/prerequisites.mjs";
import { run } from "./lib/run.mjs";
import { script, step } from "./lib/say.mjs";

const WASM = ["--target", "wasm32-unknown-unknown", "-p", "nano-wasm"];
/** Projects that only check; the package's own are built, because others read its declarations. */
const TYPESCRIPT = [".", "www", "www/tsconfig.worker.json", "tests"];
const DENY = ["--", "-D", "warnings"];

script(async () => {
	await prerequisites();
	const write = process.argv.includes("--write");
	await step("Rust formatting", () =>
		run("cargo", ["fmt", "--all", ...(write ? [] : ["--check"])]),
	);
	await step("TypeScript formatting and lints", () =>
		run("npx", [
			"biome",
			write ? "check" : "ci",
			"--error-on-warnings",
			...(write ? ["--write"] : []),
			".",
		]),
	);
	if (write) return;
	await step("Clippy", () => run("cargo", ["clippy", "-q", "--all-targets", ...DENY]));
	// Also looks at the overlay as browsers have it: without its feature `bridge`.
	for (const features of ["node", "core", "rpc"]) {
		await step(`Clippy, browser wasm (${features})`, () =>
			run("cargo", ["clippy", "-q", ...WASM, "--features", features, ...DENY]),
		);
	}
	await buildPackage(["--all"]);
	await step("TypeScript types", async () => {
		await run("npx", ["tsc", "--build", "nano-wasm/js"]);
		for (const project of TYPESCRIPT) await run("npx", ["tsc", "--project", project]);
	});
});
