// The page's handle of a node: a thin client of the worker that runs it.

import { Emitter } from "./emitter.js";
import type { NanoError } from "./errors.js";
import type { Facade } from "./facade.js";
import type { RpcAnswer, RpcRequest } from "./facade-types.js";
import { FirstLink } from "./first-link.js";
import type { HostListener, NodeHost, TabRole } from "./host.js";
import { LocalNode } from "./local-node.js";
import { Messages, Registry, Services } from "./messages.js";
import type { StartOptions } from "./options.js";
import type { OwnBlocks } from "./own-blocks.js";
import type { ChangeRequest, ReceiveRequest, SendRequest, Signer } from "./own-types.js";
import { type PostAsk, readAnswer, type WireAnswer } from "./protocol.js";
import { SharedNode } from "./shared-node.js";
import { type Stream, stream } from "./stream.js";
import type {
	AccountAnswer,
	AccountOptions,
	BlockJson,
	CallOptions,
	Health,
	NodeEvents,
	NodeNetwork,
	NodeStatus,
	PendingBlock,
	ProcessResult,
} from "./types.js";
import { WorkAhead } from "./work-ahead.js";
import { WorkPool } from "./work-pool.js";

/** How long after the start the first work thread is made. */
const PREPARE_WORK_MS = 1_000;

/** @internal Reaches what a node speaks to; test builds send commands of their own through it. */
export let hostOf: (node: NanoNode) => NodeHost;

/**
 * A node of the Nano network in this tab.
 *
 * ```js
 * const node = await NanoNode.start({ bridges: ["https://bridge.example"] });
 * const { balance, proof } = await node.account("nano_3t6k35gi95xu6tergt6p69ck76ogmitsa8mnijtpxm9fkcm736xtoncuohr3");
 * ```
 */
export class NanoNode {
	/** The network it belongs to. */
	readonly network: NodeNetwork;
	/** Computes work on threads of its own; by default to the threshold that every kind of block passes. */
	readonly work: WorkPool;
	/** Computes the work of the user's next blocks before it is needed; `work` then has it at once. */
	readonly ahead: WorkAhead;

	/** Who is behind a key, and being found by one's own. */
	readonly registry: Registry;
	/** Private messages from key to key. */
	readonly messages: Messages;
	/** What other nodes offer. */
	readonly services: Services;

	readonly #host: NodeHost;
	readonly #events: Emitter<NodeEvents>;
	readonly #firstLink: FirstLink;
	/** The search for the work that this node's place costs. */
	#search: { root: string; control: AbortController } | undefined;
	#facade: Promise<Facade> | undefined;
	#blocks: Promise<OwnBlocks> | undefined;

	static {
		hostOf = (node) => node.#host;
	}

	private constructor(
		options: StartOptions,
		host: NodeHost,
		events: Emitter<NodeEvents>,
		firstLink: FirstLink,
	) {
		this.network = options.network ?? "live";
		this.work = new WorkPool({
			difficulty: host.started.workThreshold,
			...(options.workThreads === undefined ? {} : { threads: options.workThreads }),
		});
		this.ahead = new WorkAhead(this.work);
		this.#host = host;
		const ask = <T>(asked: PostAsk, signal?: AbortSignal) =>
			host.request<T>({ type: "post", ask: asked }, signal);
		this.registry = new Registry(ask);
		this.messages = new Messages(ask, (listener) => events.on("message", listener));
		this.services = new Services(ask);
		this.#events = events;
		this.#firstLink = firstLink;
		// Not during the start, whose time a person feels; but before the network can be gone.
		setTimeout(() => void this.work.prepare(), PREPARE_WORK_MS);
	}

	/**
	 * Starts a node: opens its identity and slice, then connects in the background. It can be asked at
	 * once; what its own slice holds it answers without any connection.
	 *
	 * The tabs of one origin share one node: it runs in one of them, and moves to another when that one closes, without
	 * losing a call. Where a browser offers no locks, and with storage in memory, each tab has a node of its own.
	 */
	static async start(options: StartOptions = {}): Promise<NanoNode> {
		const events = new Emitter<NodeEvents>();
		const firstLink = new FirstLink(events);
		let node: NanoNode | undefined;
		const listener: HostListener = {
			event: (name, detail) => events.emit(name, detail),
			// A node asks for it after it was started.
			findWork: (...wanted) => {
				if (node) node.#findWork(...wanted);
			},
		};
		const kept = options.folder || "indexedDB" in globalThis;
		const storage = options.storage ?? (kept ? "indexeddb" : "memory");
		const shared = storage === "indexeddb" && SharedNode.isPossible;
		const host = shared
			? await SharedNode.start(options, listener)
			: await LocalNode.start(
					options,
					{
						storage,
						onFailure: ({ code, message }) => events.emit("error", { code, message }),
					},
					listener,
					options.signal,
				);
		node = new NanoNode(options, host, events, firstLink);
		return node;
	}

	/** The node's public key, `key_…`. */
	get key(): string {
		return this.#host.started.key;
	}

	/** Its id in the nanonet when it started, 64 hex digits; `status` tells the one at present. */
	get id(): string {
		return this.#host.started.id;
	}

	/** Whether it runs in this tab or in another one. */
	get role(): TabRole {
		return this.#host.role;
	}

	/** Searches while nobody waits for other work. A search that fails is asked for again. */
	#findWork(root: string, threshold: string, found: (nonce: string) => void): void {
		if (this.#search?.root === root) return;
		this.#search?.control.abort();
		const control = new AbortController();
		const search = { root, control };
		this.#search = search;
		this.work
			.generate(root, { difficulty: threshold, purpose: "join", signal: control.signal })
			.then(found)
			.catch(() => {})
			.finally(() => {
				if (this.#search === search) this.#search = undefined;
			});
	}

	/** What the node is doing. */
	status(options: CallOptions = {}): Promise<NodeStatus> {
		return this.#host.request<NodeStatus>({ type: "status" }, options.signal);
	}

	/**
	 * The state of an account, checked by this node. Just after the start it waits for the first link if need be.
	 * Fails with a code when there is no answer.
	 */
	async account(address: string, options: AccountOptions = {}): Promise<AccountAnswer> {
		const { fresh = false, timeoutMs = 10_000, signal } = options;
		const answer = await this.#firstLink.ask(
			(left) =>
				this.#host.request<WireAnswer>(
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
	process(block: BlockJson, options: CallOptions = {}): Promise<ProcessResult> {
		return this.#host.request<ProcessResult>({ type: "process", block }, options.signal);
	}

	/**
	 * Own blocks that are not proven confirmed yet, also those of an earlier run: whoever builds on an account waits
	 * for them first. Handing one to `process` again waits for it.
	 */
	pending(options: CallOptions = {}): Promise<PendingBlock[]> {
		return this.#host.request<PendingBlock[]>({ type: "pending" }, options.signal);
	}

	/** Keeps an account up to date: `record` events tell of its new blocks. At most 64 accounts. */
	watch(address: string, options: CallOptions = {}): Promise<void> {
		return this.#host.request<void>({ type: "watch", address }, options.signal);
	}

	/** Ends `watch`. */
	unwatch(address: string, options: CallOptions = {}): Promise<void> {
		return this.#host.request<void>({ type: "unwatch", address }, options.signal);
	}

	/**
	 * Sends an amount: builds on the account's newest block, computes work, has it signed, publishes it and waits until
	 * it is proven confirmed. Fails with `insufficient-balance`, `unopened`, `unknown-account`, `bad-signature`, or as
	 * `process` does. The same account's blocks are made one after the other.
	 */
	async send(signer: Signer, what: SendRequest, options: CallOptions = {}): Promise<ProcessResult> {
		return (await this.#own()).send(signer, what, options);
	}

	/** Receives a proven send, likewise. Fails also with `nothing-receivable` and `representative-needed`. */
	async receive(
		signer: Signer,
		what: ReceiveRequest = {},
		options: CallOptions = {},
	): Promise<ProcessResult> {
		return (await this.#own()).receive(signer, what, options);
	}

	/** Changes an account's representative, likewise. */
	async change(
		signer: Signer,
		what: ChangeRequest,
		options: CallOptions = {},
	): Promise<ProcessResult> {
		return (await this.#own()).change(signer, what, options);
	}

	#own(): Promise<OwnBlocks> {
		this.#blocks ??= import("./own-blocks.js").then(
			({ OwnBlocks }) => new OwnBlocks(this),
			(error) => {
				// A script that could not be loaded may be there at the next try.
				this.#blocks = undefined;
				throw error;
			},
		);
		return this.#blocks;
	}

	/** How the node fares, in words for a person. */
	async health(options: CallOptions = {}): Promise<Health> {
		const [{ healthOf }, status] = await Promise.all([import("./health.js"), this.status(options)]);
		return healthOf(status);
	}

	/** Events one after the other, `for await (const { account } of node.events("record"))`; see `Stream`. */
	events<K extends keyof NodeEvents>(event: K, options: CallOptions = {}): Stream<NodeEvents[K]> {
		return stream((listener) => this.#events.on(event, listener), options.signal);
	}

	/** Listens to an event; the returned function ends that. */
	on<K extends keyof NodeEvents>(event: K, listener: (event: NodeEvents[K]) => void): () => void {
		return this.#events.on(event, listener);
	}

	/**
	 * Asks as a full node's RPC is asked, `node.rpc({ action: "account_balance", account })`, and answers in its words:
	 * what is proven as proven, the rest by the full node of a bridge, told apart in the answer's field `nanonet`. A
	 * refusal is an answer with `error`; the promise fails only when aborted.
	 */
	async rpc(request: RpcRequest, options: CallOptions = {}): Promise<RpcAnswer> {
		return (await this.#rpc(JSON.stringify(request), options.signal)) as RpcAnswer;
	}

	/**
	 * The same in the shape of `fetch`, for programs that post to a full node's URL; whatever the URL says, this node
	 * answers.
	 */
	readonly fetch = async (input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> => {
		const request = new Request(input instanceof Request ? input : "https://nano.invalid/", init);
		const text = request.method === "POST" ? await request.text() : "";
		const answer = this.#rpc(text, request.signal).catch((error) => {
			// Whoever calls `fetch` expects the signal's own reason.
			throw request.signal.aborted ? request.signal.reason : error;
		});
		return Response.json(await answer);
	};

	async #rpc(request: string, signal?: AbortSignal): Promise<object> {
		this.#facade ??= import("./facade.js").then(({ Facade }) => new Facade(this));
		try {
			return await (await this.#facade).answer(request, signal);
		} catch (error) {
			// A script that could not be loaded may be there at the next try.
			if ((error as NanoError).code === undefined) this.#facade = undefined;
			throw error;
		}
	}

	/**
	 * Lets go of the node: threads are ended, open calls fail. If it runs in this tab its storage is written and its
	 * links are closed, and another tab that uses it goes on with it. A worker that does not answer for five seconds is
	 * ended as it is.
	 */
	async stop(): Promise<void> {
		this.#search?.control.abort();
		this.work.close();
		await this.#host.stop();
	}
}
