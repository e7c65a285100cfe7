// Real Chromium tabs, each in a context of its own, that run a node through the npm package.

import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { temporaryFolder } from "./servers.js";
import { until } from "./wait.js";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** Chromium's switches for tests. */
export const CHROMIUM_ARGS = [
	"--no-sandbox",
	"--disable-quic",
	"--no-first-run",
	"--disable-background-networking",
	"--disable-component-update",
	"--disable-sync",
];

/** Starts the browser named by NANONET_BROWSER, with further switches. */
export function launch(more: string[] = []): Promise<Browser> {
	const executablePath = process.env.NANONET_BROWSER;
	if (!executablePath) throw new Error("NANONET_BROWSER must name a Chromium: run `npm test`.");
	return chromium.launch({ executablePath, args: [...CHROMIUM_ARGS, ...more] });
}

/**
 * The test page: an empty one that puts the package's exports where tests reach them. The bridge's policy has Trusted
 * Types, so that a page has to say that the package may start its workers.
 */
const testPage = (node: string) => ({
	html: `<!doctype html><html lang="en"><meta charset="utf-8"><title>test</title><link rel="icon" href="data:,"><script type="module" src="/${node}.test.js"></script></html>`,
	script: `globalThis.trustedTypes?.createPolicy("default", { createScriptURL: (url) => url }); import * as nanonet from "/${node}.js"; import * as core from "/nanonet/core.js"; import { heldAccounts } from "/held-accounts.js"; await core.initCore(); Object.assign(globalThis, { nanonet, core, heldAccounts, ready: true });`,
});

/**
 * A folder for a bridge to serve: an empty page with the npm package, and `liar.html` with the build whose node
 * lies on command.
 */
export function site(): { path: string; remove: () => void } {
	const folder = temporaryFolder();
	cpSync(join(root, "nano-wasm", "pkg"), join(folder.path, "nanonet"), { recursive: true });
	cpSync(join(root, "tests", "e2e", "liar"), join(folder.path, "liar"), { recursive: true });
	cpSync(
		join(root, "tests", "e2e", "pages", "held-accounts.js"),
		join(folder.path, "held-accounts.js"),
	);
	for (const [page, node] of [
		["index.html", "nanonet/index"],
		["liar.html", "liar/liar"],
	] as const) {
		const { html, script } = testPage(node);
		writeFileSync(join(folder.path, page), html);
		writeFileSync(join(folder.path, `${node}.test.js`), script);
	}
	return folder;
}

/** Options of `NanoNode.start` that tests set. */
export interface TabOptions {
	maxLinks?: number;
	replicas?: number;
	name?: string;
	workThreads?: number;
	[more: string]: unknown;
}

/** One tab with a node in it. */
export class Tab {
	private constructor(
		readonly context: BrowserContext,
		readonly page: Page,
		readonly name: string,
		readonly problems: string[],
	) {}

	/** Opens a context, loads the page, before it runs `scripts`, and starts a node. */
	static async open(
		browser: Browser,
		url: string,
		name: string,
		options: TabOptions = {},
		scripts: string[] = [],
	): Promise<Tab> {
		const context = await browser.newContext();
		// The compiler that runs the tests names functions through a helper that pages lack.
		await context.addInitScript("globalThis.__name = (named) => named");
		for (const script of scripts) await context.addInitScript(script);
		const page = await context.newPage();
		const problems: string[] = [];
		page.on("pageerror", (error) => problems.push(`${name}: ${error.stack ?? error}`));
		page.on("console", (message) => {
			if (message.type() === "error") problems.push(`${name}: ${message.text()}`);
		});
		const tab = new Tab(context, page, name, problems);
		await page.goto(url);
		await tab.start(options);
		return tab;
	}

	/** Starts the node on the loaded page. */
	async start(options: TabOptions = {}): Promise<void> {
		await until(`${this.name} has loaded its scripts`, () =>
			this.page.evaluate(() => globalThis.ready === true),
		);
		await this.page.evaluate(async (given) => {
			const { NanoNode } = globalThis.nanonet;
			globalThis.node = await NanoNode.start({ network: "dev", ...given });
		}, options);
	}

	/** The node's state as the API gives it. */
	status(): Promise<Status> {
		return this.page.evaluate(() => globalThis.node.status()) as Promise<Status>;
	}

	/** The node's id, hex. */
	id(): Promise<string> {
		return this.page.evaluate(() => globalThis.node.id);
	}

	/** Asks for an account; amounts come as decimal text. */
	account(address: string, options: object = {}): Promise<Answer> {
		return this.page.evaluate(
			async ([asked, given]) => {
				const answer = await globalThis.node.account(asked, given);
				return JSON.parse(
					JSON.stringify(answer, (_key, value) =>
						typeof value === "bigint" ? value.toString() : value,
					),
				);
			},
			[address, options] as const,
		);
	}

	/** Computes work in the tab's own pool of workers. */
	work(root: string, threshold: string): Promise<string> {
		return this.page.evaluate(
			([over, reach]) => globalThis.node.work.generate(over, { difficulty: reach }),
			[root, threshold] as const,
		);
	}

	/** Hands a signed block with work to the node; resolves when it is proven confirmed. */
	process(block: object): Promise<{ hash: string; state: string }> {
		return this.page.evaluate((given) => globalThis.node.process(given), block);
	}

	/** Public keys (64 hex digits) of the accounts in the tab's slice, read from IndexedDB itself. */
	heldAccounts(): Promise<string[]> {
		return this.page.evaluate(() => globalThis.heldAccounts());
	}

	/** Whether the nodes that are stored as known include a bridge at this host. */
	remembers(bridge: string): Promise<boolean> {
		return this.page.evaluate(
			(wanted) =>
				new Promise<boolean>((resolve, reject) => {
					const request = indexedDB.open("nanonet-default-dev");
					request.onerror = () => reject(request.error);
					request.onsuccess = () => {
						const store = request.result.transaction("meta").objectStore("meta");
						const read = store.get("known");
						read.onerror = () => reject(read.error);
						read.onsuccess = () => {
							request.result.close();
							resolve(new TextDecoder("latin1").decode(read.result).includes(wanted));
						};
					};
				}),
			bridge,
		);
	}

	/** Keeps an account up to date in the tab. */
	async watch(address: string): Promise<void> {
		await this.page.evaluate((watched) => globalThis.node.watch(watched), address);
	}

	/** From now on the node lies in this way when it is asked; only for tabs on `liar.html`. */
	async lie(how: string): Promise<void> {
		await this.page.evaluate((kind) => globalThis.nanonet.tamper(globalThis.node, kind), how);
	}

	/** Closes the tab and its context, as a person does: the page may say good-bye to its peers. */
	async close(): Promise<void> {
		await this.page.evaluate(() => globalThis.node.stop());
		await this.context.close();
	}
}

/** The parts of a link that tests read. */
export interface Link {
	id: string;
	kind: string;
	role?: string;
	since: number;
	datagramsIn: number;
	datagramsOut: number;
	introducedBy: { kind: "peers" | "bridge"; id: string; asked: boolean } | null;
}

/** The parts of a node's status that tests read. */
export interface Status {
	state: string;
	standing: string;
	links: Link[];
	bridges: string[];
	records: number;
	pending: number;
	refused: Record<string, number>;
	dropped: Record<string, number>;
}

/** An account's answer with amounts as decimal text. */
export interface Answer {
	account: string;
	state: "opened" | "unopened" | "unknown";
	balance: string;
	frontier: string | null;
	representative: string | null;
	receivable: { hash: string; source: string; amount: string }[];
	proof: { weight: string; threshold: string; votes: { representative: string }[] } | null;
	asOf: number | null;
	source: { kind: "own-slice" | "peer" | "bridge"; id: string | null; hops: number };
	order: string;
}

/** Writes a file into the folder of results that a failing run leaves behind. */
export function keep(name: string, data: string | Buffer): void {
	const folder = join(root, "tests", "results");
	mkdirSync(folder, { recursive: true });
	writeFileSync(join(folder, name), data);
}

declare global {
	// The test page puts the package and its node here.
	// biome-ignore lint/suspicious/noExplicitAny: the page's side is untyped on purpose: it is the built package
	var nanonet: any;
	// biome-ignore lint/suspicious/noExplicitAny: as above
	var core: any;
	// biome-ignore lint/suspicious/noExplicitAny: as above
	var node: any;
	var ready: boolean;
	var heldAccounts: () => Promise<string[]>;
	/** Private messages, where a test collects them. */
	var received: {
		from: string;
		id: string;
		text: string;
		payment?: { account: string; amount?: bigint; message?: string };
	}[];
}
