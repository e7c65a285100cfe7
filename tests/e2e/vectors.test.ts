// Every recorded vector holds in the wasm that browsers run, not only natively.

import assert from "node:assert/strict";
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { temporaryFolder } from "./lib/servers.js";
import { serve } from "./lib/static-server.js";
import { launch } from "./lib/tabs.js";
import type { Report } from "./pages/vectors.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const data = join(root, "tests", "vectors", "data");
const topics = readdirSync(data, { withFileTypes: true })
	.filter((entry) => entry.isDirectory())
	.map((entry) => entry.name);

let browser: Browser;
let page: Page;
const folder = temporaryFolder();
let server: { url: string; close: () => void };

before(async () => {
	cpSync(join(root, "target", "vectors-wasm"), folder.path, { recursive: true });
	writeFileSync(
		join(folder.path, "index.html"),
		'<!doctype html><script type="module" src="/vectors.js"></script>',
	);
	server = await serve(folder.path);
	browser = await launch();
	page = await browser.newPage();
	await page.goto(server.url);
	await page.waitForFunction("globalThis.run !== undefined");
});

after(async () => {
	await browser?.close();
	server?.close();
	folder.remove();
});

const run = (topic: string, json: string) =>
	page.evaluate(
		([name, text]) =>
			(globalThis as unknown as { run: (topic: string, json: string) => Promise<Report> }).run(
				name,
				text,
			),
		[topic, json] as const,
	);

test("there are vectors for every topic the protocol reference names", () => {
	assert.ok(topics.length >= 11, topics.join(", "));
});

for (const topic of topics) {
	test(`vectors hold in the browser: ${topic}`, async () => {
		const report = await run(topic, readFileSync(join(data, topic, `${topic}.json`), "utf8"));
		assert.deepEqual(report.failures, []);
		assert.ok(report.checks > 0, "nothing was checked");
	});
}

test("a damaged vector is noticed in the browser", async () => {
	const text = readFileSync(join(data, "keys", "keys.json"), "utf8");
	const damaged = text.replace("19D3D919475DEED4", "29D3D919475DEED4");
	assert.notEqual(damaged, text);
	const report = await run("keys", damaged);
	assert.ok(report.failures.length > 0);
});
