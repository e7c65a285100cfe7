// Published programs that speak to a full node speak to ours unmodified: to the bridge by its URL, and to a tab's
// node through `node.fetch`.

import assert from "node:assert/strict";
import { createServer, type Server as HttpServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { account, fund, type Keyed, ledgerState, NANO } from "../e2e/lib/development.js";
import {
	type BridgeReady,
	type DevnetReady,
	type Server,
	startBridge,
	startDevnet,
} from "../e2e/lib/servers.js";
import { launch, site, Tab } from "../e2e/lib/tabs.js";
import { until } from "../e2e/lib/wait.js";

/** The packages are not there when types are checked. */
// biome-ignore lint/suspicious/noExplicitAny: as above
const required = createRequire(import.meta.url) as (name: string) => any;

/** A payment. */
const CENT = NANO / 100n;

let browser: Browser;
let devnet: Server<DevnetReady>;
let bridge: Server<BridgeReady>;
let tab: Tab;
let door: HttpServer;
let accounts: Keyed[];
const pages = site();

before(async () => {
	browser = await launch();
	devnet = await startDevnet();
	bridge = await startBridge([
		...["--listen", "127.0.0.1:0", "--peer", devnet.ready.peering],
		...["--rpc", `http://${devnet.ready.rpc}`, "--www", pages.path],
	]);
	tab = await Tab.open(browser, bridge.ready.url, "tab", { workThreads: 1 });
	// The way of programs without a browser into the tab: what they post is what `node.fetch` gets.
	door = createServer(async (request, response) => {
		let body = "";
		for await (const part of request) body += part;
		const text = await tab.page.evaluate(
			async (posted) =>
				(
					await globalThis.node.fetch("https://rpc.example/", { method: "POST", body: posted })
				).text(),
			body,
		);
		response.writeHead(200, { "content-type": "application/json" }).end(text);
	});
	await new Promise<void>((resolve) => door.listen(0, "127.0.0.1", resolve));
	accounts = await Promise.all([0, 1].map((index) => account(tab.page, index, "55".repeat(32))));
	for (const one of accounts) await fund(tab.page, devnet.ready.rpc, one, NANO);
});

after(async () => {
	door?.close();
	await browser?.close();
	await bridge?.kill();
	await devnet?.kill();
	pages.remove();
});

const facades = () => [
	{ name: "the bridge", url: bridge.ready.url, from: accounts[0] as Keyed },
	{
		name: "the tab",
		url: `http://127.0.0.1:${(door.address() as AddressInfo).port}/`,
		from: accounts[1] as Keyed,
	},
];

const plainFetch = globalThis.fetch;

/** An account's state as the full node itself sees it, asked without this process's `fetch`. */
async function stateOf(address: string) {
	const { NanoClient } = required("@dev-ptera/nano-node-rpc");
	const client = new NanoClient({ url: `http://${devnet.ready.rpc}/` });
	return client.account_info(address, { representative: true });
}

/** Waits until an account's balance is confirmed on the full node itself. */
const has = (address: string, balance: bigint) =>
	until(`the full node confirms ${balance} raw`, async () => {
		const state = await ledgerState(devnet.ready.rpc, address);
		return state.balance === balance;
	});

test("libnemo's Rpc asks, and says what is refused", async (context) => {
	const { Rpc } = await import("libnemo" as string);
	// It speaks TLS alone: this stands for the proxy that a bridge has in front of it.
	context.mock.method(globalThis, "fetch", async (request: Request) => {
		const to = new URL(request.url);
		to.protocol = "http:";
		const { method, headers } = request;
		return plainFetch(to, { method, headers, body: await request.text() });
	});
	for (const { name, url, from } of facades()) {
		const rpc = new Rpc(url);
		const truth = await stateOf(from.address);
		const info = await rpc.call("account_info", { account: from.address, representative: "true" });
		assert.equal(info.frontier, truth.frontier, name);
		assert.equal(info.balance, truth.balance, name);
		assert.equal(info.representative, truth.representative, name);
		const { blocks } = await rpc.call("receivable", { account: from.address });
		assert.equal(blocks, "", name);
		const { work } = await rpc.call("work_generate", { hash: truth.frontier });
		const check = { hash: truth.frontier, work, difficulty: "ffc0000000000000" };
		assert.equal((await rpc.call("work_validate", check)).valid, "1", name);
		// Its way to tell an error is an object without fields.
		assert.equal(await rpc.call("account_info", { account: "nano_1bad" }), "{}", name);
	}
});

test("nanocurrency-web's send example runs: account_info, work, sign, process", async () => {
	const { block } = required("nanocurrency-web");
	const { NanoClient } = required("@dev-ptera/nano-node-rpc");
	for (const { name, url, from } of facades()) {
		const client = new NanoClient({ url });
		const info = await client.account_info(from.address, { representative: true });
		const { work } = await client.work_generate(info.frontier);
		const to = await account(tab.page, name.length, "66".repeat(32));
		const signed = block.send(
			{
				walletBalanceRaw: info.balance,
				fromAddress: from.address,
				toAddress: to.address,
				representativeAddress: info.representative,
				frontier: info.frontier,
				amountRaw: CENT.toString(),
				work,
			},
			from.privateKey,
		);
		const { hash } = await client._send("process", {
			json_block: "true",
			subtype: "send",
			block: signed,
		});
		assert.match(hash, /^[0-9A-F]{64}$/, name);
		await has(from.address, BigInt(info.balance) - CENT);
		const { blocks } = await until(`${name} shows it to its receiver`, async () => {
			const told = await client._send("receivable", { account: to.address, threshold: "1" });
			return typeof told.blocks === "object" ? told : undefined;
		});
		assert.deepEqual(blocks, { [hash]: CENT.toString() }, name);
	}
});

test("nano-node-rpc's calls give what a full node's give", async () => {
	const { NanoClient } = required("@dev-ptera/nano-node-rpc");
	const truth = new NanoClient({ url: `http://${devnet.ready.rpc}/` });
	for (const { name, url, from } of facades()) {
		const client = new NanoClient({ url });
		const calls: [string, unknown[]][] = [
			["account_balance", [from.address]],
			["account_get", [from.publicKey]],
			["account_representative", [from.address]],
			["account_weight", [from.address]],
			["accounts_balances", [[from.address]]],
			["accounts_frontiers", [[from.address]]],
			["block_count", []],
		];
		for (const [call, parameters] of calls) {
			if (typeof client[call] !== "function") continue;
			const { nanonet, ...given } = await client[call](...parameters);
			assert.ok(nanonet, `${name}: ${call}`);
			assert.deepEqual(given, await truth[call](...parameters), `${name}: ${call}`);
		}
	}
});

test("nano-rpc-fetch, given a tab's fetch, reads its typed answers", async () => {
	const { Configuration, NodeRPCsApi } = required("nano-rpc-fetch");
	for (const { name, url, from } of facades()) {
		const api = new NodeRPCsApi(new Configuration({ basePath: url.slice(0, -1), fetchApi: fetch }));
		const truth = await ledgerState(devnet.ready.rpc, from.address);
		const balance = await api.accountBalance({
			accountBalanceRequest: { action: "account_balance", account: from.address },
		});
		assert.equal(balance.balance, truth.balance.toString(), name);
		const info = await api.accountInfo({
			accountInfoRequest: { action: "account_info", account: from.address, representative: true },
		});
		assert.equal(info.frontier, truth.frontier, name);
		assert.equal(info.representative, truth.representative, name);
	}
});
