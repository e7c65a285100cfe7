// The page itself, as a person uses it: one click, a balance with its proof, a wallet, a payment to a second browser.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { type BridgeReady, type Server, startBridge } from "./lib/servers.js";
import { launch } from "./lib/tabs.js";
import { until } from "./lib/wait.js";

const dist = fileURLToPath(new URL("../../www/dist", import.meta.url));

let browser: Browser;
let bridge: Server<BridgeReady>;
const problems: string[] = [];

before(async () => {
	browser = await launch();
	bridge = await startBridge(["--listen", "127.0.0.1:0", "--embedded-devnet", "--www", dist]);
});

after(async () => {
	await browser?.close();
	await bridge?.kill();
});

async function visit(): Promise<{ context: BrowserContext; page: Page }> {
	const context = await browser.newContext();
	const page = await context.newPage();
	page.on("pageerror", (error) => problems.push(String(error.stack ?? error)));
	page.on("console", (message) => {
		if (message.type() === "error") problems.push(message.text());
	});
	await page.goto(bridge.ready.url);
	return { context, page };
}

async function startNode(page: Page): Promise<void> {
	await page.getByRole("button", { name: "Start my node" }).click();
	await page.getByRole("status").filter({ hasText: "Linked to" }).first().waitFor();
}

const PASSWORD = "correct horse battery";

async function createWallet(page: Page): Promise<string> {
	await page.getByRole("link", { name: "Wallet", exact: true }).click();
	await page.getByRole("button", { name: "Create a new wallet" }).click();
	await page.getByLabel("I have written the words down").check();
	await page.getByLabel("Password").fill(PASSWORD);
	await page.getByRole("button", { name: "Open the wallet" }).click();
	const address = await page.locator(".receive code").getAttribute("title");
	assert.match(address ?? "", /^nano_[13][13456789abcdefghijkmnopqrstuwxyz]{59}$/);
	return address ?? "";
}

const balance = (page: Page) => page.locator("section:not([hidden]) .balance").first().innerText();

let first: { context: BrowserContext; page: Page };
let second: { context: BrowserContext; page: Page };

test("the page is cross-origin isolated and allows no foreign script", async () => {
	const response = await fetch(bridge.ready.url);
	assert.equal(response.headers.get("cross-origin-opener-policy"), "same-origin");
	assert.equal(response.headers.get("cross-origin-embedder-policy"), "require-corp");
	assert.match(response.headers.get("content-security-policy") ?? "", /script-src 'self'/);
	first = await visit();
	assert.equal(await first.page.evaluate(() => crossOriginIsolated), true);
});

test("one click makes the tab a node, and two tabs link to each other", async () => {
	await startNode(first.page);
	second = await visit();
	await startNode(second.page);
	for (const { page } of [first, second]) {
		await page
			.getByRole("status")
			.filter({ hasText: "1 tab" })
			.first()
			.waitFor({ timeout: 30_000 });
	}
});

test("an asked balance is shown with who signed it and where it came from", async () => {
	const { page } = first;
	await page.getByRole("link", { name: "Ask", exact: true }).click();
	await page.locator(".chip").first().click();
	await page.getByText("Proven, and checked in this tab.").first().waitFor();
	assert.match(await page.locator(".verdict").first().innerText(), /\d+ representatives/);
	assert.match(await balance(page), /[\d,.]+/);
});

test("a mistyped address is refused with a reason a person can act on", async () => {
	const { page } = first;
	await page
		.getByLabel("Nano address")
		.fill("nano_1111111111111111111111111111111111111111111111111111hifc8npq");
	await page.getByRole("button", { name: "Ask", exact: true }).click();
	const alert = page.getByRole("alert");
	await alert.waitFor();
	assert.match(await alert.innerText(), /checksum/i);
});

let destination = "";

test("test coins arrive in a new wallet with a proof", async () => {
	const { page } = first;
	await createWallet(page);
	await page.getByRole("button", { name: "Get test coins" }).click();
	await until("coins arrived", async () => /[1-9]/.test(await balance(page)));
});

test("a payment is sent with work from this browser and arrives in the other", async () => {
	destination = await createWallet(second.page);
	const { page } = first;
	await page.getByRole("textbox", { name: "To", exact: true }).fill(destination);
	await page.getByRole("textbox", { name: "Amount in nano" }).fill("0.25");
	await page.getByRole("button", { name: "Send", exact: true }).click();
	await page.getByText("Confirmed, with a proof").waitFor({ timeout: 60_000 });
	await until("the payment arrived", async () => (await balance(second.page)).includes("0.25"));
});

test("a locked wallet opens with its password only", async () => {
	const { page } = second;
	await page.getByRole("button", { name: "Lock the wallet" }).click();
	await page.getByLabel("Password").fill("not the password");
	await page.getByRole("button", { name: "Unlock" }).click();
	assert.match(await page.getByRole("alert").innerText(), /not the password/);
	await page.getByLabel("Password").fill(PASSWORD);
	await page.getByRole("button", { name: "Unlock" }).click();
	await until("the same account opened", async () => (await balance(page)).includes("0.25"));
	assert.equal(await page.locator(".receive code").getAttribute("title"), destination);
});

test("offline, with the bridge gone, a reloaded tab keeps its identity and answers from its own slice first", async () => {
	const { page, context } = second;
	await page.evaluate(() => navigator.serviceWorker.ready);
	const idBefore = await page.evaluate(() => localStorage.getItem("nanonet-last-id"));
	assert.match(idBefore ?? "", /^[0-9a-f]{64}$/i);
	await bridge.kill();
	await context.setOffline(true);
	await page.reload();
	await page.getByRole("link", { name: "Ask", exact: true }).waitFor();
	await page.getByRole("link", { name: "Ask", exact: true }).click();
	await page.getByLabel("Nano address").fill(destination);
	await page.getByRole("button", { name: "Ask", exact: true }).click();
	await page.getByText("this tab's own records", { exact: true }).waitFor();
	assert.ok(
		(await page.locator("section:not([hidden]) .balance").first().innerText()).includes("0.25"),
	);
	assert.equal(await page.evaluate(() => localStorage.getItem("nanonet-last-id")), idBefore);
});

test("the pages had no error", () => {
	// The bridge was killed and the context taken offline on purpose: what that causes is not the page's fault.
	const own = problems.filter(
		(text) => !/WebSocket|ERR_INTERNET_DISCONNECTED|ERR_CONNECTION/.test(text),
	);
	assert.deepEqual(own, []);
});
