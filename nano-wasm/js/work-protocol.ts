// What the pool and its threads say to each other.

/** To a thread. */
export type ToThread =
	/** The kernel; with `stop`, the flag that holds the number of the job to work on. */
	| { type: "load"; module: WebAssembly.Module; stop: Int32Array | null }
	/** Search from `start` on until something is found or the job is over. */
	| { type: "search"; job: number; root: bigint[]; threshold: bigint; start: bigint }
	/** The job is over. Only needed without the flag. */
	| { type: "stop"; job: number };

/** From a thread. `hashes` are those since the last message. */
export type FromThread =
	| { type: "progress"; job: number; hashes: number }
	| { type: "found"; job: number; hashes: number; nonce: bigint };
