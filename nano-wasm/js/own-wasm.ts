// The package's own wasm, wherever it is.

import type { Inlined } from "./inlined.js";

/**
 * Loads it from beside the script, or where a bundler left it behind out of another script.
 * @param load takes the address or the bytes
 * @param beside its address; throws where a script knows none
 * @param inlined the script that holds it once more
 * @param name its name there
 */
export async function loadOwn(
	load: (source: { module_or_path: URL | ArrayBuffer }) => Promise<unknown>,
	beside: () => URL,
	inlined: () => Promise<Inlined>,
	name: string,
): Promise<unknown> {
	try {
		return await load({ module_or_path: beside() });
	} catch (cause) {
		const wasm = await Promise.all([inlined(), import("./inlined.js")])
			.then(([files, { bytes }]) => bytes(files, name))
			.catch(() => undefined);
		if (!wasm) throw cause;
		return load({ module_or_path: wasm });
	}
}
