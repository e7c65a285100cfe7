// What Lighthouse makes of the page as the bridge serves it: on a phone with a slow processor and a slow network, which
// is its own default.

import assert from "node:assert/strict";
import { createServer } from "node:net";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { type BridgeReady, type Server, startBridge } from "../e2e/lib/servers.js";
import { keep, launch } from "../e2e/lib/tabs.js";

const dist = fileURLToPath(new URL("../../www/dist", import.meta.url));
/** Least score of each category, of 100. */
const LEAST = 95;
const CATEGORIES = ["performance", "accessibility", "best-practices"];
/** Runs whose median counts: a machine that does something else for a moment fails no build. */
const RUNS = 3;

/** What is read of a result; the package is not there when types are checked. */
type Lighthouse = (
	url: string,
	flags: object,
) => Promise<{
	report: string | string[];
	lhr: { categories: Record<string, { score: number | null }> };
}>;

let browser: Browser;
let lighthouse: Lighthouse;
let bridge: Server<BridgeReady>;
let port: number;

/** A port that nobody listens on. */
const freePort = () =>
	new Promise<number>((resolve, reject) => {
		const server = createServer();
		server.once("error", reject);
		server.listen(0, "127.0.0.1", () => {
			const address = server.address();
			server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
		});
	});

before(async () => {
	const name = "lighthouse";
	lighthouse = (await import(name)).default;
	port = await freePort();
	browser = await launch([`--remote-debugging-port=${port}`]);
	bridge = await startBridge(["--listen", "127.0.0.1:0", "--embedded-devnet", "--www", dist]);
});

after(async () => {
	await browser?.close();
	await bridge?.kill();
});

test(`performance, accessibility and best practices are ${LEAST} or more`, async () => {
	const scores = new Map<string, number[]>(CATEGORIES.map((name) => [name, []]));
	let report = "";
	for (let run = 0; run < RUNS; run++) {
		const result = await lighthouse(bridge.ready.url, {
			port,
			output: "json",
			logLevel: "error",
			onlyCategories: CATEGORIES,
		});
		report = String(result.report);
		for (const [name, { score }] of Object.entries(result.lhr.categories)) {
			scores.get(name)?.push(Math.round((score ?? 0) * 100));
		}
	}
	const medians = Object.fromEntries(
		[...scores].map(([name, all]) => [name, all.sort((a, b) => a - b)[Math.floor(RUNS / 2)] ?? 0]),
	);
	console.log(JSON.stringify(medians));
	if (Object.values(medians).some((score) => score < LEAST)) keep("lighthouse.json", report);
	for (const [name, score] of Object.entries(medians)) {
		assert.ok(score >= LEAST, `${name}: ${score}; the report is in tests/results/lighthouse.json`);
	}
});
