// Sending whose work was computed ahead: from a person's click to the receipt of a bridge in the tab.
//
// A real page, a real mouse, a bridge with its development network. The work is known to be there because the page says
// so before each click; on the development network it takes less work, which makes no difference once it is there. The
// receipt is the bridge's word that it passed the block to full nodes, at the moment that the page's thread hears it: the
// block has left the tab before, so what is measured is more than is promised.

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import * as person from "../e2e/lib/page.js";
import { startBridge } from "../e2e/lib/servers.js";
import { launch } from "../e2e/lib/tabs.js";
import { until } from "../e2e/lib/wait.js";
import { against, type Bench, type Figure, quantile, round } from "./figures.js";

const dist = join(fileURLToPath(new URL("../..", import.meta.url)), "www", "dist");

const SENDS = 25;
/** What a person takes for at once. */
const LIMIT_MS = 100;

/** When the last click was, and when the tab heard of each of its blocks, in milliseconds of the page's clock. */
interface Heard {
	clicked: number;
	accepted: number[];
}

/** Writes down, in the page, when it is clicked and what its node's worker tells it. */
function listen(): void {
	const heard: Heard = { clicked: 0, accepted: [] };
	Object.assign(globalThis, { heard });
	addEventListener("click", (event) => (heard.clicked = event.timeStamp), { capture: true });
	Object.defineProperty(Worker.prototype, "onmessage", {
		set(this: Worker, listener: (event: { data: unknown }) => void) {
			this.addEventListener("message", (event) => {
				const [text] = Array.isArray(event.data) ? event.data : [];
				if (typeof text === "string" && text.includes('"accepted"'))
					heard.accepted.push(performance.now());
				listener(event);
			});
		},
	});
}

const heardBy = (page: Page) =>
	page.evaluate(() => (globalThis as unknown as { heard: Heard }).heard);

/** One payment of a raw; gives the milliseconds from the click to the receipt. */
async function pay(page: Page, to: string): Promise<number> {
	await page.getByRole("textbox", { name: "To", exact: true }).fill(to);
	await page.getByRole("textbox", { name: "Amount in nano" }).fill("0.001");
	await page.locator(".work-ready").waitFor();
	const before = (await heardBy(page)).accepted.length;
	await page.getByRole("button", { name: "Send", exact: true }).click();
	await until("a bridge has taken the block", async () => {
		return (await heardBy(page)).accepted.length > before;
	});
	const { clicked, accepted } = await heardBy(page);
	await page.locator(".progress.confirmed").waitFor();
	return (accepted[before] ?? Number.NaN) - clicked;
}

/** From a click to a bridge's receipt. */
export const send: Bench = {
	about: "sending with work computed ahead, from the click to a bridge's receipt",
	figures: ["click-to-sent-ms", "click-to-sent-worst-ms"],
	// The worst of all sends is told and has no limit: it is what else the machine did.
	limits: { "click-to-sent-ms": { most: 1 } },
	async run(): Promise<Figure[]> {
		const bridge = await startBridge([
			"--listen",
			"127.0.0.1:0",
			"--embedded-devnet",
			"--www",
			dist,
		]);
		const browser = await launch();
		try {
			const payee = await person.visit(browser, bridge.ready.url);
			await person.startNode(payee.page);
			const to = await person.createWallet(payee.page);
			await payee.context.close();
			const { page } = await person.visit(browser, bridge.ready.url, listen);
			await person.startNode(page);
			await person.createWallet(page);
			await page.getByRole("button", { name: "Get test coins" }).click();
			await until("the coins are there", async () => /[1-9]/.test(await person.balance(page)));
			const took: number[] = [];
			// The first one lets the browser compile everything.
			await pay(page, to);
			while (took.length < SENDS) took.push(await pay(page, to));
			if (process.env.NANONET_BENCH_EACH) console.error(took.map(round).join(" "));
			const figure = (name: string, value: number, spread?: number) =>
				against(
					{ name, value: round(value), unit: "ms", ...(spread ? { spread: round(spread) } : {}) },
					"limit",
					LIMIT_MS,
				);
			const spread = (quantile(took, 0.75) - quantile(took, 0.25)) / 2;
			return [
				figure("click-to-sent-ms", quantile(took, 0.5), spread),
				figure("click-to-sent-worst-ms", Math.max(...took)),
				{ name: "sends", value: took.length, unit: "" },
			];
		} finally {
			await browser.close();
			await bridge.kill();
		}
	},
};
