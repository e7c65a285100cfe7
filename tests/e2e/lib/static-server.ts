// Serves a folder on loopback, for pages that need no bridge.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";

const TYPES: Record<string, string> = {
	".html": "text/html; charset=utf-8",
	".js": "text/javascript",
	".json": "application/json",
	".wasm": "application/wasm",
};

/** Serves `folder`; its `index.html` is the root. */
export function serve(folder: string): Promise<{ url: string; close: () => void }> {
	const server = createServer((request, response) => {
		const name = normalize(new URL(request.url ?? "/", "http://localhost").pathname);
		try {
			const data = readFileSync(join(folder, name === "/" ? "index.html" : name));
			response
				.writeHead(200, { "content-type": TYPES[extname(name)] ?? "text/html; charset=utf-8" })
				.end(data);
		} catch {
			response.writeHead(404).end();
		}
	});
	return new Promise((resolve) => {
		server.listen(0, "127.0.0.1", () => {
			const { port } = server.address() as AddressInfo;
			resolve({ url: `http://127.0.0.1:${port}/`, close: () => server.close() });
		});
	});
}
