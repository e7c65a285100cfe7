// Firefox is a node like any other: it links to Chromium, is answered by it, and answers it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Browser, firefox } from "playwright-core";
import { account, ledgerState, REPRESENTATIVES } from "../e2e/lib/development.js";
import {
	type BridgeReady,
	type DevnetReady,
	type Server,
	startBridge,
	startDevnet,
} from "../e2e/lib/servers.js";
import { launch, site, Tab } from "../e2e/lib/tabs.js";
import { until } from "../e2e/lib/wait.js";

const OPTIONS = { maxLinks: 6, replicas: 1, workThreads: 1 };

let chromiumBrowser: Browser;
let firefoxBrowser: Browser;
let devnet: Server<DevnetReady>;
let bridge: Server<BridgeReady>;
const pages = site();

before(async () => {
	const executablePath = process.env.NANONET_FIREFOX;
	if (!executablePath)
		throw new Error("NANONET_FIREFOX must name a Firefox: run `npm run test:lab`.");
	chromiumBrowser = await launch();
	firefoxBrowser = await firefox.launch({ channel: "moz-firefox", executablePath });
	devnet = await startDevnet();
	bridge = await startBridge([
		...["--listen", "127.0.0.1:0", "--peer", devnet.ready.peering],
		...["--rpc", `http://${devnet.ready.rpc}`, "--www", pages.path],
	]);
});

after(async () => {
	await chromiumBrowser?.close();
	await firefoxBrowser?.close();
	await bridge?.kill();
	await devnet?.kill();
	pages.remove();
});

test("Firefox and Chromium link directly and answer each other with proofs", async () => {
	const chrome = await Tab.open(chromiumBrowser, bridge.ready.url, "Chromium", OPTIONS);
	const fox = await Tab.open(firefoxBrowser, bridge.ready.url, "Firefox", OPTIONS);
	for (const one of [chrome, fox]) {
		await until(`${one.name} has a direct link`, async () =>
			(await one.status()).links.some((link) => link.kind === "data-channel"),
		);
	}
	const accounts = await Promise.all(
		Array.from({ length: REPRESENTATIVES }, (_, index) => account(chrome.page, index)),
	);
	// An asker keeps what it was told, so each asks for a half and is then asked for it.
	for (const [index, { address }] of accounts.entries()) {
		await (index % 2 === 0 ? chrome : fox).account(address);
	}
	for (const [asker, holder] of [
		[chrome, fox],
		[fox, chrome],
	] as const) {
		const holderId = await holder.id();
		const answer = await until(`${asker.name} is answered by ${holder.name}`, async () => {
			const own = new Set(await asker.heldAccounts());
			const theirs = new Set(await holder.heldAccounts());
			for (const { address, publicKey } of accounts) {
				if (own.has(publicKey) || !theirs.has(publicKey)) continue;
				const got = await asker.account(address);
				if (got.source.id === holderId) return got;
			}
			return undefined;
		});
		const truth = await ledgerState(devnet.ready.rpc, answer.account);
		assert.equal(answer.balance, truth.balance.toString());
		assert.ok(answer.proof && BigInt(answer.proof.weight) >= BigInt(answer.proof.threshold));
	}
});
