// A thread of Node.js or Deno that runs a browser's worker: what a worker finds around it is put there first.

import { parentPort, workerData } from "node:worker_threads";
import { withFiles } from "./file-fetch.js";
import { installStorage } from "./storage.js";
import type { ThreadData } from "./thread-data.js";

const { script } = workerData as ThreadData;
const port = parentPort;
if (!port) throw new Error("This script is a thread's; NanoNode.start() makes it.");

/** Replaces a global, also one that may only be read. */
function put(name: string, value: unknown): void {
	Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
}

put("self", globalThis);
put("location", { hash: "" });
put("onmessage", null);
put("postMessage", (data: unknown, transfer: ArrayBuffer[] = []) =>
	port.postMessage(data, transfer),
);
// Node.js 20 keeps the class of its WebSocket's messages to itself.
put("MessageEvent", {
	[Symbol.hasInstance]: (value: unknown) => value instanceof Event && value.type === "message",
});
put("reportError", (error: unknown) => {
	// Out of any promise: the thread ends with it, and whoever made it is told.
	setTimeout(() => {
		throw error;
	});
});
put("fetch", withFiles(globalThis.fetch));

/** Opens the storage of a command to start the node; the rest of the command is the browser's. */
function withStorage(message: unknown): unknown {
	const [json, attachment] = Array.isArray(message) ? (message as unknown[]) : [];
	if (typeof json !== "string") return message;
	const { folder, ...command } = JSON.parse(json) as { type: string; folder?: string };
	if (command.type !== "start" || folder === undefined) return message;
	installStorage(folder, put);
	return [JSON.stringify(command), attachment];
}

await import(script);
const scope = globalThis as unknown as { onmessage: (event: { data: unknown }) => void };
port.on("message", (data: unknown) => scope.onmessage({ data: withStorage(data) }));
