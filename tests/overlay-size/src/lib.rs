//! Measures what the overlay adds to the browser wasm.
