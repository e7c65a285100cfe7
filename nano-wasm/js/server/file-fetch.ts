// `fetch` that also reads files, of which the package's own are some.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/** The same `fetch`, for files too. */
export function withFiles(plain: typeof fetch): typeof fetch {
	return async (input, init) => {
		const url = String(input);
		if (!url.startsWith("file:")) return plain(input, init);
		const headers = { "content-type": "application/wasm" };
		return new Response(await readFile(fileURLToPath(url)), { headers });
	};
}
