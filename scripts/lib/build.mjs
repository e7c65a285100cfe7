// Builds what the page and the servers need. Every tool under it is incremental, so a second run takes seconds.

import { join } from "node:path";
import { cargoQuiet, root, run } from "./run.mjs";
import { step } from "./say.mjs";

/** The bridge's binary. */
export const bridgeBinary = join(
	root,
	"target",
	"debug",
	process.platform === "win32" ? "bridge-server.exe" : "bridge-server",
);

/** Builds the npm package: `wasm-pack.toml` says how. @param {string[]} [args] for the tool */
export async function buildPackage(args = []) {
	await step("Building the npm package (nano-wasm/pkg)", () =>
		run("cargo", ["run", ...cargoQuiet, "-p", "wasm-build", "--", ...args]),
	);
}

/** Builds the page into www/dist. */
export async function buildPage() {
	await step("Building the page (www/dist)", () => run("node", ["www/build.mjs"]));
}

/** Builds the bridge. */
export async function buildBridge() {
	await step("Building the bridge", () =>
		run("cargo", ["build", ...cargoQuiet, "-p", "bridge-server"]),
	);
}

/** Builds all of it. */
export async function buildAll() {
	await buildPackage();
	await buildPage();
	await buildBridge();
}
