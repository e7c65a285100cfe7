// `npm run screenshots`: the README's pictures, taken from the real page with real tabs.

import { browser } from "./lib/browser.mjs";
import { buildAll } from "./lib/build.mjs";
import { prerequisites } from "./lib/prerequisites.mjs";
import { run } from "./lib/run.mjs";
import { script } from "./lib/say.mjs";

script(async () => {
	await prerequisites();
	await buildAll();
	const env = { NANONET_BROWSER: await browser() };
	await run(process.execPath, ["--import", "tsx", "tests/e2e/screenshots.ts"], { env });
});
