// What a hop of a private message costs, in a browser's worker and natively, beside the cipher alone in the same run.

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { serve } from "../e2e/lib/static-server.js";
import { launch, site } from "../e2e/lib/tabs.js";
import { against, type Bench, type Figure, round } from "./figures.js";

const root = fileURLToPath(new URL("../..", import.meta.url));

interface Rates {
	hop: number;
	cipher: number;
}

/** Cells per second of a hop in a bridge's one thread. */
function bridge(): Rates {
	const args = ["bench", "-q", "-p", "nanonet", "--bench", "cells", "--", "--json"];
	const out = execFileSync("cargo", args, {
		cwd: root,
		encoding: "utf8",
		stdio: ["ignore", "pipe", "inherit"],
	});
	return JSON.parse(out);
}

/** The same in the worker of a browser's node. */
async function browser(): Promise<Rates> {
	const pages = site();
	const server = await serve(pages.path);
	const chromium = await launch();
	try {
		const page = await chromium.newPage();
		page.on("pageerror", (error) => console.error(error));
		await page.goto(`${server.url}liar.html`);
		await page.waitForFunction("globalThis.ready === true");
		return (await page.evaluate(
			`nanonet.NanoNode.start({ network: "dev", bridges: [], storage: "memory" }).then((node) => nanonet.measureCells(node))`,
		)) as Rates;
	} finally {
		await chromium.close();
		server.close();
		pages.remove();
	}
}

const figure = (where: string, { hop, cipher }: Rates): Figure =>
	against(
		{ name: `cells-per-s ${where}`, value: round(hop), unit: "1/s" },
		"ChaCha20-Poly1305",
		round(cipher),
	);

/** Cells per second and hop. */
export const messages: Bench = {
	about: "cells of private messages per second and hop, beside plain ChaCha20-Poly1305",
	figures: ["cells-per-s browser", "cells-per-s bridge"],
	limits: { "cells-per-s browser": { least: 0.5 }, "cells-per-s bridge": { least: 0.5 } },
	async run(): Promise<Figure[]> {
		return [figure("browser", await browser()), figure("bridge", bridge())];
	},
};
