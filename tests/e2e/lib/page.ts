// The page as a person uses it: open it, start the node, make a wallet.

import assert from "node:assert/strict";
import type { Browser, BrowserContext, Page } from "playwright-core";

/** A visit to the page, with what went wrong in it. */
export interface Visit {
	context: BrowserContext;
	page: Page;
	problems: string[];
}

/** Opens the page in a context of its own. */
export async function visit(browser: Browser, url: string, prepare?: () => void): Promise<Visit> {
	const context = await browser.newContext();
	// The compiler that runs the tests names functions through a helper that pages lack.
	await context.addInitScript("globalThis.__name = (named) => named");
	if (prepare) await context.addInitScript(prepare);
	const page = await context.newPage();
	const problems: string[] = [];
	page.on("pageerror", (error) => problems.push(String(error.stack ?? error)));
	page.on("console", (message) => {
		if (message.type() === "error") problems.push(message.text());
	});
	await page.goto(url);
	return { context, page, problems };
}

/** Presses the button and waits for the first link. */
export async function startNode(page: Page): Promise<void> {
	await page.getByRole("button", { name: "Start my node" }).click();
	await linked(page);
}

/** Waits until the page says that its node has a link. */
export async function linked(page: Page): Promise<void> {
	await page.getByRole("status").filter({ hasText: "Linked to" }).first().waitFor();
}

/** Goes to a view by its link. */
export async function go(
	page: Page,
	name: "Node" | "Ask" | "Wallet" | "Trust" | "Settings",
): Promise<void> {
	await page.getByRole("link", { name, exact: true }).click();
}

/** The password of every wallet in these tests. */
export const PASSWORD = "correct horse battery";

/** The address of the open wallet. */
export async function walletAddress(page: Page): Promise<string> {
	const address = await page.locator(".receive code").getAttribute("title");
	assert.match(address ?? "", /^nano_[13][13456789abcdefghijkmnopqrstuwxyz]{59}$/);
	return address ?? "";
}

/** Makes a wallet and gives its address. */
export async function createWallet(page: Page): Promise<string> {
	await go(page, "Wallet");
	await page.getByRole("button", { name: "Create a new wallet" }).click();
	await page.getByLabel("I have written the words down").check();
	await page.getByLabel("Password").fill(PASSWORD);
	await page.getByRole("button", { name: "Open the wallet" }).click();
	return walletAddress(page);
}

/** Opens the wallet that the browser keeps. */
export async function unlock(page: Page, password = PASSWORD): Promise<void> {
	await page.getByLabel("Password").fill(password);
	await page.getByRole("button", { name: "Unlock" }).click();
}

/** Fills the form and presses Send. */
export async function send(page: Page, to: string, amount: string): Promise<void> {
	await page.getByRole("textbox", { name: "To", exact: true }).fill(to);
	await page.getByRole("textbox", { name: "Amount in nano" }).fill(amount);
	await page.getByRole("button", { name: "Send", exact: true }).click();
}

/** The balance in the view that is shown. */
export const balance = (page: Page): Promise<string> =>
	page.locator("section:not([hidden]) .balance").first().innerText();
