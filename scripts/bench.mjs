// `npm run bench -- NAME [--json]`: installs the packages measured against, builds, measures.

import { browser } from "./lib/browser.mjs";
import { buildBridge, buildPackage, buildPage } from "./lib/build.mjs";
import { npmPackages, prerequisites } from "./lib/prerequisites.mjs";
import { run } from "./lib/run.mjs";
import { script } from "./lib/say.mjs";

/** What needs neither a browser nor the package that it would run. */
const WITHOUT_PACKAGE = ["list", "nano-peer", "pow-native"];
/** What runs a bridge. */
const WITH_BRIDGE = ["send", "startup"];
/** What looks at the page that it serves. */
const WITH_PAGE = ["send"];

script(async () => {
	await prerequisites();
	const args = process.argv.slice(2);
	const [bench] = args;
	/** @type {Record<string, string>} */
	const env = {};
	if (bench !== undefined && !WITHOUT_PACKAGE.includes(bench)) {
		await npmPackages("tests/bench", "Installing the packages measured against");
		await buildPackage();
		if (WITH_PAGE.includes(bench)) await buildPage();
		if (WITH_BRIDGE.includes(bench)) await buildBridge();
		env.NANONET_BROWSER = await browser();
	}
	await run(process.execPath, ["--import", "tsx", "tests/bench/main.ts", ...args], { env });
});
