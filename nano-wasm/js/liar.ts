// The page's side of the test build: the package, and a way to make its node lie.

import { hostOf, type NanoNode } from "./node.js";

export * from "./index.js";

/** From now on the node alters what it answers in this way; `none` ends that. */
export function tamper(node: NanoNode, how: string): Promise<void> {
	return hostOf(node).request<void>({ type: "tamper", how });
}

/** Something that a node saw of a cell: ids and bytes as hex. */
export type Glimpse =
	| { kind: "handed"; from: string; to: string; cell: string }
	| { kind: "peeled"; next: string; before: string; after: string };

/** What the node saw of others' cells since this was called last; the first call begins it. */
export function glimpses(node: NanoNode): Promise<Glimpse[]> {
	return hostOf(node).request<Glimpse[]>({ type: "glimpses" });
}

/** Cells per second of one hop in this browser, and texts of the same length with the cipher alone. */
export function measureCells(node: NanoNode): Promise<{ hop: number; cipher: number }> {
	return hostOf(node).request<{ hop: number; cipher: number }>({ type: "measureCells" });
}
