// The page's one node and what the page has seen of it, as a store that components subscribe to.
//
// States: idle -> starting -> running, or failed with a reason; `forget` of the choice is a reload.

import type { AccountAnswer, NanoNode, NodeStatus } from "nanonet";
import { useEffect, useState } from "preact/hooks";

/** One answer the page got, for the list and the drawing. */
export interface Heard {
	at: number;
	tookMs: number;
	answer: AccountAnswer;
}

/** What the bridge that served the page says of itself. */
export interface BridgeInfo {
	network: "live" | "beta" | "dev";
	faucet: boolean;
	samples: { name: string; account: string }[];
}

/** All that is known. */
export interface Session {
	state: "idle" | "starting" | "running" | "failed";
	problem: string | null;
	node: NanoNode | null;
	status: NodeStatus | null;
	heard: Heard[];
	alarm: string | null;
	bridge: BridgeInfo | null;
}

const CHOSEN = "nanonet-started";
/** Answers remembered for the drawing and the list; the oldest goes first. */
const HEARD_LIMIT = 24;
/** How often the status is read while running: links and bytes change all the time. */
const STATUS_MS = 1_000;

let session: Session = {
	state: "idle",
	problem: null,
	node: null,
	status: null,
	heard: [],
	alarm: null,
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

const message = (error: unknown) => (error instanceof Error ? error.message : String(error));

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

/** Starts the node. */
export async function start(): Promise<void> {
	if (session.state === "starting" || session.state === "running") return;
	change({ state: "starting", problem: null });
	try {
		const [{ NanoNode }, bridge] = await Promise.all([import("nanonet"), bridgeInfo()]);
		const remembered = localStorage.getItem(KNOWN_NETWORK) as BridgeInfo["network"] | null;
		const network = bridge?.network ?? remembered ?? "live";
		const node = await NanoNode.start({ network });
		localStorage.setItem(CHOSEN, "yes");
		localStorage.setItem(KNOWN_NETWORK, network);
		localStorage.setItem(LAST_ID, node.id);
		node.on("alarm", ({ account, diverged }) => {
			if (diverged) change({ alarm: alarmText(account) });
		});
		change({ state: "running", node, bridge, status: await node.status() });
		refresh(node);
	} catch (error) {
		change({ state: "failed", problem: message(error) });
	}
}

const alarmText = (account: string) =>
	`Two conflicting proofs exist for ${account}. This must never happen: do not rely on its balance, and ask a full node.`;

function refresh(node: NanoNode): void {
	const read = async () => {
		if (document.visibilityState === "visible") change({ status: await node.status() });
		setTimeout(read, STATUS_MS);
	};
	setTimeout(read, STATUS_MS);
	addEventListener("online", async () => {
		if (!session.bridge) change({ bridge: await bridgeInfo() });
	});
}

/** Asks for an account and remembers the answer. */
export async function ask(
	address: string,
	options: { fresh?: boolean; signal?: AbortSignal } = {},
): Promise<Heard> {
	if (!session.node) throw new Error("The node is not running yet.");
	const begin = performance.now();
	const answer = await session.node.account(address, options);
	const heard = { at: Date.now(), tookMs: performance.now() - begin, answer };
	change({ heard: [heard, ...session.heard].slice(0, HEARD_LIMIT) });
	return heard;
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
