// A node in Node.js: the browser's wasm and workers in threads, its slice in a file.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { NanoError, NanoNode, Signer, StartOptions } from "nanonet";
import type { Page } from "playwright-core";
import { account, fund, type Keyed, ledgerState, NANO } from "./lib/development.js";
import {
	type BridgeReady,
	type DevnetReady,
	type Server,
	startBridge,
	startDevnet,
	temporaryFolder,
} from "./lib/servers.js";

const from = (file: string) => import(new URL(`../../nano-wasm/pkg/${file}`, import.meta.url).href);
const { NanoNode: Node } = (await from("server-index.js")) as typeof import("nanonet");
const core = (await from("server-core.js")) as typeof import("nanonet/core");
await core.initCore();
Object.assign(globalThis, { core });

/** Where the helpers that make blocks run: here. */
const here = {
	evaluate: async (body: (given: unknown) => unknown, given: unknown) => body(given),
} as unknown as Page;

let devnet: Server<DevnetReady>;
let bridge: Server<BridgeReady>;
const folder = temporaryFolder();
const nodes: NanoNode[] = [];

/** Starts a node that the end of the tests stops. */
async function started(options: StartOptions = {}): Promise<NanoNode> {
	const node = await Node.start({ network: "dev", bridges: [bridge.ready.url], ...options });
	nodes.push(node);
	return node;
}

/** A payment's account with its money. */
async function funded(index: number): Promise<Keyed> {
	const keyed = await account(here, index, "77".repeat(32));
	await fund(here, devnet.ready.rpc, keyed, NANO);
	return keyed;
}

const code = (wanted: string) => (error: NanoError) => {
	assert.equal(error.code, wanted, error.message);
	return true;
};

before(async () => {
	devnet = await startDevnet();
	bridge = await startBridge([
		...["--listen", "127.0.0.1:0", "--peer", devnet.ready.peering],
		...["--rpc", `http://${devnet.ready.rpc}`],
	]);
});

after(async () => {
	for (const node of nodes) await node.stop();
	await bridge?.kill();
	await devnet?.kill();
	folder.remove();
});

test("it joins a bridge and answers a balance with its proof, which holds anywhere", async () => {
	const node = await started();
	const { address } = await account(here, 0);
	const answer = await node.account(address);
	assert.equal(answer.balance, (await ledgerState(devnet.ready.rpc, address)).balance);
	assert.ok(answer.proof && answer.proof.weight >= answer.proof.threshold);
	assert.equal((await node.status()).storage.kind, "memory");
	const told = await node.rpc({ action: "account_balance", account: address });
	assert.deepEqual([told.balance, told.nanonet?.verified], [answer.balance.toString(), true]);
});

test("what it was told and who it is outlive it in a file", async () => {
	const first = await started({ folder: folder.path });
	const { address } = await account(here, 1);
	const { balance } = await first.account(address);
	assert.equal((await first.status()).storage.kind, "file");
	const { key } = first;
	await first.stop();
	const second = await started({ folder: folder.path, bridges: ["http://127.0.0.1:9"] });
	assert.equal(second.key, key);
	const again = await second.account(address);
	assert.deepEqual([again.balance, again.source.kind], [balance, "own-slice"]);
});

test("send, receive and change build, sign, prove and wait until confirmed", async () => {
	const node = await started();
	const payer = await funded(0);
	const payee = await account(here, 1, "77".repeat(32));
	const amount = NANO / 4n;
	const representative = (await account(here, 2)).address;

	// Two at once follow one another.
	const sends = await Promise.all([
		node.send(payer, { to: payee.address, amount }),
		node.send(payer, { to: payee.address, amount }),
	]);
	assert.notEqual(sends[0].hash, sends[1].hash);
	const left = await ledgerState(devnet.ready.rpc, payer.address);
	assert.equal(left.balance, NANO - 2n * amount);

	await assert.rejects(node.receive(payee), code("representative-needed"));
	await node.receive(payee, { representative });
	// By whoever holds the key.
	const asked: string[] = [];
	const signer: Signer = {
		address: payee.address,
		sign: (hash, block) => {
			asked.push(hash);
			return core.signBlock(block, payee.privateKey).signature as string;
		},
	};
	const { hash } = await node.receive(signer);
	assert.deepEqual(asked, [hash]);
	const got = await ledgerState(devnet.ready.rpc, payee.address);
	assert.deepEqual([got.balance, got.representative], [2n * amount, representative]);

	await node.change(signer, { representative: payer.address });
	const changed = await ledgerState(devnet.ready.rpc, payee.address);
	assert.deepEqual([changed.balance, changed.representative], [2n * amount, payer.address]);
});

test("what cannot be built is refused with its reason, and nothing is published", async () => {
	const node = await started();
	const payer = await funded(3);
	const other = await account(here, 4, "77".repeat(32));
	const before = await ledgerState(devnet.ready.rpc, payer.address);
	const to = other.address;
	await assert.rejects(node.send(payer, { to, amount: NANO + 1n }), code("insufficient-balance"));
	await assert.rejects(node.send(payer, { to, amount: 0n }), code("bad-amount"));
	await assert.rejects(node.send(other, { to, amount: 1n }), code("unopened"));
	await assert.rejects(node.receive(payer), code("nothing-receivable"));
	const liar = { address: payer.address, sign: () => "00".repeat(64) };
	await assert.rejects(node.send(liar, { to, amount: 1n }), code("bad-signature"));
	const wrong = { address: payer.address, privateKey: other.privateKey };
	await assert.rejects(node.send(wrong, { to, amount: 1n }), code("wrong-key"));
	await assert.rejects(
		node.send(payer, { to, amount: 1n }, { signal: AbortSignal.abort() }),
		code("aborted"),
	);
	assert.deepEqual(await node.pending(), []);
	assert.deepEqual(await ledgerState(devnet.ready.rpc, payer.address), before);
});

test("events come one after the other, and a loop that is left listens no more", async () => {
	const node = await started();
	const payer = await funded(5);
	const control = new AbortController();
	const events = node.events("transaction", { signal: control.signal });
	const { hash } = await node.send(payer, { to: payer.address, amount: 1n });
	const states: string[] = [];
	for await (const event of events) {
		if (event.hash === hash) states.push(event.state);
		if (event.state === "confirmed") break;
	}
	assert.ok(states.includes("sent") && states.at(-1) === "confirmed", states.join());
	assert.deepEqual(await events.next(), { done: true, value: undefined });
	const ended = node.events("status", { signal: control.signal });
	control.abort();
	for await (const _ of ended) await new Promise((resume) => setImmediate(resume));
});

test("its health says in words how it fares", async () => {
	const node = await started();
	await node.account((await account(here, 0)).address);
	const health = await node.health();
	assert.deepEqual([health.level, health.bridges, health.problems], ["good", 1, []]);
	assert.match(health.summary, /^Linked to 0 browsers and 1 bridges; holds \d+ account/);
});
