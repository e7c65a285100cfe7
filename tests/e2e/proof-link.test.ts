// A proof made in one browser and opened in another without a network: seen verified, or refused with the reason.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { balance, go, startNode, type Visit, visit } from "./lib/page.js";
import { type BridgeReady, type Server, startBridge } from "./lib/servers.js";
import { launch } from "./lib/tabs.js";

const dist = fileURLToPath(new URL("../../www/dist", import.meta.url));

let browser: Browser;
let other: Browser;
let bridge: Server<BridgeReady>;
let maker: Visit;
let reader: Visit;
let link = "";

before(async () => {
	browser = await launch();
	other = await launch();
	bridge = await startBridge(["--listen", "127.0.0.1:0", "--embedded-devnet", "--www", dist]);
	maker = await visit(browser, bridge.ready.url);
	await startNode(maker.page);
	// The other browser has been here once; from then on it has no network.
	reader = await visit(other, bridge.ready.url);
	await startNode(reader.page);
	await reader.page.evaluate(() => navigator.serviceWorker.ready);
	await reader.page.waitForFunction(() => localStorage.getItem("nanonet-dev-weights") !== null);
	await reader.page.evaluate(() => localStorage.removeItem("nanonet-started"));
	await reader.context.setOffline(true);
});

after(async () => {
	await browser?.close();
	await other?.close();
	await bridge?.kill();
});

const asked = async (page: Page) => {
	await go(page, "Ask");
	await page.locator(".chip").first().click();
	await page.locator(".verdict").first().waitFor();
};

/** Opens a link as if it had been clicked in a message. */
const open = async (page: Page, url: string) => {
	await page.goto("about:blank");
	await page.goto(url);
};

test("a proof becomes a link, a file and, where it is small enough, a QR code", async () => {
	const { page } = maker;
	await asked(page);
	await page.getByRole("button", { name: "Make a proof link" }).first().click();
	link = (await page.locator(".shared code").getAttribute("title")) ?? "";
	assert.match(link, /^http:\/\/127\.0\.0\.1:\d+\/#proof=[\w-]+$/);
	assert.ok(link.length <= 2_000, `${link.length} bytes`);
	assert.equal(await page.getByRole("img", { name: "QR code of the proof link" }).count(), 1);
});

test("another browser opens it without a network and sees it verified, with who signed", async () => {
	const { page } = reader;
	await open(page, link);
	await page.getByText("Proven, and checked in this tab.").waitFor();
	assert.equal(
		(await page.locator(".proof .balance").innerText()).replace(/\s/g, ""),
		(await balance(maker.page)).replace(/\s/g, ""),
	);
	assert.match(await page.locator(".verdict").innerText(), /\d+ representatives/);
	assert.match(await page.locator(".proof").innerText(), /cannot show that nothing came after/);
	assert.equal(await page.getByRole("button", { name: "Start my node" }).count(), 0);
});

test("an altered link is refused with the reason, wherever it was altered", async () => {
	const { page } = reader;
	const [base = "", text = ""] = link.split("#proof=");
	const bytes = Buffer.from(text, "base64url");
	const altered = (at: number) => {
		const copy = Buffer.from(bytes);
		copy[at] = (copy[at] ?? 0) ^ 1;
		return `${base}#proof=${copy.toString("base64url")}`;
	};
	const refused: [string, RegExp][] = [
		[altered(bytes.length - 40), /vote|representative|signed|not a proof/i],
		[altered(Math.floor(bytes.length / 3)), /vote|representative|signed|block|not a proof/i],
		// Another block: the votes are not about it.
		[altered(60), /about another block/],
		[`${base}#proof=${text.slice(0, -200)}`, /not a proof/],
		[`${base}#proof=<img src=x>`, /not a proof/],
	];
	for (const [url, reason] of refused) {
		await open(page, url);
		await page.getByText("Refused", { exact: true }).waitFor();
		assert.match(await page.getByRole("alert").innerText(), reason, url);
		assert.equal(await page.getByText("Proven, and checked").count(), 0);
	}
});

test("the QR code is read back from a picture of it", async () => {
	const { page } = maker;
	const picture = await page.locator(".shared .qr").screenshot();
	await page.getByRole("button", { name: "Scan a code" }).click();
	await page.getByLabel("Choose a picture").setInputFiles({
		name: "code.png",
		mimeType: "image/png",
		buffer: picture,
	});
	await page.getByRole("heading", { name: "A proof, checked here" }).waitFor();
	await page.locator(".proof .verdict.good").first().waitFor();
	assert.equal(await page.evaluate(() => location.href), link);
	await go(page, "Ask");
});

test("the same proof opens from a file", async () => {
	const [download] = await Promise.all([
		maker.page.waitForEvent("download"),
		maker.page.getByRole("button", { name: "Save as a file" }).first().click(),
	]);
	const path = await download.path();
	assert.ok(readFileSync(path).length <= 2_000);
	await maker.page.locator("input[accept='.nanoproof']").setInputFiles(path);
	await maker.page.getByRole("heading", { name: "A proof, checked here" }).waitFor();
	await maker.page.getByText("Nano", { exact: false }).first().waitFor();
	await maker.page.locator(".proof .verdict.good").first().waitFor();
});

test("a proof of a network whose weights are unknown is not called proven", async () => {
	const stranger = await other.newContext({ offline: false });
	const page = await stranger.newPage();
	await page.route("**/v1/weights", (route) => route.abort());
	await page.goto(link);
	await page.getByText("Refused", { exact: true }).waitFor();
	assert.match(await page.getByRole("alert").innerText(), /has never seen/);
	await stranger.close();
});

test("the pages had no error", () => {
	const own = [...maker.problems, ...reader.problems].filter(
		(text) => !/WebSocket|ERR_INTERNET_DISCONNECTED|ERR_CONNECTION/.test(text),
	);
	assert.deepEqual(own, []);
});
