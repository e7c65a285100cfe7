// The documentation's site: pages of docs/site in Markdown, and a reference out of the package's declarations.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { marked } from "marked";
import { root } from "./run.mjs";

/** Pages in reading order, by file name. */
const PAGES = ["guide", "concepts", "recipes", "security", "migration"];
/** Entries of the package, by the name of their declarations. */
const ENTRIES = { index: "nanonet", core: "nanonet/core", work: "nanonet/work" };

const STYLE = `:root { color-scheme: light dark; font: 1rem/1.6 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 48rem; padding: 1rem; }
nav ul { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; list-style: none; padding: 0; }
nav [aria-current] { font-weight: bold; }
pre { overflow-x: auto; padding: 0.75rem; border: 1px solid color-mix(in srgb, currentColor 25%, transparent); border-radius: 0.5rem; }
code { font-size: 0.875rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { border: 1px solid color-mix(in srgb, currentColor 25%, transparent); padding: 0.25rem 0.5rem; text-align: start; }
`;

const asHtml = (/** @type {string} */ text) =>
	text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/**
 * The declarations at the top of a file, each with the comment before it.
 * @param {string} path
 * @returns {{ name: string, doc: string, code: string }[]}
 */
function declarations(path) {
	const found = [];
	/** @type {string[]} */
	let chunk = [];
	for (const line of readFileSync(path, "utf8").split("\n")) {
		chunk.push(line);
		if (!/^\S.*;$|^}$/.test(line)) continue;
		const text = chunk.join("\n").trim();
		chunk = [];
		const [, comment = "", code = text] =
			/^(\/\*\*[\s\S]*?\*\/)\n(export [\s\S]*)$/.exec(text) ?? [];
		const [, name] =
			/^export (?:declare )?(?:\w+ )+?([\w$]+)\b/.exec(
				code.replace(/^export (?:declare )?(?:abstract )?/, "export "),
			) ?? [];
		if (!name || / from "/.test(code)) continue;
		const doc = comment
			.replace(/^\/\*\*|\*\/$/g, "")
			.replace(/^ ?\* ?/gm, "")
			.trim();
		found.push({ name, doc, code });
	}
	return found;
}

/**
 * What an entry exports, wherever it is declared.
 * @param {string} types folder of the declarations
 * @param {string} entry
 */
function exported(types, entry) {
	const path = join(types, `${entry}.d.ts`);
	const all = new Map(declarations(path).map((one) => [one.name, one]));
	const lists = readFileSync(path, "utf8").matchAll(
		/^export (?:type )?(\*|\{[^}]*\}) from "\.\/([^"]+)\.js"/gm,
	);
	for (const [, list = "", file] of lists) {
		const wanted = list
			.slice(1, -1)
			.split(",")
			.map((name) => name.trim().replace(/^type /, ""));
		for (const one of declarations(join(types, `${file}.d.ts`))) {
			if (list === "*" || wanted.includes(one.name)) all.set(one.name, one);
		}
	}
	return [...all.values()].sort((one, other) => one.name.localeCompare(other.name));
}

/** The reference as Markdown. */
function reference() {
	const types = join(root, "nano-wasm", "pkg", "types");
	const parts = ["# Reference"];
	for (const [entry, name] of Object.entries(ENTRIES)) {
		const all = exported(types, entry);
		const id = (/** @type {string} */ of) => `${entry}-${of}`;
		const links = all.map((one) => `[${one.name}](#${id(one.name)})`).join(", ");
		parts.push(`## ${name}`, links);
		for (const one of all) {
			parts.push(`<h3 id="${id(one.name)}"><code>${one.name}</code></h3>`, one.doc);
			parts.push(`<pre><code>${asHtml(one.code)}</code></pre>`);
		}
	}
	return parts.join("\n\n");
}

/**
 * Builds the site.
 * @param {string} [out] folder, emptied first
 * @returns {string} the folder
 */
export function buildSite(out = join(root, "target", "docs")) {
	rmSync(out, { recursive: true, force: true });
	mkdirSync(out, { recursive: true });
	const pages = [
		...PAGES.map((name) => ({
			name,
			text: readFileSync(join(root, "docs", "site", `${name}.md`), "utf8"),
		})),
		{ name: "reference", text: reference() },
	].map(({ name, text }) => ({
		file: name === "guide" ? "index.html" : `${name}.html`,
		title: /^# (.+)$/m.exec(text)?.[1] ?? name,
		body: marked.parse(text, { async: false }),
	}));
	writeFileSync(join(out, "style.css"), STYLE);
	for (const { file, title, body } of pages) {
		const links = pages.map((page) => {
			const current = page.file === file ? ' aria-current="page"' : "";
			return `<li><a href="${page.file}"${current}>${asHtml(page.title)}</a></li>`;
		});
		const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${asHtml(title)} – Nanonet</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="style.css">
</head>
<body>
<nav aria-label="Pages"><ul>${links.join("")}</ul></nav>
<main>${body}</main>
</body>
</html>
`;
		writeFileSync(join(out, file), html);
	}
	return out;
}
