// The worker's side of the page: loads the wasm and hands it what the page says.

import type { Envelope } from "./protocol.js";

/** The node in the wasm (`src/node/mod.rs`). */
export interface Shell {
	/** Takes one message of the page. */
	command(json: string, attachment: Envelope[1]): void;
}

/** How often the page is told that the worker lives, and in which words. */
const BEAT_MS = 500;
const BEAT = JSON.stringify({ type: "beat" });

/** How the node speaks to the page. */
export type Post = (json: string, attachment: Envelope[1]) => void;

/** Answers the page, as soon as `load` has made the node; messages before that wait. */
export function serve(load: () => Promise<(post: Post) => Shell>): void {
	const early: Envelope[] = [];
	let take = (envelope: Envelope): void => {
		early.push(envelope);
	};
	self.onmessage = ({ data }: MessageEvent<Envelope>) => take(data);
	const post: Post = (json, attachment) => {
		const envelope: Envelope = [json, attachment];
		self.postMessage(envelope, attachment ? [attachment] : []);
	};
	// Timers of a worker go on while its page is hidden.
	setInterval(() => post(BEAT, null), BEAT_MS);
	load().then(
		(make) => {
			const shell = make(post);
			take = ([json, attachment]) => shell.command(json, attachment);
			early.forEach(take);
		},
		// Reported, not thrown: an unhandled rejection in a worker does not reach the page.
		(error) => reportError(error),
	);
}
