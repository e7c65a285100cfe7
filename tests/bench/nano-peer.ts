// What a bridge asks of full nodes for a proof, and how fast it reads and proves, with 16 voting channels.
// `messages-per-s` is one core that frames and parses what a channel brings, without sockets and signatures.

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { against, type Bench, type Figure, round } from "./figures.js";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Units of the figures, and the limits of those that have one. */
const FIGURES: Record<string, { unit: string; limit?: number }> = {
	"messages-per-s": { unit: "1/s" },
	"proofs-per-s": { unit: "1/s" },
	"requests-per-cold-proof": { unit: "messages", limit: 3 },
	"requests-per-live-proof": { unit: "messages", limit: 1 },
	"single-cold-ms": { unit: "ms" },
	"single-cold-messages": { unit: "messages" },
	"proof-bytes": { unit: "B", limit: 4_096 },
	"proof-bytes-p95": { unit: "B" },
};

/** The bridge as a peer of full nodes. */
export const nanoPeer: Bench = {
	about: "what a bridge asks of 16 voting full nodes for a proof, and how fast it makes proofs",
	figures: Object.keys(FIGURES),
	limits: Object.fromEntries(
		Object.entries(FIGURES)
			.filter(([, { limit }]) => limit !== undefined)
			.map(([name]) => [name, { most: 1 }]),
	),
	async run(): Promise<Figure[]> {
		const out = execFileSync("cargo", ["run", "-q", "--release", "-p", "bench-nano-peer"], {
			cwd: root,
			encoding: "utf8",
			stdio: ["ignore", "pipe", "inherit"],
		});
		const measured: Record<string, number> = JSON.parse(out);
		return Object.entries(FIGURES).map(([name, { unit, limit }]) => {
			const figure = { name, value: round(measured[name] ?? Number.NaN), unit };
			return limit === undefined ? figure : against(figure, "limit", limit);
		});
	},
};
