//! The part of this wasm that the worker loads later.
//!
//! The build moves functions that a node can start without into a second file (`later` in `wasm-pack.toml`). Stubs
//! stand for them here; the first that is called calls [`load_later`], which returns when the second file is there.

use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    /// Instantiates the second file; the worker defines it (`js/later.ts`).
    #[wasm_bindgen(js_name = loadLaterPart)]
    fn load_later_part();
}

/// Called by stubs, once. Their caller is not called back before it returns.
#[wasm_bindgen(js_name = loadLater)]
pub fn load_later() {
    load_later_part();
}
