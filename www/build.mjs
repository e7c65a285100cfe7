// Builds the page into www/dist: bundle, styles, the npm package beside it, and the offline worker with
// the list of everything it keeps. File names carry a digest, so that caches may keep them for ever; what the page
// names in its HTML and what the offline worker stores is also checked against one.

import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const dist = join(here, "dist");
const pkg = join(here, "..", "nano-wasm", "pkg");

/** The package's files that a page loads; declarations and manifests stay out. */
const PACKAGE_FILES = /\.(js|wasm)$/;
/** What is worth compressing ahead of time. */
const COMPRESSIBLE = /\.(js|css|html|svg|wasm|webmanifest)$/;

/** Leaves `nanonet` and its subpaths to the copied package, so that workers and wasm are found beside it. */
const packageImports = {
	name: "package-imports",
	/** @param {import("esbuild").PluginBuild} builder */
	setup(builder) {
		builder.onResolve({ filter: /^nanonet(\/\w+)?$/ }, ({ path }) => ({
			path: `/${base}/${path === "nanonet" ? "index" : path.slice("nanonet/".length)}.js`,
			external: true,
		}));
	},
};

/** @param {string} folder @returns {string[]} */
function files(folder) {
	return readdirSync(folder, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
		.sort();
}

/** @param {string} folder @param {RegExp} filter */
function digestOf(folder, filter) {
	const hash = createHash("sha256");
	for (const name of files(folder).filter((file) => filter.test(file))) {
		hash.update(name).update(readFileSync(join(folder, name)));
	}
	return hash.digest("hex").slice(0, 12);
}

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
const base = `assets/nanonet-${digestOf(pkg, PACKAGE_FILES)}`;
for (const name of files(pkg).filter((file) => PACKAGE_FILES.test(file))) {
	cpSync(join(pkg, name), join(dist, base, name));
}

const bundle = await build({
	entryPoints: [join(here, "src", "main.tsx"), join(here, "src", "style.css")],
	bundle: true,
	format: "esm",
	target: "es2022",
	minify: true,
	splitting: true,
	jsx: "automatic",
	jsxImportSource: "preact",
	outdir: join(dist, "assets"),
	entryNames: "[name]-[hash]",
	chunkNames: "[name]-[hash]",
	metafile: true,
	logLevel: "warning",
	plugins: [packageImports],
});
/** @param {string} source */
const output = (source) => {
	const found = Object.entries(bundle.metafile.outputs).find(([, { entryPoint }]) =>
		entryPoint?.endsWith(source),
	);
	if (!found) throw new Error(`esbuild made nothing of ${source}`);
	return found[0].slice(found[0].lastIndexOf("/") + 1);
};

/** The digest of a built file, as browsers check it. @param {string} name */
const integrity = (name) =>
	`sha384-${createHash("sha384")
		.update(readFileSync(join(dist, name)))
		.digest("base64")}`;

cpSync(join(here, "public"), dist, { recursive: true });
/** What the page's HTML names. @type {Record<string, string>} */
const named = {
	script: `assets/${output("main.tsx")}`,
	style: `assets/${output("style.css")}`,
	package: `${base}/index.js`,
	core: `${base}/core.js`,
};
let html = readFileSync(join(here, "src", "index.html"), "utf8");
// What the script imports at once is named, too, so that the browser need not read the script to ask for it.
const [, script] =
	Object.entries(bundle.metafile.outputs).find(([name]) => name.endsWith(named.script ?? "")) ?? [];
const chunks = (script?.imports ?? [])
	.filter(({ kind, external }) => kind === "import-statement" && !external)
	.map(({ path }) => `assets/${path.slice(path.lastIndexOf("/") + 1)}`);
html = html.replace(
	"<!-- chunks -->",
	chunks
		.map((name) => `<link rel="modulepreload" href="/${name}" integrity="${integrity(name)}" />`)
		.join("\n\t\t"),
);
for (const [place, name] of Object.entries(named)) {
	html = html.replaceAll(`"{{${place}}}"`, `"/${name}" integrity="${integrity(name)}"`);
}
writeFileSync(join(dist, "index.html"), html);

const kept = Object.fromEntries(
	files(dist).map((name) => [name === "index.html" ? "/" : `/${name}`, integrity(name)]),
);
await build({
	entryPoints: [join(here, "src", "offline-worker.ts")],
	bundle: true,
	minify: true,
	target: "es2022",
	outfile: join(dist, "offline-worker.js"),
	logLevel: "warning",
	define: {
		KEPT: JSON.stringify(kept),
		VERSION: JSON.stringify(digestOf(dist, /./)),
	},
});

for (const name of files(dist).filter((file) => COMPRESSIBLE.test(file))) {
	const data = readFileSync(join(dist, name));
	writeFileSync(join(dist, `${name}.br`), brotliCompressSync(data));
	writeFileSync(join(dist, `${name}.gz`), gzipSync(data, { level: 9 }));
}
