// The worker that runs the node.

import { expectLater } from "./later.js";
import { serve } from "./serve.js";
import load, { NodeShell } from "./wasm/node.js";

serve(async () => {
	// A pending response compiles while it arrives.
	const first = await load({ module_or_path: fetch(new URL("./node.wasm", import.meta.url)) });
	expectLater(new URL("./node-later.wasm", import.meta.url), first);
	return (post) => new NodeShell(post);
});
