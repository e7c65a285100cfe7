// A node that runs in this page: its worker, and the page's connections to other browsers.

import { NanoError } from "./errors.js";
import type { HostListener, NodeHost, TabRole } from "./host.js";
import type { StartOptions } from "./options.js";
import { PeerConnections } from "./peer-connections.js";
import type { Started, WireStatus } from "./protocol.js";
import type { NodeStatus } from "./types.js";
import { type News, type Request, WorkerClient } from "./worker-client.js";

/** How long a worker may take to write what it has when the node is stopped. */
const STOP_MS = 5_000;

/** How a node is started here, besides the person's options. */
export interface Place {
	storage: "indexeddb" | "memory";
	/** Why less is kept than the person wanted. */
	storageProblem?: string;
	/** Told about twice a second while page and worker live. */
	onBeat?: () => void;
	/** Told once if the worker dies. */
	onFailure: (error: NanoError) => void;
}

/** A node in this page. */
export class LocalNode implements NodeHost {
	readonly started: Started;
	readonly role: TabRole = "alone";
	readonly #client: WorkerClient;
	readonly #peers: PeerConnections;
	readonly #ended = new AbortController();

	readonly #options: StartOptions;

	private constructor(
		started: Started,
		client: WorkerClient,
		peers: PeerConnections,
		options: StartOptions,
	) {
		this.started = started;
		this.#options = options;
		this.#client = client;
		this.#peers = peers;
		const tell = () => client.post({ type: "network", online: navigator.onLine });
		for (const event of ["online", "offline"]) {
			addEventListener(event, tell, { signal: this.#ended.signal });
		}
	}

	/** Starts a worker and in it a node. */
	static async start(
		options: StartOptions,
		place: Place,
		listener: HostListener,
		signal?: AbortSignal,
	): Promise<LocalNode> {
		// The worker speaks of connections only after it was started, so both exist by then.
		const onNews = (news: News, attachment: ArrayBuffer | null) => {
			if (news.type === "signal") peers.handle(news, attachment);
			else if (news.type === "beat") place.onBeat?.();
			else if (news.type === "findWork") {
				const { root, threshold } = news;
				listener.findWork(root, threshold, (nonce) =>
					client.post({ type: "workFound", root, nonce }),
				);
			} else if (news.event === "status") {
				listener.event("status", complete(news.detail, options, peers));
			} else {
				listener.event(news.event, news.detail as never);
				// A later node owns its storage: this one has ended.
				if (news.event === "error" && news.detail.code === "deposed") {
					peers.stop();
					client.close(new NanoError("deposed", news.detail.message));
				}
			}
		};
		const client = new WorkerClient(onNews, (error) => {
			peers.stop();
			place.onFailure(error);
		});
		const peers = new PeerConnections(
			(command, attachment) => client.post(command, attachment),
			options.iceServers ?? [],
		);
		try {
			const started = await client.request<Started>(startCommand(options, place), signal);
			return new LocalNode(started, client, peers, options);
		} catch (error) {
			peers.stop();
			client.close(error as NanoError);
			throw error;
		}
	}

	/** Asks the worker. */
	async request<T>(request: Request, signal?: AbortSignal): Promise<T> {
		const answer = await this.#client.request<T>(request, signal);
		if (request.type !== "status") return answer;
		return complete(answer as WireStatus, this.#options, this.#peers) as T;
	}

	/** Ends it: storage is written, links are closed. A worker that does not answer is ended as it is. */
	async stop(): Promise<void> {
		try {
			await this.#client.request<void>({ type: "stop" }, AbortSignal.timeout(STOP_MS));
		} catch (error) {
			// A worker that is gone already has nothing left to write.
			if (!["worker-failed", "stopped", "aborted"].includes((error as NanoError).code)) throw error;
		} finally {
			this.drop(new NanoError("stopped", "The node was stopped; start a new one."));
		}
	}

	/** Ends it at once, as a crash would; open calls fail with `error`. */
	drop(error: NanoError): void {
		this.#ended.abort();
		this.#peers.stop();
		this.#client.close(error);
	}
}

function startCommand(options: StartOptions, place: Place): Extract<Request, { type: "start" }> {
	const { profile, maxLinks, replicas, folder } = options;
	return {
		type: "start",
		network: options.network ?? "live",
		name: options.name ?? "default",
		storage: place.storage,
		...(place.storageProblem === undefined ? {} : { storageProblem: place.storageProblem }),
		// A program without an origin has none.
		bridges: options.bridges ?? [location.origin].filter(Boolean),
		listed: options.bridges === undefined,
		anchors: options.anchors ?? [],
		profile,
		maxLinks,
		replicas,
		folder,
	};
}

/** A status with what only the page knows. */
function complete(
	status: WireStatus,
	{ folder }: StartOptions,
	peers: PeerConnections,
): NodeStatus {
	const { storage } = status;
	const kind = folder && storage.kind === "indexeddb" ? "file" : storage.kind;
	return { ...status, storage: { ...storage, kind }, connections: peers.summary() };
}
