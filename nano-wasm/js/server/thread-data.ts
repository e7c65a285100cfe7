// What a thread is told when it is made.

/** Which worker it stands in for. */
export interface ThreadData {
	/** Address of the worker's script. */
	script: string;
}
