// The worker of the test build whose node lies on command: the same, with that build's glue.

import { serve } from "./serve.js";
import load, { NodeShell } from "./wasm/liar.js";

serve(async () => {
	await load({ module_or_path: fetch(new URL("./node.wasm", import.meta.url)) });
	return (post) => new NodeShell(post);
});
