// The package's files out of a script, for where they are not beside it: bundlers that do not follow `new URL` leave
// them behind, and browsers start no worker from another origin. Loaded only then.

/** What a script of inlined files exports: each file's name and its bytes, by gzip and base64. */
export interface Inlined {
	default: Record<string, string>;
}

/** A file's bytes. */
export async function bytes(inlined: Inlined, name: string): Promise<ArrayBuffer> {
	const text = inlined.default[name];
	if (text === undefined) throw new Error(`${name} is not among the inlined files.`);
	const packed = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
	const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
	return new Response(unpacked).arrayBuffer();
}

/** A file's address, for this page alone. */
async function url(inlined: Inlined, name: string, type: string): Promise<string> {
	return URL.createObjectURL(new Blob([await bytes(inlined, name)], { type }));
}

/** The address of a worker's script; those of the wasm files that it loads are told behind `#`. */
export async function workerUrl(
	inlined: Inlined,
	script: string,
	...wasm: string[]
): Promise<string> {
	const address = await url(inlined, script, "text/javascript");
	const files = await Promise.all(wasm.map((name) => url(inlined, name, "application/wasm")));
	return files.length > 0 ? `${address}#${files.join()}` : address;
}
