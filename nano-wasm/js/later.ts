// The part of the node's wasm that a node can start without (`src/node/later.rs`).
//
// It is compiled in the background some time after the start, so that it is there when it is first called. A call that
// comes earlier waits for it: the worker's thread stands still until the file is there. Node.js and Deno cannot wait
// like that and have the file beside them: they load it at the start.

/** When what the node needs at once has long arrived. */
const LATER_MS = 3_000;

let module: WebAssembly.Module | undefined;

/**
 * Gets the second file in the background, and has it ready whenever it is called.
 * @param first the exports of the first file
 */
export async function expectLater(url: URL | string, first: object): Promise<void> {
	Object.assign(globalThis, {
		loadLaterPart: () => {
			module ??= new WebAssembly.Module(fetchNow(url));
			new WebAssembly.Instance(module, { first: first as WebAssembly.ModuleImports });
		},
	});
	if (!("XMLHttpRequest" in globalThis)) {
		module = await WebAssembly.compileStreaming(fetch(url));
		return;
	}
	setTimeout(() => {
		WebAssembly.compileStreaming(fetch(url)).then(
			(compiled) => {
				module ??= compiled;
			},
			// Offline, or the server is gone: it is tried again when it is needed.
			() => {},
		);
	}, LATER_MS);
}

/** Waits for a file. Workers may. */
function fetchNow(url: URL | string): ArrayBuffer {
	const request = new XMLHttpRequest();
	request.open("GET", url, false);
	request.responseType = "arraybuffer";
	request.send();
	if (request.status !== 200) {
		throw new Error(`${url} could not be loaded: status ${request.status}.`);
	}
	return request.response;
}
