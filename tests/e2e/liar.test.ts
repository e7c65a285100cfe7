// A tab that answers with altered records never gets a wrong balance accepted, and is found out by the right reason.
//
// One replica, so that the victim keeps few accounts itself; the liar watches them all and so answers for them all.
// Every kind of lie meets a new victim, because a victim that was lied to a few times drops the liar.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import {
	account,
	fund,
	type Keyed,
	ledgerState,
	NANO,
	REPRESENTATIVES,
	SAMPLES,
} from "./lib/development.js";
import {
	type BridgeReady,
	type DevnetReady,
	type Server,
	startBridge,
	startDevnet,
} from "./lib/servers.js";
import { launch, site, Tab } from "./lib/tabs.js";
import { until } from "./lib/wait.js";

const OPTIONS = { maxLinks: 6, replicas: 1, workThreads: 1 };

/** The lie and the reason by which it has to be refused. */
const LIES: Record<string, string> = {
	"wrong-vote-signature": "bad-vote-signature",
	"repeated-representative": "repeated-representative",
	"not-final-vote": "not-final",
	"too-little-weight": "too-little-weight",
	"other-network": "wrong-network",
	"other-networks-hash": "hash-not-in-list",
	"legacy-resigned": "legacy-chain-broken",
	"altered-balance": "hash-not-in-list",
	"unsigned-block": "bad-block-signature",
	"other-account": "wrong-account",
	"list-without-frontier": "hash-not-in-list",
	"forged-sighting": "bad-sighting",
	"broken-lineage": "lineage-broken",
	"forged-unopened": "bad-sighting",
	garbage: "malformed",
};

let browser: Browser;
let devnet: Server<DevnetReady>;
let bridge: Server<BridgeReady>;
let liar: Tab;
let known: Keyed[] = [];
const pages = site();

before(async () => {
	browser = await launch();
	devnet = await startDevnet();
	bridge = await startBridge([
		...["--listen", "127.0.0.1:0", "--peer", devnet.ready.peering],
		...["--rpc", `http://${devnet.ready.rpc}`, "--www", pages.path],
	]);
	liar = await Tab.open(browser, `${bridge.ready.url}liar.html`, "liar", OPTIONS);
	const indexes = [
		...Array.from({ length: REPRESENTATIVES }, (_, index) => index),
		...[0, 1, 2, 3].map((index) => SAMPLES + index),
	];
	known = await Promise.all(indexes.map((index) => account(liar.page, index)));
	// A node answers at once for what it keeps up to date: for its share of the accounts, and for those it watches.
	for (const { address } of known) {
		await liar.watch(address);
		await liar.account(address);
	}
});

after(async () => {
	await browser?.close();
	await bridge?.kill();
	await devnet?.kill();
	pages.remove();
});

async function victimOf(name: string): Promise<Tab> {
	const victim = await Tab.open(browser, bridge.ready.url, `victim of ${name}`, OPTIONS);
	const liarId = await liar.id();
	await until("victim and liar are linked", async () =>
		(await victim.status()).links.some(({ id }) => id === liarId),
	);
	return victim;
}

/** Accounts that the liar holds and the victim does not, with a state block as frontier. */
async function baits(victim: Tab): Promise<Keyed[]> {
	return until("the liar holds something the victim does not", async () => {
		const own = new Set(await victim.heldAccounts());
		const theirs = new Set(await liar.heldAccounts());
		const found = known.filter(
			({ publicKey }, index) =>
				index < REPRESENTATIVES && theirs.has(publicKey) && !own.has(publicKey),
		);
		return found.length > 0 && found;
	});
}

for (const [lie, reason] of Object.entries(LIES)) {
	test(`a liar is refused: ${lie}`, async () => {
		await liar.lie(lie);
		const victim = await victimOf(lie);
		try {
			// An account may move to the victim before it asks, so one bait after the other is tried.
			const counted = await until("something was refused", async () => {
				const [bait] = await baits(victim);
				assert.ok(bait);
				const answer = await victim.account(bait.address);
				const truth = await ledgerState(devnet.ready.rpc, bait.address);
				assert.equal(answer.balance, truth.balance.toString());
				assert.equal(answer.frontier, truth.frontier);
				assert.notEqual(answer.source.id, await liar.id());
				const { refused } = await victim.status();
				return Object.keys(refused).length > 0 && refused;
			});
			assert.ok((counted[reason] ?? 0) > 0, `refused as ${JSON.stringify(counted)}`);
		} finally {
			await liar.lie("none");
			await victim.close();
		}
	});
}

test("an older valid proof is refused by who knows the newer one", async () => {
	const victim = await victimOf("an older proof");
	const target = await account(victim.page, 3, "d".repeat(64));
	await fund(victim.page, devnet.ready.rpc, target, NANO);
	await liar.watch(target.address);
	await until("the liar holds the first state", async () => {
		await liar.account(target.address);
		return (await liar.heldAccounts()).includes(target.publicKey);
	});
	await fund(victim.page, devnet.ready.rpc, target, NANO);
	await victim.watch(target.address);
	const newest = await until("the victim knows the newer state", async () => {
		const answer = await victim.account(target.address, { fresh: true });
		return answer.balance === (2n * NANO).toString() && answer;
	});
	await liar.lie("older-proof");
	try {
		await until("the older proof was refused", async () => {
			const answer = await victim.account(target.address, { fresh: true });
			assert.equal(answer.frontier, newest.frontier);
			assert.equal(answer.balance, newest.balance);
			return ((await victim.status()).refused.superseded ?? 0) > 0;
		});
	} finally {
		await liar.lie("none");
		await victim.close();
	}
});

test("a tab that keeps lying is dropped and counted", async () => {
	await liar.lie("wrong-vote-signature");
	const victim = await victimOf("many lies");
	const liarId = await liar.id();
	for (const { address } of await baits(victim)) {
		const answer = await victim.account(address);
		const truth = await ledgerState(devnet.ready.rpc, address);
		assert.equal(answer.balance, truth.balance.toString());
	}
	await until("the liar is dropped", async () => {
		const status = await victim.status();
		const dropped = Object.values(status.dropped).reduce((sum, count) => sum + count, 0);
		return dropped > 0 && status.links.every(({ id }) => id !== liarId);
	});
	await liar.lie("none");
	await victim.close();
});

test("a flood drops the peer that sends it, and leaves the victim able to ask", async () => {
	const victim = await victimOf("a flood");
	const liarId = await liar.id();
	await liar.lie("flood");
	const dropped = await until("the flooding peer is dropped", async () => {
		const status = await victim.status();
		return status.links.every(({ id }) => id !== liarId) && status.dropped;
	});
	assert.ok((dropped.flood ?? 0) > 0, `dropped as ${JSON.stringify(dropped)}`);
	const [bait] = known;
	assert.ok(bait);
	const answer = await victim.account(bait.address);
	const truth = await ledgerState(devnet.ready.rpc, bait.address);
	assert.equal(answer.balance, truth.balance.toString());
	await victim.close();
});
