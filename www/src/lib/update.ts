// Newer versions of the page: the offline worker stores one in the background, and the person says when it is used.
//
// States: none -> ready, once a newer worker waits -> taken: it takes over and the page is loaded anew.

import { useEffect, useState } from "preact/hooks";

/** What the page tells a waiting worker; the worker knows it by the same text. */
const TAKE_OVER = "take-over";

let waiting: ServiceWorker | null = null;
const listeners = new Set<() => void>();

function ready(worker: ServiceWorker | null): void {
	waiting = worker;
	for (const listener of listeners) listener();
}

/** Registers the offline worker and watches for newer ones. */
export async function followUpdates(): Promise<void> {
	const container = navigator.serviceWorker;
	// Without it the page works as long as there is a network.
	const registration = await container?.register("/offline-worker.js").catch(() => undefined);
	if (!registration) return;
	const look = () => {
		if (registration.waiting && container.controller) ready(registration.waiting);
	};
	look();
	registration.addEventListener("updatefound", () => {
		registration.installing?.addEventListener("statechange", look);
	});
}

/** Lets the newer version take over. */
export function takeUpdate(): void {
	navigator.serviceWorker.addEventListener("controllerchange", () => location.reload());
	waiting?.postMessage(TAKE_OVER);
}

/** Whether a newer version waits to be used. */
export function useUpdate(): boolean {
	const [value, set] = useState(waiting !== null);
	useEffect(() => {
		const listener = () => set(waiting !== null);
		listeners.add(listener);
		listener();
		return () => {
			listeners.delete(listener);
		};
	}, []);
	return value;
}
