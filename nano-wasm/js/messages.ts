// The registry of keys, private messages and services, as a page uses them.

import { NanoError } from "./errors.js";
import { type PaymentRequest, readPaymentRequest, writePaymentRequest } from "./payment-request.js";
import type { PostAsk, WireLookup, WireNode, WireService } from "./protocol.js";
import type { KeyLookup, NodeService, PrivateMessage, RegisteredNode } from "./types.js";

type Ask = <T>(asked: PostAsk, signal?: AbortSignal) => Promise<T>;

/** How long a message is tried. */
const SEND_MS = 60_000;

/** How a message is sent. */
export interface SendOptions {
	/** Relays of its routes, 1 to 5; with one, that one knows both ends. Default: 3. */
	relays?: number;
	/** How long it is tried. Default: one minute. */
	timeoutMs?: number;
	/** Ends the waiting; the message may still arrive. */
	signal?: AbortSignal;
}

/** Who is behind a key. */
export class Registry {
	readonly #ask: Ask;

	/** @internal */
	constructor(ask: Ask) {
		this.#ask = ask;
	}

	/**
	 * Has a signed record of this node's key in the registry from now on, so that others can find it; calling
	 * it again replaces what it says. A node without one can do everything else.
	 */
	register(options: { services?: NodeService[]; metadata?: string } = {}): Promise<void> {
		const { services = [], metadata = "" } = options;
		return this.#ask({ type: "register", services: services.map(toWire), metadata });
	}

	/**
	 * The record of a key, checked by this node, and the ways to it. Fails with `unknown-key`, `key-expired`,
	 * `bad-key` or `offline`.
	 */
	async lookup(key: string, signal?: AbortSignal): Promise<KeyLookup> {
		const { node, routes } = await this.#ask<WireLookup>({ type: "lookUp", key }, signal);
		return { node: readNode(node), routes };
	}
}

/** Private messages: only the recipient reads them, and no node on the way knows both ends. */
export class Messages {
	readonly #ask: Ask;
	readonly #on: (listener: (message: PrivateMessage) => void) => () => void;

	/** @internal */
	constructor(ask: Ask, on: (listener: (message: PrivateMessage) => void) => () => void) {
		this.#ask = ask;
		this.#on = on;
	}

	/**
	 * Sends a text of at most 8 KiB to a key; resolves with its name when the recipient has acknowledged it. Fails with
	 * a code: `unknown-key`, `no-route`, `inbox-full`, `message-unanswered` (it may still arrive), and others.
	 */
	async send(to: string, text: string, options: SendOptions = {}): Promise<{ id: string }> {
		const { relays, timeoutMs = SEND_MS, signal } = options;
		const [random = 0n] = crypto.getRandomValues(new BigUint64Array(1));
		const name = random.toString(16).padStart(16, "0");
		const asked = { type: "send" as const, to, name, text, timeoutMs };
		await this.#ask(relays === undefined ? asked : { ...asked, relays }, signal);
		return { id: name };
	}

	/**
	 * Asks a key for a payment: a message that its `payment` tells apart. Fails with `bad-payment` besides the codes of
	 * `send`.
	 */
	requestPayment(
		to: string,
		request: PaymentRequest,
		options: SendOptions = {},
	): Promise<{ id: string }> {
		const text = writePaymentRequest(request);
		if (text !== undefined) return this.send(to, text, options);
		const message = "A payment goes to a nano_… address and is of at least 1 raw.";
		return Promise.reject(new NanoError("bad-payment", message));
	}

	/** Listens to messages; each comes once, in its sender's order. The returned function ends that. */
	subscribe(listener: (message: PrivateMessage) => void): () => void {
		return this.#on((message) => {
			const payment = readPaymentRequest(message.text);
			listener(payment ? { ...message, payment } : message);
		});
	}
}

/** What other nodes offer. */
export class Services {
	readonly #ask: Ask;

	/** @internal */
	constructor(ask: Ask) {
		this.#ask = ask;
	}

	/** Registered nodes that offer a service of this kind with all of these attributes. */
	async find(
		filter: { kind: string; attributes?: Record<string, string> },
		signal?: AbortSignal,
	): Promise<RegisteredNode[]> {
		const wire = toWire({ attributes: {}, ...filter });
		const found = await this.#ask<WireNode[]>({ type: "findServices", filter: wire }, signal);
		return found.map(readNode);
	}
}

function toWire({ kind, attributes }: NodeService): WireService {
	const pairs = Object.entries(attributes);
	return { kind, attributes: pairs.map(([name, value]) => ({ name, value })) };
}

function readNode(node: WireNode): RegisteredNode {
	return {
		...node,
		lastSeen: new Date(node.lastSeen),
		expires: new Date(node.expires),
		services: node.services.map(({ kind, attributes }) => ({
			kind,
			attributes: Object.fromEntries(attributes.map(({ name, value }) => [name, value])),
		})),
	};
}
