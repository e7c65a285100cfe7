// The page's side of the vector test: loads the wasm and hands every file to it.

import init, { runVectors } from "../../../target/wasm-build/vectors/vectors.js";

/** What one topic gave. */
export interface Report {
	topic: string;
	checks: number;
	failures: string[];
}

(globalThis as unknown as { run: unknown }).run = async (
	topic: string,
	json: string,
): Promise<Report> => {
	await init({ module_or_path: new URL("vectors.wasm", import.meta.url) });
	return JSON.parse(runVectors(topic, json)) as Report;
};
