// What the tabs of one origin say to each other over their `BroadcastChannel`.
//
// A term is the time in which one tab runs the node; terms are numbered, later ones higher, and storage refuses
// what an earlier one writes. Every tab has a name of its own.

import type { Started } from "./protocol.js";
import type { NodeEvents } from "./types.js";
import type { Request } from "./worker-client.js";

/** One message. */
export type TabMessage =
	/** A tab has come: who runs the node? */
	| { kind: "hello"; from: string }
	/** A tab is going. */
	| { kind: "bye"; from: string }
	/** I run the node in this term: ask me, also what you asked others. */
	| { kind: "lead"; from: string; term: number; started: Started }
	/** I still do. */
	| { kind: "beat"; term: number }
	/** To whoever runs the node: a question. Asked again in a later term it has the same number. */
	| { kind: "ask"; from: string; ask: number; request: Request }
	/** Nobody waits for its answer any more. */
	| { kind: "cancel"; from: string; ask: number }
	/** The answer. */
	| { kind: "answer"; to: string; ask: number; value: unknown }
	/** Why there is none. */
	| { kind: "fail"; to: string; ask: number; code: string; message: string }
	/** Something happened to the node. */
	| {
			[K in keyof NodeEvents]: {
				kind: "event";
				term: number;
				name: K;
				detail: NodeEvents[K];
			};
	  }[keyof NodeEvents]
	/** A hidden tab is about to run the node: does a visible one want to? */
	| { kind: "offer"; from: string }
	/** This one does. */
	| { kind: "want"; to: string };

/** How often whoever runs the node says so. */
export const BEAT_MS = 500;
/** Silence after which the node is taken from whoever has it. */
export const SILENCE_MS = 2_500;
