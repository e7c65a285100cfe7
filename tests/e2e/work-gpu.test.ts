// Work on a graphics processor, with the one that Chromium imitates in software: what it finds is work, and nobody
// uses it unasked.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { serve } from "./lib/static-server.js";
import { launch, site } from "./lib/tabs.js";
import { until } from "./lib/wait.js";

/** A few thousand nonces on average. */
const EASY = "fff0000000000000";
/** Chromium's switches for WebGPU on a software adapter. */
const SOFTWARE_GPU = [
	"--enable-unsafe-webgpu",
	"--use-webgpu-adapter=swiftshader",
	"--enable-features=Vulkan",
	"--use-vulkan=swiftshader",
];

let browser: Browser;
let server: { url: string; close: () => void };
let page: Page;
const pages = site();

before(async () => {
	browser = await launch(SOFTWARE_GPU);
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

test("this browser offers a software adapter", async () => {
	const name = await page.evaluate(async () => {
		// biome-ignore lint/suspicious/noExplicitAny: the types of tests know no WebGPU
		const adapter = await (navigator as any).gpu?.requestAdapter();
		return adapter ? JSON.stringify([adapter.info.architecture, adapter.info.description]) : "none";
	});
	assert.match(name.toLowerCase(), /swiftshader/);
});

test("what it finds alone reaches the difficulty, and it was the one that found it", async () => {
	const found = await page.evaluate(async (difficulty) => {
		const pool = new globalThis.nanonet.WorkPool({ gpu: "only", threads: 1, difficulty });
		const roots = Array.from({ length: 24 }, (_, index) =>
			index.toString(16).padStart(2, "0").repeat(32),
		);
		const results = [];
		for (const root of roots) {
			const work = await pool.generate(root);
			const valid = globalThis.core.validateWork(root, work, difficulty);
			results.push({ valid, engines: Object.keys(pool.last.engines), gpu: pool.gpu.state });
		}
		pool.close();
		return results;
	}, EASY);
	assert.equal(found.length, 24);
	for (const each of found) {
		assert.deepEqual(each, { valid: true, engines: ["webgpu"], gpu: "used" });
	}
});

test("it is never chosen on its own: the pool says why and threads do the work", async () => {
	const { gpu, engines, valid } = await page.evaluate(async (difficulty) => {
		const pool = new globalThis.nanonet.WorkPool({ threads: 1, difficulty });
		const root = "ab".repeat(32);
		const work = await pool.generate(root);
		while (pool.gpu.state === "asked") await new Promise((resume) => setTimeout(resume, 20));
		await pool.generate("cd".repeat(32));
		const { gpu, last } = pool;
		pool.close();
		const valid = globalThis.core.validateWork(root, work, difficulty);
		return { gpu, engines: Object.keys(last.engines), valid };
	}, EASY);
	assert.equal(gpu.state, "refused");
	assert.match(gpu.reason, /imitated by software/);
	assert.deepEqual(engines, ["simd128"]);
	assert.ok(valid);
});
