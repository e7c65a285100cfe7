// What is published: the files a page needs, their types, the licences, and nothing else.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../../nano-wasm/pkg", import.meta.url));
const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));

/** Kinds of files that a package may have. */
const KINDS = [
	/^package\.json$/,
	/^LICENSE-(MIT|APACHE)$/,
	/^CHANGELOG\.md$/,
	/^[a-z-]+\.js$/,
	/^shared-[A-Z0-9]+\.js$/,
	/^facade-[A-Z0-9]+\.js$/,
	/^[a-z-]+\.wasm$/,
	/^types\/[a-z-]+\.d\.ts$/,
];

interface Packed {
	files: { path: string }[];
	version: string;
}

test("npm would publish scripts, wasm, types, licences and the list of changes, and nothing else", () => {
	const text = execFileSync("npm", ["pack", "--dry-run", "--json"], { cwd: folder });
	const [packed] = JSON.parse(text.toString()) as Packed[];
	assert.ok(packed);
	const names = packed.files.map(({ path }) => path);
	const foreign = names.filter((name) => !KINDS.some((kind) => kind.test(name)));
	assert.deepEqual(foreign, []);
	for (const name of ["LICENSE-MIT", "LICENSE-APACHE", "CHANGELOG.md", "node.wasm", "rpc.wasm"]) {
		assert.ok(names.includes(name), name);
	}
	assert.match(packed.version, /^\d+\.\d+\.\d+(-[a-z0-9.]+)?$/);
});

test("nothing else is installed with it, and every entry has its script and its types", () => {
	for (const kind of ["dependencies", "peerDependencies", "optionalDependencies", "scripts"]) {
		assert.equal(manifest[kind], undefined, kind);
	}
	assert.deepEqual(Object.keys(manifest.exports).sort(), [".", "./core", "./work"]);
	for (const [name, entry] of Object.entries<Record<string, string>>(manifest.exports)) {
		for (const [condition, file] of Object.entries(entry)) {
			assert.ok(existsSync(join(folder, file)), `${name}: ${condition}`);
		}
	}
});

test("the files that scripts reach by URL are there", () => {
	const scripts = ["index.js", "core.js", "work.js", "node-worker.js", "work-worker.js"];
	for (const script of scripts) {
		const text = readFileSync(join(folder, script), "utf8");
		for (const [, file] of text.matchAll(/new URL\("\.\/([^"$]+)"/g)) {
			assert.ok(existsSync(join(folder, file ?? "")), `${script}: ${file}`);
		}
	}
});
