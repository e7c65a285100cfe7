// Events as an async iterator.

/** Events that wait to be taken; the oldest go first. */
const MOST_WAITING = 256;

/**
 * Events from the call on, for `for await`. Those not taken yet wait, 256 at most: of more the oldest are lost. Leaving
 * the loop ends it, and so does the signal, without an error.
 */
export type Stream<Event> = AsyncIterableIterator<Event>;

/** The stream of what `listen` tells; what that returns ends it. @internal */
export function stream<Event>(
	listen: (listener: (event: Event) => void) => () => void,
	signal?: AbortSignal,
): Stream<Event> {
	const waiting: Event[] = [];
	let wake = () => {};
	let over = false;
	const off = listen((event) => {
		if (waiting.push(event) > MOST_WAITING) waiting.shift();
		wake();
	});
	const end = () => {
		over = true;
		off();
		wake();
	};
	signal?.addEventListener("abort", end);
	if (signal?.aborted) end();
	return {
		[Symbol.asyncIterator]() {
			return this;
		},
		async next() {
			while (!waiting.length && !over) {
				await new Promise<void>((resolve) => {
					wake = resolve;
				});
			}
			// What was left behind by its end is still given.
			return waiting.length
				? { done: false, value: waiting.shift() as Event }
				: { done: true, value: undefined };
		},
		async return() {
			waiting.length = 0;
			end();
			return { done: true, value: undefined };
		},
	};
}
