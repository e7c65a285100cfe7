// What the wallet must not do: fork its own account, build on what it does not know, leave a person waiting in
// silence. And what the page says when the node under it dies.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { AccountAnswer, NanoNode } from "nanonet";
import type { Browser, Page } from "playwright-core";
import { buildable, OwnAccount, WalletError } from "../../www/src/lib/own-account.js";
import { account, FAUCET, ledgerState, NANO, onFullNode } from "./lib/development.js";
import {
	balance,
	createWallet,
	go,
	linked,
	PASSWORD,
	send,
	startNode,
	unlock,
	type Visit,
	visit,
	walletAddress,
} from "./lib/page.js";
import {
	type BridgeReady,
	type DevnetReady,
	type Server,
	startBridge,
	startDevnet,
} from "./lib/servers.js";
import { launch } from "./lib/tabs.js";
import { until } from "./lib/wait.js";

const dist = fileURLToPath(new URL("../../www/dist", import.meta.url));

let browser: Browser;
let devnet: Server<DevnetReady>;
let bridge: Server<BridgeReady>;
let person: Visit;

/** Lets a test hold back blocks on their way to the node's worker, and alter the answers that come from it. */
function meddle(): void {
	const meddler = {
		hold: false,
		held: [] as (() => void)[],
		alter: null as Record<string, unknown> | null,
	};
	Object.assign(globalThis, { meddler });
	const post = Worker.prototype.postMessage as (...message: unknown[]) => void;
	Worker.prototype.postMessage = function (this: Worker, ...message: unknown[]) {
		const [first] = message;
		const isBlock = Array.isArray(first) && String(first[0]).startsWith('{"type":"process"');
		const go = () => post.apply(this, message);
		if (meddler.hold && isBlock) meddler.held.push(go);
		else go();
	};
	Object.defineProperty(Worker.prototype, "onmessage", {
		set(this: Worker, listener: (event: { data: unknown }) => void) {
			this.addEventListener("message", ({ data }) => {
				const reply = Array.isArray(data) && JSON.parse(data[0]);
				if (!meddler.alter || !reply?.value?.weightsAsOf) return listener({ data });
				Object.assign(reply.value, meddler.alter);
				listener({ data: [JSON.stringify(reply), data[1]] });
			});
		},
	});
}

const alter = (page: Page, change: Record<string, unknown> | null) =>
	page.evaluate((to) => {
		// biome-ignore lint/suspicious/noExplicitAny: put there by `meddle`
		(globalThis as any).meddler.alter = to;
	}, change);

/** Loads the package's core where the helpers for the development network look for it. */
const loadCore = (page: Page) =>
	page.evaluate(async () => {
		const link = document.querySelector<HTMLLinkElement>("link[rel=modulepreload]");
		const core = await import(link?.href.replace("index.js", "core.js") ?? "");
		await core.initCore();
		Object.assign(globalThis, { core });
	});

/** Sends money from the faucet, on the full node itself. */
async function give(page: Page, to: string, amount: bigint): Promise<void> {
	const faucet = await account(page, FAUCET);
	const {
		frontier,
		representative,
		balance: all,
	} = await ledgerState(devnet.ready.rpc, faucet.address);
	assert.ok(frontier && representative);
	const change = { previous: frontier, representative, balance: all - amount, link: to };
	await onFullNode(page, devnet.ready.rpc, faucet, change, "send");
}

before(async () => {
	browser = await launch();
	devnet = await startDevnet();
	bridge = await startBridge([
		...["--listen", "127.0.0.1:0", "--www", dist],
		...["--peer", devnet.ready.peering, "--rpc", `http://${devnet.ready.rpc}`],
	]);
	person = await visit(browser, bridge.ready.url, meddle);
	await startNode(person.page);
	await loadCore(person.page);
});

after(async () => {
	await browser?.close();
	await bridge?.kill();
	await devnet?.kill();
});

test("only a state that is fresh and clear is built on", () => {
	const good = { state: "opened", order: "known", fresh: true } as AccountAnswer;
	assert.equal(buildable(good), good);
	const unopened = { ...good, state: "unopened" } as AccountAnswer;
	assert.equal(buildable(unopened), unopened);
	for (const [change, code] of [
		[{ state: "unknown" }, "state-unknown"],
		[{ order: "unknown" }, "order-unknown"],
		[{ fresh: false }, "not-fresh"],
	] as const) {
		assert.throws(
			() => buildable({ ...good, ...change }),
			(error) => error instanceof WalletError && error.code === code,
		);
	}
});

test("nothing is begun while a block of the account is pending", async () => {
	const calls: string[] = [];
	let pending = [{ hash: "AB", block: { account: "nano_1own" } }];
	let tell = () => {};
	const node = {
		pending: async () => pending,
		on: (_event: string, listener: () => void) => {
			tell = listener;
			return () => {};
		},
		account: async (address: string, options: object) => {
			calls.push(`${address} ${JSON.stringify(options)}`);
			return { state: "unopened", order: "known", fresh: true, receivable: [] };
		},
	} as unknown as NanoNode;
	// Node.js lacks locks in some versions; there is no other tab here.
	const locks = { request: (_name: string, _options: object, body: () => unknown) => body() };
	Object.defineProperty(globalThis, "navigator", { value: { locks }, configurable: true });
	const own = new OwnAccount(node, { address: "nano_1own", privateKey: "" });
	const received = own.receive(() => {}, new AbortController().signal);
	for (let turn = 0; turn < 10; turn++) await new Promise((resume) => setImmediate(resume));
	assert.deepEqual(calls, []);
	pending = [];
	tell();
	assert.equal(await received, false);
	assert.deepEqual(calls, ['nano_1own {"fresh":true}']);
});

test("24 words are asked about, and open the account of the wallet they are from", async () => {
	const { page } = person;
	const words = `${"abandon ".repeat(23)}art`;
	const [asSeed, asPhrase] = await page.evaluate((text) => {
		const { core } = globalThis;
		return [
			core.deriveAccount(core.wordsToSeed(text), 0).address as string,
			core.bip39Account(text, "", 0).address as string,
		];
	}, words);
	await go(page, "Wallet");
	await page.getByRole("button", { name: "Import a seed" }).click();
	await page.getByLabel("Seed").fill(words);
	await page.getByLabel("I keep a copy of it").check();
	await page.getByLabel("Password").fill(PASSWORD);
	await page.getByRole("button", { name: "Open the wallet" }).click();
	for (const address of [asSeed, asPhrase]) {
		await page.locator(`.choices code[title="${address}"]`).waitFor();
	}
	await page.getByText("never opened").nth(1).waitFor();
	await page.getByRole("listitem").filter({ hasText: "BIP39" }).getByRole("button").click();
	assert.equal(await walletAddress(page), asPhrase);
	await page.getByRole("button", { name: "Lock the wallet" }).click();
	await unlock(page);
	assert.equal(await walletAddress(page), asPhrase);
	await page.getByRole("button", { name: "Lock the wallet" }).click();
	await page.getByText("Remove the wallet from this browser").click();
	await page.getByLabel("I have the seed or its words").check();
	await page.getByRole("button", { name: "Remove" }).click();
});

test("several payments at once are received one after the other", async () => {
	const { page } = person;
	const address = await createWallet(page);
	await give(page, address, NANO);
	await give(page, address, 2n * NANO);
	await until("both arrived", async () => /^Ӿ\s*3$/.test(await balance(page)));
});

test("an account of which only payments are known is called unknown, and nothing is built on it", async () => {
	const { page } = person;
	const address = await walletAddress(page);
	// A new page has asked for nothing yet that a payment could be built on.
	await page.reload();
	await linked(page);
	const unknown = { state: "unknown", balance: "0", frontier: null, proof: null };
	await alter(page, unknown);
	await unlock(page);
	await send(page, address, "0.1");
	await page.locator("form").getByRole("alert").filter({ hasText: "Nothing is built" }).waitFor();
	await go(page, "Ask");
	await page.getByLabel("Nano address").fill(address);
	await page.getByRole("button", { name: "Ask", exact: true }).click();
	await page.getByText("Balance unknown").waitFor();
	assert.equal(await page.getByText("knew no block of it").count(), 0);
	await alter(page, null);
});

test("a high value is not called proven by weights that are too old", async () => {
	const { page } = person;
	await alter(page, { provenBelow: (2n * NANO).toString() });
	await page.getByRole("button", { name: "Ask", exact: true }).click();
	// The wallet behind this view may ask meanwhile, and then says the same.
	const verdict = page.locator("section:not([hidden]) .verdict");
	await verdict.filter({ hasText: "Not proven for an amount this high." }).waitFor();
	await alter(page, { provenBelow: (4n * NANO).toString() });
	await page.getByRole("button", { name: "Ask", exact: true }).click();
	await verdict.filter({ hasText: "Proven by old weights." }).waitFor();
	await alter(page, null);
	await page.getByRole("button", { name: "Ask", exact: true }).click();
	await page.getByText("Proven, and checked in this tab.").first().waitFor();
});

test("a block that no full node takes says why, can be left, has no rival, and is known after a reload", async () => {
	const { page } = person;
	await go(page, "Wallet");
	const address = await walletAddress(page);
	await page.evaluate(() => {
		// biome-ignore lint/suspicious/noExplicitAny: put there by `meddle`
		(globalThis as any).meddler.hold = true;
	});
	await send(page, address, "0.25");
	await page.getByRole("status").filter({ hasText: "waiting for the votes" }).waitFor();
	await devnet.kill();
	await page.evaluate(() => {
		// biome-ignore lint/suspicious/noExplicitAny: put there by `meddle`
		const { meddler } = globalThis as any;
		meddler.hold = false;
		for (const go of meddler.held) go();
	});
	await page.getByRole("status").filter({ hasText: "did not pass it on, because" }).waitFor();
	await page.getByRole("button", { name: "Stop waiting" }).click();
	const pending = page.getByRole("list", { name: "On their way" }).getByRole("listitem");
	assert.match(await pending.innerText(), /Sending Ӿ 0\.25/);
	const block = await pending.locator("code").getAttribute("title");

	await send(page, address, "0.5");
	await page.getByRole("status").filter({ hasText: "it is next once" }).waitFor();
	assert.equal(await pending.count(), 1);
	await page.getByRole("button", { name: "Cancel" }).click();

	await page.reload();
	await linked(page);
	await unlock(page);
	await pending.waitFor();
	assert.equal(await pending.locator("code").getAttribute("title"), block);
	await send(page, address, "0.5");
	await page.getByRole("status").filter({ hasText: "it is next once" }).waitFor();
	assert.equal(await pending.count(), 1);
});

test("a node whose worker fails goes on in a new one; one that falls silent is said to have stopped and starts again", async () => {
	const { page, problems } = await visit(browser, bridge.ready.url);
	await startNode(page);
	const lastId = () => page.evaluate(() => localStorage.getItem("nanonet-last-id"));
	const id = await lastId();
	const nodeWorker = () => page.workers().find((one) => one.url().endsWith("node-worker.js"));

	const failing = nodeWorker();
	await failing?.evaluate(() => {
		setTimeout(() => {
			throw new Error("planted");
		});
	});
	await until("another worker runs the node", async () => {
		const worker = nodeWorker();
		return worker !== undefined && worker !== failing;
	});
	await linked(page);
	assert.equal(await page.getByRole("heading", { name: "Your node has stopped." }).count(), 0);
	assert.equal(await lastId(), id);

	await nodeWorker()?.evaluate(() => {
		setTimeout(() => self.close());
	});
	await page.getByRole("heading", { name: "Your node has stopped." }).waitFor();
	assert.match(await page.getByRole("alert").innerText(), /not answered/);
	assert.equal(await page.getByText("Linked to").count(), 0);
	await page.getByRole("button", { name: "Start it again" }).click();
	await linked(page);
	assert.equal(await lastId(), id);
	assert.deepEqual(problems, []);
	await page.context().close();
});

test("the page had no error", () => {
	assert.deepEqual(person.problems, []);
});
