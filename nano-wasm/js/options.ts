// How a node is started.

import type { NodeNetwork } from "./types.js";

/** How a node is started. Everything has a default. */
export interface StartOptions {
	/**
	 * Bridges to find the first peers through, needed in Node.js and Deno on `live`: origins (`https://bridge.example`) or WebSocket
	 * addresses (`wss://bridge.example/v1/link`). Default: the page's own origin, and if it cannot be
	 * reached those of the list that comes with the package (`bridges.json`; empty for `live` until
	 * operators publish theirs). In any case the node learns of others, remembers them, and uses them
	 * while none of these can be reached.
	 */
	bridges?: string[];
	/** Which network. Default: `live`. */
	network?: NodeNetwork;
	/**
	 * Where identity and slice are kept. Default: `indexeddb`; where the browser refuses it (private
	 * windows) the node runs on memory and its status says so.
	 */
	storage?: "indexeddb" | "memory";
	/**
	 * Node.js and Deno: the folder to keep identity and slice in, made if need be, for one program at a time. Without
	 * it they are kept in memory.
	 */
	folder?: string;
	/** Storage of this name: nodes of different names share nothing. Default: `default`. */
	name?: string;
	/**
	 * Keys (`key_…`) of the bridges whose sightings and weights count. On `dev` the bridges given are
	 * trusted without. Default: those shipped with the package.
	 */
	anchors?: string[];
	/**
	 * How much the node may take of its device. `small`: at most 8 links and 1 MiB of records, for devices with
	 * little memory. Default: `usual`.
	 */
	profile?: "usual" | "small";
	/** Most links at once, 3 to 32. Default: 24; 8 with the profile `small`. */
	maxLinks?: number;
	/** Nodes that shall hold each record, 1 to 16. Default: 16. */
	replicas?: number;
	/** Threads that compute work. Default: the processor's, at most 32. */
	workThreads?: number;
	/** STUN and TURN servers for connections between browsers. Default: none. */
	iceServers?: RTCIceServer[];
	/** Gives up starting. It does not stop a started node: `stop()` does. */
	signal?: AbortSignal;
}
