// While work is searched for on all cores the page stays smooth: its own thread has no task that a person would feel.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { serve } from "./lib/static-server.js";
import { launch, site } from "./lib/tabs.js";
import { until } from "./lib/wait.js";

/** More than a test can wait for. */
const NEVER = "ffffffffffffffff";
/** How long the page is watched. */
const WATCHED_MS = 4_000;
/** What a browser calls a long task. */
const LONG_MS = 50;

let browser: Browser;
let server: { url: string; close: () => void };
let page: Page;
const pages = site();

before(async () => {
	browser = await launch();
	server = await serve(pages.path, { isolated: true });
	page = await browser.newPage();
	await page.addInitScript("globalThis.__name = (named) => named");
	await page.goto(server.url);
	await until("the page has its scripts", () =>
		page.evaluate<boolean>("globalThis.ready === true"),
	);
});

after(async () => {
	await browser?.close();
	server?.close();
	pages.remove();
});

/** Long tasks of the page's thread while work is searched for; `planted` keeps it busy once for that long. */
const longTasks = (planted: number) =>
	page.evaluate(
		async ([difficulty, watched, busy]) => {
			const tasks: number[] = [];
			const observer = new PerformanceObserver((list) => {
				for (const { duration } of list.getEntries()) tasks.push(duration);
			});
			observer.observe({ type: "longtask" });
			const pool = new globalThis.nanonet.WorkPool({ difficulty });
			let hashes = 0;
			const abort = new AbortController();
			const search = pool
				.generate("5a".repeat(32), {
					signal: abort.signal,
					onProgress: (progress: { hashes: number }) => {
						hashes = progress.hashes;
					},
				})
				.catch(() => {});
			setTimeout(() => {
				const end = performance.now() + busy;
				while (performance.now() < end);
			}, 500);
			await new Promise((resume) => setTimeout(resume, watched));
			abort.abort();
			await search;
			pool.close();
			observer.disconnect();
			return { tasks, hashes, threads: pool.threads, cores: navigator.hardwareConcurrency };
		},
		[NEVER, WATCHED_MS, planted] as const,
	);

test("no task of the page's thread is long while all cores work", async () => {
	const { tasks, hashes, threads, cores } = await longTasks(0);
	assert.equal(threads, Math.min(32, cores));
	assert.ok(hashes > 0, "nothing was searched");
	assert.deepEqual(
		tasks.filter((millis) => millis > LONG_MS),
		[],
	);
});

test("a long task would have been seen", async () => {
	const { tasks } = await longTasks(200);
	assert.ok(tasks.some((millis) => millis > LONG_MS));
});
