// The worker that runs the node.

import { serve } from "./serve.js";
import load, { NodeShell } from "./wasm/node.js";

serve(async () => {
	// A pending response compiles while it arrives.
	await load({ module_or_path: fetch(new URL("./node.wasm", import.meta.url)) });
	return (post) => new NodeShell(post);
});
