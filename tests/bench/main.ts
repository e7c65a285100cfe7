// `npm run bench -- NAME [--json]`: runs one benchmark; `list` names them all.

import { type Bench, beyond, table } from "./figures.js";
import { firstBalance } from "./first-balance.js";
import { messages } from "./messages.js";
import { nanoPeer } from "./nano-peer.js";
import { pow } from "./pow.js";
import { powNative } from "./pow-native.js";
import { send } from "./send.js";
import { size } from "./size.js";
import { startup } from "./startup.js";
import { verify } from "./verify.js";

const benches: Record<string, Bench> = {
	"first-balance": firstBalance,
	messages,
	"nano-peer": nanoPeer,
	pow,
	"pow-native": powNative,
	send,
	size,
	startup,
	verify,
};

const [name = "list", ...options] = process.argv.slice(2);
const bench = Object.hasOwn(benches, name) ? benches[name] : undefined;
if (name === "list") {
	for (const [key, { about, figures }] of Object.entries(benches)) {
		console.log(`${key.padEnd(12)} ${about}\n${"".padEnd(12)} ${figures.join(", ")}`);
	}
} else if (!bench) {
	console.error(`There is no benchmark "${name}". \`npm run bench -- list\` names them all.`);
	process.exitCode = 1;
} else {
	const figures = await bench.run();
	console.log(table(name, figures));
	for (const failure of beyond(bench, figures)) {
		console.error(failure);
		process.exitCode = 1;
	}
	if (options.includes("--json")) console.log(JSON.stringify({ bench: name, figures }));
}
