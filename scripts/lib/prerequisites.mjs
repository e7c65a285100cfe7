// What has to be on the machine before anything else: Node.js and Rust are named when missing,
// everything else is installed.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { find, root, run } from "./run.mjs";
import { Problem, step } from "./say.mjs";

/** `Dirent.parentPath` and `--test-concurrency` came with it. */
const NODE = [20, 12];
const RUST_MINOR = 88;
const WASM_TARGET = "wasm32-unknown-unknown";

function checkNode() {
	const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
	const [leastMajor = 0, leastMinor = 0] = NODE;
	if (major < leastMajor || (major === leastMajor && minor < leastMinor)) {
		throw new Problem(
			`Node.js ${process.versions.node} is too old: ${NODE.join(".")} or newer is needed.`,
			"Install a current Node.js from nodejs.org or your system's packages, then run the command again.",
		);
	}
}

async function checkRust() {
	const todo =
		"Install Rust with rustup (see rust-lang.org), open a new terminal, then run the command again.";
	if (!find("cargo") || !find("rustc")) {
		throw new Problem("Rust is missing: no `cargo` and `rustc` on the PATH.", todo);
	}
	const version = await run("rustc", ["--version"], { quiet: true });
	const [, major, minor] = /rustc (\d+)\.(\d+)/.exec(version) ?? [];
	if (Number(major) === 1 && Number(minor) < RUST_MINOR) {
		throw new Problem(
			`${version.trim()} is too old: 1.${RUST_MINOR} or newer is needed.`,
			"Run `rustup update stable`, then the command again.",
		);
	}
}

/** SQLite is compiled from C, and Rust links with the system's linker. */
function checkCompiler() {
	if (process.platform === "win32" || ["cc", "gcc", "clang"].some((name) => find(name))) return;
	throw new Problem(
		"There is no C compiler and linker on the PATH (`cc`), which Rust and SQLite need.",
		"Install one (Debian and Ubuntu: the package build-essential; macOS: xcode-select --install), then run the command again.",
	);
}

async function wasmTarget() {
	const sysroot = (await run("rustc", ["--print", "sysroot"], { quiet: true })).trim();
	if (existsSync(join(sysroot, "lib", "rustlib", WASM_TARGET))) return;
	if (!find("rustup")) {
		throw new Problem(
			`This Rust has no ${WASM_TARGET} target and there is no rustup to add it.`,
			`Install Rust with rustup, or your system's package for the ${WASM_TARGET} standard library.`,
		);
	}
	await step(`Adding Rust's ${WASM_TARGET} target`, () =>
		run("rustup", ["target", "add", WASM_TARGET], { quiet: true }),
	);
}

/**
 * Installs the npm packages of a folder unless its lock file is already installed.
 * @param {string} folder relative to the root
 * @param {string} text what to call it
 */
export async function npmPackages(folder, text) {
	const lock = readFileSync(join(root, folder, "package-lock.json"));
	const want = createHash("sha256").update(lock).digest("hex");
	const stamp = join(root, folder, "node_modules", ".installed-lock");
	if (existsSync(stamp) && readFileSync(stamp, "utf8") === want) return;
	await step(text, () =>
		run("npm", ["ci", "--no-audit", "--no-fund"], { cwd: join(root, folder), quiet: true }),
	);
	mkdirSync(join(root, folder, "node_modules"), { recursive: true });
	writeFileSync(stamp, want);
}

/** Checks and installs what every command needs. */
export async function prerequisites() {
	checkNode();
	await checkRust();
	checkCompiler();
	await wasmTarget();
	await npmPackages(".", "Installing npm packages");
}
