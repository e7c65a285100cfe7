// Waiting for something to become true, with a deadline for liveness.

import { AssertionError } from "node:assert";

/**
 * Asks until the answer is neither `undefined` nor `false`. An error is asked past, unless it is a failed assertion.
 * @param what for the error message
 * @param deadlineMs fails after this time with the last error or answer
 */
export async function until<T>(
	what: string,
	ask: () => Promise<T | undefined | false> | T | undefined | false,
	deadlineMs = 60_000,
): Promise<T> {
	const end = performance.now() + deadlineMs;
	let last: unknown;
	while (performance.now() < end) {
		try {
			const answer = await ask();
			if (answer !== undefined && answer !== false) return answer;
		} catch (error) {
			if (error instanceof AssertionError) throw error;
			last = error;
		}
		await new Promise((resume) => setTimeout(resume, 100));
	}
	throw new Error(`After ${deadlineMs / 1000} s still not: ${what}`, { cause: last });
}
