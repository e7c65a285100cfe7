// What a page's handle of a node speaks to: a node in this page, or one in another tab of the same origin.

import type { Started } from "./protocol.js";
import type { NodeEvents } from "./types.js";
import type { Request } from "./worker-client.js";

/**
 * Where the node runs:
 * - `alone`: in this page, and no other tab shares it;
 * - `leading`: in this page, for all tabs of this origin;
 * - `following`: in another tab;
 * - `waiting`: nowhere just now, because it moves from one tab to another. Calls wait.
 */
export type TabRole = "alone" | "leading" | "following" | "waiting";

/** What a host tells. @internal */
export interface HostListener {
	/** Something happened to the node. */
	event<K extends keyof NodeEvents>(name: K, detail: NodeEvents[K]): void;
	/** The node in this page wants work for its place; `found` takes the nonce. */
	findWork(root: string, threshold: string, found: (nonce: string) => void): void;
}

/** A node, wherever it runs. @internal */
export interface NodeHost {
	/** What the node said of itself when it started last. */
	readonly started: Started;
	/** Where it runs. */
	readonly role: TabRole;
	/** Asks the node; while it moves between tabs the question waits. */
	request<T>(request: Request, signal?: AbortSignal): Promise<T>;
	/** Lets go of the node. One that runs here is ended, and another tab that wants one takes over. */
	stop(): Promise<void>;
}
