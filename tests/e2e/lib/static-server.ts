// Servers on loopback: a folder, for pages that need no bridge, and a way to a bridge without WebSockets.

import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";

const TYPES: Record<string, string> = {
	".html": "text/html; charset=utf-8",
	".js": "text/javascript",
	".json": "application/json",
	".wasm": "application/wasm",
};

/** Listens on a free port of loopback. */
function listen(server: Server): Promise<{ url: string; close: () => void }> {
	return new Promise((resolve) => {
		server.listen(0, "127.0.0.1", () => {
			const { port } = server.address() as AddressInfo;
			resolve({ url: `http://127.0.0.1:${port}/`, close: () => server.close() });
		});
	});
}

/** Passes GET requests on to the server at `origin` and no WebSocket: the web as some offices let it through. */
export function withoutSockets(origin: string): Promise<{ url: string; close: () => void }> {
	const server = createServer(async (request, response) => {
		try {
			const answer = await fetch(new URL(request.url ?? "/", origin));
			response
				.writeHead(answer.status, {
					"content-type": answer.headers.get("content-type") ?? "application/json",
					"access-control-allow-origin": "*",
				})
				.end(Buffer.from(await answer.arrayBuffer()));
		} catch {
			response.writeHead(502).end();
		}
	});
	server.on("upgrade", (_request, socket) => socket.destroy());
	return listen(server);
}

/** What a page needs to share memory with its workers. */
const ISOLATION = {
	"cross-origin-opener-policy": "same-origin",
	"cross-origin-embedder-policy": "require-corp",
};

/** Serves `folder`; its `index.html` is the root. `isolated`: pages are cross-origin isolated. */
export function serve(
	folder: string,
	{ isolated = false } = {},
): Promise<{ url: string; close: () => void }> {
	const server = createServer((request, response) => {
		const name = normalize(new URL(request.url ?? "/", "http://localhost").pathname);
		try {
			const data = readFileSync(join(folder, name === "/" ? "index.html" : name));
			response
				.writeHead(200, {
					"content-type": TYPES[extname(name)] ?? "text/html; charset=utf-8",
					...(isolated ? ISOLATION : {}),
				})
				.end(data);
		} catch {
			response.writeHead(404).end();
		}
	});
	return listen(server);
}
