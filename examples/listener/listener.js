// Prints each payment to an address as one line of JSON, once it is proven: `node listener.js ADDRESS [BRIDGE …]`.
// Runs in Node.js and Deno. What it has seen it keeps in `./listener-data`, beside the node's own slice, so that no
// payment is printed twice.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { NanoNode } from "nanonet";

/** How long at most nobody looks. */
const LOOK_MS = 2_000;

const [address, ...bridges] = process.argv.slice(2);
if (!address) {
	console.error("Say whom to listen for: node listener.js ADDRESS [BRIDGE …]");
	process.exit(1);
}
const folder = process.env.LISTENER_DATA ?? "listener-data";
const file = join(folder, "seen.json");
mkdirSync(folder, { recursive: true });

/** Hashes of payments that were printed. */
const seen = new Set(read());
function read() {
	try {
		return JSON.parse(readFileSync(file, "utf8"));
	} catch {
		return [];
	}
}

const node = await NanoNode.start({
	network: process.env.NANO_NETWORK ?? "live",
	folder,
	...(bridges.length > 0 ? { bridges } : {}),
});
await node.watch(address);
console.error((await node.health()).summary);

process.on("SIGTERM", async () => {
	await node.stop();
	process.exit(0);
});

let wake = () => {};
node.on("record", ({ account }) => account === address && wake());
for (;;) {
	const { receivable } = await node.account(address, { fresh: true }).catch((error) => {
		console.error(error.message);
		return { receivable: [] };
	});
	for (const { hash, source, amount } of receivable) {
		if (seen.has(hash)) continue;
		seen.add(hash);
		// Noted first: what follows from a payment had better not happen twice.
		writeFileSync(file, JSON.stringify([...seen]));
		console.log(JSON.stringify({ hash, source, raw: amount.toString() }));
	}
	await new Promise((resolve) => {
		wake = resolve;
		setTimeout(resolve, LOOK_MS);
	});
}
