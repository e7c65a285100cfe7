// The facades of a full node's RPC, in a tab and at a bridge: the same answers as a full node's, in its words.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import {
	account,
	FAUCET,
	fund,
	type Keyed,
	ledgerState,
	NANO,
	SAMPLE_LEGACY,
	SAMPLE_WAITING,
	signed,
} from "./lib/development.js";
import { asCpp, samples, shape } from "./lib/rpc-shapes.js";
import {
	type BridgeReady,
	type DevnetReady,
	rpc,
	type Server,
	startBridge,
	startDevnet,
} from "./lib/servers.js";
import { launch, site, Tab } from "./lib/tabs.js";
import { until } from "./lib/wait.js";

/** Enough to be kept for its receiver. */
const CENT = NANO / 100n;

type Answer = Record<string, unknown>;

/** Accounts of the recordings, and those of the development network that are like them. */
const RECORDED = {
	opened: "nano_1sjkhzzeuhup4u9fbd9f77k9puwfbaadymfjnjgbtmiuchqqnmodbwrsnhn9",
	waiting: "nano_1ekejdcnm759p7g96rqkg3szb78zbxbg993syuyt8ogkpwgw89x1e4kk16k1",
	unopened: "nano_3jpacfrqimyjfahsgn1binwud3r7pk1bn5przxxqn1ahxpuint8957sxm3fy",
};

let browser: Browser;
let devnet: Server<DevnetReady>;
let bridge: Server<BridgeReady>;
let tab: Tab;
let accounts: Record<keyof typeof RECORDED, Keyed>;
const pages = site();

before(async () => {
	browser = await launch();
	devnet = await startDevnet();
	bridge = await startBridge([
		...["--listen", "127.0.0.1:0", "--peer", devnet.ready.peering],
		...["--rpc", `http://${devnet.ready.rpc}`, "--www", pages.path],
	]);
	tab = await Tab.open(browser, bridge.ready.url, "tab", { workThreads: 1 });
	const own = await account(tab.page, 5, "11".repeat(32));
	await fund(tab.page, devnet.ready.rpc, own, NANO);
	accounts = {
		opened: own,
		waiting: await account(tab.page, SAMPLE_WAITING),
		unopened: await account(tab.page, 7, "22".repeat(32)),
	};
});

after(async () => {
	await browser?.close();
	await bridge?.kill();
	await devnet?.kill();
	pages.remove();
});

const inTab = (request: object): Promise<Answer> =>
	tab.page.evaluate((asked) => globalThis.node.rpc(asked), request);

const atBridge = async (request: object, path = "rpc"): Promise<Answer> => {
	const body = JSON.stringify(request);
	const response = await fetch(new URL(path, bridge.ready.url), { method: "POST", body });
	return (await response.json()) as Answer;
};

/** Both facades by name. */
const FACADES = [
	["the tab", inTab],
	["the bridge", atBridge],
] as const;

const unlabelled = ({ nanonet: _, ...fields }: Answer): Answer => fields;

/** A recorded request about accounts of the development network. */
function translated(request: object): { action: string } {
	let text = JSON.stringify(request);
	for (const [name, recorded] of Object.entries(RECORDED)) {
		const { address } = accounts[name as keyof typeof RECORDED];
		text = text.replaceAll(recorded, address);
	}
	return JSON.parse(text);
}

/** What the recordings have of actions whose answers depend on accounts alone, or on nothing. */
const ABOUT_ACCOUNTS = [
	"account_info",
	"account_balance",
	"accounts_balances",
	"accounts_frontiers",
	"accounts_receivable",
	"receivable",
	"account_history",
	"block_count",
	"confirmation_quorum",
	"validate_account_number",
	"work_generate",
	"work_validate",
];

test("both facades give the recorded answers' fields, in the C++ node's spelling", async () => {
	for (const sample of samples()) {
		const { action } = sample.request;
		if (!ABOUT_ACCOUNTS.includes(action) || sample.http_status !== 200) continue;
		// The recorded history ends before the account's; the development account's does not.
		const history = action === "account_history";
		for (const [name, ask] of FACADES) {
			const given = unlabelled(await ask(translated(sample.request)));
			const wanted = asCpp(sample) as Answer;
			if (history) {
				delete wanted.previous;
				assert.deepEqual(Object.keys(given).sort(), Object.keys(wanted).sort());
				continue;
			}
			if (action === "confirmation_quorum") given.peers = wanted.peers;
			assert.deepEqual(shape(given), shape(wanted), `${name}: ${JSON.stringify(sample.request)}`);
		}
	}
});

test("the comparison sees a field that is missing, one too many, and one written otherwise", () => {
	const sample = samples().find(({ request }) => request.action === "account_balance");
	assert.ok(sample);
	const wanted = shape(asCpp(sample));
	const planted: Answer[] = [
		{ balance: "1", pending: "0" },
		{ balance: "1", pending: "0", receivable: "0", spendable: "1" },
		{ balance: 1, pending: "0", receivable: "0" },
		{ balance: "0x1", pending: "0", receivable: "0" },
	];
	for (const answer of planted) assert.notDeepEqual(shape(answer), wanted);
});

test("both facades say what the full node itself says, value by value", async () => {
	const { opened, waiting, unopened } = accounts;
	const legacy = await account(tab.page, SAMPLE_LEGACY);
	const { frontier } = await ledgerState(devnet.ready.rpc, opened.address);
	const all = [opened.address, waiting.address, unopened.address, legacy.address];
	const flags = { representative: "true", weight: "true", receivable: "true" };
	const requests: { action: string; [field: string]: unknown }[] = [
		{ action: "account_info", account: opened.address, ...flags },
		{ action: "account_info", account: opened.address, ...flags, include_confirmed: true },
		{ action: "account_info", account: legacy.address, ...flags },
		{ action: "account_info", account: unopened.address },
		{ action: "account_info", account: "nano_1bad" },
		{ action: "account_balance", account: waiting.address },
		{ action: "account_representative", account: opened.address },
		{ action: "accounts_balances", accounts: all },
		{ action: "accounts_frontiers", accounts: [...all, "nano_1bad"] },
		{ action: "accounts_representatives", accounts: all },
		{ action: "accounts_receivable", accounts: all, count: 5, source: true },
		{ action: "receivable", account: waiting.address, threshold: "1", sorting: "true" },
		{ action: "receivable", account: unopened.address },
		{ action: "account_history", account: opened.address, count: "-1", raw: "true" },
		{ action: "block_info", hash: frontier, json_block: "true" },
		{ action: "block_info", hash: frontier },
		{ action: "block_info", hash: "00".repeat(32), json_block: "true" },
		{ action: "blocks_info", hashes: [frontier], json_block: "true", source: "true" },
		{ action: "block_count" },
		{ action: "account_weight", account: opened.address },
		{ action: "account_key", account: opened.address },
		{ action: "account_get", key: opened.publicKey },
		{ action: "validate_account_number", account: "nano_1bad" },
		{
			action: "work_validate",
			hash: frontier,
			work: "0000000000000001",
			difficulty: "ffc0000000000000",
		},
		{ action: "no_such_action" },
	];
	for (const request of requests) {
		const truth = await rpc(devnet.ready.rpc, request);
		for (const [name, ask] of FACADES) {
			const given = await ask(request);
			assert.deepEqual(unlabelled(given), truth, `${name}: ${JSON.stringify(request)}`);
			if (truth.error === undefined) assert.ok(given.nanonet, `${name}: ${request.action}`);
		}
	}
});

test("what no proof covers is labelled, in the tab also what the bridge verified", async () => {
	const { opened } = accounts;
	const asked = { action: "account_info", account: opened.address, include_confirmed: "true" };
	for (const [name, ask] of FACADES) {
		const { nanonet } = (await ask(asked)) as {
			nanonet: { verified: boolean; unverified: string[] };
		};
		assert.equal(nanonet.verified, true, name);
		assert.ok(nanonet.unverified.includes("block_count"), name);
		assert.ok(!nanonet.unverified.includes("confirmed_balance"), name);
		const history = await ask({ action: "account_history", account: opened.address, count: 1 });
		assert.deepEqual(history.nanonet, { verified: false }, name);
	}
});

test("a payment is made and received through either facade", async () => {
	for (const [name, ask] of FACADES) {
		const from = accounts.opened;
		const to = await account(tab.page, name.length, "33".repeat(32));
		const info = await ask({
			action: "account_info",
			account: from.address,
			representative: "true",
		});
		const change = {
			previous: String(info.frontier),
			representative: String(info.representative),
			balance: BigInt(String(info.balance)) - CENT,
			link: to.address,
		};
		const { work } = await ask({ action: "work_generate", hash: info.frontier });
		const block = await signed(tab.page, from, change, String(work));
		const request = { action: "process", json_block: "true", subtype: "send", block };
		const { hash, error } = await ask(request);
		assert.match(String(hash), /^[0-9A-F]{64}$/, `${name}: ${error}`);
		const receivable = await until(`${name} shows the payment to its receiver`, async () => {
			const { blocks } = await ask({ action: "receivable", account: to.address, source: "true" });
			return typeof blocks === "object" ? (blocks as Record<string, Answer>) : undefined;
		});
		assert.deepEqual(receivable, {
			[String(hash)]: { amount: CENT.toString(), source: from.address },
		});
		await until(`${name} shows it to its sender`, async () => {
			const { balance } = await ask({ action: "account_balance", account: from.address });
			return balance === change.balance.toString();
		});
		const again = await ask(request);
		assert.equal(again.error, "Invalid block balance for given subtype", name);
		const forged = { ...block, signature: "0".repeat(128) };
		const refused = await ask({ action: "process", json_block: "true", block: forged });
		assert.equal(refused.error, "Old block", name);
	}
});

test("the tab's fetch is a drop-in, and a page of another origin may post to the bridge", async () => {
	const { address } = accounts.opened;
	const answer = await tab.page.evaluate(async (asked) => {
		const body = JSON.stringify({ action: "account_balance", account: asked });
		const response = await globalThis.node.fetch("https://rpc.example/", { method: "POST", body });
		const aborted = new AbortController();
		aborted.abort();
		const failed = await globalThis.node
			.fetch("https://rpc.example/", { method: "POST", body, signal: aborted.signal })
			.catch((error: Error) => error.name);
		return { ok: response.ok, json: await response.json(), failed };
	}, address);
	assert.equal(answer.ok, true);
	assert.equal(
		answer.json.balance,
		(await atBridge({ action: "account_balance", account: address }, "")).balance,
	);
	assert.equal(answer.failed, "AbortError");
	const cross = await fetch(bridge.ready.url, {
		method: "OPTIONS",
		headers: {
			origin: "https://shop.example",
			"access-control-request-headers": "content-type,authorization",
		},
	});
	assert.equal(cross.headers.get("access-control-allow-origin"), "*");
	assert.equal(cross.headers.get("access-control-allow-headers"), "content-type,authorization");
});

test("without a bridge the tab answers from its slice, and says what it cannot", async () => {
	const { address } = accounts.opened;
	const before = await inTab({ action: "account_balance", account: address });
	await bridge.kill();
	const given = await inTab({ action: "account_info", account: address, fresh: "false" });
	assert.equal(given.balance, before.balance);
	assert.equal(given.block_count, undefined);
	const history = await inTab({ action: "account_history", account: address, count: 1 });
	assert.match(String(history.error), /no bridge/i);
	const faucet = await account(tab.page, FAUCET);
	const key = await inTab({ action: "account_key", account: faucet.address });
	assert.equal(key.key, faucet.publicKey);
});
