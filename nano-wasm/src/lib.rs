//! What the npm package runs as wasm, in two builds that share nothing but this crate.
//!
//! - Feature `core`: Nano itself without a node, as functions for the page.
//! - Feature `node`: the node that the package's dedicated worker runs. `nanonet` decides, this
//!   crate gives it the browser: storage, sockets, data channels, timers, the page.
//!
//! Both speak to TypeScript in numbers, text and JSON, whose types are written down once on each
//! side; the TypeScript lives beside this in `js/`.

#[cfg(feature = "core")]
pub mod core;
#[cfg(any(feature = "core", feature = "node"))]
mod fault;
#[cfg(feature = "node")]
mod node;

#[cfg(any(feature = "core", feature = "node"))]
pub use fault::Fault;
