// How long a page waits for its node, what that blocks, transfers and keeps: ours beside published browser nodes of
// other networks, in one Chromium, taking turns.

import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { type BridgeReady, type Server, startBridge, temporaryFolder } from "../e2e/lib/servers.js";
import { launch } from "../e2e/lib/tabs.js";
import { until } from "../e2e/lib/wait.js";
import { against, type Bench, type Figure, round } from "./figures.js";
import { launchMeasured, privateBytes } from "./memory.js";
import { PEERS, type Peer } from "./startup-peers.js";
import { type CountingServer, serveCounted } from "./startup-server.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const here = fileURLToPath(new URL(".", import.meta.url));

/** The name of ours among those measured. */
const OURS = "nanonet";
/** How often each is started from nothing; every time it is started again with what the browser kept. */
const TURNS = 5;
/** How long a page is watched after its node is ready. */
const WATCH_MS = 1_000;
/** Links that are open while memory is measured. */
const LINKS = 16;
/** Nodes that it may link to, and how many of them share a page. */
const OTHERS = 24;
const OTHERS_A_PAGE = 4;
/** How long that may take. */
const LINKED_MS = 180_000;
/** How long memory is given to settle. */
const SETTLE_MS = 5_000;

/** One start of one peer. */
interface Start {
	ms: number;
	/** What each task of the page took beyond 50 ms, all together. */
	blockingMs: number;
	/** The longest time in which the page could do nothing else. */
	longestMs: number;
}

/** Writes the site: every peer's module, and an empty page. */
async function site(): Promise<{ path: string; remove: () => void }> {
	const folder = temporaryFolder();
	cpSync(join(root, "nano-wasm", "pkg"), join(folder.path, "nanonet"), { recursive: true });
	cpSync(join(here, "node_modules", "@nimiq", "core"), join(folder.path, "nimiq"), {
		recursive: true,
	});
	writeFileSync(
		join(folder.path, "index.html"),
		'<!doctype html><meta charset="utf-8"><title>start</title><link rel="icon" href="data:,">',
	);
	for (const { entry, source, bundle } of PEERS) {
		const outfile = join(folder.path, entry);
		if (!bundle) {
			writeFileSync(outfile, source);
			continue;
		}
		await build({
			stdin: { contents: source, resolveDir: here },
			bundle: true,
			format: "esm",
			minify: true,
			outfile,
			logLevel: "error",
		});
	}
	return folder;
}

/** Starts a peer on a loaded page and watches the page. */
function start(page: Page, entry: string): Promise<Start> {
	return page.evaluate(
		async ([from, watchMs]) => {
			let blockingMs = 0;
			let longestMs = 0;
			const tasks = new PerformanceObserver((list) => {
				for (const { duration } of list.getEntries()) blockingMs += Math.max(0, duration - 50);
			});
			tasks.observe({ type: "longtask" });
			// Comes round as soon as the page may do something else, at most every four milliseconds: what never rests
			// keeps peers from what they wait for.
			let last = performance.now();
			const round = setInterval(() => {
				const now = performance.now();
				longestMs = Math.max(longestMs, now - last);
				last = now;
			}, 0);
			const begin = performance.now();
			const { ready } = await import(from);
			await ready();
			const ms = performance.now() - begin;
			await new Promise((resolve) => setTimeout(resolve, watchMs));
			clearInterval(round);
			return { ms, blockingMs, longestMs };
		},
		[entry, WATCH_MS] as const,
	);
}

/** One start from nothing and one with what the browser kept of it. */
async function turn(browser: Browser, server: CountingServer, { entry }: Peer) {
	const context = await browser.newContext();
	try {
		const page = await context.newPage();
		await page.goto(server.url);
		server.sent();
		const cold = await start(page, entry);
		const bytes = server.sent();
		await page.goto("about:blank");
		await page.goto(server.url);
		const warm = await start(page, entry);
		return { cold, warm, bytes };
	} finally {
		await context.close();
	}
}

const median = (values: number[]): number =>
	[...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;

/** Half the distance between the quartiles. */
function spread(values: number[]): number {
	const sorted = [...values].sort((one, other) => one - other);
	const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
	return round((at(0.75) - at(0.25)) / 2);
}

/** Private memory of a page above an empty one, once `ready` has made what is measured. */
async function memory(url: string, ready: (page: Page) => Promise<unknown>): Promise<number> {
	const browser = await launchMeasured();
	try {
		const page = await browser.newPage();
		await page.goto(url);
		const settled = async () => {
			await page.evaluate(() => (globalThis as unknown as { gc(): void }).gc());
			return privateBytes(browser);
		};
		const before = await settled();
		await ready(page);
		await page.waitForTimeout(SETTLE_MS);
		return (await settled()) - before;
	} finally {
		await browser.close();
	}
}

/** Ours with its links open; the other ends run in another browser. */
async function linkedMemory(server: CountingServer): Promise<number> {
	const bridge: Server<BridgeReady> = await startBridge([
		...["--listen", "127.0.0.1:0", "--embedded-devnet"],
	]);
	const others = await launch();
	try {
		// Few to a page: a page makes so many connections and no more.
		for (let count = 0; count < OTHERS; count += OTHERS_A_PAGE) {
			const page = await (await others.newContext()).newPage();
			await page.goto(server.url);
			await page.evaluate(
				async ([entry, bridges, here]) => {
					const { ready } = await import(entry);
					for (let index = 0; index < here; index++) {
						await ready({ network: "dev", storage: "memory", bridges, workThreads: 1 });
					}
				},
				["/ours.js", [bridge.ready.url], OTHERS_A_PAGE] as const,
			);
		}
		return await memory(server.url, async (measured) => {
			await measured.evaluate(
				async ([entry, bridges]) => {
					const { ready } = await import(entry);
					// As many places as there may be: by itself a node in so small a network stays below 16 links.
					const options = { network: "dev", bridges, workThreads: 1, maxLinks: 32 };
					const node = await ready(options);
					Object.assign(globalThis, { node });
				},
				["/ours.js", [bridge.ready.url]] as const,
			);
			const open = async () => {
				const links = await measured.evaluate(
					async () => (await globalThis.node.status()).links.length as number,
				);
				return links >= LINKS;
			};
			await until(`${LINKS} links are open`, open, LINKED_MS);
		});
	} finally {
		await others.close();
		await bridge.kill();
	}
}

/** The start of a page's node. */
export const startup: Bench = {
	about:
		"start of a page's node: time, blocking, bytes, memory, beside other networks' browser nodes",
	figures: [
		"cold-ms",
		"warm-ms",
		"blocking-ms",
		"longest-task-ms",
		"transferred-brotli",
		"private-mb",
		"unlinked-private-mb",
	],
	limits: {
		"cold-ms": { most: 1, mostValue: 120 },
		"warm-ms": { most: 1, mostValue: 60 },
		"blocking-ms": { mostValue: 0 },
		"transferred-brotli": { most: 1, mostValue: 300_000 },
		"private-mb": { mostValue: 10 },
	},
	async run(): Promise<Figure[]> {
		const folder = await site();
		const server = await serveCounted(folder.path, join(root, "target", "bench-packed"));
		const browser = await launch();
		try {
			const turns = new Map<string, Awaited<ReturnType<typeof turn>>[]>();
			for (let count = 0; count < TURNS; count++) {
				for (const peer of PEERS) {
					const all = turns.get(peer.name) ?? [];
					turns.set(peer.name, all);
					all.push(await turn(browser, server, peer));
				}
			}
			const bytes = new Map<string, number>();
			for (const peer of PEERS) {
				const used = await memory(server.url, (page) => start(page, peer.entry));
				bytes.set(peer.name, used);
			}
			const linked = await linkedMemory(server);
			const others = PEERS.filter((peer) => peer.name !== OURS);
			const of = (name: string, read: (one: Awaited<ReturnType<typeof turn>>) => number) =>
				(turns.get(name) ?? []).map(read);
			/** A figure of ours against the best of the others. */
			const figure = (
				name: string,
				unit: string,
				read: (one: Awaited<ReturnType<typeof turn>>) => number,
			): Figure => {
				const values = of(OURS, read);
				const best = others
					.map((peer) => ({ name: peer.name, value: median(of(peer.name, read)) }))
					.sort((one, other) => one.value - other.value)[0];
				const own = { name, unit, value: round(median(values)), spread: spread(values) };
				return best ? against(own, best.name, round(best.value)) : own;
			};
			const megabytes = (value: number) => round(value / 1e6);
			const [best] = others
				.map(({ name }) => ({ name, value: bytes.get(name) ?? Number.NaN }))
				.sort((one, other) => one.value - other.value);
			const memoryOf = (name: string, value: number): Figure => {
				const own = { name, unit: "MB", value: megabytes(value) };
				return best ? against(own, best.name, megabytes(best.value)) : own;
			};
			return [
				figure("cold-ms", "ms", ({ cold }) => cold.ms),
				figure("warm-ms", "ms", ({ warm }) => warm.ms),
				figure("blocking-ms", "ms", ({ cold }) => cold.blockingMs),
				figure("longest-task-ms", "ms", ({ cold }) => cold.longestMs),
				figure("transferred-brotli", "B", (one) => one.bytes),
				memoryOf("private-mb", linked),
				memoryOf("unlinked-private-mb", bytes.get(OURS) ?? Number.NaN),
			];
		} finally {
			await browser.close();
			server.close();
			folder.remove();
		}
	},
};
