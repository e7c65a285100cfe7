// One node for all tabs of an origin.
//
// States of a tab: waiting (nobody is known to run the node), following (another tab does), leading (this one does),
// over. Rules:
// - whoever holds the lock runs the node; who wants it queues. A tab that closes or crashes frees the lock, and the
//   next in the queue starts the node from the same storage;
// - a hidden tab whose turn it is lets a visible one go first;
// - the leading tab says so twice a second. After 2.5 s of silence (a frozen page) the lock is taken from it; what it
//   may still write is refused by storage, where the newer term is noted (`src/node/storage.rs`), and it steps back
//   when it finds its lock gone;
// - a tab keeps what it asked until it is answered, and asks every new leader again under the same number. All
//   questions may be asked twice: a block that is handed in again is the same block, and a private message is known
//   by its name;
// - a page that is frozen or put away steps back at once and comes again when it returns.

import { aborted, NanoError } from "./errors.js";
import type { HostListener, NodeHost, TabRole } from "./host.js";
import { LocalNode } from "./local-node.js";
import type { StartOptions } from "./options.js";
import type { Started } from "./protocol.js";
import { MOVED, TabDesk, tabLock } from "./tab-desk.js";
import { BEAT_MS, SILENCE_MS, type TabMessage } from "./tab-protocol.js";
import type { NodeEvents } from "./types.js";
import type { Request } from "./worker-client.js";

/** How long a hidden tab waits for a visible one that wants to go first. */
const OFFER_MS = 60;
/** Workers that may die under one tab before its calls fail. */
const MOST_FAILURES = 3;

interface Ask {
	readonly request: Request;
	readonly resolve: (value: unknown) => void;
	readonly reject: (error: NanoError) => void;
}

/** Why a node in this tab has ended while its calls go on. */
const moved = () => new NanoError("moved", "The node goes on in another tab.");

/** The node of this origin, seen from one tab. */
export class SharedNode implements NodeHost {
	readonly #name: string;
	readonly #tab = crypto.randomUUID();
	readonly #options: StartOptions;
	readonly #listener: HostListener;
	readonly #asks = new Map<number, Ask>();
	/** Accounts this tab watches: told to every new leader. */
	readonly #watched = new Set<string>();
	/** What this tab has registered last: told to every new leader. */
	#registered: Request | undefined;
	#nextAsk = 1;
	#channel: BroadcastChannel | undefined;
	#role: Exclude<TabRole, "alone"> = "waiting";
	#term = 0;
	#started: Started | undefined;
	#local: LocalNode | undefined;
	#desk: TabDesk | undefined;
	/** Aborted when this tab goes or is put away. */
	#place = new AbortController();
	/** Aborted when its turn in the queue is not wanted any more. */
	#turn = new AbortController();
	/** Says that the node is being started. */
	#starting: ReturnType<typeof setInterval> | undefined;
	/** Lets go of the lock. */
	#release: () => void = () => {};
	#heard = 0;
	#looked = 0;
	#watchdog: ReturnType<typeof setInterval> | undefined;
	#wanted = false;
	#failures = 0;
	#over: NanoError | undefined;
	#ready: ((error?: NanoError) => void) | undefined;
	/** Aborted at the end. */
	readonly #ended = new AbortController();

	private constructor(options: StartOptions, listener: HostListener) {
		this.#name = `nanonet-${options.name ?? "default"}-${options.network ?? "live"}`;
		this.#options = options;
		this.#listener = listener;
	}

	/** Whether this browser can do it. */
	static get isPossible(): boolean {
		return "locks" in navigator && "BroadcastChannel" in globalThis;
	}

	/** Joins the tabs of this origin; ready as soon as somebody runs the node. */
	static async start(options: StartOptions, listener: HostListener): Promise<SharedNode> {
		const { signal } = options;
		if (signal?.aborted) throw aborted(signal);
		const node = new SharedNode(options, listener);
		const ready = new Promise<void>((resolve, reject) => {
			node.#ready = (error) => (error ? reject(error) : resolve());
		});
		const onAbort = () => node.#ready?.(aborted(signal as AbortSignal));
		signal?.addEventListener("abort", onAbort, { once: true });
		node.#join();
		const until = { signal: node.#ended.signal };
		const suspend = () => node.#suspend();
		const join = () => node.#join();
		document.addEventListener("freeze", suspend, until);
		document.addEventListener("resume", join, until);
		addEventListener("pagehide", (event) => event.persisted && suspend(), until);
		addEventListener("pageshow", (event) => event.persisted && join(), until);
		try {
			await ready;
			return node;
		} catch (error) {
			node.#end(error as NanoError);
			throw error;
		} finally {
			node.#ready = undefined;
			signal?.removeEventListener("abort", onAbort);
		}
	}

	get role(): TabRole {
		return this.#role;
	}

	get started(): Started {
		// Nobody has a node before it was ready.
		return this.#started as Started;
	}

	request<T>(request: Request, signal?: AbortSignal): Promise<T> {
		return new Promise<T>((resolve, reject) => {
			if (this.#over) return reject(this.#over);
			if (signal?.aborted) return reject(aborted(signal));
			if (request.type === "watch") this.#watched.add(request.address);
			if (request.type === "unwatch") this.#watched.delete(request.address);
			if (request.type === "post" && request.ask.type === "register") this.#registered = request;
			const number = this.#nextAsk++;
			const onAbort = () => {
				this.#asks.delete(number);
				this.#cancels.get(number)?.abort();
				this.#cancels.delete(number);
				this.#post({ kind: "cancel", from: this.#tab, ask: number });
				reject(aborted(signal as AbortSignal));
			};
			signal?.addEventListener("abort", onAbort, { once: true });
			const settled = () => signal?.removeEventListener("abort", onAbort);
			this.#asks.set(number, {
				request,
				resolve: (value) => {
					settled();
					resolve(value as T);
				},
				reject: (error) => {
					settled();
					reject(error);
				},
			});
			this.#ask(number);
		});
	}

	async stop(): Promise<void> {
		const local = this.#local;
		this.#local = undefined;
		try {
			await local?.stop();
		} finally {
			this.#end(new NanoError("stopped", "The node was stopped; start a new one."));
		}
	}

	/** What ends an own question to the node in this tab. */
	readonly #cancels = new Map<number, AbortController>();

	/** Comes in: listens, asks who leads, and queues. */
	#join(): void {
		if (this.#over || this.#channel) return;
		this.#place = new AbortController();
		this.#heard = this.#looked = performance.now();
		this.#channel = new BroadcastChannel(this.#name);
		this.#channel.onmessage = ({ data }: MessageEvent<TabMessage>) => this.#receive(data);
		this.#watchdog = setInterval(() => this.#look(), BEAT_MS);
		// Held as long as this tab lives: the leader sees by it that we are gone.
		void this.#hold(tabLock(this.#name, this.#tab));
		this.#post({ kind: "hello", from: this.#tab });
		this.#queue();
	}

	async #hold(name: string): Promise<void> {
		const { signal } = this.#place;
		await navigator.locks
			.request(
				name,
				() => new Promise<void>((free) => signal.addEventListener("abort", () => free())),
			)
			.catch(() => {});
	}

	/** Leaves without an end: the page is put away. */
	#suspend(): void {
		this.#stepBack(moved());
		this.#place.abort();
		this.#turn.abort();
		clearInterval(this.#watchdog);
		this.#channel?.close();
		this.#channel = undefined;
	}

	#end(error: NanoError): void {
		if (this.#over) return;
		this.#over = error;
		this.#post({ kind: "bye", from: this.#tab });
		this.#suspend();
		this.#ended.abort();
		for (const ask of this.#asks.values()) ask.reject(error);
		this.#asks.clear();
	}

	/** Waits for the lock, or takes it from a silent holder. */
	#queue(steal = false): void {
		this.#turn = new AbortController();
		const { signal } = this.#turn;
		navigator.locks
			.request(this.#name, steal ? { steal } : { signal }, () => this.#lead(signal))
			.then(
				() => this.#again(signal),
				() => {
					if (signal.aborted) return;
					// Taken from us: we were silent too long.
					this.#stepBack(moved());
					this.#again(signal);
				},
			);
	}

	#again(signal: AbortSignal): void {
		if (!signal.aborted && !this.#over) this.#queue();
	}

	/** Has the lock: runs the node until it is let go. */
	async #lead(turn: AbortSignal): Promise<void> {
		if (turn.aborted || (document.hidden && (await this.#visibleFirst()))) return;
		const released = new Promise<void>((resolve) => {
			this.#release = resolve;
		});
		const beat = () => this.#post({ kind: "beat", term: this.#term });
		beat();
		this.#starting = setInterval(beat, BEAT_MS);
		try {
			const local = await LocalNode.start(
				this.#options,
				{
					storage: "indexeddb",
					onBeat: beat,
					onFailure: (error) => this.#failed(error),
				},
				{
					event: (name, detail) => this.#happened(name, detail),
					findWork: (...wanted) => this.#listener.findWork(...wanted),
				},
			);
			if (turn.aborted) {
				local.drop(moved());
				return;
			}
			this.#local = local;
		} catch (error) {
			this.#failed(error as NanoError);
			return;
		} finally {
			clearInterval(this.#starting);
			this.#starting = undefined;
		}
		const { started } = this.#local;
		this.#desk = new TabDesk(this.#local, this.#name, (message) => this.#post(message));
		// Storage that was cleared, or none, begins to count anew; the tabs go on.
		const term = Math.max(started.term, this.#term + 1);
		this.#follow("leading", term, started);
		this.#post({ kind: "lead", from: this.#tab, term, started });
		await released;
	}

	/** Whether a visible tab wants to go first. */
	async #visibleFirst(): Promise<boolean> {
		this.#wanted = false;
		this.#post({ kind: "offer", from: this.#tab });
		await new Promise((resolve) => setTimeout(resolve, OFFER_MS));
		return this.#wanted;
	}

	/** The node in this tab died, or could not be started. */
	#failed(error: NanoError): void {
		this.#failures += 1;
		this.#stepBack(error);
		if (this.#ready) this.#ready(error);
		else if (this.#failures >= MOST_FAILURES) {
			this.#listener.event("error", { code: error.code, message: error.message });
			this.#end(error);
		}
	}

	/** Ends what runs here, if anything does, and lets go of the lock. */
	#stepBack(error: NanoError): void {
		const local = this.#local;
		this.#local = undefined;
		this.#desk?.close();
		this.#desk = undefined;
		if (this.#role === "leading") this.#role = "waiting";
		local?.drop(error);
		this.#release();
	}

	/** Somebody, perhaps this tab, runs the node from now on: everything open is asked there. */
	#follow(role: "leading" | "following", term: number, started: Started): void {
		this.#role = role;
		this.#term = term;
		this.#started = started;
		this.#heard = performance.now();
		for (const address of this.#watched) this.#toNode(undefined, { type: "watch", address });
		if (this.#registered) this.#toNode(undefined, this.#registered);
		for (const number of this.#asks.keys()) this.#ask(number);
		this.#ready?.();
	}

	/** Asks whoever runs the node; without one the question waits. */
	#ask(number: number): void {
		const ask = this.#asks.get(number);
		if (ask) this.#toNode(number, ask.request);
	}

	#toNode(number: number | undefined, request: Request): void {
		if (this.#desk) {
			const control = new AbortController();
			if (number !== undefined) this.#cancels.set(number, control);
			this.#desk.request(this.#tab, request, control.signal).then(
				(value) => this.#settle(number)?.resolve(value),
				(error: NanoError) => {
					if (!MOVED.has(error.code)) this.#settle(number)?.reject(error);
				},
			);
		} else if (this.#role === "following") {
			this.#post({ kind: "ask", from: this.#tab, ask: number ?? 0, request });
		}
	}

	#settle(number: number | undefined): Ask | undefined {
		if (number === undefined) return undefined;
		const ask = this.#asks.get(number);
		this.#asks.delete(number);
		this.#cancels.delete(number);
		return ask;
	}

	/** Something happened to the node here: told to all. */
	#happened<K extends keyof NodeEvents>(name: K, detail: NodeEvents[K]): void {
		if (name === "error" && MOVED.has((detail as NodeEvents["error"]).code)) {
			// Storage says that a newer term has begun: somebody else leads.
			this.#stepBack(moved());
			return;
		}
		this.#failures = 0;
		this.#listener.event(name, detail);
		this.#post({ kind: "event", term: this.#term, name, detail } as TabMessage);
	}

	#post(message: TabMessage): void {
		this.#channel?.postMessage(message);
	}

	#receive(message: TabMessage): void {
		switch (message.kind) {
			case "hello":
				if (this.#local && this.#started) {
					const { started } = this.#local;
					this.#post({ kind: "lead", from: this.#tab, term: this.#term, started });
				}
				break;
			case "lead":
				this.#heardOf(message);
				break;
			case "beat":
				if (message.term >= this.#term) this.#heard = performance.now();
				break;
			case "ask":
				this.#desk?.ask(message);
				break;
			case "cancel":
				this.#desk?.cancel(message.from, message.ask);
				break;
			case "bye":
				this.#desk?.leave(message.from);
				break;
			case "answer":
				if (message.to === this.#tab) this.#settle(message.ask)?.resolve(message.value);
				break;
			case "fail":
				if (message.to === this.#tab) {
					this.#settle(message.ask)?.reject(new NanoError(message.code, message.message));
				}
				break;
			case "event":
				if (this.#role === "following" && message.term === this.#term) {
					this.#listener.event(message.name, message.detail as never);
				}
				break;
			case "offer":
				if (!document.hidden && !this.#local) this.#post({ kind: "want", to: message.from });
				break;
			case "want":
				if (message.to === this.#tab) this.#wanted = true;
				break;
		}
	}

	/** Another tab says that it leads. */
	#heardOf({ term, started }: Extract<TabMessage, { kind: "lead" }>): void {
		this.#heard = performance.now();
		if (term < this.#term || (term === this.#term && this.#role !== "waiting")) return;
		if (this.#local) this.#stepBack(moved());
		this.#follow("following", term, started);
	}

	/** Looks whether whoever leads still speaks. */
	#look(): void {
		const now = performance.now();
		const late = now - this.#looked > BEAT_MS + SILENCE_MS / 2;
		this.#looked = now;
		// Who slept himself has heard nothing for that reason.
		if (late) this.#heard = now;
		// The one that is visible is first, and no two at the same time.
		const patience = SILENCE_MS + (document.hidden ? BEAT_MS : 0) + Math.random() * BEAT_MS;
		if (this.#local || this.#starting || now - this.#heard < patience) return;
		this.#heard = now;
		this.#turn.abort();
		this.#queue(true);
	}
}
