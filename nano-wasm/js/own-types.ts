// What it takes to make blocks of one's own.

import type { StateBlockJson } from "./types.js";

/**
 * Who signs for an account: its private key, such as `deriveAccount` of `nanonet/core` gives it, or somebody who
 * holds it (a hardware wallet, another tab).
 */
export type Signer =
	| {
			/** The account's address. */
			address: string;
			/** 64 hex digits. It does not leave this page. */
			privateKey: string;
	  }
	| {
			/** The account's address. */
			address: string;
			/**
			 * Signs a block's hash (64 hex digits), after showing the block to the person if need be; gives 128 hex
			 * digits. When it fails, so does the call, with its error.
			 */
			sign(hash: string, block: StateBlockJson): Promise<string> | string;
	  };

/** A payment. */
export interface SendRequest {
	/** Address of the receiver. */
	to: string;
	/** Raw. */
	amount: bigint;
}

/** A payment to be received. */
export interface ReceiveRequest {
	/** Hash of the send, 64 hex digits. Default: the largest that is proven. */
	hash?: string;
	/** Address of the representative; needed by an account's first block, unused by others. */
	representative?: string;
}

/** A new representative. */
export interface ChangeRequest {
	/** Its address. */
	representative: string;
}
