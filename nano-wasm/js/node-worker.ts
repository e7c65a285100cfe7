// The worker that runs the node.

import { expectLater } from "./later.js";
import { serve } from "./serve.js";
import load, { NodeShell } from "./wasm/node.js";

serve(async () => {
	// A worker that was made from an inlined script is told where its wasm is; bundlers tell theirs other things.
	const [, wasm, later] = /^#(blob:[^,]+),(blob:.+)/.exec(location.hash) ?? [];
	// A pending response compiles while it arrives.
	const first = await load({
		module_or_path: fetch(wasm ?? new URL("./node.wasm", import.meta.url)),
	});
	await expectLater(later ?? new URL("./node-later.wasm", import.meta.url), first);
	return (post) => new NodeShell(post);
});
