// What the work pool is told and tells.

/** How a pool is made. */
export interface WorkPoolOptions {
	/** Threads. Default: as many as the processor has, at most 32. */
	threads?: number;
	/** Difficulty to reach unless a call says otherwise, 16 hex digits. Default: a send on the live network. */
	threshold?: string;
}

/** Options of one search. */
export interface WorkOptions {
	/** Difficulty to reach, 16 hex digits. */
	threshold?: string;
	/** Takes one thread, and only while nothing else is searched for. */
	background?: boolean;
	/** Ends the search. */
	signal?: AbortSignal;
	/** Told about five times a second how the search stands. */
	onProgress?: (progress: WorkProgress) => void;
}

/** How a search stands. It has no end to count down to: every nonce is a new draw. */
export interface WorkProgress {
	/** Nonces tried. */
	hashes: number;
	/** Since the search began. */
	elapsedMs: number;
	/** Speed of all threads together. */
	hashesPerSecond: number;
	/** How long a search takes on average at this speed, whatever was tried before. */
	expectedMs: number;
	/** Share of searches that would have ended by now, 0 to 1: what a bar can honestly show. */
	fraction: number;
}
