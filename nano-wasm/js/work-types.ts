// What the work pool is told and tells.

/** How a pool is made. */
export interface WorkPoolOptions {
	/** Threads. Default: as many as the processor has, at most 32. */
	threads?: number;
	/** Difficulty to reach unless a call says otherwise, 16 hex digits. Default: a send on the live network. */
	difficulty?: string;
	/**
	 * - `auto`: a graphics processor helps where it is faster than a thread, and software that only imitates one is
	 *   refused; the default;
	 * - `off`: never;
	 * - `only`: whatever WebGPU offers works, alone, and threads only if it fails. For tests.
	 */
	gpu?: "auto" | "off" | "only";
}

/**
 * What work is for, the most urgent first. A search gives way to a more urgent one and goes on afterwards.
 * - `send`: a person waits;
 * - `receive`: money comes in, nobody waits;
 * - `ahead`: for a block that may never be; one thread, while the page has nothing else to do;
 * - `join`: the node's own place in the network; one thread.
 */
export type WorkPurpose = "send" | "receive" | "ahead" | "join";

/** Options of one search. */
export interface WorkOptions {
	/** Difficulty to reach, 16 hex digits. */
	difficulty?: string;
	/** What the work is for. Default: `send`. */
	purpose?: WorkPurpose;
	/** Ends the search. */
	signal?: AbortSignal;
	/** Told about five times a second how the search stands. */
	onProgress?: (progress: WorkProgress) => void;
}

/** What hashes: a thread with vector instructions, one without, or a graphics processor. */
export type WorkEngine = "simd128" | "scalar" | "webgpu";

/** How a search stands. It has no end to count down to: every nonce is a new draw. */
export interface WorkProgress {
	/** Nonces tried. */
	hashes: number;
	/** Time spent searching, without that spent giving way to others. */
	elapsedMs: number;
	/** Speed of all together. */
	hashesPerSecond: number;
	/** How long a search takes on average at this speed, whatever was tried before. */
	expectedMs: number;
	/** Share of searches that would have ended by now, 0 to 1: what a bar can honestly show. */
	fraction: number;
}

/** What a search took, of the last one that found something. */
export interface WorkReport {
	/** Nonces tried, as far as told when it ended: what was tried in the last tenth of a second may be missing. */
	hashes: number;
	/** Time spent searching. */
	elapsedMs: number;
	/** Speed of all together. */
	hashesPerSecond: number;
	/** Nonces that each engine tried. */
	engines: Partial<Record<WorkEngine, number>>;
}

/** Whether a graphics processor helps, and why not. */
export type GpuState =
	| {
			/** Not wanted, not needed yet, or being tried. */
			state: "off" | "unasked" | "asked";
	  }
	| {
			/** It searches. */
			state: "used";
			/** Its maker and kind, as far as the browser tells. */
			adapter: string;
			/** As measured when it was tried. */
			hashesPerSecond: number;
	  }
	| {
			/** It does not. */
			state: "refused";
			/** Why, for people. */
			reason: string;
	  };
