// Trusted Types: the page makes no HTML and no script out of text, and says so to the browser. The one thing it lets
// through is the address of a worker of its own; whatever else would become code is refused by the browser itself.

interface Factory {
	createPolicy(
		name: string,
		rules: { createScriptURL(url: string, type: string, sink: string): string },
	): unknown;
}

const factory = (globalThis as { trustedTypes?: Factory }).trustedTypes;

/** Workers that the build made: the offline worker, and those of the package. */
const WORKERS = /^\/(offline-worker\.js|assets\/nanonet-[0-9a-f]+\/[\w-]+-worker\.js)$/;

// Named `default`, so that also what the package starts goes through it.
factory?.createPolicy("default", {
	createScriptURL(text, _type, sink) {
		const url = new URL(text, location.href);
		// The page makes no script elements, whatever they name.
		if (
			sink !== "HTMLScriptElement src" &&
			url.origin === location.origin &&
			WORKERS.test(url.pathname)
		)
			return url.href;
		throw new TypeError(`The page runs no script from ${url.href}.`);
	},
});
