// The page itself, as a person uses it: one click, a balance with its proof, a wallet, a payment to a second browser.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import {
	balance,
	createWallet,
	go,
	send,
	startNode,
	unlock,
	type Visit,
	visit,
	walletAddress,
} from "./lib/page.js";
import { type BridgeReady, type Server, startBridge } from "./lib/servers.js";
import { launch } from "./lib/tabs.js";
import { until } from "./lib/wait.js";

const dist = fileURLToPath(new URL("../../www/dist", import.meta.url));

let browser: Browser;
let bridge: Server<BridgeReady>;

before(async () => {
	browser = await launch();
	bridge = await startBridge(["--listen", "127.0.0.1:0", "--embedded-devnet", "--www", dist]);
});

after(async () => {
	await browser?.close();
	await bridge?.kill();
});

let first: Visit;
let second: Visit;

test("the page is cross-origin isolated and allows no foreign script", async () => {
	const response = await fetch(bridge.ready.url);
	assert.equal(response.headers.get("cross-origin-opener-policy"), "same-origin");
	assert.equal(response.headers.get("cross-origin-embedder-policy"), "require-corp");
	assert.match(response.headers.get("content-security-policy") ?? "", /script-src 'self'/);
	first = await visit(browser, bridge.ready.url);
	assert.equal(await first.page.evaluate(() => crossOriginIsolated), true);
});

test("one click makes the tab a node, and two tabs link to each other", async () => {
	await startNode(first.page);
	second = await visit(browser, bridge.ready.url);
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
	await go(page, "Ask");
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

test("a block's hash leads to its account, and says what of that is a bridge's word", async () => {
	const { page } = first;
	const field = page.getByLabel("Nano address");
	await page.locator(".chip").first().click();
	const hash = await page.locator("article .facts code").first().getAttribute("title");
	assert.match(hash ?? "", /^[0-9A-F]{64}$/);
	await field.fill(hash ?? "");
	await page.getByRole("button", { name: "Ask", exact: true }).click();
	await page.getByText("a bridge's word, the balance is proven").waitFor();
	await page.getByText("Proven, and checked in this tab.").first().waitFor();
	await field.fill("0".repeat(64));
	await page.getByRole("button", { name: "Ask", exact: true }).click();
	await page.getByRole("alert").filter({ hasText: "knows this block" }).waitFor();
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
	await send(page, destination, "0.25");
	await page.getByText("Confirmed, with a proof").waitFor({ timeout: 60_000 });
	await until("the payment arrived", async () => (await balance(second.page)).includes("0.25"));
});

test("the node view tells what a bridge reaches, what is stored, and when a block was last seen confirmed", async () => {
	const { page } = first;
	await go(page, "Node");
	const bridges = page.locator(".bridges li");
	await bridges.filter({ hasText: /reaches [\d.]+ % of the online voting weight/ }).waitFor();
	await page
		.getByText(/Last block seen confirmed: (now|\d+ seconds? ago|\d+ minutes? ago)/)
		.waitFor();
	assert.match(await page.locator(".tiles").innerText(), /Storage used\s+[\d.]+ (B|kB|MB)/);
	await page.route("**/v1/info", (route) => route.abort());
	await go(page, "Ask");
	await go(page, "Node");
	await bridges.filter({ hasText: "cannot be reached" }).waitFor();
	await page.unroute("**/v1/info");
	// That the bridge could not be reached is what was wanted.
	const failed = first.problems.findIndex((text) => text.includes("ERR_FAILED"));
	if (failed >= 0) first.problems.splice(failed, 1);
});

test("a locked wallet opens with its password only", async () => {
	const { page } = second;
	await page.getByRole("button", { name: "Lock the wallet" }).click();
	await unlock(page, "not the password");
	assert.match(await page.getByRole("alert").innerText(), /not the password/);
	await unlock(page);
	await until("the same account opened", async () => (await balance(page)).includes("0.25"));
	assert.equal(await walletAddress(page), destination);
});

/** What axe finds wrong, with where. */
async function faults(page: Page): Promise<string[]> {
	await page.evaluate(axe.source);
	const found = await page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run());
	return found.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

test("every view, light and dark, can be used with assistive technology as far as axe can tell", async () => {
	const newcomer = await visit(browser, bridge.ready.url);
	const { page } = first;
	for (const colorScheme of ["light", "dark"] as const) {
		await newcomer.page.emulateMedia({ colorScheme });
		assert.deepEqual(await faults(newcomer.page), [], `welcome, ${colorScheme}`);
		await page.emulateMedia({ colorScheme });
		for (const view of ["Node", "Ask", "Wallet", "Trust"] as const) {
			await go(page, view);
			assert.deepEqual(await faults(page), [], `${view}, ${colorScheme}`);
		}
	}
	await newcomer.context.close();
});

test("a view that is gone to is named in the title and by a heading that has the focus", async () => {
	const { page } = first;
	await go(page, "Node");
	await go(page, "Trust");
	const heading = page.getByRole("heading", { level: 1, name: "What is trusted" });
	await until("the heading has the focus", () =>
		heading.evaluate((element) => element === document.activeElement),
	);
	assert.equal(await page.title(), "What is trusted · Nanonet");
	await page.getByRole("link", { name: "Skip to content" }).focus();
	await page.keyboard.press("Enter");
	assert.ok(await heading.isVisible(), "skipping to the content leaves the view as it is");
});

test("what is said of an answer is said once, not every second", async () => {
	const { page } = first;
	await go(page, "Ask");
	await page.getByLabel("Nano address").fill(destination);
	await page.getByRole("button", { name: "Ask", exact: true }).click();
	await page.getByRole("article").waitFor();
	const live = page.locator("section:not([hidden]) :is([role=status], [aria-live])");
	assert.equal(await live.count(), 1);
	assert.match(
		await live.innerText(),
		/^Balance [\d.,]+ nano\. Proven, and checked in this tab\.$/,
	);
});

test("a text that may not be put on the clipboard is selected instead", async () => {
	const { page } = first;
	await page.evaluate(() => {
		navigator.clipboard.writeText = () => Promise.reject(new Error("not allowed"));
	});
	await page.getByRole("button", { name: "Copy the address" }).click();
	await page.getByText("Selected: copy it by hand").waitFor();
	assert.equal(await page.evaluate(() => String(getSelection())), destination);
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
	await go(page, "Ask");
	await page.getByLabel("Nano address").fill(destination);
	await page.getByRole("button", { name: "Ask", exact: true }).click();
	await page.getByText("this tab's own records", { exact: true }).waitFor();
	assert.ok(
		(await page.locator("section:not([hidden]) .balance").first().innerText()).includes("0.25"),
	);
	assert.equal(await page.evaluate(() => localStorage.getItem("nanonet-last-id")), idBefore);
});

test("nothing is paid while no bridge can say what the account's newest block is", async () => {
	const { page } = second;
	await go(page, "Wallet");
	await unlock(page);
	await until("the balance is shown", async () => (await balance(page)).includes("0.25"));
	await send(page, destination, "0.1");
	await page.getByRole("alert").filter({ hasText: "Nothing is built on it" }).waitFor();
});

test("the pages had no error", () => {
	// The bridge was killed and the context taken offline on purpose: what that causes is not the page's fault.
	const own = [...first.problems, ...second.problems].filter(
		(text) => !/WebSocket|ERR_INTERNET_DISCONNECTED|ERR_CONNECTION/.test(text),
	);
	assert.deepEqual(own, []);
});
