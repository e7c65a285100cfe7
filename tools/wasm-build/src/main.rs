//! Turns the wasm crates into the npm package.
fn main() {}
