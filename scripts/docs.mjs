// `npm run docs`: builds the documentation's site into target/docs, from docs/site and the package's types.

import { buildPackage } from "./lib/build.mjs";
import { prerequisites } from "./lib/prerequisites.mjs";
import { say, script } from "./lib/say.mjs";

script(async () => {
	await prerequisites();
	await buildPackage();
	// Not before the npm packages are there.
	const { buildSite } = await import("./lib/site.mjs");
	say(`The documentation is at ${buildSite()}`);
});
