// `npm start`: sets everything up and runs the page on a bridge with an embedded development network.
// Options after `--` go to `bridge-server run`.

import { spawn } from "node:child_process";
import { bridgeBinary, buildAll } from "./lib/build.mjs";
import { prerequisites } from "./lib/prerequisites.mjs";
import { root } from "./lib/run.mjs";
import { done, script } from "./lib/say.mjs";

script(async () => {
	await prerequisites();
	await buildAll();
	const bridge = spawn(
		bridgeBinary,
		["run", "--embedded-devnet", "--www", "www/dist", "--data", "data", ...process.argv.slice(2)],
		{ cwd: root, stdio: ["ignore", "pipe", "inherit"] },
	);
	bridge.on("error", (error) => {
		console.error(`The bridge did not start: ${error.message}`);
		process.exitCode = 1;
	});
	for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"])) {
		process.on(signal, () => bridge.kill(signal));
	}
	bridge.stdout.setEncoding("utf8");
	let text = "";
	bridge.stdout.on("data", (chunk) => {
		text += chunk;
		for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
			const line = text.slice(0, end);
			text = text.slice(end + 1);
			const ready = readyUrl(line);
			if (ready) done(`The page is at ${ready}  (open it in two tabs; Ctrl-C stops it)`);
			else console.log(line);
		}
	});
	bridge.on("close", (code) => {
		process.exitCode = code ?? 0;
	});
});

/** @param {string} line @returns {string | undefined} */
function readyUrl(line) {
	if (!line.startsWith("{")) return undefined;
	try {
		const message = JSON.parse(line);
		return message.ready ? message.url : undefined;
	} catch {
		return undefined;
	}
}
