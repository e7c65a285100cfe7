// The page's handle of a node: a thin client of the worker that runs it.

import { Emitter } from "./emitter.js";
import { NanoError } from "./errors.js";
import { FirstLink } from "./first-link.js";
import type { StartOptions } from "./options.js";
import { PeerConnections } from "./peer-connections.js";
import { readAnswer, type Started, type WireAnswer, type WireStatus } from "./protocol.js";
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
import { WorkPool } from "./work-pool.js";
import { type News, WorkerClient } from "./worker-client.js";

/** How long after the start the first work thread is made. */
const PREPARE_WORK_MS = 1_000;
/** How long a worker may take to write what it has when the node is stopped. */
const STOP_MS = 5_000;

/** @internal Reaches a node's worker; test builds send commands of their own through it. */
export let clientOf: (node: NanoNode) => WorkerClient;

/**
 * A node of the Nano network in this tab.
 *
 * ```js
 * const node = await NanoNode.start({ bridges: ["https://bridge.example"] });
 * const { balance, proof } = await node.account("nano_3t6k35gi95xu6tergt6p69ck76ogmitsa8mnijtpxm9fkcm736xtoncuohr3");
 * ```
 */
export class NanoNode {
	/** The node's public key, `key_…`. */
	readonly key: string;
	/** Its id in the nanonet when it started, 64 hex digits; `status` tells the one at present. */
	readonly id: string;
	/** The network it belongs to. */
	readonly network: NodeNetwork;
	/** Computes work on threads of its own; by default to the threshold that every kind of block passes. */
	readonly work: WorkPool;

	readonly #client: WorkerClient;
	readonly #peers: PeerConnections;
	readonly #events: Emitter<NodeEvents>;
	readonly #firstLink: FirstLink;
	readonly #release: () => void;
	readonly #onConnectivity: () => void;
	/** The search for the work that this node's place costs. */
	#search: { root: string; control: AbortController } | undefined;

	static {
		clientOf = (node) => node.#client;
	}

	private constructor(
		started: Started,
		options: StartOptions,
		client: WorkerClient,
		peers: PeerConnections,
		events: Emitter<NodeEvents>,
		firstLink: FirstLink,
		release: () => void,
	) {
		this.key = started.key;
		this.id = started.id;
		this.network = options.network ?? "live";
		this.work = new WorkPool({
			threshold: started.workThreshold,
			...(options.workThreads === undefined ? {} : { threads: options.workThreads }),
		});
		this.#client = client;
		this.#peers = peers;
		this.#events = events;
		this.#firstLink = firstLink;
		this.#release = release;
		this.#onConnectivity = () => client.post({ type: "network", online: navigator.onLine });
		// Not during the start, whose time a person feels; but before the network can be gone.
		setTimeout(() => void this.work.prepare(), PREPARE_WORK_MS);
		addEventListener("online", this.#onConnectivity);
		addEventListener("offline", this.#onConnectivity);
	}

	/**
	 * Starts a node: opens its identity and slice, then connects in the background. It can be asked at
	 * once; what its own slice holds it answers without any connection.
	 */
	static async start(options: StartOptions = {}): Promise<NanoNode> {
		const events = new Emitter<NodeEvents>();
		const firstLink = new FirstLink(events);
		// The worker speaks of connections and of work only after it was started, so all exist by then.
		const onNews = (news: News, attachment: ArrayBuffer | null) => {
			if (news.type === "signal") peers.handle(news, attachment);
			else if (news.type === "findWork") {
				if (node) node.#findWork(news.root, news.threshold);
			} else if (news.event === "status") {
				events.emit("status", { ...news.detail, connections: peers.summary() });
			} else events.emit(news.event, news.detail as never);
		};
		const client = new WorkerClient(
			new URL("./node-worker.js", import.meta.url),
			onNews,
			({ code, message }) => {
				peers.stop();
				events.emit("error", { code, message });
			},
		);
		const peers = new PeerConnections(
			(command, attachment) => client.post(command, attachment),
			options.iceServers ?? [],
		);
		const network = options.network ?? "live";
		const name = options.name ?? "default";
		let release = () => {};
		let node: NanoNode | undefined;
		try {
			const wanted = options.storage ?? "indexeddb";
			const lock = wanted === "indexeddb" ? await claim(`nanonet-${name}-${network}`) : undefined;
			if (lock) release = lock;
			const started = await client.request<Started>(
				{
					type: "start",
					network,
					name,
					storage: lock ? "indexeddb" : "memory",
					...(wanted === "indexeddb" && !lock ? { storageProblem: TAKEN } : {}),
					bridges: options.bridges ?? [location.origin],
					listed: options.bridges === undefined,
					anchors: options.anchors ?? [],
					...(options.maxLinks === undefined ? {} : { maxLinks: options.maxLinks }),
					...(options.replicas === undefined ? {} : { replicas: options.replicas }),
				},
				options.signal,
			);
			node = new NanoNode(started, options, client, peers, events, firstLink, release);
			return node;
		} catch (error) {
			release();
			peers.stop();
			client.close(error as NanoError);
			throw error;
		}
	}

	/** Searches while nobody waits for other work. A search that fails is asked for again. */
	#findWork(root: string, threshold: string): void {
		if (this.#search?.root === root) return;
		this.#search?.control.abort();
		const control = new AbortController();
		const search = { root, control };
		this.#search = search;
		this.work
			.generate(root, { threshold, background: true, signal: control.signal })
			.then((nonce) => this.#client.post({ type: "workFound", root, nonce }))
			.catch(() => {})
			.finally(() => {
				if (this.#search === search) this.#search = undefined;
			});
	}

	/** What the node is doing. */
	async status(): Promise<NodeStatus> {
		const status = await this.#client.request<WireStatus>({ type: "status" });
		return { ...status, connections: this.#peers.summary() };
	}

	/**
	 * The state of an account, checked by this node. Just after the start it waits for the first link if need be.
	 * Fails with a code when there is no answer.
	 */
	async account(address: string, options: AccountOptions = {}): Promise<AccountAnswer> {
		const { fresh = false, timeoutMs = 10_000, signal } = options;
		const answer = await this.#firstLink.ask(
			(left) =>
				this.#client.request<WireAnswer>(
					{ type: "account", address, fresh, timeoutMs: left },
					signal,
				),
			timeoutMs,
			signal,
		);
		const read = readAnswer(answer);
		this.#events.emit("answer", read);
		return read;
	}

	/**
	 * Publishes a signed block with work and waits until it is proven confirmed; `transaction` events
	 * tell how it gets on. A block in the place of another that is still pending is refused (`rival-pending`). It is
	 * stored before it is sent, and sent again until it is confirmed or refused for good, also after a restart: aborting
	 * ends the waiting, not the block.
	 */
	process(block: BlockJson, options: { signal?: AbortSignal } = {}): Promise<ProcessResult> {
		return this.#client.request<ProcessResult>({ type: "process", block }, options.signal);
	}

	/**
	 * Own blocks that are not proven confirmed yet, also those of an earlier run: whoever builds on an account waits
	 * for them first. Handing one to `process` again waits for it.
	 */
	pending(): Promise<PendingBlock[]> {
		return this.#client.request<PendingBlock[]>({ type: "pending" });
	}

	/** Keeps an account up to date: `record` events tell of its new blocks. At most 64 accounts. */
	watch(address: string): Promise<void> {
		return this.#client.request<void>({ type: "watch", address });
	}

	/** Ends `watch`. */
	unwatch(address: string): Promise<void> {
		return this.#client.request<void>({ type: "unwatch", address });
	}

	/** Listens to an event; the returned function ends that. */
	on<K extends keyof NodeEvents>(event: K, listener: (event: NodeEvents[K]) => void): () => void {
		return this.#events.on(event, listener);
	}

	/**
	 * Ends the node: storage is written, links and threads are closed, open calls fail. A worker that does not answer
	 * for five seconds is ended as it is.
	 */
	async stop(): Promise<void> {
		removeEventListener("online", this.#onConnectivity);
		removeEventListener("offline", this.#onConnectivity);
		this.work.close();
		try {
			await this.#client.request<void>({ type: "stop" }, AbortSignal.timeout(STOP_MS));
		} catch (error) {
			// A worker that is gone already has nothing left to write.
			if (!["worker-failed", "stopped", "aborted"].includes((error as NanoError).code)) throw error;
		} finally {
			this.#peers.stop();
			this.#client.close(new NanoError("stopped", "The node was stopped; start a new one."));
			this.#release();
		}
	}
}

/** How long a page that is going may still hold its storage when the next one starts. */
const HANDOVER_MS = 1_000;
const TAKEN =
	"Another tab of this site runs the node with this storage; this tab's node keeps nothing and has an identity of its own.";

/**
 * Claims a storage for this tab: two nodes of one identity would cut each other's links.
 * @returns what gives it back; nothing if another tab has it
 */
async function claim(name: string): Promise<(() => void) | undefined> {
	// Pages without a secure context have no locks, and no way to know.
	if (!navigator.locks) return () => {};
	return new Promise((resolve) => {
		navigator.locks
			.request(
				name,
				{ signal: AbortSignal.timeout(HANDOVER_MS) },
				() => new Promise<void>((release) => resolve(release)),
			)
			.catch(() => resolve(undefined));
	});
}
