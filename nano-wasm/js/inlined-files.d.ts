// Scripts that `tools/wasm-build` writes (`inlined` in `wasm-pack.toml`).

declare module "*-inlined.js" {
	const files: Record<string, string>;
	export default files;
}
