// The development network's public accounts, and ordinary payments made on its full node directly: what happens on
// Nano without this project being asked.

import type { Page } from "playwright-core";
import { rpc } from "./servers.js";
import { until } from "./wait.js";

/** The public seed that every account of the development distribution comes from; see the crate `dev-node`. */
export const SEED = Buffer.from("nanonet development public seed!", "ascii").toString("hex");
/** Index of the account that gives money away. */
export const FAUCET = 1000;
/** Index of the first sample account. */
export const SAMPLES = 2000;
/** Sample whose frontier is a legacy block. */
export const SAMPLE_LEGACY = SAMPLES + 1;
/** Sample that was opened and has one more payment waiting. */
export const SAMPLE_WAITING = SAMPLES + 5;
/** Number of representatives, from index 0. */
export const REPRESENTATIVES = 12;

/** An account whose key the test has. */
export interface Keyed {
	address: string;
	privateKey: string;
	publicKey: string;
}

/** Derives an account of the public seed. `page` has the package's core loaded. */
export function account(page: Page, index: number, seed = SEED): Promise<Keyed> {
	return page.evaluate(([from, at]) => globalThis.core.deriveAccount(from, at) as Keyed, [
		seed,
		index,
	] as const);
}

/** One nano in raw. */
export const NANO = 10n ** 30n;

/** A block's worth of change to an account. */
export interface Change {
	previous: string | null;
	representative: string;
	balance: bigint;
	link: string;
}

/** Builds and signs a block in the page; work is added when given. */
export function signed(page: Page, from: Keyed, change: Change, work?: string): Promise<object> {
	return page.evaluate(
		([keyed, parts, nonce]) => {
			const block = globalThis.core.buildBlock({
				...parts,
				balance: BigInt(parts.balance),
				account: keyed.address,
			});
			return {
				...globalThis.core.signBlock(block, keyed.privateKey),
				...(nonce ? { work: nonce } : {}),
			};
		},
		[from, { ...change, balance: change.balance.toString() }, work] as const,
	);
}

async function confirmed(address: string, hash: string): Promise<void> {
	await until(`the full node confirms ${hash}`, async () => {
		const info = await rpc(address, { action: "block_info", json_block: "true", hash });
		return info.confirmed === "true";
	});
}

/** Makes a block on the full node itself and waits until it is confirmed there. Gives its hash. */
export async function onFullNode(
	page: Page,
	rpcAddress: string,
	from: Keyed,
	change: Change,
	subtype: "send" | "receive" | "open" | "change",
): Promise<string> {
	const root = change.previous ?? from.publicKey;
	const { work } = await rpc(rpcAddress, { action: "work_generate", hash: root });
	const block = await signed(page, from, change, String(work));
	const { hash, error } = await rpc(rpcAddress, {
		action: "process",
		json_block: "true",
		subtype,
		block,
	});
	if (typeof hash !== "string") throw new Error(`process ${subtype}: ${error}`);
	await confirmed(rpcAddress, hash);
	return hash;
}

/** State of an account as the full node sees it. */
export async function ledgerState(
	rpcAddress: string,
	address: string,
): Promise<{ frontier: string | null; balance: bigint; representative: string | null }> {
	const info = await rpc(rpcAddress, {
		action: "account_info",
		account: address,
		representative: "true",
		include_confirmed: "true",
	});
	if (typeof info.confirmed_frontier !== "string") {
		return { frontier: null, balance: 0n, representative: null };
	}
	return {
		frontier: info.confirmed_frontier,
		balance: BigInt(String(info.confirmed_balance)),
		representative: String(info.confirmed_representative),
	};
}

/** Sends from the faucet to an account and lets that account receive it, all on the full node. */
export async function fund(
	page: Page,
	rpcAddress: string,
	to: Keyed,
	amount: bigint,
): Promise<void> {
	const faucet = await account(page, FAUCET);
	const before = await ledgerState(rpcAddress, faucet.address);
	if (before.frontier === null || before.representative === null) {
		throw new Error("The faucet of the development network has no money.");
	}
	const sent = await onFullNode(
		page,
		rpcAddress,
		faucet,
		{
			previous: before.frontier,
			representative: before.representative,
			balance: before.balance - amount,
			link: to.address,
		},
		"send",
	);
	const own = await ledgerState(rpcAddress, to.address);
	await onFullNode(
		page,
		rpcAddress,
		to,
		{
			previous: own.frontier,
			representative: own.representative ?? before.representative,
			balance: own.balance + amount,
			link: sent,
		},
		own.frontier === null ? "open" : "receive",
	);
}
