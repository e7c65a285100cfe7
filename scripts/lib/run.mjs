// Starting other programs.

import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Problem } from "./say.mjs";

/** The repository's root folder. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

/** At a terminal cargo draws its progress; elsewhere it would print a line for every crate. */
export const cargoQuiet = process.stderr.isTTY ? [] : ["-q"];

/**
 * Looks a program up on PATH.
 * @param {string} name
 * @returns {string | undefined} its path
 */
export function find(name) {
	const names = process.platform === "win32" ? [`${name}.exe`, `${name}.cmd`] : [name];
	for (const folder of (process.env.PATH ?? "").split(delimiter)) {
		for (const candidate of names) {
			const path = join(folder, candidate);
			try {
				accessSync(path, constants.X_OK);
				return path;
			} catch {
				// Not here: the next folder may have it.
			}
		}
	}
	return undefined;
}

/**
 * Runs a program to its end with its output shown; fails when it fails.
 * @param {string} program
 * @param {string[]} args
 * @param {{ env?: Record<string, string>, cwd?: string, quiet?: boolean }} [options] `quiet` keeps the output back unless it fails
 * @returns {Promise<string>} its standard output when quiet, else ""
 */
export function run(program, args, options = {}) {
	return new Promise((resolve, reject) => {
		const child = spawn(program, args, {
			cwd: options.cwd ?? root,
			env: { ...process.env, ...options.env },
			stdio: options.quiet ? ["ignore", "pipe", "pipe"] : ["ignore", "inherit", "inherit"],
			shell: process.platform === "win32",
		});
		let out = "";
		let err = "";
		child.stdout?.on("data", (data) => {
			out += data;
		});
		child.stderr?.on("data", (data) => {
			err += data;
		});
		child.on("error", (error) => reject(error));
		child.on("close", (code, signal) => {
			if (code === 0) return resolve(out);
			if (options.quiet) console.error(out + err);
			reject(
				new Problem(
					`\`${[program, ...args].join(" ")}\` ended with ${signal ?? `exit code ${code}`}.`,
					"Its output above says why.",
				),
			);
		});
	});
}
