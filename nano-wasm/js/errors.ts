// The one error type of the package.

/** What every function and promise of this package fails with. */
export class NanoError extends Error {
	override readonly name = "NanoError";
	/** Stable kebab-case name of the reason, for programs; `message` is for people. */
	readonly code: string;

	/**
	 * @param code kebab-case name of the reason
	 * @param message what happened, to what, and what can be done
	 * @param options the error that led to this one, as `cause`
	 */
	constructor(code: string, message: string, options?: { cause?: unknown }) {
		super(message, options);
		this.code = code;
	}
}

/** The error of an aborted call. @internal */
export function aborted(signal: AbortSignal): NanoError {
	return new NanoError("aborted", "The call was aborted by its signal.", { cause: signal.reason });
}
