//! The work kernel: native, and a small wasm of its own for worker pools.
