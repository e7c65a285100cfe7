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
			const pool = new globalThis.nanonet.WorkPool({ threads: 3, difficulty: threshold });
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
						difficulty: never,
						signal: abort.signal,
						onProgress: (progress: (typeof told)[number]) => {
							told.push(progress);
							if (progress.hashes > 0) begun();
						},
					})
					.catch((error: { code: string }) => error.code);
				const next = pool.generate("22".repeat(32), { difficulty: easy });
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
						difficulty: never,
						purpose: "join",
						signal: abort.signal,
						onProgress: () => progressed(),
					})
					.catch((error: { code: string }) => done.push(error.code));
				await goesOn;
				await pool.generate("44".repeat(32), { difficulty: easy });
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

	test(`a paused pool searches nothing and goes on when it is resumed (${name})`, async () => {
		const { during, valid } = await page().evaluate(async (difficulty) => {
			const pool = new globalThis.nanonet.WorkPool({ threads: 2, difficulty });
			const root = crypto.randomUUID().replaceAll("-", "").repeat(2);
			pool.pause();
			let done = false;
			const work = pool.generate(root).then((found: string) => {
				done = true;
				return found;
			});
			// Another pool's search takes longer than this one's would.
			const other = new globalThis.nanonet.WorkPool({ threads: 1, difficulty: "ffff000000000000" });
			await other.generate("56".repeat(32));
			other.close();
			const during = done;
			pool.resume();
			const valid = globalThis.core.validateWork(root, await work, difficulty);
			pool.close();
			return { during, valid };
		}, EASY);
		assert.deepEqual({ during, valid }, { during: false, valid: true });
	});

	test(`a send goes before a receive, and that before work ahead (${name})`, async () => {
		const order = await page().evaluate(async (difficulty) => {
			const pool = new globalThis.nanonet.WorkPool({ threads: 2, difficulty });
			const done: string[] = [];
			pool.pause();
			const searches = ["join", "ahead", "receive", "send"].map((purpose) =>
				pool
					.generate(crypto.randomUUID().replaceAll("-", "").repeat(2), { purpose })
					.then(() => done.push(purpose)),
			);
			pool.resume();
			await Promise.all(searches);
			pool.close();
			return done;
		}, EASY);
		assert.deepEqual(order, ["send", "receive", "ahead", "join"]);
	});

	test(`work made ahead is there at once, also after a reload (${name})`, async () => {
		const root = `${name === "isolated" ? "a1" : "a2"}`.repeat(32);
		const made = await page().evaluate(
			async ([over, difficulty]) => {
				const pool = new globalThis.nanonet.WorkPool({ threads: 1, difficulty });
				new globalThis.nanonet.WorkAhead(pool).expect("account", over);
				while (!pool.has(over)) await new Promise((resume) => setTimeout(resume, 10));
				const work = await pool.generate(over);
				pool.close();
				return work;
			},
			[root, EASY] as const,
		);
		await page().reload();
		await until("the page has its scripts again", () =>
			page().evaluate<boolean>("globalThis.ready === true"),
		);
		const again = await page().evaluate(
			async ([over, difficulty]) => {
				const pool = new globalThis.nanonet.WorkPool({ threads: 1, difficulty });
				// Paused: it can only come from what was kept.
				pool.pause();
				const work = await pool.generate(over);
				const valid = globalThis.core.validateWork(over, work, difficulty);
				pool.close();
				return { work, valid };
			},
			[root, EASY] as const,
		);
		assert.deepEqual(again, { work: made, valid: true });
	});

	test(`bad input and a closed pool are errors with a code (${name})`, async () => {
		const codes = await page().evaluate(async () => {
			const pool = new globalThis.nanonet.WorkPool({ threads: 1 });
			const code = (call: Promise<string>) => call.catch((error: { code: string }) => error.code);
			const root = await code(pool.generate("12"));
			const threshold = await code(pool.generate("11".repeat(32), { difficulty: "x" }));
			pool.close();
			return [root, threshold, await code(pool.generate("11".repeat(32)))];
		});
		assert.deepEqual(codes, ["bad-root", "bad-difficulty", "stopped"]);
	});
}
