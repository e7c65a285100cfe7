// Typed events.

/** Calls listeners by event name. */
export class Emitter<Events> {
	#listeners = new Map<keyof Events, Set<(event: never) => void>>();

	/** Adds a listener; the returned function removes it. */
	on<K extends keyof Events>(event: K, listener: (detail: Events[K]) => void): () => void {
		const listeners = this.#listeners.get(event) ?? new Set();
		this.#listeners.set(event, listeners);
		// A listener of its own identity each time, so that adding one function twice is two additions.
		const entry = (detail: Events[K]) => listener(detail);
		listeners.add(entry);
		return () => listeners.delete(entry);
	}

	/** Tells every listener. One that throws stops neither the others nor the caller. */
	emit<K extends keyof Events>(event: K, detail: Events[K]): void {
		for (const listener of this.#listeners.get(event) ?? []) {
			try {
				(listener as (detail: Events[K]) => void)(detail);
			} catch (error) {
				reportError(error);
			}
		}
	}
}
