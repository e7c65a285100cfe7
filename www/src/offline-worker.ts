// Keeps the page usable without a network: everything the build made is stored at the first visit and
// answered from there. Rules: what is stored has the digest that the build gave it; the page itself is asked for from
// the network first (so an update arrives), files whose names carry a digest come from the store; anything else, such
// as the bridge's API, is never touched. A newer worker waits until the page tells it to take over.

/// <reference lib="webworker" />

/** Every path that is kept, with the digest of what is there. */
declare const KEPT: Record<string, string>;
declare const VERSION: string;
/** What the page tells a waiting worker. */
const TAKE_OVER = "take-over";

const worker = self as unknown as ServiceWorkerGlobalScope;
const store = `nanonet-${VERSION}`;
/** How long the network may take for the page before the stored one is shown. */
const PATIENCE_MS = 3_000;

worker.addEventListener("install", (event) => {
	event.waitUntil(
		caches.open(store).then((cache) =>
			cache.addAll(
				Object.entries(KEPT).map(
					([path, integrity]) =>
						// What has its digest in its name cannot be out of date.
						new Request(path, {
							integrity,
							cache: path.startsWith("/assets/") ? "default" : "no-cache",
						}),
				),
			),
		),
	);
});

worker.addEventListener("message", ({ data }) => {
	if (data === TAKE_OVER) void worker.skipWaiting();
});

worker.addEventListener("activate", (event) => {
	event.waitUntil(
		caches
			.keys()
			.then((names) =>
				Promise.all(names.filter((name) => name !== store).map((name) => caches.delete(name))),
			)
			.then(() => worker.clients.claim()),
	);
});

worker.addEventListener("fetch", (event) => {
	const url = new URL(event.request.url);
	if (event.request.method !== "GET" || url.origin !== worker.location.origin) return;
	if (url.pathname === "/") event.respondWith(page(event.request));
	else if (Object.hasOwn(KEPT, url.pathname)) event.respondWith(kept(event.request));
});

async function page(request: Request): Promise<Response> {
	try {
		const response = await fetch(request, { signal: AbortSignal.timeout(PATIENCE_MS) });
		if (response.ok) return response;
	} catch {
		// No network: the stored page is as good.
	}
	return (await caches.match("/", { cacheName: store })) ?? Response.error();
}

async function kept(request: Request): Promise<Response> {
	return (await caches.match(request, { cacheName: store, ignoreSearch: true })) ?? fetch(request);
}
