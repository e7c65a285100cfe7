// The tabs of one origin share one node: it moves when its tab goes, and loses nothing on the way.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import {
	account,
	fund,
	type Keyed,
	ledgerState,
	NANO,
	onFullNode,
	SAMPLES,
	signed,
} from "./lib/development.js";
import { Family, type Member } from "./lib/family.js";
import { random } from "./lib/random.js";
import {
	type BridgeReady,
	type DevnetReady,
	metrics,
	rpc,
	type Server,
	startBridge,
	startDevnet,
} from "./lib/servers.js";
import { launch, type Status, site } from "./lib/tabs.js";
import { until } from "./lib/wait.js";

let browser: Browser;
let devnet: Server<DevnetReady>;
let bridge: Server<BridgeReady>;
const pages = site();

before(async () => {
	browser = await launch();
	devnet = await startDevnet();
	bridge = await startBridge([
		...["--listen", "127.0.0.1:0", "--peer", devnet.ready.peering],
		...["--rpc", `http://${devnet.ready.rpc}`, "--www", pages.path],
	]);
});

after(async () => {
	await browser?.close();
	await bridge?.kill();
	await devnet?.kill();
	pages.remove();
});

const status = ({ page }: Member): Promise<Status & { id: string }> =>
	page.evaluate(() => globalThis.node.status());

const links = async () => (await metrics(bridge.ready.url)).get("nanonet_links") ?? 0;

const balance = ({ page }: Member, address: string): Promise<string> =>
	page.evaluate(
		async (asked) => (await globalThis.node.account(asked)).balance.toString(),
		address,
	);

test("ten tabs have one node, one database and one set of links", async () => {
	const before = await links();
	const family = await Family.open(browser, bridge.ready.url);
	for (let count = 0; count < 10; count++) await family.add();
	const leader = await family.leader();
	const roles = await family.roles();
	assert.equal(roles.filter((role) => role === "following").length, 9);
	await until("the node is linked", async () => (await status(leader)).links.length > 0);
	const { id, links: open } = await status(leader);
	for (const member of family.members) {
		const told = await status(member);
		assert.equal(told.id, id);
		assert.deepEqual(
			told.links.map((link) => link.id),
			open.map((link) => link.id),
		);
		const workers = member.page.workers().filter((worker) => worker.url().includes("node-worker"));
		assert.equal(workers.length, member === leader ? 1 : 0, `${member.name}'s workers`);
	}
	assert.equal((await links()) - before, 1);
	const databases = await leader.page.evaluate(async () => (await indexedDB.databases()).length);
	assert.equal(databases, 1);
	// A leaf of its own asks for the sample; every tab is answered by the one node.
	const { address } = await account(leader.page, SAMPLES);
	const truth = await ledgerState(devnet.ready.rpc, address);
	for (const member of family.members) {
		assert.equal(await balance(member, address), truth.balance.toString());
	}
	assert.deepEqual(family.problems, []);
	await family.close();
});

test("the node moves when its tab is closed or crashes, and calls and subscriptions go on", async () => {
	const family = await Family.open(browser, bridge.ready.url);
	for (let count = 0; count < 4; count++) await family.add();
	const watched = await account((await family.leader()).page, 1, "44".repeat(32));
	await fund((await family.leader()).page, devnet.ready.rpc, watched, NANO);
	const last = family.members.at(-1);
	assert.ok(last);
	await last.page.evaluate(async (address) => {
		const heard: string[] = [];
		Object.assign(globalThis, { heard });
		globalThis.node.on("record", (record: { account: string }) => heard.push(record.account));
		await globalThis.node.watch(address);
	}, watched.address);
	const { id } = await status(last);
	for (const how of ["close", "crash"] as const) {
		const leader = await family.leader();
		assert.notEqual(leader, last);
		// Asked in the moment the leader goes: answered by whoever follows.
		const asked = balance(last, watched.address);
		await family.end(leader, how);
		assert.equal(await asked, NANO.toString());
		await family.leader();
		assert.equal((await status(last)).id, id, "who it was");
	}
	const { frontier, representative } = await ledgerState(devnet.ready.rpc, watched.address);
	assert.ok(frontier && representative);
	await last.page.evaluate(() => (globalThis as unknown as { heard: string[] }).heard.splice(0));
	await onFullNode(
		last.page,
		devnet.ready.rpc,
		watched,
		{ previous: frontier, representative, balance: NANO - 1n, link: watched.address },
		"send",
	);
	await until("the tab that watched before both moves hears of a new block", () =>
		last.page.evaluate(
			(address) => (globalThis as unknown as { heard: string[] }).heard.includes(address),
			watched.address,
		),
	);
	assert.deepEqual(family.problems, []);
	await family.close();
});

test("a visible tab goes before a hidden one", async () => {
	const family = await Family.open(browser, bridge.ready.url);
	const first = await family.add();
	await family.add(() => Object.defineProperty(document, "hidden", { get: () => true }));
	const visible = await family.add();
	await family.end(first);
	assert.equal(await family.leader(), visible);
	await family.close();
});

/** Long enough that another tab takes over, also on a slow machine. */
const BUSY_MS = 10_000;

test("a leader that falls silent is replaced, and follows when it speaks again", async () => {
	const family = await Family.open(browser, bridge.ready.url);
	const silent = await family.add();
	const other = await family.add();
	// Its page is busy for longer than silence is borne.
	const busy = silent.page.evaluate((ms) => {
		const end = performance.now() + ms;
		while (performance.now() < end);
	}, BUSY_MS);
	const { address } = await account(other.page, SAMPLES);
	await until("the other tab took over", () =>
		other.page.evaluate(() => globalThis.node.role === "leading"),
	);
	const truth = await ledgerState(devnet.ready.rpc, address);
	assert.equal(await balance(other, address), truth.balance.toString());
	await busy;
	await until("the silent one follows", () =>
		silent.page.evaluate(() => globalThis.node.role === "following"),
	);
	assert.equal(await balance(silent, address), truth.balance.toString());
	await family.close();
});

test("what a tab writes after its term is over is refused, and its call is carried out by the next", async () => {
	const family = await Family.open(browser, bridge.ready.url);
	const only = await family.add();
	const from = await account(only.page, 2, "44".repeat(32));
	await fund(only.page, devnet.ready.rpc, from, NANO);
	const block = await nextSend(only, from);
	const hash = await only.page.evaluate(async (given) => {
		// A later term, as another tab would have begun it.
		await new Promise<void>((resolve, reject) => {
			const request = indexedDB.open("nanonet-default-dev");
			request.onerror = () => reject(request.error);
			request.onsuccess = () => {
				const change = request.result.transaction("meta", "readwrite");
				change.objectStore("meta").put(new Uint8Array([0, 0, 0, 0, 0, 1, 0, 0]), "term");
				change.oncomplete = () => resolve(request.result.close());
			};
		});
		return (await globalThis.node.process(given)).hash as string;
	}, block);
	await sentOnce(from, hash, 1);
	await family.close();
});

/** A signed send of one raw, with work. */
async function nextSend({ page }: Member, from: Keyed): Promise<object> {
	const state = await ledgerState(devnet.ready.rpc, from.address);
	assert.ok(state.frontier && state.representative);
	const { work } = await rpc(devnet.ready.rpc, { action: "work_generate", hash: state.frontier });
	const change = {
		previous: state.frontier,
		representative: state.representative,
		balance: state.balance - 1n,
		link: from.address,
	};
	return signed(page, from, change, String(work));
}

/** Checks on the full node that the account's newest block is this send, and how many sends it has made in all. */
async function sentOnce(from: Keyed, hash: string, sends: number): Promise<void> {
	const history = await rpc(devnet.ready.rpc, {
		action: "account_history",
		account: from.address,
		count: "-1",
	});
	const blocks = history.history as { hash: string; type: string; confirmed: string }[];
	const sent = blocks.filter((block) => block.type === "send");
	assert.equal(sent[0]?.hash, hash);
	assert.equal(sent[0]?.confirmed, "true");
	assert.equal(sent.length, sends);
}

test("a send that is made twice is seen", async () => {
	const family = await Family.open(browser, bridge.ready.url);
	const member = await family.add();
	const from = await account(member.page, 3, "44".repeat(32));
	await fund(member.page, devnet.ready.rpc, from, NANO);
	let hash = "";
	for (let count = 0; count < 2; count++) {
		const block = await nextSend(member, from);
		hash = await member.page.evaluate(
			async (given) => (await globalThis.node.process(given)).hash as string,
			block,
		);
	}
	await assert.rejects(sentOnce(from, hash, 1));
	await family.close();
});

/** Where the leader is killed during a send: some time after it began, or when the node says that it got so far. */
const MOMENTS = ["time", "waiting", "sent", "accepted"] as const;
const KILLS = 50;
/** Longer than a send takes on this network. */
const LONGEST_MS = 400;

test(`a send completes once, wherever its leader is killed: ${KILLS} seeded moments`, async () => {
	const family = await Family.open(browser, bridge.ready.url);
	await family.add();
	await family.add();
	const from = await account((await family.leader()).page, 4, "44".repeat(32));
	await fund((await family.leader()).page, devnet.ready.rpc, from, NANO);
	for (let seed = 1; seed <= KILLS; seed++) {
		const dice = random(seed);
		const moment = MOMENTS[Math.floor(dice() * MOMENTS.length)] ?? "time";
		const how = dice() < 0.5 ? "close" : "crash";
		const wait = dice() * LONGEST_MS;
		const leader = await family.leader();
		const follower = family.members.find((member) => member !== leader);
		assert.ok(follower);
		const block = await nextSend(follower, from);
		const reached = follower.page.evaluate(
			([wanted, ms]) =>
				new Promise<void>((resolve) => {
					if (wanted === "time") setTimeout(resolve, ms);
					else {
						const off = globalThis.node.on("transaction", ({ state }: { state: string }) => {
							if (state !== wanted && state !== "confirmed") return;
							off();
							resolve();
						});
					}
				}),
			[moment, wait] as const,
		);
		const sending = follower.page.evaluate(
			async (given) => (await globalThis.node.process(given)).hash as string,
			block,
		);
		const text = `seed ${seed}: ${how} at ${moment === "time" ? `${wait.toFixed()} ms` : moment}`;
		// The moment may never come: "waiting" does not while a bridge is linked.
		await Promise.race([reached, sending]);
		await family.end(leader, how);
		const hash = await sending.catch((error) => assert.fail(`${text}: ${error}`));
		await sentOnce(from, hash, seed).catch((error) => assert.fail(`${text}: ${error}`));
		await family.add();
	}
	assert.deepEqual(family.problems, []);
	await family.close();
});
