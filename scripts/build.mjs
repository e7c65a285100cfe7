// `npm run build`: the npm package, the page and the bridge.

import { buildAll } from "./lib/build.mjs";
import { prerequisites } from "./lib/prerequisites.mjs";
import { script } from "./lib/say.mjs";

script(async () => {
	await prerequisites();
	await buildAll();
});
