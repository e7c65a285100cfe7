// The work pool in a real browser: what it finds is work, it stops when told, and it says honestly how it stands.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { type BridgeReady, type Server, startBridge } from "./lib/servers.js";
import { serve } from "./lib/static-server.js";
import { launch, site } from "./lib/tabs.js";
import { until } from "./lib/wait.js";

/** A few thousand nonces on average. */
const EASY = "fff0000000000000";
/** More than a test can wait for. */
const NEVER = "ffffffffffffffff";
/** How long threads may run on after they are told to stop: far less than the search, with room for a busy machine. */
const STOP_MS = 2_000;

let browser: Browser;
let bridge: Server<BridgeReady>;
let plain: { url: string; close: () => void };
const pages = site();
const opened: Page[] = [];
const at = (index: number) => () => {
	const page = opened[index];
	assert.ok(page);
	return page;
};
const modes = [
	{ name: "isolated", page: at(0) },
	{ name: "not isolated", page: at(1) },
];

before(async () => {
	browser = await launch();
	// The bridge isolates its page across origins, a plain server does not.
	bridge = await startBridge([
		...["--listen", "127.0.0.1:0", "--embedded-devnet", "--www", pages.path],
	]);
	plain = await serve(pages.path);
	for (const url of [bridge.ready.url, plain.url]) {
		const page = await browser.newPage();
		await page.addInitScript("globalThis.__name = (named) => named");
		await page.goto(url);
		await until("the page has its scripts", () =>
			page.evaluate<boolean>("globalThis.ready === true"),
		);
		opened.push(page);
	}
});

after(async () => {
	await browser?.close();
	await bridge?.kill();
	plain?.close();
	pages.remove();
});

test("one page is cross-origin isolated and the other is not", async () => {
	const isolated = modes.map(({ page }) => page().evaluate(() => crossOriginIsolated));
	assert.deepEqual(await Promise.all(isolated), [true, false]);
});

for (const { name, page } of modes) {
	test(`what threads find reaches the threshold (${name})`, async () => {
		const valid = await page().evaluate(async (threshold) => {
			const pool = new globalThis.nanonet.WorkPool({ threads: 3, threshold });
			const roots = ["00", "7f", "c4"].map((byte) => byte.repeat(32));
			const works = await Promise.all(roots.map((root) => pool.generate(root)));
			pool.close();
			return roots.map((root, place) =>
				globalThis.core.validateWork(root, works[place], threshold),
			);
		}, EASY);
		assert.deepEqual(valid, [true, true, true]);
	});

	test(`an aborted search ends at once and the next one begins (${name})`, async () => {
		const { code, told, tookMs } = await page().evaluate(
			async ([never, easy]) => {
				const pool = new globalThis.nanonet.WorkPool({ threads: 2 });
				const told: { hashes: number; hashesPerSecond: number; fraction: number }[] = [];
				const abort = new AbortController();
				let begun = () => {};
				const searching = new Promise<void>((resolve) => {
					begun = resolve;
				});
				const endless = pool
					.generate("11".repeat(32), {
						threshold: never,
						signal: abort.signal,
						onProgress: (progress: (typeof told)[number]) => {
							told.push(progress);
							if (progress.hashes > 0) begun();
						},
					})
					.catch((error: { code: string }) => error.code);
				const next = pool.generate("22".repeat(32), { threshold: easy });
				await searching;
				const begin = performance.now();
				abort.abort();
				const code = await endless;
				await next;
				const tookMs = performance.now() - begin;
				pool.close();
				return { code, told, tookMs };
			},
			[NEVER, EASY] as const,
		);
		assert.equal(code, "aborted");
		assert.ok(tookMs < STOP_MS, `the next search was done ${tookMs} ms later`);
		const last = told.at(-1);
		assert.ok(last && last.hashes > 0 && last.hashesPerSecond > 0);
		assert.ok(last.fraction >= 0 && last.fraction < 0.001, `fraction ${last.fraction}`);
	});

	test(`a search in the background gives way to others and goes on afterwards (${name})`, async () => {
		const order = await page().evaluate(
			async ([never, easy]) => {
				const pool = new globalThis.nanonet.WorkPool({ threads: 2 });
				const done: string[] = [];
				const abort = new AbortController();
				let progressed = () => {};
				const progress = () =>
					new Promise<void>((resolve) => {
						progressed = resolve;
					});
				let goesOn = progress();
				const behind = pool
					.generate("33".repeat(32), {
						threshold: never,
						background: true,
						signal: abort.signal,
						onProgress: () => progressed(),
					})
					.catch((error: { code: string }) => done.push(error.code));
				await goesOn;
				await pool.generate("44".repeat(32), { threshold: easy });
				done.push("in front");
				goesOn = progress();
				await goesOn;
				abort.abort();
				await behind;
				pool.close();
				return done;
			},
			[NEVER, EASY] as const,
		);
		assert.deepEqual(order, ["in front", "aborted"]);
	});

	test(`bad input and a closed pool are errors with a code (${name})`, async () => {
		const codes = await page().evaluate(async () => {
			const pool = new globalThis.nanonet.WorkPool({ threads: 1 });
			const code = (call: Promise<string>) => call.catch((error: { code: string }) => error.code);
			const root = await code(pool.generate("12"));
			const threshold = await code(pool.generate("11".repeat(32), { threshold: "x" }));
			pool.close();
			return [root, threshold, await code(pool.generate("11".repeat(32)))];
		});
		assert.deepEqual(codes, ["bad-root", "bad-threshold", "stopped"]);
	});
}
