// The page's connections to other browsers.
//
// Browsers offer `RTCPeerConnection` on the page only, while the node runs in a worker. So the page
// does just this: it makes a connection when the node says so, carries descriptions and candidates
// to and from the node, and gives the data channel away to the worker the moment it exists. Where a
// browser cannot transfer channels, the page keeps them and forwards their bytes.
//
// A session is one connection with one ordered, reliable channel, and one that is neither, for
// questions and answers, where channels can be transferred. It ends when the node abandons it (then
// nothing is reported) or when it fails here (then the node is told, once).
//
// Connections are scarce: Chromium counts up to 500 per tab, closed ones included until they are
// garbage, so both the living and the ever made are limited, and beyond that a session fails at once.

import type { Command, Signal } from "./protocol.js";

/** Connections alive at once. */
const MOST_LIVE = 32;
/** Connections made in the life of a page. */
const MOST_CREATED = 400;
/** How long a connection may be without contact before it counts as failed; ICE itself takes 15 s and more. */
const SILENCE_MS = 10_000;
/** Bytes of a forwarded channel's buffer that count as taken, so that sending never runs dry. */
const LOW_WATER = 16_384;

/**
 * The channel for questions and answers. What is lost is sent again by the node, which does not wait a second for
 * it. Both sides know its number, which is above those that browsers give; a peer without it says nothing of it.
 */
const UNORDERED: RTCDataChannelInit = {
	ordered: false,
	maxRetransmits: 0,
	negotiated: true,
	id: 16,
};

/** Made so far, by every node of this page. */
let created = 0;

/** How the manager reaches the node. */
export type ToNode = (command: Command, attachment?: RTCDataChannel | ArrayBuffer) => void;

interface Session {
	readonly id: number;
	readonly connection: RTCPeerConnection;
	/** Candidates that came before there was a remote description to add them to; `null` afterwards. */
	early: RTCIceCandidateInit[] | null;
	/** Candidates found before our description was on its way; `null` afterwards. */
	found: string[] | null;
	silence: ReturnType<typeof setTimeout> | undefined;
	forwarded: Forwarded | undefined;
}

interface Forwarded {
	readonly channel: RTCDataChannel;
	/** Bytes sent and not yet reported as taken. */
	outstanding: number;
}

/** Makes, feeds and ends the page's connections as the node says. */
export class PeerConnections {
	readonly #toNode: ToNode;
	readonly #configuration: RTCConfiguration;
	readonly #sessions = new Map<number, Session>();
	#channels: "unused" | "transferred" | "forwarded" = "unused";
	readonly #onPageHide = (event: PageTransitionEvent) => {
		// A page that is really going tells its peers now; otherwise they would wait for silence.
		if (!event.persisted) this.stop();
	};

	constructor(toNode: ToNode, iceServers: RTCIceServer[]) {
		this.#toNode = toNode;
		this.#configuration = { iceServers };
		addEventListener("pagehide", this.#onPageHide);
	}

	/** Figures for the status. */
	summary(): { live: number; created: number; channels: "unused" | "transferred" | "forwarded" } {
		return { live: this.#sessions.size, created, channels: this.#channels };
	}

	/** Does what the node says. */
	handle(signal: Signal, attachment: ArrayBuffer | null): void {
		switch (signal.op) {
			case "createOffer":
				this.#start(signal.session, null);
				break;
			case "acceptOffer":
				this.#start(signal.session, signal.sdp);
				break;
			case "acceptAnswer":
				this.#with(signal.session, (session) =>
					this.#setRemote(session, { type: "answer", sdp: signal.sdp }),
				);
				break;
			case "addCandidate":
				this.#with(signal.session, (session) => this.#addCandidate(session, signal.candidate));
				break;
			case "abandon":
				this.#end(signal.session);
				break;
			case "forward":
				this.#forward(signal.session, attachment);
				break;
		}
	}

	/** Ends every connection. */
	stop(): void {
		removeEventListener("pagehide", this.#onPageHide);
		for (const id of [...this.#sessions.keys()]) this.#end(id);
	}

	/** Makes a connection: from an offer, or with an offer of its own. */
	#start(id: number, offer: string | null): void {
		const connection = this.#create();
		if (!connection) {
			this.#fail(id);
			return;
		}
		const session: Session = {
			id,
			connection,
			early: [],
			found: [],
			silence: undefined,
			forwarded: undefined,
		};
		this.#sessions.set(id, session);
		connection.onicecandidate = ({ candidate }) => this.#found(session, candidate);
		connection.onconnectionstatechange = () => this.#stateChanged(session);
		if (offer === null) {
			this.#adopt(session, connection.createDataChannel("nanonet", { ordered: true }), true);
			this.#with(id, () => this.#describe(session));
		} else {
			connection.ondatachannel = ({ channel }) => this.#adopt(session, channel, false);
			this.#with(id, async () => {
				await this.#setRemote(session, { type: "offer", sdp: offer });
				await this.#describe(session);
			});
		}
	}

	/** A new connection, within the limits. */
	#create(): RTCPeerConnection | undefined {
		if (this.#sessions.size >= MOST_LIVE || created >= MOST_CREATED) return undefined;
		try {
			const connection = new RTCPeerConnection(this.#configuration);
			created += 1;
			return connection;
		} catch {
			// The browser's own limit, or connections are switched off.
			return undefined;
		}
	}

	/** Runs a step of a session; the session fails with it. Steps of sessions that are over are dropped. */
	#with(id: number, step: (session: Session) => Promise<void>): void {
		const session = this.#sessions.get(id);
		if (!session) return;
		step(session).catch(() => {
			if (this.#sessions.get(id) === session) this.#fail(id);
		});
	}

	/** Makes our description and sends it ahead of the candidates. */
	async #describe(session: Session): Promise<void> {
		await session.connection.setLocalDescription();
		const sdp = session.connection.localDescription?.sdp;
		if (!sdp || this.#sessions.get(session.id) !== session) return;
		this.#toNode({ type: "localDescription", session: session.id, sdp });
		const found = session.found ?? [];
		session.found = null;
		for (const candidate of found) this.#sendCandidate(session, candidate);
	}

	async #setRemote(session: Session, description: RTCSessionDescriptionInit): Promise<void> {
		await session.connection.setRemoteDescription(description);
		const early = session.early ?? [];
		session.early = null;
		for (const candidate of early) await session.connection.addIceCandidate(candidate);
	}

	async #addCandidate(session: Session, text: string): Promise<void> {
		const candidate: RTCIceCandidateInit = { candidate: text, sdpMLineIndex: 0 };
		if (session.early) session.early.push(candidate);
		else {
			// The other side chose its words: a candidate this browser does not understand is not the
			// end of a session that may connect through another one.
			await session.connection.addIceCandidate(candidate).catch(() => {});
		}
	}

	#found(session: Session, candidate: RTCIceCandidate | null): void {
		// Browsers only dial out over TCP, so two of them never meet there: not worth a message.
		if (!candidate?.candidate || candidate.protocol === "tcp") return;
		if (session.found) session.found.push(candidate.candidate);
		else this.#sendCandidate(session, candidate.candidate);
	}

	#sendCandidate(session: Session, candidate: string): void {
		this.#toNode({ type: "localCandidate", session: session.id, candidate });
	}

	#stateChanged(session: Session): void {
		clearTimeout(session.silence);
		const state = session.connection.connectionState;
		if (state === "failed") this.#fail(session.id);
		if (state === "disconnected") {
			session.silence = setTimeout(() => this.#fail(session.id), SILENCE_MS);
		}
	}

	/**
	 * Gives a new channel to the worker. This must happen in the task that made the channel: a moment
	 * later it can no longer be transferred.
	 */
	#adopt(session: Session, channel: RTCDataChannel, offerer: boolean): void {
		if (this.#channels !== "forwarded") {
			try {
				this.#toNode({ type: "channel", session: session.id, offerer }, channel);
				this.#channels = "transferred";
			} catch {
				// DataCloneError: this browser cannot transfer channels.
				this.#channels = "forwarded";
			}
		}
		if (this.#channels === "forwarded") this.#keep(session, channel, offerer);
		else this.#addUnordered(session);
	}

	/** Makes the unordered channel and gives it to the worker. */
	#addUnordered({ id, connection }: Session): void {
		try {
			const channel = connection.createDataChannel("nanonet-unordered", UNORDERED);
			this.#toNode({ type: "unorderedChannel", session: id }, channel);
		} catch {
			// The browser has no such channel to give: everything takes the ordered one.
		}
	}

	/** Keeps the channel on the page and forwards its bytes. */
	#keep(session: Session, channel: RTCDataChannel, offerer: boolean): void {
		const { id } = session;
		const forwarded: Forwarded = { channel, outstanding: 0 };
		session.forwarded = forwarded;
		channel.binaryType = "arraybuffer";
		channel.bufferedAmountLowThreshold = LOW_WATER;
		const open = () => this.#toNode({ type: "forwardOpen", session: id, offerer });
		if (channel.readyState === "open") open();
		else channel.onopen = open;
		channel.onmessage = ({ data }) => {
			if (data instanceof ArrayBuffer) this.#toNode({ type: "forwardReceived", session: id }, data);
		};
		channel.onbufferedamountlow = () => this.#reportTaken(id, forwarded);
		channel.onclose = () => this.#toNode({ type: "forwardClosed", session: id });
	}

	#forward(id: number, bytes: ArrayBuffer | null): void {
		const forwarded = this.#sessions.get(id)?.forwarded;
		if (!forwarded || !bytes || forwarded.channel.readyState !== "open") return;
		forwarded.channel.send(bytes);
		forwarded.outstanding += bytes.byteLength;
		this.#reportTaken(id, forwarded);
	}

	#reportTaken(id: number, forwarded: Forwarded): void {
		const waiting = Math.max(0, forwarded.channel.bufferedAmount - LOW_WATER);
		const bytes = forwarded.outstanding - waiting;
		if (bytes <= 0) return;
		forwarded.outstanding = waiting;
		this.#toNode({ type: "forwardWritten", session: id, bytes });
	}

	/** Ends a session that failed here and tells the node. */
	#fail(id: number): void {
		this.#end(id);
		this.#toNode({ type: "sessionFailed", session: id });
	}

	#end(id: number): void {
		const session = this.#sessions.get(id);
		if (!session) return;
		this.#sessions.delete(id);
		clearTimeout(session.silence);
		session.connection.onicecandidate = null;
		session.connection.onconnectionstatechange = null;
		session.connection.ondatachannel = null;
		if (session.forwarded) session.forwarded.channel.onclose = null;
		session.connection.close();
	}
}
