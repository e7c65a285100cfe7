// Private messages between real browsers over real bridges: A and B have no link to each other, and what passes through
// each relay is looked at.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import {
	type BridgeReady,
	type DevnetReady,
	Server,
	startDevnet,
	temporaryFolder,
} from "./lib/servers.js";
import { launch, site, Tab } from "./lib/tabs.js";
import { until } from "./lib/wait.js";

/** What no relay may read. */
const SECRET = "what only the recipient may read";
const OPTIONS = { workThreads: 1, storage: "memory" };

let browser: Browser;
let devnet: Server<DevnetReady>;
const pages = site();
const folders = [temporaryFolder(), temporaryFolder()];
const bridges: Server<BridgeReady>[] = [];
let a: Tab;
let b: Tab;
let c: Tab;

/** A bridge that logs what it sees of cells. */
async function startBridge(data: string): Promise<Server<BridgeReady>> {
	process.env.RUST_LOG = "info,cells=trace";
	try {
		return await Server.start<BridgeReady>([
			...["run", "--network", "dev", "--listen", "127.0.0.1:0", "--peer", devnet.ready.peering],
			...["--rpc", `http://${devnet.ready.rpc}`, "--www", pages.path, "--data", data],
		]);
	} finally {
		delete process.env.RUST_LOG;
	}
}

const bridge = (index: number): Server<BridgeReady> => {
	const found = bridges[index];
	assert.ok(found);
	return found;
};

/** A tab that reaches nobody but bridges. */
async function withoutPeers(url: string, name: string): Promise<Tab> {
	return Tab.open(browser, url, name, { ...OPTIONS, bridges: [url] }, [
		"globalThis.RTCPeerConnection = class { constructor() { throw new Error('not here'); } }",
	]);
}

before(async () => {
	browser = await launch();
	devnet = await startDevnet();
	for (const { path } of folders) bridges.push(await startBridge(path));
	const urls = bridges.map(({ ready }) => ready.url);
	const [first = "", second = ""] = urls;
	c = await Tab.open(browser, `${first}/liar.html`.replace("//liar", "/liar"), "c", {
		...OPTIONS,
		bridges: urls,
	});
	await until("c is linked with both bridges", async () => {
		const { links } = await c.status();
		return links.filter((link) => link.role === "bridge").length === 2;
	});
	await until("c has paid for its place", async () => (await c.status()).standing === "member");
	await c.page.evaluate("nanonet.glimpses(node)");
	a = await withoutPeers(first, "a");
	b = await withoutPeers(second, "b");
});

after(async () => {
	await browser?.close();
	for (const running of bridges) await running.kill();
	await devnet?.kill();
	pages.remove();
	for (const folder of folders) folder.remove();
});

/** Everything that bridges have logged of cells, as `key=value` pairs. */
function logged(server: Server<BridgeReady>): Record<string, string>[] {
	const lines = server.everything().filter((line) => line.includes(" cells: "));
	return lines.map((line) =>
		Object.fromEntries([...line.matchAll(/(\w+)=(\w+)/g)].map((found) => found.slice(1))),
	);
}

const key = (tab: Tab): Promise<string> => tab.page.evaluate(() => globalThis.node.key);
const id = (tab: Tab): Promise<string> =>
	tab.page.evaluate(async () => (await globalThis.node.status()).id);

test("two browsers without a link find each other by key and exchange messages over bridge, browser, bridge", async () => {
	for (const tab of [a, b]) {
		await tab.page.evaluate(async () => {
			globalThis.received = [];
			globalThis.node.messages.subscribe((message: (typeof received)[number]) =>
				globalThis.received.push(message),
			);
			await globalThis.node.registry.register({ metadata: "a tab" });
		});
	}
	const [keyA, keyB] = [await key(a), await key(b)];
	const found = await until("a finds b by its key", () =>
		a.page.evaluate(
			(wanted) => globalThis.node.registry.lookup(wanted).catch(() => undefined),
			keyB,
		),
	);
	assert.equal(found.routes[0]?.hops.length, 3);
	assert.equal(found.node.key, keyB);
	assert.equal(found.node.metadata, "a tab");
	const texts = [1, 2, 3, 4].map((number) => `${SECRET} ${number}`);
	for (const text of texts) {
		await a.page.evaluate(([to, said]) => globalThis.node.messages.send(to, said), [
			keyB,
			text,
		] as const);
		await b.page.evaluate(([to, said]) => globalThis.node.messages.send(to, said), [
			keyA,
			text,
		] as const);
	}
	for (const [tab, from] of [
		[a, keyB],
		[b, keyA],
	] as const) {
		const received = await tab.page.evaluate(() => globalThis.received);
		assert.deepEqual(
			received.map((message) => message.text),
			texts,
		);
		assert.ok(received.every((message) => message.from === from));
	}
	for (const tab of [a, b]) {
		const { links } = await tab.status();
		assert.deepEqual(
			links.map((link) => link.role),
			["bridge"],
		);
	}
});

test("no relay could read content or learn both ends from any cell", async () => {
	const [idA, idB] = [await id(a), await id(b)];
	const seen = [
		logged(bridge(0)),
		logged(bridge(1)),
		(await c.page.evaluate("nanonet.glimpses(node)")) as Record<string, string>[],
	];
	const content = Buffer.from(SECRET).toString("hex");
	for (const [relay, glimpses] of seen.entries()) {
		const peeled = glimpses.filter(({ after }) => after);
		assert.ok(peeled.length >= 8, `relay ${relay} took its layer off ${peeled.length} cells`);
		for (const { cell, before: closed, after: opened } of glimpses) {
			for (const bytes of [cell, closed, opened]) {
				assert.ok(!bytes?.includes(content), `relay ${relay} could read a message`);
				assert.ok(!bytes?.includes(idA) && !bytes?.includes(idB), `relay ${relay} read an id`);
			}
		}
		const nodes = new Set(glimpses.flatMap(({ from, to, next }) => [from, to, next]));
		assert.ok(!(nodes.has(idA) && nodes.has(idB)), `relay ${relay} saw both ends`);
	}
	// The bridges each know one of them, so that the look at what they saw is not empty.
	const knows = (glimpses: Record<string, string>[] | undefined, wanted: string) =>
		glimpses?.some(({ from, next }) => from === wanted || next === wanted);
	assert.ok(knows(seen[0], idA) && knows(seen[1], idB));
	assert.ok(!knows(seen[2], idA) && !knows(seen[2], idB), "the browser between knows neither");
});

test("a payment asked for in a message comes as one, in the form that every wallet reads", async () => {
	const account = "nano_3t6k35gi95xu6tergt6p69ck76ogmitsa8mnijtpxm9fkcm736xtoncuohr3";
	const asked = await a.page.evaluate(
		async ([to, account]) => {
			const { messages } = globalThis.node;
			const request = { account, amount: 5n * 10n ** 29n, label: "A", message: "tea & milk" };
			const { id } = await messages.requestPayment(to, request);
			const wrong = { account: "nano_1", amount: 1n };
			const refused = await messages.requestPayment(to, wrong).then(
				() => "sent",
				(error: { code: string }) => error.code,
			);
			return { id, refused };
		},
		[await key(b), account] as const,
	);
	assert.equal(asked.refused, "bad-payment");
	const came = await b.page.evaluate(() => {
		const last = globalThis.received.at(-1);
		return { ...last, amount: last?.payment?.amount?.toString() };
	});
	assert.equal(came.id, asked.id);
	assert.equal(came.amount, "500000000000000000000000000000");
	assert.equal(came.payment?.account, account);
	assert.equal(came.payment?.message, "tea & milk");
	assert.equal(
		came.text,
		`nano:${account}?amount=500000000000000000000000000000&label=A&message=tea%20%26%20milk`,
	);
});

test("a key nobody registered, a key mistyped and a message too long are refused with their reasons", async () => {
	const codes = await a.page.evaluate(
		async (known) => {
			const code = (error: { code: string }) => error.code;
			const { registry, messages } = globalThis.node;
			const stranger = "key_11111111111111111111111111111111";
			return [
				await registry.lookup(stranger).then(() => "found", code),
				await messages.send(known, "x".repeat(9_000)).then(() => "sent", code),
				await messages.send(known, "x", { relays: 6 }).then(() => "sent", code),
				await messages.send(globalThis.node.key, "x").then(() => "sent", code),
			];
		},
		await key(b),
	);
	assert.deepEqual(codes, ["bad-key", "message-too-long", "bad-route", "message-to-self"]);
	// A true key that nobody has registered: C's.
	const unknown = await a.page.evaluate(
		(wanted) =>
			globalThis.node.registry.lookup(wanted).then(
				() => "found",
				(error: { code: string }) => error.code,
			),
		await key(c),
	);
	assert.equal(unknown, "unknown-key");
});
