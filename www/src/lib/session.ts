// The page's one node and what the page has seen of it, as a store that components subscribe to.
//
// States: idle -> starting -> running -> stopped; or failed. Failed and stopped come with a reason, and `start` leaves
// them. A node is stopped when its worker failed, or twice did not answer in time: then it says nothing of itself.

import type { AccountAnswer, NanoNode, NodeStatus, PendingBlock } from "nanonet";
import { useEffect, useState } from "preact/hooks";
import { shortHash } from "./format.js";
import { explain, t } from "./i18n.js";
import { keepWeights } from "./proof-link.js";
import { type TransactionNews, withEvent } from "./transactions.js";

/** One answer the page got, for the list and the drawing. */
export interface Heard {
	at: number;
	tookMs: number;
	answer: AccountAnswer;
}

/** What the bridge that served the page says of itself. */
export interface BridgeInfo {
	network: "live" | "dev";
	faucet: boolean;
	samples: { name: string; account: string }[];
}

/** All that is known. */
export interface Session {
	state: "idle" | "starting" | "running" | "failed" | "stopped";
	problem: string | null;
	node: NanoNode | null;
	status: NodeStatus | null;
	heard: Heard[];
	/** Own blocks that are not proven confirmed yet. */
	pending: PendingBlock[];
	transactions: TransactionNews;
	alarm: string | null;
	/** When a block of any account was last seen confirmed here, Unix milliseconds. */
	lastConfirmed: number | null;
	/** Something went wrong that nobody asked about, and the node goes on. */
	notice: string | null;
	bridge: BridgeInfo | null;
}

const CHOSEN = "nanonet-started";
/** Answers remembered for the drawing and the list; the oldest goes first. */
const HEARD_LIMIT = 24;
/** How often the status is read while running: links and bytes change all the time. */
const STATUS_MS = 1_000;
/** How long a status may take before the worker counts as silent. */
const SILENT_MS = 5_000;
/** Silences in a row that a busy machine may have. */
const SILENCES = 2;

/** Errors of the weights that a person has to know of: anchors that disagree, and weights that move too fast. */
const WEIGHT_ALARMS = new Set(["no-majority", "too-fast"]);

let session: Session = {
	state: "idle",
	problem: null,
	node: null,
	status: null,
	heard: [],
	pending: [],
	transactions: new Map(),
	alarm: null,
	lastConfirmed: null,
	notice: null,
	bridge: null,
};
const listeners = new Set<() => void>();

function change(part: Partial<Session>): void {
	session = { ...session, ...part };
	for (const listener of listeners) listener();
}

/** The session, kept current in a component. */
export function useSession(): Session {
	const [value, set] = useState(session);
	useEffect(() => {
		const listener = () => set(session);
		listeners.add(listener);
		listener();
		return () => {
			listeners.delete(listener);
		};
	}, []);
	return value;
}

/** Whether the person has started the node here before; then it starts by itself. */
export function startedBefore(): boolean {
	return localStorage.getItem(CHOSEN) === "yes";
}

async function bridgeInfo(): Promise<BridgeInfo | null> {
	try {
		const response = await fetch("/v1/info");
		if (!response.ok) return null;
		const info = await response.json();
		return {
			network: info.network,
			faucet: info.faucet === true,
			samples: Array.isArray(info.samples) ? info.samples : [],
		};
	} catch {
		return null;
	}
}

/** What an offline start needs to know again. */
const KNOWN_NETWORK = "nanonet-network";
/** The node id of the last start: a person can see that a reload keeps it. */
const LAST_ID = "nanonet-last-id";

/** Takes in what the bridge says of itself. If it is of another network than remembered, the page begins anew there. */
function hearBridge(bridge: BridgeInfo | null, network: BridgeInfo["network"]): void {
	change({ bridge });
	if (!bridge || bridge.network === network) return;
	localStorage.setItem(KNOWN_NETWORK, bridge.network);
	location.reload();
}

/** Notes when a step was reached for the first time: developer tools and the benchmark show what a start waits for. */
function reached(step: "script" | "node" | "link" | "answer"): void {
	const name = `nanonet-${step}`;
	if (performance.getEntriesByName(name).length === 0) performance.mark(name);
}

/** Starts the node. */
export async function start(): Promise<void> {
	if (session.state === "starting" || session.state === "running") return;
	const before = session.node;
	change({ state: "starting", problem: null, notice: null, node: null, status: null });
	reached("script");
	try {
		// Its storage is free for the next one only then.
		await before?.stop();
		const told = bridgeInfo();
		const { NanoNode } = await import("nanonet");
		const remembered = localStorage.getItem(KNOWN_NETWORK) as BridgeInfo["network"] | null;
		const network = remembered ?? (await told)?.network ?? "live";
		const node = await NanoNode.start({ network });
		reached("node");
		localStorage.setItem(CHOSEN, "yes");
		if (remembered !== network) localStorage.setItem(KNOWN_NETWORK, network);
		localStorage.setItem(LAST_ID, node.id);
		void keepWeights(network);
		listen(node);
		change({ state: "running", node, status: await node.status() });
		void told.then((bridge) => hearBridge(bridge, network));
		await readPending(node);
		refresh(node);
	} catch (error) {
		change({ state: "failed", problem: explain(error) });
	}
}

function listen(node: NanoNode): void {
	node.on("link", ({ up }) => {
		if (up) reached("link");
	});
	node.on("alarm", ({ account, diverged }) => {
		if (diverged) change({ alarm: t("alarm.diverged", { account }) });
	});
	node.on("error", ({ code, message: text }) => {
		if (code === "worker-failed") stopped(text);
		else if (WEIGHT_ALARMS.has(code)) change({ alarm: text });
		else change({ notice: text });
	});
	node.on("record", () => change({ lastConfirmed: Date.now() }));
	node.on("transaction", (event) => {
		change({ transactions: withEvent(session.transactions, event) });
		if (event.state === "confirmed") change({ lastConfirmed: Date.now() });
		if (event.state === "superseded") {
			change({ notice: t("alarm.superseded", { hash: shortHash(event.hash) }) });
		}
		void readPending(node);
	});
}

function stopped(problem: string): void {
	if (session.state === "running" || session.state === "starting") {
		change({ state: "stopped", problem, status: null });
	}
}

/** Reads which own blocks are on their way; a node that is gone is told of elsewhere. */
async function readPending(node: NanoNode): Promise<void> {
	const pending = await node.pending().catch(() => undefined);
	if (pending && session.node === node) change({ pending });
}

function refresh(node: NanoNode): void {
	let silences = 0;
	const read = async () => {
		if (session.node !== node || session.state !== "running") return;
		if (document.visibilityState === "visible") {
			try {
				const status = await within(SILENT_MS, node.status());
				silences = status ? 0 : silences + 1;
				if (status && session.state === "running") change({ status });
				if (silences >= SILENCES) stopped(t("stopped.silent"));
			} catch (error) {
				stopped(explain(error));
			}
		}
		setTimeout(read, STATUS_MS);
	};
	setTimeout(read, STATUS_MS);
}

/** What is awaited, or nothing after a time. */
async function within<T>(millis: number, awaited: Promise<T>): Promise<T | undefined> {
	let timer: ReturnType<typeof setTimeout> | undefined;
	const late = new Promise<undefined>((resolve) => {
		timer = setTimeout(() => resolve(undefined), millis);
	});
	try {
		return await Promise.race([awaited, late]);
	} finally {
		clearTimeout(timer);
	}
}

addEventListener("online", async () => {
	if (session.state === "running" && !session.bridge) change({ bridge: await bridgeInfo() });
});

/** Closes a notice. */
export function dismiss(): void {
	change({ notice: null });
}

/** Closes an alarm that the person has read. */
export function dismissAlarm(): void {
	change({ alarm: null });
}

/** Asks for an account and remembers the answer. */
export async function ask(
	address: string,
	options: { fresh?: boolean; signal?: AbortSignal } = {},
): Promise<Heard> {
	if (!session.node) throw new Error(t("error.not-running"));
	const begin = performance.now();
	const answer = await session.node.account(address, options);
	reached("answer");
	const heard = { at: Date.now(), tookMs: performance.now() - begin, answer };
	change({ heard: [heard, ...session.heard].slice(0, HEARD_LIMIT) });
	return heard;
}

/** The account that a block is of, by the word of a bridge's full node. */
export async function accountOfBlock(hash: string): Promise<string> {
	const said = await session.node?.rpc({ action: "block_info", json_block: "true", hash });
	const account = said?.block_account;
	if (typeof account === "string") return account;
	throw new Error(t("error.no-such-block"));
}

/** The present time, renewed every second, for texts such as "5 seconds ago". */
export function useNow(): number {
	const [now, set] = useState(Date.now());
	useEffect(() => {
		const timer = setInterval(() => set(Date.now()), 1_000);
		return () => clearInterval(timer);
	}, []);
	return now;
}
