// The work of blocks to come: computed while nobody waits, so that a person who sends need not.
//
// The root of an account's next block is its newest block's hash, known as soon as that block is. One search per
// account: a newer root takes the place of the older one. The pool keeps what is found under its root, and whoever asks
// for work over that root has it at once. Nothing is begun while the device spares its battery or the person its data
// plan; what is then asked for is forgotten until it is asked for again.

import type { WorkPool } from "./work-pool.js";

/** Accounts whose next block is expected; further ones take the place of the longest known. */
const MOST_ACCOUNTS = 16;
/** A battery that is not being charged is spared below this part of its charge. */
const SPARED_CHARGE = 0.5;

/** What some browsers tell of the device. */
interface Hints {
	connection?: { saveData?: boolean };
	getBattery?: () => Promise<{ charging: boolean; level: number }>;
}

/** The work of one account's next block. */
interface Expected {
	root: string;
	control: AbortController;
	/** Whether it was found. */
	done: Promise<boolean>;
}

/** Computes the work of accounts' next blocks. */
export class WorkAhead {
	readonly #pool: WorkPool;
	readonly #expected = new Map<string, Expected>();

	constructor(pool: WorkPool) {
		this.#pool = pool;
	}

	/**
	 * The next block of `account` will be over `root`: its work is computed when there is nothing else to do.
	 * @param account any name, such as its address
	 * @param root hash of its newest block, or its public key while it has none, 64 hex digits
	 * @param difficulty to reach, 16 hex digits; default: the pool's
	 * @returns whether it was found: false when it was forgotten before, or the device is spared
	 */
	async expect(account: string, root: string, difficulty?: string): Promise<boolean> {
		const before = this.#expected.get(account);
		if (before?.root === root) return before.done;
		this.forget(account);
		const [oldest] = this.#expected.keys();
		if (this.#expected.size >= MOST_ACCOUNTS && oldest !== undefined) this.forget(oldest);
		const control = new AbortController();
		const expected = { root, control, done: this.#compute(root, control.signal, difficulty) };
		this.#expected.set(account, expected);
		const done = await expected.done;
		if (!done && this.#expected.get(account) === expected) this.#expected.delete(account);
		return done;
	}

	/** Ends the search for an account's next block; what was found stays. */
	forget(account: string): void {
		this.#expected.get(account)?.control.abort();
		this.#expected.delete(account);
	}

	/** @returns whether it was found */
	async #compute(root: string, signal: AbortSignal, difficulty?: string): Promise<boolean> {
		if (await spares()) return false;
		await idle();
		const options = { purpose: "ahead", signal, ...(difficulty ? { difficulty } : {}) } as const;
		return this.#pool.generate(root, options).then(
			() => true,
			() => false,
		);
	}
}

/** Whether the device or the person asks for little to be done. */
async function spares(): Promise<boolean> {
	const { connection, getBattery } = navigator as Hints;
	if (connection?.saveData) return true;
	const battery = await getBattery?.call(navigator).catch(() => undefined);
	return battery !== undefined && !battery.charging && battery.level < SPARED_CHARGE;
}

/** Until the page has nothing to do; a browser that cannot tell is taken to have nothing. */
function idle(): Promise<void> {
	return new Promise((resolve) => {
		if ("requestIdleCallback" in globalThis) requestIdleCallback(() => resolve());
		else resolve();
	});
}
