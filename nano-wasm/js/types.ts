// What the node says and is told, in the words of the public API.

import type { PaymentRequest } from "./payment-request.js";

/** A Nano network. */
export type NetworkName = "live" | "beta" | "dev";

/** A network that a node can be of: voting weights are shipped for `live`, and bridges give those of `dev`. */
export type NodeNetwork = "live" | "dev";

/** What the node is doing, in one word. */
export type NodeState = "starting" | "connecting" | "meshed" | "offline";

/** One open link to another node. */
export interface LinkInfo {
	/** The peer's node id, 64 hex digits. */
	id: string;
	/** The peer's key, `key_…`. */
	key: string;
	/** What the peer is. */
	role: "browser" | "bridge";
	/** What carries the link. */
	kind: "data-channel" | "web-socket" | "tcp";
	/** Round trip in milliseconds, once measured. */
	rttMs: number | null;
	/** Bytes received. */
	bytesIn: number;
	/** Bytes sent. */
	bytesOut: number;
	/** Frames received over the channel that holds nothing up: questions, answers and their acknowledgements. */
	datagramsIn: number;
	/** Frames sent over it. */
	datagramsOut: number;
	/** Verified answers that came over it. */
	answers: number;
	/** When it opened, Unix milliseconds. */
	since: number;
	/** Who introduced the two ends of a link between browsers; `null` for a link to a bridge. */
	introducedBy: {
		/**
		 * `peers`: browsers alone passed on what the two agreed on the link by; `bridge`: a bridge did. A node asks
		 * a bridge for its first two links, and later only for nodes that no peer reaches.
		 */
		kind: "peers" | "bridge";
		/** Node id of the last who passed it on to this node. */
		id: string;
		/** Whether this node asked for the link; otherwise the other end did. */
		asked: boolean;
	} | null;
}

/** What the node is doing. */
export interface NodeStatus {
	/** Its id in the nanonet at present, 64 hex digits: it moves every 30 days. */
	id: string;
	/** In one word. */
	state: NodeState;
	/**
	 * Whether others name this node and it holds records for them. Until it has found the work that a place costs
	 * (`searching`), or if that is too old (`lapsed`), it only asks and is answered.
	 */
	standing: "member" | "searching" | "lapsed";
	/** Open links. */
	links: LinkInfo[];
	/** Web addresses of the bridges it knows: those given, then others listed, told of or remembered. */
	bridges: string[];
	/** Other nodes known besides. */
	knownPeers: number;
	/** Account records in the slice. */
	records: number;
	/** Records of sends that may still be receivable. */
	receivables: number;
	/** Bytes of both. */
	recordBytes: number;
	/** Own blocks that are not proven confirmed yet. */
	pending: number;
	/** Records and answers that did not verify, counted by reason. */
	refused: Record<string, number>;
	/** Links this node closed, counted by reason. */
	dropped: Record<string, number>;
	/** Questions of others answered from the slice. */
	answersServed: number;
	/** Messages of others passed on. */
	forwarded: number;
	/** Bytes received since the start. */
	bytesIn: number;
	/** Bytes sent since the start. */
	bytesOut: number;
	/** The weight table in force. */
	weights: {
		/** Its date, Unix milliseconds; 0 while there is none. */
		asOf: number;
		/** Where it is from. */
		source: "shipped" | "bridge" | "storage" | "anchors" | "none";
		/** Whether it is older than 90 days: high values are then not called proven any more. */
		stale: boolean;
	};
	/** Where identity and slice are really kept. */
	storage: {
		/** In use now. */
		kind: "indexeddb" | "file" | "memory";
		/** Why it is not what was asked for. */
		problem: string | null;
	};
	/** `RTCPeerConnection`s of this page. */
	connections: {
		/** Alive. */
		live: number;
		/** Made since the page was loaded; a page that has made 400 makes no more. */
		created: number;
		/** How bytes of data channels reach the worker; `unused` before the first one. */
		channels: "unused" | "transferred" | "forwarded";
	};
}

/** Something that a person should know of. */
export interface HealthProblem {
	/** For programs: `offline`, `no-weights`, `stale-weights`, `storage`, `lapsed` or `pending`. */
	code: string;
	/** For people. */
	message: string;
}

/** How a node fares, to be shown to a person. */
export interface Health {
	/** `limited`: it works, and `problems` say what does not. */
	level: "good" | "limited" | "offline";
	/** One sentence. */
	summary: string;
	/** What is not as it should be. */
	problems: HealthProblem[];
	/** Links to other browsers. */
	browsers: number;
	/** Links to bridges. */
	bridges: number;
}

/** A representative's share in a proof. */
export interface ProofVote {
	/** Address of the representative. */
	representative: string;
	/** Its voting weight in raw. */
	weight: bigint;
}

/** What proves an answer. */
export interface ProofInfo {
	/** The whole proof as JSON text; `verifyProof` of `nanonet/core` checks it anywhere. */
	json(): string;
	/** Voting weight that confirmed the frontier, raw. */
	weight: bigint;
	/** Voting weight that was needed, raw. */
	threshold: bigint;
	/** All voting weight in the table, raw. */
	networkTotal: bigint;
	/** Who voted, heaviest first. */
	votes: ProofVote[];
}

/** A proven send that the account may still receive. */
export interface Receivable {
	/** Hash of the send block, 64 hex digits. */
	hash: string;
	/** Who sent it. */
	source: string;
	/** How much, raw. */
	amount: bigint;
}

/** Who answered. */
export interface AnswerSource {
	/** Our own slice, another browser, or a bridge. */
	kind: "own-slice" | "peer" | "bridge";
	/** The node's id; `null` for the own slice. */
	id: string | null;
	/** Links the question went over; 0 for the own slice. */
	hops: number;
}

/** A checked answer about an account. */
export interface AccountAnswer {
	/** Its address. */
	account: string;
	/**
	 * - `opened`: it has a proven block;
	 * - `unopened`: a bridge stated at `asOf` that full nodes know no block of it, of which there is no proof;
	 * - `unknown`: sends to it are known, and nothing about its own chain. It may well have one: nothing may be
	 *   concluded, and nothing built on it.
	 */
	state: "opened" | "unopened" | "unknown";
	/** Balance in raw; 0 unless opened. */
	balance: bigint;
	/** Hash of its newest proven block, 64 hex digits. */
	frontier: string | null;
	/** Address of its representative. */
	representative: string | null;
	/** Proven sends it may still receive, largest first. */
	receivable: Receivable[];
	/** What proves it; `null` unless opened. */
	proof: ProofInfo | null;
	/** When anchor bridges last saw this state confirmed, Unix milliseconds. */
	asOf: number | null;
	/** Who answered. */
	source: AnswerSource;
	/** Verified answers that arrived before this one was chosen. */
	answersSeen: number;
	/** Whether a bridge asked the full nodes for this answer, and what it said held. */
	fresh: boolean;
	/** Whether all proven states seen form one chain. */
	order: "known" | "unknown";
	/** Date of the weight table the proof was checked against, Unix milliseconds. */
	weightsAsOf: number;
	/**
	 * That table is older than 90 days: amounts from this one on, in raw, are not to be called proven.
	 * `null` while it is younger.
	 */
	provenBelow: bigint | null;
}

/** A state block as in Nano's RPC: every field is text. */
export interface StateBlockJson {
	/** The only type that is still made. */
	type: "state";
	/** Address of its account. */
	account: string;
	/** Hash of the block before, 64 hex digits; zeros for the first. */
	previous: string;
	/** Address of the representative. */
	representative: string;
	/** Balance after this block, raw, decimal. */
	balance: string;
	/** Hash received or public key sent to, 64 hex digits. */
	link: string;
	/** The same as an address. Written, never read. */
	link_as_account?: string;
	/** 128 hex digits. */
	signature?: string;
	/** 16 hex digits. */
	work?: string;
}

/** A block as in Nano's RPC. */
export type BlockJson = StateBlockJson;

/** Options of every call. */
export interface CallOptions {
	/** Gives the call up. */
	signal?: AbortSignal;
}

/** Options of `account`. */
export interface AccountOptions extends CallOptions {
	/** Do not stop at the nanonet's answer: also let a bridge ask the full nodes. */
	fresh?: boolean;
	/** Milliseconds until it is given up, at most 60,000. Default: 10,000. */
	timeoutMs?: number;
}

/** What `process` resolves to. */
export interface ProcessResult {
	/** Hash of the block, 64 hex digits. */
	hash: string;
	/** It is proven confirmed. */
	state: "confirmed";
}

/** A block of one's own that is not proven confirmed yet. */
export interface PendingBlock {
	/** Its hash, 64 hex digits. */
	hash: string;
	/** The block, signed and with work. */
	block: BlockJson;
}

/** Where a block of one's own stands. */
export interface TransactionEvent {
	/** Hash of the block, 64 hex digits. */
	hash: string;
	/**
	 * - `waiting`: stored, no bridge reachable yet; sent as soon as one is;
	 * - `sent`: on the way to `bridges` bridges;
	 * - `accepted`: a bridge passed it to `fullNodes` full nodes;
	 * - `refused`: a bridge refused it for `reason`, perhaps after accepting it; `passing` reasons
	 *   mend themselves, and the block is kept and sent again in any case;
	 * - `given-up`: a bridge stopped publishing it, not confirmed for minutes; it is sent again;
	 * - `superseded`: a proof of `winner` in its place is held, it can never be confirmed; forgotten;
	 * - `invalid`: not taken for `reason`;
	 * - `confirmed`: a proof of it is held.
	 */
	state:
		| "waiting"
		| "sent"
		| "accepted"
		| "refused"
		| "given-up"
		| "superseded"
		| "invalid"
		| "confirmed";
	/** Bridges it was sent to. */
	bridges?: number;
	/** Full nodes that took it. */
	fullNodes?: number;
	/** Kebab-case reason of a refusal. */
	reason?: string;
	/** Whether the reason of a refusal can pass by itself. */
	passing?: boolean;
	/** The block that was confirmed instead. */
	winner?: string;
}

/** A link came or went. */
export interface LinkEvent {
	/** The peer's node id, 64 hex digits. */
	id: string;
	/** Whether it is open now. */
	up: boolean;
	/** What the peer is, when it is open. */
	role?: "browser" | "bridge";
	/** Why this node closed it. */
	reason?: string;
}

/** A service that a node offers to others. */
export interface NodeService {
	/** For example `work` or `notifications`. */
	kind: string;
	/** What is to be known of it. */
	attributes: Record<string, string>;
}

/** What a node says of itself in the registry of keys; signed by its key and checked here. */
export interface RegisteredNode {
	/** Its key, `key_…`. */
	key: string;
	/** Where it lies in the nanonet, 64 hex digits. */
	id: string;
	/** A server (`bridge`) or a client (`browser`). */
	role: "browser" | "bridge";
	/** Of two records of a key the one with the higher number counts. */
	sequence: number;
	/** When the record was made, by the node's own clock. */
	lastSeen: Date;
	/** Until when it counts. */
	expires: Date;
	/** Where it can be dialled. */
	endpoints: string[];
	/** What it does for others. */
	services: NodeService[];
	/** What else it tells everyone. */
	metadata: string;
	/** What it tells chosen readers, of whom this node is one. */
	sealed?: string;
}

/** A way to a node, as a message would take it now. */
export interface KeyRoute {
	/** This node's key. */
	source: string;
	/** The other's. */
	destination: string;
	/** Ids of the relays, first to last. */
	hops: string[];
	/** What routes are ranked by. */
	metrics: {
		hops: number;
		/** How long a message takes there, a moving estimate; null: not measured yet. */
		latencyMs: number | null;
		/** How often what was sent over it arrived, of 1,000, a moving estimate. */
		reliability: number;
	};
}

/** What is known of a key. */
export interface KeyLookup {
	/** What the node says of itself, signed. */
	node: RegisteredNode;
	/** Best first; they share no relay as far as there are enough. */
	routes: KeyRoute[];
}

/** A private message. */
export interface PrivateMessage {
	/** Who wrote it, `key_…`; proven. */
	from: string;
	/** With the sender its name: 16 hex digits. */
	id: string;
	/** What. */
	text: string;
	/** If it asks for a payment: which. `subscribe` reads it from the text. */
	payment?: PaymentRequest;
}

/** Events of a node. */
export interface NodeEvents {
	/** Links, slice or counters changed; at most ten times a second. */
	status: NodeStatus;
	/** A question of this node was answered. */
	answer: AccountAnswer;
	/** A link came or went. */
	link: LinkEvent;
	/** Something newer about this account is in the slice. */
	record: { account: string };
	/** A block of one's own got on. */
	transaction: TransactionEvent;
	/** A peer's record or answer did not verify and was thrown away. */
	refused: { from: string | null; reason: string };
	/**
	 * Two proven states of one account. `diverged`: its chains are known to part, which must never
	 * happen; otherwise only their order is not known.
	 */
	alarm: { account: string; diverged: boolean };
	/** A private message came, once. */
	message: PrivateMessage;
	/**
	 * Something failed that no call waits for: a watch beyond the limit, the worker itself, or (`no-bridges`) no
	 * bridge can be reached and no other is known.
	 */
	error: { code: string; message: string };
}
