// A full node's answers compared by what their fields are: names, nesting, and how each text is written.

import { readFileSync } from "node:fs";

/** One recorded request with its answer. */
export interface Sample {
	request: Record<string, unknown> & { action: string };
	http_status: number;
	response: unknown;
}

/** The answers recorded of a running full node. */
export function samples(): Sample[] {
	const file = new URL("../../vectors/data/rpc-samples/rpc-samples.json", import.meta.url);
	return JSON.parse(readFileSync(file, "utf8")) as Sample[];
}

const KINDS: [string, RegExp][] = [
	["account", /^(nano|xrb)_[13][13456789abcdefghijkmnopqrstuwxyz]{59}$/],
	["boolean", /^(true|false)$/],
	["hash", /^[0-9A-F]{64}$/],
	["signature", /^[0-9A-F]{128}$/],
	["integer", /^(0|[1-9][0-9]*)$/],
	["work", /^(?=.*[a-f])[0-9a-f]{16}$|^[0-9]{16}$/],
	["real", /^[0-9]+\.[0-9]+$/],
	["nothing", /^$/],
];

/** How a text is written. */
function kind(text: string): string {
	return KINDS.find(([, form]) => form.test(text))?.[0] ?? `text ${JSON.stringify(text)}`;
}

/** What a value is, without what it says: names of fields, except that accounts and hashes as names are all alike. */
export function shape(value: unknown): unknown {
	if (typeof value === "string") return kind(value);
	if (Array.isArray(value)) return [...new Set(value.map((entry) => JSON.stringify(shape(entry))))];
	if (value === null || typeof value !== "object") return String(value);
	const fields = Object.entries(value).map(([name, field]): [string, unknown] => {
		const called = kind(name);
		return [called.startsWith("text") ? name : `<${called}>`, shape(field)];
	});
	return Object.fromEntries(fields.sort(([one], [other]) => (one < other ? -1 : 1)));
}

/**
 * A recorded answer in the C++ node's spelling: the recordings are of the other node program, and their README lists
 * where the two differ.
 */
export function asCpp({ request, response }: Sample): unknown {
	if (response === null || typeof response !== "object") return response;
	const said = JSON.parse(JSON.stringify(response), (name, value) =>
		name === "work" || name === "active_difficulty" ? String(value).toLowerCase() : value,
	) as Record<string, unknown>;
	if (request.action === "account_info") {
		delete said[
			request.include_confirmed === undefined ? "confirmed_height" : "confirmation_height"
		];
	}
	if (request.action.startsWith("work_")) {
		if (said.valid === null) delete said.valid;
		said.difficulty = BigInt(String(said.difficulty)).toString(16).padStart(16, "0");
	}
	if (Array.isArray(said.blocks) && said.blocks.length === 0) said.blocks = "";
	return said;
}
