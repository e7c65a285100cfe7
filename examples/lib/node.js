// The page's node: one for all tabs of the site.

import { NanoNode } from "/nanonet/index.js";

// Where pages are served under Trusted Types, as bridges serve them, a page says which workers it starts.
globalThis.trustedTypes?.createPolicy("default", {
	createScriptURL(url) {
		const { origin, pathname } = new URL(url, location.href);
		if (origin === location.origin && /^\/nanonet\/[\w-]+-worker\.js$/.test(pathname)) return url;
		throw new TypeError(`The page runs no script from ${url}.`);
	},
});

const query = new URLSearchParams(location.search);

/** The node, started once. `?network=dev` is for trying things out. */
export const node = await NanoNode.start({ network: query.get("network") ?? "live" });

/** The address that is paid: the page's own, or for trying things out the query's. */
export const payee = (element) => query.get("address") ?? element.dataset.address;
