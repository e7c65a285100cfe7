// `npm run test:lab`: what needs more than Rust, Node and a browser. What is missing is installed or named; nothing is skipped.

import { browser } from "./lib/browser.mjs";
import { buildAll } from "./lib/build.mjs";
import { nodeTests } from "./lib/node-tests.mjs";
import { npmPackages, prerequisites } from "./lib/prerequisites.mjs";
import { run } from "./lib/run.mjs";
import { script, step } from "./lib/say.mjs";
import { cargoDeny, firefox } from "./lib/tools.mjs";

script(async () => {
	await prerequisites();
	const deny = await cargoDeny();
	await step("Licences and sources of dependencies", () =>
		run(deny, ["--log-level", "error", "check", "licenses", "bans", "sources"]),
	);
	const env = { NANONET_BROWSER: await browser(), NANONET_FIREFOX: await firefox() };
	await npmPackages("tests/lab", "Installing the programs that the laboratory needs");
	await npmPackages("tests/lab/bundlers", "Installing bundlers, Next.js and Deno");
	await buildAll();
	await step("Laboratory tests", () => nodeTests("tests/lab", env));
});
