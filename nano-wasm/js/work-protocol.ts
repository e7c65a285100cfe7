// What the pool and those who search for it, threads and the graphics processor's, say to each other.

/** To a searcher. */
export type ToThread =
	/**
	 * The kernel; with `stop`, the flag that holds the number of the job to work on. `software`: also use what only
	 * imitates a graphics processor; of no meaning to a thread.
	 */
	| { type: "load"; module: WebAssembly.Module; stop: Int32Array | null; software?: boolean }
	/** Search from `start` on until something is found or the job is over. */
	| { type: "search"; job: number; root: bigint[]; threshold: bigint; start: bigint }
	/** The job is over. Only needed without the flag. */
	| { type: "stop"; job: number };

/** From a searcher. `hashes` are those since the last message. */
export type FromThread =
	| { type: "progress"; job: number; hashes: number }
	| { type: "found"; job: number; hashes: number; nonce: bigint }
	/** The graphics processor can be used. */
	| { type: "ready"; adapter: string; hashesPerSecond: number }
	/** The graphics processor is not used, or not any more. */
	| { type: "unfit"; reason: string };
