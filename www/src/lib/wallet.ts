// The wallet's keys: what a secret is and which accounts come from it.
//
// Keys stay in the page; the node only ever sees signed blocks.

import type * as Core from "nanonet/core";

let core: Promise<typeof Core> | undefined;

/** The package's small part for keys, addresses and blocks, loaded when first needed. */
export function loadCore(): Promise<typeof Core> {
	if (core) return core;
	const started = import("nanonet/core").then(async (loaded) => {
		await loaded.initCore();
		return loaded;
	});
	// A load that failed is tried again by the next who needs it.
	started.catch(() => {
		core = undefined;
	});
	core = started;
	return core;
}

/**
 * What a wallet is opened by: a Nano seed, a BIP39 phrase as hardware wallets use it, or only the address of an
 * account whose key is elsewhere.
 */
export type Secret =
	| { kind: "nano"; hex: string }
	| { kind: "bip39"; words: string; passphrase: string }
	| { kind: "watch"; address: string };
export type SecretKind = Secret["kind"];

/** An account of an open wallet; without a key where blocks are signed elsewhere. */
export interface OpenWallet {
	address: string;
	privateKey: string | null;
}

/** The account of a secret with this index. */
export async function accountOf(secret: Secret, index: number): Promise<OpenWallet> {
	const { bip39Account, deriveAccount } = await loadCore();
	if (secret.kind === "watch") return { address: secret.address, privateKey: null };
	const { address, privateKey } =
		secret.kind === "nano"
			? deriveAccount(secret.hex, index)
			: bip39Account(secret.words, secret.passphrase, index);
	return { address, privateKey };
}

/** The words that bring a secret back; nothing where there is no secret. */
export async function wordsOf(secret: Secret): Promise<string | undefined> {
	if (secret.kind === "watch") return undefined;
	return secret.kind === "nano" ? (await loadCore()).seedToWords(secret.hex) : secret.words;
}
