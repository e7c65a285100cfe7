// How fast the browser checks signatures and whole proofs, beside the most used JavaScript library, in one page.

import { execFileSync } from "node:child_process";
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { temporaryFolder } from "../e2e/lib/servers.js";
import { serve } from "../e2e/lib/static-server.js";
import { launch } from "../e2e/lib/tabs.js";
import { against, type Bench, type Figure, round } from "./figures.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const here = fileURLToPath(new URL(".", import.meta.url));

/** How long each side is measured at a time, and how often the two take turns. */
const SLICE_MS = 1_000;
const TURNS = 5;

/** What is verified, made natively. */
const material = () =>
	execFileSync("cargo", ["run", "-q", "-p", "bench-material"], { cwd: root, maxBuffer: 1 << 24 });

/** Signatures and proofs verified per second in the browser. */
export const verify: Bench = {
	about: "signatures and 16-vote proofs verified per second in Chromium, beside nanocurrency-web",
	figures: ["signatures-per-s", "proofs-per-s"],
	limits: { "signatures-per-s": { least: 5 }, "proofs-per-s": { least: 1 } },
	async run(): Promise<Figure[]> {
		const folder = temporaryFolder();
		try {
			cpSync(join(root, "nano-wasm", "pkg"), join(folder.path, "nanonet"), { recursive: true });
			await build({
				entryPoints: [join(here, "verify-page.ts")],
				bundle: true,
				format: "esm",
				external: ["/nanonet/*"],
				outfile: join(folder.path, "page.js"),
				logLevel: "warning",
				define: { global: "globalThis" },
			});
			writeFileSync(join(folder.path, "material.json"), material());
			writeFileSync(
				join(folder.path, "index.html"),
				'<!doctype html><meta charset="utf-8"><script type="module" src="/page.js"></script>',
			);
			const server = await serve(folder.path);
			const browser = await launch();
			try {
				const page = await browser.newPage();
				page.on("pageerror", (error) => console.error(error));
				await page.goto(server.url);
				await page.waitForFunction("globalThis.measure !== undefined");
				const result = await page.evaluate(
					([slice, turns]) => (globalThis as unknown as { measure: Measure }).measure(slice, turns),
					[SLICE_MS, TURNS] as const,
				);
				return [
					against(
						{ name: "signatures-per-s", value: round(result.ours), unit: "1/s" },
						"nanocurrency-web",
						round(result.theirs),
					),
					against(
						{ name: "proofs-per-s", value: round(result.proofs), unit: "1/s" },
						"target",
						200,
					),
				];
			} finally {
				await browser.close();
				server.close();
			}
		} finally {
			folder.remove();
		}
	},
};

/** The page's side: verifications per second, the median of the turns. */
export type Measure = (
	sliceMs: number,
	turns: number,
) => Promise<{ ours: number; theirs: number; proofs: number }>;
