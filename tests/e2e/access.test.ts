// The page for everybody: no violation that axe knows of on any view, journeys by the keyboard alone, the narrowest
// phone, less motion, and a newer version that asks before it takes over.

import assert from "node:assert/strict";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import {
	balance,
	createWallet,
	go,
	linked,
	PASSWORD,
	startNode,
	type Visit,
	visit,
	walletAddress,
} from "./lib/page.js";
import { type BridgeReady, type Server, startBridge, temporaryFolder } from "./lib/servers.js";
import { launch } from "./lib/tabs.js";
import { until } from "./lib/wait.js";

const dist = fileURLToPath(new URL("../../www/dist", import.meta.url));

/** The narrowest phone that is still made. */
const NARROW = { width: 320, height: 640 };

let browser: Browser;
let bridge: Server<BridgeReady>;
let person: Visit;
/** The page's build, which a test changes. */
const site = temporaryFolder();

before(async () => {
	browser = await launch();
	cpSync(dist, site.path, { recursive: true });
	bridge = await startBridge(["--listen", "127.0.0.1:0", "--embedded-devnet", "--www", site.path]);
	person = await visit(browser, bridge.ready.url);
});

after(async () => {
	await browser?.close();
	await bridge?.kill();
	site.remove();
});

/** What axe finds wrong, with where. */
async function faults(page: Page): Promise<string[]> {
	await page.evaluate(axe.source);
	const found = await page.evaluate(() =>
		(globalThis as unknown as { axe: typeof axe }).axe.run({
			runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
		}),
	);
	return found.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

/** Looks at what is shown now: by axe in light and dark, and for anything that sticks out of the narrowest phone. */
async function looked(page: Page, what: string): Promise<void> {
	for (const colorScheme of ["light", "dark"] as const) {
		await page.emulateMedia({ colorScheme });
		assert.deepEqual(await faults(page), [], `${what}, ${colorScheme}`);
	}
	await page.emulateMedia({ colorScheme: "light" });
	const before = page.viewportSize();
	await page.setViewportSize(NARROW);
	const wide = await page.evaluate(() =>
		document.documentElement.scrollWidth <= document.documentElement.clientWidth
			? []
			: [...document.querySelectorAll("body *")]
					.filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
					.map((one) => one.outerHTML.slice(0, 120)),
	);
	assert.deepEqual(wide, [], `${what} at ${NARROW.width} pixels`);
	assert.deepEqual(await faults(page), [], `${what} at ${NARROW.width} pixels`);
	if (before) await page.setViewportSize(before);
}

const unfold = (page: Page) =>
	page.evaluate(() => {
		for (const one of document.querySelectorAll("section:not([hidden]) details")) {
			(one as HTMLDetailsElement).open = true;
		}
	});

test("before the node runs", async () => {
	await looked(person.page, "welcome");
});

test("the node, settings and trust", async () => {
	const { page } = person;
	await startNode(page);
	for (const view of ["Node", "Trust", "Settings"] as const) {
		await go(page, view);
		await looked(page, view);
	}
});

test("asking, an answer with everything unfolded, and a proof link", async () => {
	const { page } = person;
	await go(page, "Ask");
	await looked(page, "ask, empty");
	await page.locator(".chip").first().click();
	await page.locator(".verdict").first().waitFor();
	await page.getByRole("button", { name: "Make a proof link" }).first().click();
	await page.locator(".shared code").waitFor();
	await page.getByRole("button", { name: "Scan a code" }).click();
	await unfold(page);
	await looked(page, "ask, answered");
	const link = (await page.locator(".shared code").getAttribute("title")) ?? "";
	await page.goto(link);
	await page.getByRole("heading", { name: "A proof, checked here" }).waitFor();
	await page.locator(".proof .verdict").first().waitFor();
	await looked(page, "a proof that held");
	await page.goto(link.slice(0, -40));
	await page.getByText("Refused", { exact: true }).waitFor();
	await looked(page, "a proof that was refused");
});

test("the wallet: its door, each way in, backup, everything unfolded, and locked", async () => {
	const { page } = person;
	await go(page, "Wallet");
	await looked(page, "no wallet");
	await page.getByRole("button", { name: "Watch an address" }).click();
	await looked(page, "watch");
	await page.getByRole("button", { name: "Back" }).click();
	await page.getByRole("button", { name: "Import a seed" }).click();
	await unfold(page);
	await looked(page, "import");
	await page.getByRole("button", { name: "Back" }).click();
	await page.getByRole("button", { name: "Create a new wallet" }).click();
	await looked(page, "new wallet");
	await page.getByLabel("Password").fill(PASSWORD);
	await page.getByRole("button", { name: "Open the wallet" }).click();
	await page.getByRole("button", { name: "Show the words" }).click();
	await looked(page, "backup first");
	await page.getByRole("button", { name: "Lock the wallet" }).click();
	await unfold(page);
	await looked(page, "locked");
	await page.getByLabel("I have the seed or its words").check();
	await page.getByRole("button", { name: "Remove" }).click();
	await createWallet(page);
	await page.getByRole("button", { name: "Get test coins" }).click();
	await page.locator("section:not([hidden]) .verdict").first().waitFor({ timeout: 60_000 });
	await unfold(page);
	await page.locator("#to").fill(`nano:${await walletAddress(page)}?message=coffee`);
	await page.locator("#amount").fill("2000");
	await looked(page, "open wallet");
});

test("right to left, with the wallet open", async () => {
	const { page } = person;
	await go(page, "Settings");
	await page.locator("section:not([hidden]) #language").selectOption("ar");
	await until(
		"it is Arabic",
		async () => (await page.locator("html").getAttribute("dir")) === "rtl",
	);
	await looked(page, "settings in Arabic");
	await page.locator("nav a").nth(2).click();
	await looked(page, "wallet in Arabic");
	await page.locator("nav a").nth(0).click();
	await looked(page, "node in Arabic");
	await page.locator("nav a").nth(4).click();
	await page.locator("section:not([hidden]) #language").selectOption("en");
});

/** Presses Tab until the element has the focus; fails if it cannot be reached. */
async function tabTo(page: Page, name: string): Promise<void> {
	for (let presses = 0; presses < 80; presses++) {
		await page.keyboard.press("Tab");
		const at = await page.evaluate(() => {
			const one = document.activeElement as HTMLElement | null;
			if (!one || one === document.body) return { name: "", ring: true };
			const label = (one as HTMLInputElement).labels?.[0]?.textContent ?? "";
			const style = getComputedStyle(one.closest("label.file") ?? one);
			return {
				name: one.getAttribute("aria-label") ?? (label || one.textContent || ""),
				ring: style.outlineStyle !== "none" && Number.parseFloat(style.outlineWidth) > 0,
			};
		});
		assert.ok(at.ring, `what has the focus is marked: ${at.name}`);
		if (at.name.trim() === name) return;
	}
	assert.fail(`"${name}" cannot be reached by the keyboard`);
}

test("by keyboard alone: start, ask, make a wallet, get coins, send, lock and unlock", async () => {
	const { page, context, problems } = await visit(browser, bridge.ready.url);
	const press = async (name: string, key = "Enter") => {
		await tabTo(page, name);
		await page.keyboard.press(key);
	};
	await press("Start my node");
	await linked(page);
	await press("Ask");
	// The field has the focus when one comes here.
	await until("the field has the focus", () =>
		page.evaluate(() => document.activeElement?.id === "address"),
	);
	await press("the faucet");
	await page.locator(".verdict").first().waitFor();
	await page.evaluate(() => scrollTo(0, 0));
	await page.locator(".skip").focus();
	await press("Wallet");
	await press("Create a new wallet");
	await page.locator(".words").waitFor();
	await press("I have written the words down", "Space");
	await tabTo(page, "Password");
	await page.keyboard.type(PASSWORD);
	await page.keyboard.press("Enter");
	const address = await walletAddress(page);
	await press("Get test coins");
	await until("coins arrived", async () => /[1-9]/.test(await balance(page)));
	await tabTo(page, "To");
	await page.keyboard.type(address);
	await tabTo(page, "Amount in nano");
	await page.keyboard.type("0.5");
	await page.keyboard.press("Enter");
	await page.locator("form .progress.confirmed").waitFor({ timeout: 60_000 });
	await press("Lock the wallet");
	await tabTo(page, "Password");
	await page.keyboard.type(PASSWORD);
	await page.keyboard.press("Enter");
	assert.equal(await walletAddress(page), address);
	assert.deepEqual(problems, []);
	await context.close();
});

test("who asked for less motion sees none", async () => {
	const { page } = person;
	const moving = () =>
		page.evaluate(
			() => document.getAnimations().filter((one) => one.playState === "running").length,
		);
	await page.evaluate(() => {
		const one = document.createElement("p");
		one.className = "loading";
		one.id = "moves";
		document.body.append(one);
	});
	assert.ok((await moving()) > 0, "otherwise what waits breathes");
	await page.emulateMedia({ reducedMotion: "reduce" });
	await until("nothing moves", async () => (await moving()) === 0);
	await page.evaluate(() => document.getElementById("moves")?.remove());
	await page.emulateMedia({ reducedMotion: "no-preference" });
});

test("useful content is painted before any wasm is asked for", async () => {
	const context = await browser.newContext();
	const page = await context.newPage();
	const asked: string[] = [];
	page.on("request", (request) => asked.push(new URL(request.url()).pathname));
	await page.route("**/*.js", (route) => route.abort());
	await page.goto(bridge.ready.url);
	await page.getByText("This tab becomes a node of the Nano network.").waitFor();
	const painted = await page.evaluate(
		() => performance.getEntriesByName("first-contentful-paint").length,
	);
	assert.equal(painted, 1);
	assert.deepEqual(
		asked.filter((path) => path.endsWith(".wasm")),
		[],
	);
	await context.close();
});

test("a newer version is offered, and taken when the person says so", async () => {
	const { page, context } = await visit(browser, bridge.ready.url);
	await page.evaluate(() => navigator.serviceWorker.ready);
	await page.reload();
	await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
	assert.equal(await page.getByText("A newer version").count(), 0);
	const file = join(site.path, "offline-worker.js");
	const before = readFileSync(file, "utf8");
	const digest = /["'`]nanonet-([0-9a-f]{12})["'`]/.exec(before)?.[1] ?? "";
	assert.notEqual(digest, "");
	const after = before.replaceAll(`nanonet-${digest}`, "nanonet-0123456789ab");
	writeFileSync(file, after);
	writeFileSync(`${file}.br`, brotliCompressSync(after));
	writeFileSync(`${file}.gz`, gzipSync(after));
	await page.evaluate(async () => {
		const registration = await navigator.serviceWorker.getRegistration();
		await registration?.update();
	});
	await page.getByText("A newer version of this page is ready.").waitFor();
	await Promise.all([
		page.waitForEvent("load"),
		page.getByRole("button", { name: "Use it now" }).click(),
	]);
	await until("the newer one answers", () =>
		page.evaluate(async () => (await caches.keys()).join() === "nanonet-0123456789ab"),
	);
	await context.close();
});

test("the page had no error", () => {
	assert.deepEqual(person.problems, []);
});
