// What is published: the files a page needs, their types, the licences, and nothing else.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
	cpSync,
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { undocumented } from "./lib/declarations.js";
import { temporaryFolder } from "./lib/servers.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const types = join(root, "tests", "types", "api.ts");
const folder = fileURLToPath(new URL("../../nano-wasm/pkg", import.meta.url));
const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));

/** Kinds of files that a package may have. */
const KINDS = [
	/^package\.json$/,
	/^LICENSE-(MIT|APACHE)$/,
	/^(CHANGELOG|README)\.md$/,
	/^[a-z-]+\.js$/,
	/^shared-[A-Z0-9]+\.js$/,
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
	for (const name of [
		"LICENSE-MIT",
		"LICENSE-APACHE",
		"CHANGELOG.md",
		"README.md",
		"node.wasm",
		"rpc.wasm",
	]) {
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
		// Who resolves takes the first that he knows.
		assert.deepEqual(Object.keys(entry), ["types", "node", "default"], name);
		for (const [condition, file] of Object.entries(entry)) {
			assert.ok(existsSync(join(folder, file)), `${name}: ${condition}`);
		}
	}
});

test("the files that scripts reach by URL are there", () => {
	const scripts = readdirSync(folder).filter((name) => name.endsWith(".js"));
	const reached = new Set<string>();
	for (const script of scripts) {
		const text = readFileSync(join(folder, script), "utf8");
		for (const [, file = ""] of text.matchAll(/new URL\("\.\/([^"$]+)"/g)) {
			assert.ok(existsSync(join(folder, file)), `${script}: ${file}`);
			reached.add(file);
		}
		// A name that is put together is one that bundlers cannot follow.
		assert.doesNotMatch(text, /new URL\(`/, script);
	}
	for (const file of readdirSync(folder).filter((name) => name.endsWith(".wasm"))) {
		assert.ok(reached.has(file), file);
	}
});

test("what is inside scripts is what lies beside them", async () => {
	const scripts = readdirSync(folder).filter((name) => name.endsWith("-inlined.js"));
	const seen: string[] = [];
	for (const script of scripts) {
		const files = (await import(join(folder, script))).default as Record<string, string>;
		for (const [name, text] of Object.entries(files)) {
			const bytes = gunzipSync(Buffer.from(text, "base64"));
			assert.ok(bytes.equals(readFileSync(join(folder, name))), `${script}: ${name}`);
			seen.push(name);
		}
	}
	for (const file of readdirSync(folder).filter((name) => name.endsWith(".wasm"))) {
		assert.ok(seen.includes(file), file);
	}
});

test("a server that renders a page may import its files", () => {
	// As a renderer does that knows no condition: no window, no worker, nothing started.
	const script = `for (const file of ["index.js", "core.js", "work.js"]) await import("./" + file);`;
	execFileSync(process.execPath, ["--input-type=module", "--eval", script], { cwd: folder });
});

for (const resolution of ["bundler", "nodenext"]) {
	test(`its types are as the tests of types say, resolved as by ${resolution}`, () => {
		const project = temporaryFolder();
		try {
			mkdirSync(join(project.path, "node_modules"));
			symlinkSync(folder, join(project.path, "node_modules", "nanonet"), "junction");
			cpSync(types, join(project.path, "api.mts"));
			const module = resolution === "nodenext" ? "nodenext" : "esnext";
			const options = {
				...{ strict: true, exactOptionalPropertyTypes: true, noEmit: true, skipLibCheck: false },
				...{ target: "es2022", lib: ["es2022", "dom", "dom.iterable"], types: [] },
				...{ module, moduleResolution: resolution },
			};
			const config = JSON.stringify({ compilerOptions: options, files: ["api.mts"] });
			writeFileSync(join(project.path, "tsconfig.json"), config);
			const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
			execFileSync(process.execPath, [tsc, "-p", project.path], { encoding: "utf8" });
		} catch (error) {
			assert.fail(String((error as { stdout?: string }).stdout ?? error));
		} finally {
			project.remove();
		}
	});
}

test("every exported name and every member of it is documented", () => {
	for (const entry of ["index", "core", "work"]) {
		const { names, bare } = undocumented(join(folder, "types", `${entry}.d.ts`));
		assert.ok(names.length > 0, entry);
		assert.deepEqual(bare, [], entry);
	}
});
