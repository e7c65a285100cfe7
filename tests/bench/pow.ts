// Work in the browser: our kernel and pool beside the published `nano-pow` and `nanocurrency`, in one Chromium,
// in pages that take turns.
//
// A figure is what counts, nonces tried until the first find, per second of processor time of the whole browser. So a
// library pays for what its threads do after the find, and a busy machine takes no more from one than from another.
// Work is searched for at the difficulty of a receive on the live network: eight million nonces on average.
//
// A nonce that is passed counts only as far as it would be found: `nano-pow` 5.1.9 overlooks some that reach the
// difficulty, and its share of found ones is measured in the same run. `kernel-nominal` and the figures that bear its
// name leave that out of account.
//
// Both peers are GPL: they are installed for this measurement alone and are no part of anything that is shipped.

import { randomBytes } from "node:crypto";
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Page } from "playwright-core";
import { temporaryFolder } from "../e2e/lib/servers.js";
import { serve } from "../e2e/lib/static-server.js";
import { launch } from "../e2e/lib/tabs.js";
import { against, type Bench, type Figure, quantile, round } from "./figures.js";
import { kernelWorker, nanocurrencyWorker } from "./pow-workers.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const here = fileURLToPath(new URL(".", import.meta.url));

const ROUNDS = 15;
const WARM_UP = 2;
/**
 * Searches of one library in a round. What a search came to is told by its finder alone, a rough guess where threads
 * are more than cores; nanocurrency needs several times as long, and its one search is enough for it.
 */
const SEARCHES: Record<Job["library"], number> = {
	kernel: 3,
	ours: 3,
	nanoPow: 3,
	nanocurrency: 1,
};
/** A browser that takes less than this share of a core has nothing to do. */
const QUIET = 0.15;
const LOOK_MS = 100;
const MOST_LOOKS = 300;
/** Difficulty of a receive on the live network. */
const RECEIVE = "fffffe0000000000";
/** Ticks of processor time in a second, as Linux tells them. */
const TICKS = 100;
/** What `nano-pow` takes unless told otherwise, on every machine. */
const NANO_POW_DEFAULT = 4;

/** One search, or one call of the kernel. */
export interface Job {
	library: "ours" | "nanoPow" | "nanocurrency" | "kernel";
	threads: number;
	root: string;
	difficulty: string;
}

/** What it came to: nonces that count, and the time on the clock. */
export interface JobResult {
	hashes: number;
	millis: number;
}

/** Processor time of all programs that this one started, seconds. */
function processorTime(): number {
	const parents = new Map<number, { parent: number; ticks: number }>();
	for (const name of readdirSync("/proc")) {
		if (!/^\d+$/.test(name)) continue;
		try {
			const stat = readFileSync(`/proc/${name}/stat`, "utf8");
			const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
			const ticks = Number(fields[11]) + Number(fields[12]);
			parents.set(Number(name), { parent: Number(fields[1]), ticks });
		} catch {
			// It has ended meanwhile.
		}
	}
	const ours = (pid: number): boolean => {
		const parent = parents.get(pid)?.parent;
		return parent === process.pid || (parent !== undefined && parent > 1 && ours(parent));
	};
	let sum = 0;
	for (const [pid, { ticks }] of parents) if (ours(pid)) sum += ticks;
	return sum / TICKS;
}

/** Processor time when nothing is left of what was asked for: what threads do after the find is its price too. */
async function settledTime(): Promise<number> {
	let before = processorTime();
	for (let look = 0; look < MOST_LOOKS; look++) {
		await setTimeout(LOOK_MS);
		const now = processorTime();
		if (now - before < QUIET * (LOOK_MS / 1000)) return before;
		before = now;
	}
	throw new Error("The browser does not come to rest: a thread searches on and on.");
}

/** Everything that takes turns. */
const JOBS: Pick<Job, "library" | "threads">[] = [
	{ library: "kernel", threads: 1 },
	...(["ours", "nanoPow", "nanocurrency"] as const).flatMap((library) =>
		[1, 2, 4].map((threads) => ({ library, threads })),
	),
];
const nameOf = ({ library, threads }: Pick<Job, "library" | "threads">) => `${library}-${threads}`;

/** Million nonces that count per second of processor time, of each round by job. */
async function measure(open: () => Promise<Page>): Promise<Map<string, number[]>> {
	const rates = new Map<string, number[]>();
	const pages = new Map<string, Page>();
	for (const job of JOBS) pages.set(nameOf(job), await open());
	for (let turn = -WARM_UP; turn < ROUNDS; turn++) {
		for (let place = 0; place < JOBS.length; place++) {
			const kind = JOBS[(place + Math.max(turn, 0)) % JOBS.length];
			const page = kind && pages.get(nameOf(kind));
			if (!page) throw new Error("There is no job in this place.");
			const before = processorTime();
			let hashes = 0;
			for (let search = 0; search < SEARCHES[kind.library]; search++) {
				const job = { ...kind, root: randomBytes(32).toString("hex"), difficulty: RECEIVE };
				const result = await page.evaluate(
					(given) =>
						(globalThis as unknown as { run: (job: Job) => Promise<JobResult> }).run(given),
					job,
				);
				hashes += result.hashes;
			}
			const seconds = (await settledTime()) - before;
			// The first rounds let the browser compile everything.
			if (turn < 0) continue;
			const name = nameOf(kind);
			rates.set(name, [...(rates.get(name) ?? []), hashes / Math.max(seconds, 1 / TICKS) / 1e6]);
			if (process.env.NANONET_BENCH_EACH) console.error(name, hashes, seconds);
		}
	}
	return rates;
}

/** Medians with their spread, and what each is compared with. */
function figures(rates: Map<string, number[]>, share: number): Figure[] {
	const of = (job: string) => rates.get(job) ?? [];
	const median = (job: string) => round(quantile(of(job), 0.5));
	const figure = (name: string, job: string): Figure => ({
		name,
		value: median(job),
		spread: round((quantile(of(job), 0.75) - quantile(of(job), 0.25)) / 2),
		unit: "MH/CPU-s",
	});
	const cores = availableParallelism();
	const own = [1, 2, 4].includes(cores) ? cores : 4;
	return [
		against(
			figure("kernel", "kernel-1"),
			"nano-pow, a thread, as far as it finds",
			round(median("nanoPow-1") * share),
		),
		against(figure("kernel-nominal", "kernel-1"), "nano-pow, a thread", median("nanoPow-1")),
		...[1, 2, 4].map((threads) =>
			against(figure(`driver-${threads}`, `ours-${threads}`), "kernel", median("kernel-1")),
		),
		against(
			figure("default", `ours-${own}`),
			"nano-pow, its default, as far as it finds",
			round(median(`nanoPow-${NANO_POW_DEFAULT}`) * share),
		),
		{ name: "nano-pow-finds", value: round(share), unit: "of 1" },
		...[1, 2, 4].map((threads) => figure(`nano-pow-${threads}`, `nanoPow-${threads}`)),
		...[1, 2, 4].map((threads) => figure(`nanocurrency-${threads}`, `nanocurrency-${threads}`)),
	];
}

/** Work in the browser beside the published packages. */
export const pow: Bench = {
	about:
		"work in Chromium, million nonces that count per CPU-second, beside nano-pow and nanocurrency",
	figures: ["kernel", "driver-1", "driver-2", "driver-4", "default"],
	limits: {
		kernel: { least: 1.05 },
		"driver-1": { least: 0.95 },
		"driver-2": { least: 0.95 },
		"driver-4": { least: 0.95 },
		default: { least: 2.5 },
	},
	async run(): Promise<Figure[]> {
		const folder = temporaryFolder();
		try {
			cpSync(join(root, "nano-wasm", "pkg"), join(folder.path, "nanonet"), { recursive: true });
			const bundle = { bundle: true, logLevel: "warning" } as const;
			await build({
				...bundle,
				entryPoints: [join(here, "pow-page.ts")],
				format: "esm",
				external: ["/nanonet/*"],
				outfile: join(folder.path, "page.js"),
			});
			await build({
				...bundle,
				stdin: { contents: nanocurrencyWorker, resolveDir: here },
				outfile: join(folder.path, "nanocurrency-worker.js"),
			});
			writeFileSync(join(folder.path, "kernel-worker.js"), kernelWorker);
			writeFileSync(
				join(folder.path, "index.html"),
				'<!doctype html><meta charset="utf-8"><script type="module" src="/page.js"></script>',
			);
			const server = await serve(folder.path, { isolated: true });
			const browser = await launch();
			try {
				const open = async () => {
					const page = await browser.newPage();
					page.on("pageerror", (error) => console.error(error));
					await page.goto(server.url);
					await page.waitForFunction("globalThis.run !== undefined");
					return page;
				};
				const finding = await open();
				const share = await finding.evaluate(() =>
					(globalThis as unknown as { nanoPowFinds: () => Promise<number> }).nanoPowFinds(),
				);
				return figures(await measure(open), share);
			} finally {
				await browser.close();
				server.close();
			}
		} finally {
			folder.remove();
		}
	},
};
