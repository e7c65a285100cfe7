// What the scripts tell the person who typed a command: one line a step, with the time it took.

const color = process.stdout.isTTY && process.env.NO_COLOR === undefined;
const paint = (/** @type {number} */ code, /** @type {string} */ text) =>
	color ? `\u001b[${code}m${text}\u001b[0m` : text;

/** Announces a step. @param {string} text */
export function say(text) {
	console.log(`${paint(36, "▸")} ${text}`);
}

/** Says that a step went well. @param {string} text */
export function done(text) {
	console.log(`${paint(32, "✓")} ${text}`);
}

/** A message with what happened and what to do, in place of a stack trace. */
export class Problem extends Error {
	/**
	 * @param {string} what what happened, to what
	 * @param {string} todo what the person can do about it
	 */
	constructor(what, todo) {
		super(`${what}\n  ${todo}`);
		this.name = "Problem";
	}
}

/**
 * Runs a script's main function; a `Problem` ends it with its message and exit code 1.
 * @param {() => Promise<void>} main
 */
export function script(main) {
	main().catch((error) => {
		console.error(
			`${paint(31, "✗")} ${error instanceof Problem ? error.message : (error.stack ?? error)}`,
		);
		process.exitCode = 1;
	});
}

/** A program that shows no progress of its own is spoken for this often, milliseconds. */
const STILL_MS = 30_000;

/**
 * Times a step and announces both ends, and in between that it goes on.
 * @template T
 * @param {string} text
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(text, work) {
	say(text);
	const begin = performance.now();
	const seconds = () => (performance.now() - begin) / 1000;
	const still = setInterval(
		() => console.log(`  … ${text}: going on, ${seconds().toFixed(0)} s`),
		STILL_MS,
	);
	try {
		const result = await work();
		done(`${text}: ${seconds().toFixed(1)} s`);
		return result;
	} finally {
		clearInterval(still);
	}
}
