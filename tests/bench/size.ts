// What a page downloads to run a node, raw and compressed as servers compress.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { against, type Bench, type Figure } from "./figures.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const pkg = join(root, "nano-wasm", "pkg");

const gzip = (data: Buffer) => gzipSync(data, { level: 9 }).length;
const brotli = (data: Buffer) =>
	brotliCompressSync(data, {
		params: {
			[constants.BROTLI_PARAM_QUALITY]: 11,
			[constants.BROTLI_PARAM_SIZE_HINT]: data.length,
		},
	}).length;

/** A script of the package and the chunks it loads with it; those that it imports when they are needed are not. */
const withChunks = (script: string, found = new Set<string>()): Set<string> => {
	if (found.has(script)) return found;
	found.add(script);
	const text = readFileSync(join(pkg, script), "utf8");
	for (const [, chunk] of text.matchAll(/\b(?:from|import)\s*"\.\/([^"]+\.js)"/g)) {
		if (chunk) withChunks(chunk, found);
	}
	return found;
};

/** Everything every page loads to run a node and compute work: no more, no less. */
const nodeFiles = () => [
	...withChunks("index.js"),
	"node-worker.js",
	"node.wasm",
	"work-worker.js",
	"work-relaxed.wasm",
];

/** What it loads besides, some seconds after its start or when it is first used. */
const LATER_FILE = "node-later.wasm";

/** What it loads besides, at its first search, where the browser offers a graphics processor. */
const GPU_FILE = "work-gpu-worker.js";

/** The size of node, overlay and everything a page needs. */
export const size: Bench = {
	about: "bytes a page downloads to run a node",
	figures: [
		"node-wasm-raw",
		"node-wasm-gzip",
		"node-wasm-brotli",
		"overlay-gzip",
		"all-brotli",
		"later-brotli",
		"gpu-brotli",
	],
	limits: { "overlay-gzip": { most: 1 }, "all-brotli": { most: 1 } },
	async run(): Promise<Figure[]> {
		execFileSync("cargo", ["run", "-q", "-p", "wasm-build", "--", "overlay-size"], {
			cwd: root,
			stdio: "inherit",
		});
		const node = readFileSync(join(pkg, "node.wasm"));
		const probe = (name: string) => gzip(readFileSync(join(root, "target", "sizes", name)));
		const all = nodeFiles().map((name) => brotli(readFileSync(join(pkg, name))));
		const bytes = (name: string, value: number): Figure => ({ name, value, unit: "B" });
		return [
			bytes("node-wasm-raw", node.length),
			bytes("node-wasm-gzip", gzip(node)),
			bytes("node-wasm-brotli", brotli(node)),
			against(
				bytes("overlay-gzip", probe("with-overlay.wasm") - probe("without-overlay.wasm")),
				"limit",
				// 90,000 was reckoned without join work, diversity, reputation, news for everyone and what messages
				// need of the rest.
				170_000,
			),
			against(
				bytes(
					"all-brotli",
					all.reduce((sum, value) => sum + value, 0),
				),
				"limit",
				300_000,
			),
			bytes("later-brotli", brotli(readFileSync(join(pkg, LATER_FILE)))),
			bytes("gpu-brotli", brotli(readFileSync(join(pkg, GPU_FILE)))),
		];
	},
};
