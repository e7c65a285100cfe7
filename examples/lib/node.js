// The page's node: one for all tabs of the site.

import { NanoNode } from "/nanonet/index.js";

const query = new URLSearchParams(location.search);

/** The node, started once. `?network=dev` is for trying things out. */
export const node = await NanoNode.start({ network: query.get("network") ?? "live" });

/** The address that is paid: the page's own, or for trying things out the query's. */
export const payee = (element) => query.get("address") ?? element.dataset.address;
