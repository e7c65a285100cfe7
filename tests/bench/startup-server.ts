// A server for the start of browser nodes: compresses as well as brotli can, lets browsers keep everything, and
// counts what it sends.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize, relative } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";

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
	/** Ends it, and the requests to nowhere. */
	close(): void;
}

/** Every file of a folder, compressed. What was compressed once is kept in `kept`: peers' wasm takes minutes. */
async function pack(folder: string, kept: string): Promise<Map<string, Buffer>> {
	mkdirSync(kept, { recursive: true });
	const names = readdirSync(folder, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile() && extname(entry.name) in TYPES)
		.map((entry) => join(entry.parentPath, entry.name));
	const packed = names.map(async (path) => {
		const data = readFileSync(path);
		const known = join(kept, createHash("sha256").update(data).digest("hex"));
		if (!existsSync(known)) {
			const params = {
				[constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
				[constants.BROTLI_PARAM_SIZE_HINT]: data.length,
			};
			writeFileSync(known, await promisify(brotliCompress)(data, { params }));
		}
		return [`/${relative(folder, path)}`, readFileSync(known)] as const;
	});
	return new Map(await Promise.all(packed));
}

/**
 * Serves `folder`.
 * @param kept folder for what was compressed before
 */
export async function serveCounted(folder: string, kept: string): Promise<CountingServer> {
	const packed = await pack(folder, kept);
	let sent = 0;
	const server = createServer((request, response) => {
		const name = normalize(new URL(request.url ?? "/", "http://localhost").pathname);
		// Left open: a peer that is refused at once asks again at once, for ever, and its page never rests.
		if (name.startsWith("/nowhere/")) return;
		const body = packed.get(name === "/" ? "/index.html" : name);
		if (!body) {
			response.writeHead(404).end();
		} else {
			if (extname(name) !== "" && extname(name) !== ".html") sent += body.length;
			response
				.writeHead(200, {
					"content-type": TYPES[extname(name)] ?? "text/html; charset=utf-8",
					"content-encoding": "br",
					"cache-control": "public, max-age=31536000, immutable",
					...ISOLATION,
				})
				.end(body);
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
				close: () => {
					server.close();
					server.closeAllConnections();
				},
			});
		});
	});
}
