// What a full node's RPC looks like from here.

import type {
	AccountAnswer,
	AccountOptions,
	BlockJson,
	NodeEvents,
	NodeNetwork,
	NodeStatus,
	PendingBlock,
	ProcessResult,
} from "./types.js";
import type { WorkPool } from "./work-pool.js";

/** A request to a full node's RPC; fields other than `action` are the action's. */
export interface RpcRequest {
	/** What is asked for, such as `account_info`. */
	action: string;
	/** Numbers and booleans may be text, as full nodes take them. */
	[field: string]: unknown;
}

/** What of an answer was verified. */
export interface RpcLabel {
	/** Whether all fields were, except those named in `unverified`. */
	verified: boolean;
	/** Fields that are only somebody's word. */
	unverified?: string[];
	/** Accounts of which a bridge stated that they have no block; there is no proof of that. */
	unopened?: string[];
	/** When anchor bridges last saw the state, Unix milliseconds as text. */
	as_of?: string;
}

/** An answer of a full node's RPC, in the C++ node's words. */
export interface RpcAnswer {
	/** Why there is no answer, in a full node's words. */
	error?: string;
	/** What of it was verified; not there beside `error`. */
	nanonet?: RpcLabel;
	/** The action's fields; numbers are text. */
	// biome-ignore lint/suspicious/noExplicitAny: clients of a full node's RPC know what they asked for.
	[field: string]: any;
}

/** What the facade needs of a node. @internal */
export interface FacadeNode {
	readonly network: NodeNetwork;
	readonly work: WorkPool;
	account(address: string, options?: AccountOptions): Promise<AccountAnswer>;
	pending(): Promise<PendingBlock[]>;
	process(block: BlockJson, options?: { signal?: AbortSignal }): Promise<ProcessResult>;
	status(): Promise<NodeStatus>;
	on<K extends keyof NodeEvents>(event: K, listener: (event: NodeEvents[K]) => void): () => void;
}
