//! Runs the recorded test vectors, natively and as wasm in a browser.
