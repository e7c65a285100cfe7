// Waits for a payment and asks for one.

import { initCore, nanoToRaw, rawToNano } from "/nanonet/core.js";

/** How long at most nobody looks. */
const LOOK_MS = 2_000;

/**
 * A price in nano as raw, with a random tail that nobody misses: less than a trillionth of a trillionth of a nano.
 * By it one visitor's payment is told from another's.
 */
export async function ownAmount(price) {
	await initCore();
	const [tail = 0] = crypto.getRandomValues(new Uint32Array(1));
	return nanoToRaw(price) + BigInt(tail);
}

/** What wallets open. */
export const paymentLink = (address, raw) => `nano:${address}?amount=${raw}`;

/** Raw as a person reads it. */
export async function shown(raw) {
	await initCore();
	return `${rawToNano(raw)} XNO`;
}

/**
 * Every proven payment to an address as it comes, those that wait to be received first.
 * @yields {{ hash: string, source: string, amount: bigint }}
 */
export async function* payments(node, address, signal) {
	const seen = new Set();
	await node.watch(address);
	while (!signal?.aborted) {
		const { receivable } = await node
			.account(address, { fresh: true, ...(signal ? { signal } : {}) })
			.catch(() => ({ receivable: [] }));
		for (const payment of receivable) {
			if (seen.has(payment.hash)) continue;
			seen.add(payment.hash);
			yield payment;
		}
		await news(node, address);
	}
}

/** The payment of exactly this amount, once it is proven. */
export async function paid(node, address, raw, signal) {
	for await (const payment of payments(node, address, signal)) {
		if (payment.amount === raw) return payment;
	}
	throw signal?.reason;
}

/** Resolves when something new is known of an account, or after a while. */
function news(node, address) {
	return new Promise((resolve) => {
		const done = () => {
			off();
			clearTimeout(timer);
			resolve();
		};
		const off = node.on("record", ({ account }) => account === address && done());
		const timer = setTimeout(done, LOOK_MS);
	});
}
