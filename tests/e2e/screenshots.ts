// Takes the README's pictures: every view, light and dark, at desktop and phone width, with other tabs around.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { startBridge } from "./lib/servers.js";
import { launch } from "./lib/tabs.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const out = join(root, "docs", "screenshots");
const SIZES = { desktop: { width: 1280, height: 860 }, phone: { width: 390, height: 844 } };
/** Whom the picture of a payment shows. */
const PAYEE = "nano_3i1aq1cchnmbn9x5rsbap8b15akfh7wj7pwskuzi7ahz8oq6cobd99d4r3b7";
/** Tabs beside the one in the picture. */
const OTHERS = 5;

mkdirSync(out, { recursive: true });
const browser = await launch();
const bridge = await startBridge([
	...["--listen", "127.0.0.1:0", "--embedded-devnet"],
	...["--www", join(root, "www", "dist")],
]);

async function visit(options: object = {}): Promise<Page> {
	const context = await browser.newContext(options);
	const page = await context.newPage();
	await page.goto(bridge.ready.url);
	return page;
}

async function start(page: Page): Promise<void> {
	await page.getByRole("button", { name: "Start my node" }).click();
	await page.getByRole("status").filter({ hasText: "Linked to" }).first().waitFor();
}

const go = (page: Page, name: string) => page.getByRole("link", { name, exact: true }).click();

async function askSample(page: Page, index: number): Promise<void> {
	await go(page, "Ask");
	await page.locator(".chip").nth(index).click();
	await page
		.locator("section:not([hidden]) .verdict, section:not([hidden]) .note")
		.first()
		.waitFor();
}

try {
	for (let index = 0; index < OTHERS; index++) {
		const other = await visit();
		await start(other);
		await askSample(other, index % 4);
	}
	for (const [size, viewport] of Object.entries(SIZES)) {
		for (const colorScheme of ["light", "dark"] as const) {
			const page = await visit({ viewport, colorScheme, deviceScaleFactor: 1 });
			const shoot = (view: string) =>
				page.screenshot({ path: join(out, `${view}-${size}-${colorScheme}.png`) });
			await shoot("welcome");
			await start(page);
			await page.getByRole("status").filter({ hasText: "tabs" }).first().waitFor();
			await askSample(page, 0);
			await askSample(page, 1);
			await shoot("ask");
			await page.getByRole("button", { name: "Make a proof link" }).click();
			const link = (await page.locator(".shared code").getAttribute("title")) ?? "";
			await page.evaluate((url) => {
				location.hash = new URL(url).hash;
			}, link);
			await page.locator("#title-proof ~ .card .verdict").waitFor();
			await shoot("proof");
			await go(page, "Wallet");
			await page.getByRole("button", { name: "Create a new wallet" }).click();
			await shoot("new-wallet");
			await page.getByLabel("I have written the words down").check();
			await page.getByLabel("Password").fill("correct horse battery");
			await page.getByRole("button", { name: "Open the wallet" }).click();
			await page.getByRole("button", { name: "Get test coins" }).click();
			await page.locator("section:not([hidden]) .verdict").first().waitFor({ timeout: 60_000 });
			await page.evaluate(() => scrollTo(0, 0));
			await shoot("wallet");
			await page
				.locator("#to")
				.fill(`nano:${PAYEE}?amount=250000000000000000000000000000&message=coffee`);
			await page.locator("#to").scrollIntoViewIfNeeded();
			await shoot("send");
			await go(page, "Trust");
			await shoot("trust");
			await go(page, "Settings");
			await shoot("settings");
			await go(page, "Node");
			await page.locator(".bridges li").filter({ hasText: "voting weight" }).waitFor();
			await shoot("node");
			await go(page, "Settings");
			await page.locator("section:not([hidden]) #language").selectOption("ar");
			await page.locator("html[dir=rtl]").waitFor();
			await page.locator("nav a").nth(2).click();
			await shoot("wallet-arabic");
			await page.context().close();
		}
	}
} finally {
	await browser.close();
	await bridge.kill();
}
