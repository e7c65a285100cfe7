// What the page and the node's worker say to each other. A message is a pair: JSON text that says
// what is meant, and one attachment that JSON cannot carry (a data channel, bytes) or null. The
// worker's side of these types is `src/node/command.rs` and `src/node/reply.rs`.

import type {
	AccountAnswer,
	KeyRoute,
	LinkEvent,
	NodeStatus,
	PrivateMessage,
	ProofVote,
	Receivable,
	RegisteredNode,
	TransactionEvent,
} from "./types.js";

/** Message text and attachment. */
export type Envelope = [json: string, attachment: RTCDataChannel | ArrayBuffer | null];

/** What a page asks of the worker. With an `id` the worker answers once, by `result` or `error`. */
export type Command =
	| {
			type: "start";
			id: number;
			network: string;
			storage: "indexeddb" | "memory";
			/** Why less storage is asked for than the person wanted. */
			storageProblem?: string;
			name: string;
			bridges: string[];
			/** Whether the bridges of the list that comes with the package stand behind them. */
			listed: boolean;
			anchors: string[];
			profile?: "usual" | "small" | undefined;
			maxLinks?: number | undefined;
			replicas?: number | undefined;
			/** Node.js and Deno: where its files are; read by the thread (`server/thread.ts`). */
			folder?: string | undefined;
	  }
	| { type: "status"; id: number }
	| { type: "account"; id: number; address: string; fresh: boolean; timeoutMs: number }
	| { type: "process"; id: number; block: object }
	| { type: "pending"; id: number }
	| { type: "watch"; id: number; address: string }
	| { type: "unwatch"; id: number; address: string }
	| { type: "post"; id: number; ask: PostAsk }
	| { type: "stop"; id: number }
	/** Nobody waits for the answer to `request` any more. */
	| { type: "cancel"; request: number }
	| { type: "network"; online: boolean }
	/** The nonce over `root` that `findWork` asked for, 16 hex digits. */
	| { type: "workFound"; root: string; nonce: string }
	| { type: "localDescription"; session: number; sdp: string }
	| { type: "localCandidate"; session: number; candidate: string }
	| { type: "sessionFailed"; session: number }
	/** Attached: the session's data channel. */
	| { type: "channel"; session: number; offerer: boolean }
	/** Attached: the session's unordered channel, after the other one. */
	| { type: "unorderedChannel"; session: number }
	/** The session's channel stays on the page, is open, and its bytes are forwarded. */
	| { type: "forwardOpen"; session: number; offerer: boolean }
	/** Attached: what the forwarded channel received. */
	| { type: "forwardReceived"; session: number }
	/** The forwarded channel has taken these bytes. */
	| { type: "forwardWritten"; session: number; bytes: number }
	| { type: "forwardClosed"; session: number }
	/** Test builds only: how to alter answers from now on. */
	| { type: "tamper"; id: number; how: string }
	/** Test builds only: what was seen of cells since the last time. */
	| { type: "glimpses"; id: number }
	/** Test builds only: how many cells per second a hop works off. */
	| { type: "measureCells"; id: number };

/** What is asked of the registry of keys and of private messages. */
export type PostAsk =
	| { type: "register"; services: WireService[]; metadata: string }
	| { type: "lookUp"; key: string }
	| { type: "findServices"; filter: WireService }
	/** `name`: 16 hex digits; what is sent again under one name comes once. */
	| { type: "send"; to: string; name: string; text: string; relays?: number; timeoutMs: number };

/** One thing to be known of a service. */
export interface WireAttribute {
	name: string;
	value: string;
}

/** A service as it travels. */
export interface WireService {
	kind: string;
	attributes: WireAttribute[];
}

/** A node as the worker gives it. */
export type WireNode = Omit<RegisteredNode, "services" | "lastSeen" | "expires"> & {
	services: WireService[];
	lastSeen: number;
	expires: number;
};

/** What is known of a key, as the worker gives it. */
export interface WireLookup {
	node: WireNode;
	routes: KeyRoute[];
}

/** What the worker does with the page's connections. */
export type Signal =
	| { op: "createOffer"; session: number }
	| { op: "acceptOffer"; session: number; sdp: string }
	| { op: "acceptAnswer"; session: number; sdp: string }
	| { op: "addCandidate"; session: number; candidate: string }
	/** The session is over: it failed, or its link is closed. */
	| { op: "abandon"; session: number }
	/** Attached: bytes for the session's forwarded channel. */
	| { op: "forward"; session: number };

/** What the worker says. */
export type Reply =
	| { type: "result"; id: number; value: unknown }
	| { type: "error"; id: number; code: string; message: string }
	| ({ type: "signal" } & Signal)
	/** The worker lives; said twice a second. */
	| { type: "beat" }
	/** Search in the background for the work that the node's place costs; ends an earlier search. */
	| { type: "findWork"; root: string; threshold: string }
	| { type: "event"; event: "status"; detail: WireStatus }
	| { type: "event"; event: "link"; detail: LinkEvent }
	| { type: "event"; event: "record"; detail: { account: string } }
	| { type: "event"; event: "transaction"; detail: TransactionEvent }
	| { type: "event"; event: "refused"; detail: { from: string | null; reason: string } }
	| { type: "event"; event: "alarm"; detail: { account: string; diverged: boolean } }
	| { type: "event"; event: "message"; detail: PrivateMessage }
	| { type: "event"; event: "error"; detail: { code: string; message: string } };

/** The value of `start`'s result. */
export interface Started {
	key: string;
	id: string;
	/** Number of its term: storage refuses what a node of an earlier one writes. 0 without storage. */
	term: number;
	/** Work threshold that every block kind passes, 16 hex digits. */
	workThreshold: string;
}

/** A status without what only the page knows. */
export type WireStatus = Omit<NodeStatus, "connections">;

/** An answer with amounts as decimal text and the proof as a string. */
export type WireAnswer = Omit<AccountAnswer, "balance" | "receivable" | "proof" | "provenBelow"> & {
	balance: string;
	provenBelow: string | null;
	receivable: (Omit<Receivable, "amount"> & { amount: string })[];
	proof: {
		json: string;
		weight: string;
		threshold: string;
		networkTotal: string;
		votes: (Omit<ProofVote, "weight"> & { weight: string })[];
	} | null;
};

/** The answer as the API gives it. */
export function readAnswer(wire: WireAnswer): AccountAnswer {
	const { proof } = wire;
	return {
		...wire,
		balance: BigInt(wire.balance),
		provenBelow: wire.provenBelow === null ? null : BigInt(wire.provenBelow),
		receivable: wire.receivable.map((send) => ({ ...send, amount: BigInt(send.amount) })),
		proof: proof && {
			json: () => proof.json,
			weight: BigInt(proof.weight),
			threshold: BigInt(proof.threshold),
			networkTotal: BigInt(proof.networkTotal),
			votes: proof.votes.map((vote) => ({ ...vote, weight: BigInt(vote.weight) })),
		},
	};
}
