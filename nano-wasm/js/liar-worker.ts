// The worker of the test build whose node lies on command: the same, with that build's glue.

import { expectLater } from "./later.js";
import { serve } from "./serve.js";
import load, { NodeShell } from "./wasm/liar.js";

serve(async () => {
	const first = await load({ module_or_path: fetch(new URL("./node.wasm", import.meta.url)) });
	await expectLater(new URL("./node-later.wasm", import.meta.url), first);
	return (post) => new NodeShell(post);
});
