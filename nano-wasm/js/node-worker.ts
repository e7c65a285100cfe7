// The worker that runs the node.

import { serve } from "./serve.js";
import load, { NodeShell } from "./wasm/node.js";

serve(async () => {
	// A worker that was made from an inlined script is told where its wasm is; bundlers tell theirs other things.
	const wasm = /^#(blob:.+)/.exec(location.hash)?.[1] ?? new URL("./node.wasm", import.meta.url);
	// A pending response compiles while it arrives.
	await load({ module_or_path: fetch(wasm) });
	return (post) => new NodeShell(post);
});
