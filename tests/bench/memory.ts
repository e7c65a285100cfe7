// Memory that a page's process has for itself, as the system counts it.

import { readFileSync } from "node:fs";
import type { Browser } from "playwright-core";
import { launch } from "../e2e/lib/tabs.js";

/** Switches with which a browser has one process for pages, the one that is measured. */
const ONE_PROCESS = [
	"--renderer-process-limit=1",
	"--disable-features=SpareRendererForSitePerProcess",
	"--js-flags=--expose-gc",
];

/** A browser whose pages' memory can be told. */
export const launchMeasured = (): Promise<Browser> => launch(ONE_PROCESS);

/** Private bytes of all processes that run pages. */
export async function privateBytes(browser: Browser): Promise<number> {
	const session = await browser.newBrowserCDPSession();
	const { processInfo } = (await session.send("SystemInfo.getProcessInfo")) as {
		processInfo: { type: string; id: number }[];
	};
	await session.detach();
	const of = (id: number): number => {
		const text = readFileSync(`/proc/${id}/smaps_rollup`, "utf8");
		const rows = text.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB$/gm);
		return [...rows].reduce((sum, [, kilobytes]) => sum + Number(kilobytes) * 1024, 0);
	};
	return processInfo
		.filter(({ type }) => type === "renderer")
		.reduce((sum, { id }) => sum + of(id), 0);
}
