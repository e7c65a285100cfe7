// From opening the page to the first balance that another browser answered and this one verified.
//
// A link `#ask=nano_…` is opened by somebody who has pressed "Start my node" before, so that nothing waits for a click.
// Cold: a browser that keeps nothing else, neither files nor identity. Warm: the same one again, whose records are
// taken away so that it has to ask. The balance is held by another browser only: the bridge both are linked to was
// started after that one had asked, keeps nothing, and passes questions on. Each answer's source is looked at; one that
// came from elsewhere is told and does not count.

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BrowserContext, Page } from "playwright-core";
import { account, REPRESENTATIVES } from "../e2e/lib/development.js";
import * as person from "../e2e/lib/page.js";
import { type BridgeReady, type Server, startBridge, startDevnet } from "../e2e/lib/servers.js";
import { launch } from "../e2e/lib/tabs.js";
import { until } from "../e2e/lib/wait.js";
import { against, type Bench, type Figure, quantile, round } from "./figures.js";

const dist = join(fileURLToPath(new URL("../..", import.meta.url)), "www", "dist");

/** Cold and warm openings; each takes two accounts that nobody asked this bridge for. */
const TURNS = Math.floor(REPRESENTATIVES / 2);
const COLD_MS = 1_000;
const WARM_MS = 300;
/** What is waited for, in order; each figure is the time since the one before. */
const STEPS = ["page", "script", "node", "link", "answer"] as const;

/** When each step was reached, in milliseconds since the page was opened. */
interface Opening {
	at: Record<(typeof STEPS)[number], number>;
	fromPeer: boolean;
}

/** Opens the page with a question and waits for the verified answer. */
async function open(page: Page, url: string, address: string): Promise<Opening> {
	await page.goto(`${url}#ask=${address}`);
	await page.locator("article .verdict").waitFor();
	return page.evaluate(() => {
		const mark = (name: string) =>
			performance.getEntriesByName(`nanonet-${name}`)[0]?.startTime ?? Number.NaN;
		const [navigation] = performance.getEntriesByType("navigation");
		return {
			at: {
				page: (navigation as PerformanceNavigationTiming).responseEnd,
				script: mark("script"),
				node: mark("node"),
				link: mark("link"),
				answer: mark("answer"),
			},
			fromPeer: document.querySelector("article .facts dd")?.textContent?.includes("tab,") === true,
		};
	});
}

/** Takes away the records that a browser holds, so that it has to ask; who it is and what it trusts stay. */
const forgetRecords = (page: Page) =>
	page.evaluate(async () => {
		const promised = <T>(request: IDBRequest<T>) =>
			new Promise<T>((resolve, reject) => {
				request.onsuccess = () => resolve(request.result);
				request.onerror = () => reject(request.error);
			});
		for (const { name } of await indexedDB.databases()) {
			if (!name?.startsWith("nanonet")) continue;
			const database = await promised(indexedDB.open(name));
			for (const store of database.objectStoreNames) {
				if (store !== "meta") {
					const records = database.transaction(store, "readwrite").objectStore(store);
					await promised(records.clear());
				}
			}
			database.close();
		}
	});

async function turn(
	context: BrowserContext,
	url: string,
	[first, second]: [string, string],
): Promise<[Opening, Opening]> {
	// The compiler that runs this names functions through a helper that pages lack.
	await context.addInitScript("globalThis.__name = (named) => named");
	await context.addInitScript(() => localStorage.setItem("nanonet-started", "yes"));
	const page = await context.newPage();
	const cold = await open(page, url, first);
	await page.evaluate(() => navigator.serviceWorker.ready);
	// Another page of the same origin: the node is gone, and what it kept can be reached.
	await page.goto(`${url}icon.svg`);
	await forgetRecords(page);
	return [cold, await open(page, url, second)];
}

/** From opening the page to a verified balance. */
export const firstBalance: Bench = {
	about: "opening the page to the first verified balance from another browser, by step",
	figures: [
		"cold-ms",
		"warm-ms",
		...["cold", "warm"].flatMap((k) => STEPS.map((s) => `${k}-${s}-ms`)),
	],
	limits: { "cold-ms": { most: 1 }, "warm-ms": { most: 1 } },
	async run(): Promise<Figure[]> {
		const devnet = await startDevnet();
		const start = (listen: string): Promise<Server<BridgeReady>> =>
			startBridge([
				...["--listen", listen, "--peer", devnet.ready.peering],
				...["--rpc", `http://${devnet.ready.rpc}`, "--www", dist],
			]);
		let bridge = await start("127.0.0.1:0");
		const { url } = bridge.ready;
		const other = await launch();
		const browser = await launch();
		try {
			const { page: holder } = await person.visit(other, url);
			await person.startNode(holder);
			await holder.evaluate(async () => {
				const link = document.querySelector<HTMLLinkElement>("link[rel=modulepreload]");
				const core = await import(link?.href.replace("index.js", "core.js") ?? "");
				await core.initCore();
				Object.assign(globalThis, { core });
			});
			const accounts = await Promise.all(
				Array.from({ length: REPRESENTATIVES }, (_, index) => account(holder, index)),
			);
			for (const { address } of accounts) {
				await holder.evaluate((asked) => {
					location.hash = `#ask=${asked}`;
				}, address);
				await holder.locator(`article code[title="${address}"]`).first().waitFor();
			}
			await bridge.kill();
			await until(
				"the holder has lost its bridge",
				async () => (await holder.getByText("Linked to").count()) === 0,
			);
			bridge = await start(new URL(url).host);
			await person.linked(holder);
			const cold: Opening[] = [];
			const warm: Opening[] = [];
			for (let at = 0; at < TURNS; at++) {
				const [one, two] = [accounts[2 * at], accounts[2 * at + 1]];
				if (!one || !two) break;
				const context = await browser.newContext();
				const both = await turn(context, url, [one.address, two.address]);
				cold.push(both[0]);
				warm.push(both[1]);
				await context.close();
			}
			return [...figures("cold", cold, COLD_MS), ...figures("warm", warm, WARM_MS)];
		} finally {
			await browser.close();
			await other.close();
			await bridge.kill();
			await devnet.kill();
		}
	},
};

function figures(kind: "cold" | "warm", all: Opening[], limit: number): Figure[] {
	const counted = all.filter(({ fromPeer }) => fromPeer);
	const whole = counted.map(({ at }) => at.answer);
	const spread = (quantile(whole, 0.75) - quantile(whole, 0.25)) / 2;
	const figure: Figure = {
		name: `${kind}-ms`,
		value: round(quantile(whole, 0.5)),
		spread: round(spread),
		unit: "ms",
	};
	const parts = STEPS.map((step, index): Figure => {
		const before = STEPS[index - 1];
		const took = counted.map(({ at }) => at[step] - (before ? at[before] : 0));
		return { name: `${kind}-${step}-ms`, value: round(quantile(took, 0.5)), unit: "ms" };
	});
	return [
		against(figure, "limit", limit),
		...parts,
		{ name: `${kind}-openings`, value: counted.length, unit: `of ${all.length}` },
	];
}
