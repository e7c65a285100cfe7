// The documentation's site is whole, and what its guide shows runs as it is written.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import {
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Page } from "playwright-core";
import { undocumented } from "./lib/declarations.js";
import { account, fund, ledgerState, NANO, onFullNode } from "./lib/development.js";
import {
	type BridgeReady,
	type DevnetReady,
	type Server,
	startBridge,
	startDevnet,
	temporaryFolder,
} from "./lib/servers.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const pkg = join(root, "nano-wasm", "pkg");
const { buildSite } = (await import(
	new URL("../../scripts/lib/site.mjs", import.meta.url).href
)) as {
	buildSite(out: string): string;
};
const core = (await import(
	new URL("../../nano-wasm/pkg/server-core.js", import.meta.url).href
)) as typeof import("nanonet/core");
await core.initCore();
Object.assign(globalThis, { core });

/** Where the helpers that make blocks run: here. */
const here = {
	evaluate: async (body: (given: unknown) => unknown, given: unknown) => body(given),
} as unknown as Page;

const folder = temporaryFolder();
let devnet: Server<DevnetReady>;
let bridge: Server<BridgeReady>;

before(async () => {
	devnet = await startDevnet();
	bridge = await startBridge([
		...["--listen", "127.0.0.1:0", "--peer", devnet.ready.peering],
		...["--rpc", `http://${devnet.ready.rpc}`],
	]);
});

after(async () => {
	await bridge?.kill();
	await devnet?.kill();
	folder.remove();
});

test("every link of the site leads somewhere, and every exported name is in its reference", () => {
	const site = buildSite(join(folder.path, "site"));
	const pages = readdirSync(site).filter((name) => name.endsWith(".html"));
	assert.equal(pages.length, 6);
	for (const page of pages) {
		const html = readFileSync(join(site, page), "utf8");
		for (const [, to = ""] of html.matchAll(/href="([^"]+)"/g)) {
			if (/^(https?|data):/.test(to)) continue;
			const [file, id] = to.split("#");
			const target = join(site, file || page);
			assert.ok(existsSync(target), `${page}: ${to}`);
			if (id) assert.ok(readFileSync(target, "utf8").includes(`id="${id}"`), `${page}: ${to}`);
		}
	}
	const reference = readFileSync(join(site, "reference.html"), "utf8");
	for (const entry of ["index", "core", "work"]) {
		for (const name of undocumented(join(pkg, "types", `${entry}.d.ts`)).names) {
			assert.ok(reference.includes(`id="${entry}-${name}"`), `${entry}: ${name}`);
		}
	}
});

test("the guide runs as it is written", async () => {
	const seed = "99".repeat(32);
	const [payer, friend] = await Promise.all([account(here, 0, seed), account(here, 1, seed)]);
	await fund(here, devnet.ready.rpc, payer, NANO);
	const { frontier, representative } = await ledgerState(devnet.ready.rpc, payer.address);
	assert.ok(frontier && representative);
	// A payment to oneself waits to be received.
	const change = { representative, balance: NANO / 2n, link: payer.address };
	await onFullNode(here, devnet.ready.rpc, payer, { ...change, previous: frontier }, "send");
	const guide = readFileSync(join(root, "docs", "site", "guide.md"), "utf8");
	const blocks = [...guide.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code = ""]) => code);
	assert.ok(blocks.length >= 4);
	const written = blocks
		.join("\n")
		.replaceAll("https://bridge.example", bridge.ready.url)
		.replaceAll("NanoNode.start({", 'NanoNode.start({ network: "dev",')
		.replace(/nano_3t6k35[a-z0-9]+/, payer.address)
		.replaceAll("nano_1…", friend.address)
		// Events go on for ever; a test does not.
		.replace(/for await \(.*$/m, "const events = node.events('record');");
	const given = `import { signBlock } from "nanonet/core";
const seed = "${seed}";
const address = "${payer.address}";
const askTheDevice = (hash, block) => signBlock(block, "${payer.privateKey}").signature;
${written}
console.log((await node.health()).summary);
await events.return();
await node.stop();
`;
	mkdirSync(join(folder.path, "node_modules"));
	symlinkSync(pkg, join(folder.path, "node_modules", "nanonet"), "junction");
	writeFileSync(join(folder.path, "guide.mjs"), given);
	const { stdout } = await promisify(execFile)(process.execPath, ["guide.mjs"], {
		cwd: folder.path,
		timeout: 60_000,
	});
	assert.match(stdout, /^0\.5 XNO, confirmed by \d+ representatives$/m);
	assert.match(stdout, /^Linked to 0 browsers and 1 bridges/m);
	const after = await ledgerState(devnet.ready.rpc, payer.address);
	// Half of it was sent to oneself and received, a quarter went to the friend.
	assert.deepEqual([after.balance, after.representative], [(NANO * 3n) / 4n, friend.address]);
});
