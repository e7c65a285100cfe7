// The page's side of the test build: the package, and a way to make its node lie.

import { hostOf, type NanoNode } from "./node.js";

export * from "./index.js";

/** From now on the node alters what it answers in this way; `none` ends that. */
export function tamper(node: NanoNode, how: string): Promise<void> {
	return hostOf(node).request<void>({ type: "tamper", how });
}
