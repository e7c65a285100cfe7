// What a package's declarations say in words: exported names, and their members, that have no documentation.

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** A declaration at the top of a file, and whether comments stand before it and its members. */
interface Declared {
	name: string;
	bare: string[];
}

const DECLARATION =
	/^export (?:declare )?(?:abstract )?(?:class|interface|type|function|const|let) ([\w$]+)/;
/** A member one level inside; private ones have no types and need no words. */
const MEMBER = /^ {4}(?:readonly |static |get |set |async )*([\w$]+)\??(?:[(:<]|$)/;

/** The declarations of one file. */
function declared(path: string): Declared[] {
	const found: Declared[] = [];
	let before = "";
	let current: Declared | undefined;
	for (const line of readFileSync(path, "utf8").split("\n")) {
		const [, name] = DECLARATION.exec(line) ?? [];
		const [, member] = MEMBER.exec(line) ?? [];
		const bare = !before.trimEnd().endsWith("*/");
		if (name) {
			// The further forms of a function follow its first.
			const again = found.find((one) => one.name === name);
			current = again ?? { name, bare: bare ? [name] : [] };
			if (!again) found.push(current);
			if (line.endsWith(";")) current = undefined;
		} else if (/^\S/.test(line)) {
			current = undefined;
		} else if (
			current &&
			member &&
			member !== "constructor" &&
			!/^ {4}private /.test(line) &&
			bare
		) {
			current.bare.push(`${current.name}.${member}`);
		}
		if (line.trim() !== "") before = line;
	}
	return found;
}

/**
 * The names that an entry exports.
 * @param path its `.d.ts`
 * @returns every name, and what has no documentation: names, and members as `Name.member`
 */
export function undocumented(path: string): { names: string[]; bare: string[] } {
	const text = readFileSync(path, "utf8");
	const own = declared(path);
	const all = new Map(own.map((one) => [one.name, one.bare]));
	for (const [, list, from] of text.matchAll(/^export (?:type )?(\*|\{[^}]*\}) from "([^"]+)"/gm)) {
		const target = declared(join(dirname(path), (from ?? "").replace(/\.js$/, ".d.ts")));
		const wanted = list?.startsWith("{")
			? list
					.slice(1, -1)
					.split(",")
					.map((name) => name.trim().replace(/^type /, ""))
			: undefined;
		for (const { name, bare } of target) {
			if (!wanted || wanted.includes(name)) all.set(name, bare);
		}
		const missing = wanted?.find((name) => !all.has(name));
		if (missing) throw new Error(`${path}: ${missing} is exported, but not found in ${from}`);
	}
	return { names: [...all.keys()], bare: [...all.values()].flat() };
}
