// Starts the project's own servers as real processes for a test, and stops them.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const binary = join(root, "target", "debug", "bridge-server");

/** A temporary folder that a test removes at its end. */
export function temporaryFolder(): { path: string; remove: () => void } {
	const path = mkdtempSync(join(tmpdir(), "nanonet-test-"));
	return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** A running server process and the line it printed when ready. */
export class Server<Ready> {
	private constructor(
		private readonly child: ChildProcess,
		/** What the server said when it was ready. */
		readonly ready: Ready,
		private readonly log: string[],
		private readonly all: string[],
	) {}

	/** Starts `bridge-server` with the arguments and waits for its ready line. */
	static async start<Ready>(args: string[]): Promise<Server<Ready>> {
		const child = spawn(binary, args, {
			cwd: root,
			stdio: ["ignore", "pipe", "pipe"],
			env: { ...process.env, RUST_LOG: process.env.RUST_LOG ?? "info" },
		});
		const log: string[] = [];
		const all: string[] = [];
		const logsMore = /trace/.test(process.env.RUST_LOG ?? "");
		const keep = (line: string) => {
			if (logsMore) all.push(line);
			log.push(line);
			if (log.length > 400) log.shift();
		};
		createInterface({ input: child.stderr }).on("line", keep);
		const lines = createInterface({ input: child.stdout });
		const ready = await new Promise<Ready>((resolve, reject) => {
			lines.on("line", (line) => {
				keep(line);
				if (!line.startsWith("{")) return;
				const message = JSON.parse(line);
				if (message.ready) resolve(message as Ready);
			});
			child.once("exit", (code) =>
				reject(new Error(`bridge-server ${args.join(" ")} ended with ${code}:\n${log.join("\n")}`)),
			);
		});
		return new Server(child, ready, log, all);
	}

	/** Every line of the server's output so far, for a test that asked for a log. */
	everything(): string[] {
		return this.all;
	}

	/** The newest lines of the server's output, for a failing test. */
	output(): string {
		return this.log.join("\n");
	}

	/** Ends the process at once, as a crash would. */
	async kill(): Promise<void> {
		await this.end("SIGKILL");
	}

	/** Asks the process to end. */
	async stop(): Promise<void> {
		await this.end("SIGTERM");
	}

	private async end(signal: NodeJS.Signals): Promise<void> {
		if (this.child.exitCode !== null || this.child.signalCode !== null) return;
		const gone = once(this.child, "exit");
		this.child.kill(signal);
		await gone;
	}
}

/** What `bridge-server devnet` prints when ready; addresses are `host:port`. */
export interface DevnetReady {
	ready: true;
	peering: string;
	rpc: string;
	websocket: string;
	faucet: string;
}

/** What `bridge-server run` prints when ready. */
export interface BridgeReady {
	ready: true;
	url: string;
}

/** Starts a development full node. */
export function startDevnet(args: string[] = []): Promise<Server<DevnetReady>> {
	const ports = ["--peering-port", "0", "--rpc-port", "0", "--websocket-port", "0"];
	return Server.start<DevnetReady>(["devnet", ...ports, ...args]);
}

/** Starts a bridge. */
export function startBridge(args: string[]): Promise<Server<BridgeReady>> {
	return Server.start<BridgeReady>(["run", "--network", "dev", ...args]);
}

/** One call of a full node's RPC. */
export async function rpc(address: string, request: object): Promise<Record<string, unknown>> {
	const response = await fetch(`http://${address}/`, {
		method: "POST",
		body: JSON.stringify(request),
	});
	return (await response.json()) as Record<string, unknown>;
}

/**
 * Reads a bridge's metrics.
 * @returns every sample by its name with labels, as printed
 */
export async function metrics(bridgeUrl: string): Promise<Map<string, number>> {
	const text = await (await fetch(new URL("/metrics", bridgeUrl))).text();
	const samples = new Map<string, number>();
	for (const line of text.split("\n")) {
		const match = /^([a-z_]+(?:\{[^}]*\})?) ([0-9.e+-]+)$/.exec(line);
		if (match?.[1] && match[2]) samples.set(match[1], Number(match[2]));
	}
	return samples;
}

/** How many messages the bridge has sent to full nodes that ask for an account's state. */
export async function fullNodeQueries(bridgeUrl: string): Promise<number> {
	let sum = 0;
	for (const [name, value] of await metrics(bridgeUrl)) {
		if (name.startsWith("nanonet_full_node_requests_total{")) sum += value;
	}
	return sum;
}
