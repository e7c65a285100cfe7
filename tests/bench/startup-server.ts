// A server for the start of browser nodes: compresses as well as brotli can, lets browsers keep everything, and
// counts what it sends.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";

const TYPES: Record<string, string> = {
	".html": "text/html; charset=utf-8",
	".js": "text/javascript",
	".mjs": "text/javascript",
	".wasm": "application/wasm",
};
/** What a page needs for precise timers and shared memory. */
const ISOLATION = {
	"cross-origin-opener-policy": "same-origin",
	"cross-origin-embedder-policy": "require-corp",
};

/** A running server. */
export interface CountingServer {
	url: string;
	/** Bytes of bodies sent since the last call. */
	sent(): number;
	close(): void;
}

/** Serves `folder`. */
export function serveCounted(folder: string): Promise<CountingServer> {
	const packed = new Map<string, Buffer>();
	let sent = 0;
	const pack = (name: string): Buffer => {
		const known = packed.get(name);
		if (known) return known;
		const data = readFileSync(join(folder, name));
		const params = {
			[constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
			[constants.BROTLI_PARAM_SIZE_HINT]: data.length,
		};
		const body = brotliCompressSync(data, { params });
		packed.set(name, body);
		return body;
	};
	const server = createServer((request, response) => {
		const name = normalize(new URL(request.url ?? "/", "http://localhost").pathname);
		try {
			const body = pack(name === "/" ? "index.html" : name);
			if (extname(name) !== "" && extname(name) !== ".html") sent += body.length;
			response
				.writeHead(200, {
					"content-type": TYPES[extname(name)] ?? "text/html; charset=utf-8",
					"content-encoding": "br",
					"cache-control": "public, max-age=31536000, immutable",
					...ISOLATION,
				})
				.end(body);
		} catch {
			response.writeHead(404).end();
		}
	});
	return new Promise((resolve) => {
		server.listen(0, "127.0.0.1", () => {
			const { port } = server.address() as AddressInfo;
			resolve({
				url: `http://127.0.0.1:${port}/`,
				sent: () => {
					const bytes = sent;
					sent = 0;
					return bytes;
				},
				close: () => server.close(),
			});
		});
	});
}
