// What the node makes of its browser: channels that cannot be transferred, storage that is refused or taken,
// reloads, bridges that come and go.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { account, SAMPLES } from "./lib/development.js";
import { type BridgeReady, type Server, startBridge, temporaryFolder } from "./lib/servers.js";
import { serve } from "./lib/static-server.js";
import { launch, site, Tab } from "./lib/tabs.js";
import { until } from "./lib/wait.js";

/** Six links at most, and every tab a holder of everything. */
const OPTIONS = { maxLinks: 6, replicas: 3, workThreads: 1 };

let browser: Browser;
let bridge: Server<BridgeReady>;
let plain: { url: string; close: () => void };
let first: Tab;
const pages = site();
const data = temporaryFolder();

const start = (listen: string) =>
	startBridge([
		...["--listen", listen, "--embedded-devnet"],
		...["--www", pages.path, "--data", data.path],
	]);

before(async () => {
	browser = await launch();
	bridge = await start("127.0.0.1:0");
	plain = await serve(pages.path);
	first = await Tab.open(browser, bridge.ready.url, "first", OPTIONS);
});

after(async () => {
	await browser?.close();
	await bridge?.kill();
	plain?.close();
	pages.remove();
	data.remove();
});

/** The parts of the status that are about the browser. */
const shell = (tab: Tab) =>
	tab.page.evaluate(async () => {
		const { storage, connections } = await globalThis.node.status();
		return { storage, channels: connections.channels as string };
	});

const linked = (tab: Tab, role: string) =>
	until(`${tab.name} is linked to a ${role}`, async () =>
		(await tab.status()).links.some((link) => link.role === role),
	);

/** A browser whose pages run `script` before anything else. */
const altered = (script: string): Browser =>
	Object.create(browser, {
		newContext: {
			value: async () => {
				const context = await browser.newContext();
				await context.addInitScript(script);
				return context;
			},
		},
	});

test("a question asked right after the start waits for the first link", async () => {
	const sample = await account(first.page, SAMPLES);
	const heard = await first.page.evaluate(async (address) => {
		const { NanoNode } = globalThis.nanonet;
		const fresh = await NanoNode.start({ network: "dev", storage: "memory" });
		const { state } = await fresh.account(address);
		// Of the live network, whose weights are there without a bridge.
		const late = await NanoNode.start({
			network: "live",
			storage: "memory",
			bridges: ["http://127.0.0.1:9"],
		});
		const { code } = await late
			.account(address, { timeoutMs: 500 })
			.catch((error: object) => error);
		await Promise.all([fresh.stop(), late.stop()]);
		return { state, code };
	}, sample.address);
	assert.deepEqual(heard, { state: "opened", code: "offline" });
});

test("data channels go to the worker", async () => {
	const second = await Tab.open(browser, bridge.ready.url, "second", OPTIONS);
	await linked(second, "browser");
	assert.equal((await shell(second)).channels, "transferred");
	assert.equal((await shell(first)).channels, "transferred");
	await second.close();
});

test("a browser that cannot transfer channels forwards their bytes", async () => {
	const older = altered(`
		const post = Worker.prototype.postMessage;
		Worker.prototype.postMessage = function (message, transfer) {
			if (Array.isArray(transfer) && transfer.some((part) => part instanceof RTCDataChannel)) {
				throw new DOMException("A data channel could not be cloned.", "DataCloneError");
			}
			return post.call(this, message, transfer);
		};
	`);
	const { address } = await account(first.page, SAMPLES);
	const known = await first.account(address);
	const tab = await Tab.open(older, bridge.ready.url, "older browser", OPTIONS);
	await linked(tab, "browser");
	assert.equal((await shell(tab)).channels, "forwarded");
	const answer = await tab.account(address);
	assert.equal(answer.balance, known.balance);
	assert.equal(answer.frontier, known.frontier);
	assert.deepEqual(tab.problems, []);
	await tab.close();
});

test("in a browser without locks each tab runs the node for itself", async () => {
	const alone = altered("delete Navigator.prototype.locks;");
	const tab = await Tab.open(alone, bridge.ready.url, "alone", OPTIONS);
	assert.equal(await tab.page.evaluate(() => globalThis.node.role), "alone");
	const page = await tab.context.newPage();
	await page.goto(bridge.ready.url);
	await until("the page has its scripts", () =>
		page.evaluate<boolean>("globalThis.ready === true"),
	);
	const [role, id] = await page.evaluate(async () => {
		const node = await globalThis.nanonet.NanoNode.start({ network: "dev" });
		return [node.role as string, node.id as string];
	});
	assert.equal(role, "alone");
	assert.equal(id, await tab.id(), "one identity, in one storage");
	await tab.context.close();
});

test("storage that cannot be opened is done without, with the reason in the status", async () => {
	const context = await browser.newContext();
	const page = await context.newPage();
	await page.goto(bridge.ready.url);
	await until("the page has its scripts", () =>
		page.evaluate<boolean>("globalThis.ready === true"),
	);
	const storage = await page.evaluate(async () => {
		// A version from the future: what a browser refuses to open for today's package.
		await new Promise((resolve, reject) => {
			const request = indexedDB.open("nanonet-default-dev", 1_000);
			request.onsuccess = () => resolve(request.result.close());
			request.onerror = () => reject(request.error);
		});
		const node = await globalThis.nanonet.NanoNode.start({ network: "dev" });
		return (await node.status()).storage;
	});
	assert.equal(storage.kind, "memory");
	assert.match(storage.problem, /no storage/);
	await context.close();
});

test("a stopped node says so to whoever still asks", async () => {
	const tab = await Tab.open(browser, bridge.ready.url, "stopped", OPTIONS);
	const codes = await tab.page.evaluate(async () => {
		await globalThis.node.stop();
		await globalThis.node.stop();
		const code = (call: Promise<unknown>) => call.catch((error: { code: string }) => error.code);
		return [await code(globalThis.node.status()), await code(globalThis.node.work.generate(""))];
	});
	assert.deepEqual(codes, ["stopped", "stopped"]);
	await tab.close();
});

test("after a reload without its bridge the tab is who it was, answers from its slice, and finds the bridge again", async () => {
	// The page is another server's, so that only the bridge is gone.
	const options = { ...OPTIONS, bridges: [bridge.ready.url] };
	const tab = await Tab.open(browser, plain.url, "reloaded", options);
	await linked(tab, "bridge");
	const { address } = await account(tab.page, SAMPLES + 2);
	const known = await tab.account(address);
	const id = await tab.id();
	await until("the record is in storage", async () => (await tab.heldAccounts()).length > 0);
	const { port } = new URL(bridge.ready.url);
	await bridge.kill();
	await tab.page.reload();
	await tab.start(options);
	assert.equal(await tab.id(), id);
	const answer = await tab.account(address);
	assert.equal(answer.source.kind, "own-slice");
	assert.equal(answer.balance, known.balance);
	assert.ok(answer.proof);
	bridge = await start(`127.0.0.1:${port}`);
	await linked(tab, "bridge");
	await tab.close();
});
