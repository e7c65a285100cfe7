// The examples do what they say, on a development network: a payer's wallet is the full node's own.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { account, fund, type Keyed, ledgerState, NANO, onFullNode } from "./lib/development.js";
import {
	type BridgeReady,
	type DevnetReady,
	type Server,
	startBridge,
	startDevnet,
	temporaryFolder,
} from "./lib/servers.js";
import { launch } from "./lib/tabs.js";
import { until } from "./lib/wait.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const pkg = join(root, "nano-wasm", "pkg");

const from = (file: string) => import(new URL(`../../nano-wasm/pkg/${file}`, import.meta.url).href);
const core = (await from("server-core.js")) as typeof import("nanonet/core");
await core.initCore();
Object.assign(globalThis, { core });

/** Where the helpers that make blocks run: here. */
const here = {
	evaluate: async (body: (given: unknown) => unknown, given: unknown) => body(given),
} as unknown as Page;

let browser: Browser;
let devnet: Server<DevnetReady>;
let bridge: Server<BridgeReady>;
let payer: Keyed;
const site = temporaryFolder();
const problems: string[] = [];

before(async () => {
	cpSync(pkg, join(site.path, "nanonet"), { recursive: true });
	cpSync(join(root, "examples"), join(site.path, "examples"), { recursive: true });
	browser = await launch();
	devnet = await startDevnet();
	bridge = await startBridge([
		...["--listen", "127.0.0.1:0", "--peer", devnet.ready.peering],
		...["--rpc", `http://${devnet.ready.rpc}`, "--www", site.path],
	]);
	payer = await someone(0);
	await fund(here, devnet.ready.rpc, payer, 4n * NANO);
});

after(async () => {
	await browser?.close();
	await bridge?.kill();
	await devnet?.kill();
	site.remove();
});

const someone = (index: number) => account(here, index, "88".repeat(32));

/** Opens an example. */
async function open(name: string, address?: string): Promise<Page> {
	const page = await (await browser.newContext()).newPage();
	page.on("pageerror", (error) => problems.push(`${name}: ${error.stack ?? error}`));
	page.on("console", (message) => {
		if (message.type() === "error") problems.push(`${name}: ${message.text()}`);
	});
	const query = new URLSearchParams({ network: "dev", ...(address ? { address } : {}) });
	await page.goto(new URL(`/examples/${name}/index.html?${query}`, bridge.ready.url).href);
	return page;
}

/** The payer's wallet pays: on the full node itself. Gives the payment's hash. */
async function pay(to: string, amount: bigint): Promise<string> {
	const { frontier, balance, representative } = await ledgerState(devnet.ready.rpc, payer.address);
	assert.ok(frontier && representative);
	const change = { previous: frontier, representative, balance: balance - amount, link: to };
	return onFullNode(here, devnet.ready.rpc, payer, change, "send");
}

/** What a page's payment link asks for. */
async function asked(page: Page): Promise<{ address: string; amount: bigint }> {
	const link = page.locator("a[href^='nano:'][href*='amount=']");
	const [, address = "", amount = ""] =
		/^nano:(.+)\?amount=(\d+)$/.exec((await link.getAttribute("href")) ?? "") ?? [];
	return { address, amount: BigInt(amount) };
}

test("paywall: the article is shown for its own payment and for no other", async () => {
	const author = await someone(1);
	const page = await open("paywall", author.address);
	await page.getByRole("button", { name: "Read on" }).click();
	const { address, amount } = await asked(page);
	assert.equal(address, author.address);
	// Somebody else's: the price without this visitor's tail.
	const other = await pay(address, NANO / 100n);
	await page.waitForTimeout(3_000);
	assert.equal(await page.getByText("The rest of the article.").count(), 0, other);
	await pay(address, amount);
	await page.getByText("The rest of the article.").waitFor();
	await page.context().close();
});

test("donation: what is given is shown and added up", async () => {
	const page = await open("donation", (await someone(2)).address);
	await page.getByText("0 XNO given").waitFor();
	await pay((await someone(2)).address, NANO / 2n);
	await page.getByText("0.5 XNO given").waitFor();
	await pay((await someone(2)).address, NANO / 4n);
	await page.getByText("0.75 XNO given").waitFor();
	assert.equal(await page.getByRole("listitem").count(), 2);
	await page.context().close();
});

test("checkout: an order's payment gives its receipt", async () => {
	const shop = await someone(3);
	const page = await open("checkout", shop.address);
	await page.getByLabel("Coffee").fill("2");
	await page.getByRole("button", { name: "Order" }).click();
	await page.getByRole("link", { name: "Pay 0.50 XNO" }).waitFor();
	const { address, amount } = await asked(page);
	const tail = amount - NANO / 2n;
	assert.ok(tail >= 0n && tail < 1n << 32n, `${amount}`);
	const hash = await pay(address, amount);
	await page.getByText(`Receipt: ${hash}`).waitFor();
	await page.context().close();
});

test("wallet: it receives what it is sent and sends it on", async () => {
	const page = await open("wallet");
	const address = await until(
		"the wallet has an address",
		async () => (await page.locator("#address").textContent()) || undefined,
	);
	await page.getByText("Balance: 0 XNO").waitFor();
	await pay(address, NANO / 4n);
	await page.getByText("Balance: 0.25 XNO").waitFor();
	const friend = await someone(4);
	await page.getByLabel("To").fill(friend.address);
	await page.getByLabel("Amount").fill("0.75");
	await page.getByRole("button", { name: "Send" }).click();
	await page.getByText("which is less than").waitFor();
	await page.getByLabel("Amount").fill("0.1");
	await page.getByRole("button", { name: "Send" }).click();
	await page.getByText("Balance: 0.15 XNO").waitFor();
	await until("the full node confirms what is left", async () => {
		const { balance } = await ledgerState(devnet.ready.rpc, address);
		return balance === (NANO * 15n) / 100n;
	});
	await page.context().close();
});

test("listener: each payment is printed once, also after it was started again", async () => {
	const merchant = await someone(5);
	const folder = temporaryFolder();
	cpSync(join(root, "examples", "listener"), folder.path, { recursive: true });
	mkdirSync(join(folder.path, "node_modules"));
	symlinkSync(pkg, join(folder.path, "node_modules", "nanonet"), "junction");
	writeFileSync(join(folder.path, "package.json"), '{ "type": "module" }\n');
	const lines: { hash: string; raw: string }[] = [];
	const run = () => {
		const child = spawn(process.execPath, ["listener.js", merchant.address, bridge.ready.url], {
			cwd: folder.path,
			stdio: ["ignore", "pipe", "inherit"],
			env: { ...process.env, NANO_NETWORK: "dev" },
		});
		createInterface({ input: child.stdout }).on("line", (line) => lines.push(JSON.parse(line)));
		return async () => {
			const gone = once(child, "exit");
			child.kill();
			const [code] = await gone;
			assert.equal(code, 0);
		};
	};
	const printed = (count: number) =>
		until(`${count} payments are printed`, () => lines.length >= count);
	try {
		const stop = run();
		const first = await pay(merchant.address, NANO / 8n);
		await printed(1);
		await stop();
		const second = await pay(merchant.address, NANO / 16n);
		const end = run();
		await printed(2);
		await end();
		assert.deepEqual(
			lines.map(({ hash, raw }) => [hash, raw]),
			[
				[first, (NANO / 8n).toString()],
				[second, (NANO / 16n).toString()],
			],
		);
	} finally {
		folder.remove();
	}
});

test("no example had an error", () => {
	assert.deepEqual(problems, []);
});
