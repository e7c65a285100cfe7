//! What the npm package runs as wasm, in three builds that share nothing but this crate.
//!
//! - Feature `core`: Nano itself without a node, as functions for the page.
//! - Feature `rpc`: a full node's RPC, answered from what the node proves.
//! - Feature `node`: the node that the package's dedicated worker runs. `nanonet` decides, this
//!   crate gives it the browser: storage, sockets, data channels, timers, the page.
//!
//! All speak to TypeScript in numbers, text and JSON, whose types are written down once on each
//! side; the TypeScript lives beside this in `js/`.

#[cfg(feature = "core")]
pub mod core;
#[cfg(any(feature = "core", feature = "node", feature = "rpc"))]
mod fault;
#[cfg(feature = "node")]
pub mod later;
#[cfg(feature = "node")]
mod node;
#[cfg(feature = "rpc")]
pub mod rpc;

#[cfg(any(feature = "core", feature = "node", feature = "rpc"))]
pub use fault::Fault;
