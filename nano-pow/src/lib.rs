//! The work kernel: native, and a small wasm of its own for worker pools.
//!
//! Work over a root is a 64-bit nonce. Its difficulty is the eight-byte BLAKE2b digest of the nonce
//! (little-endian) followed by the 32 bytes of the root, read as a little-endian number; a nonce
//! does the work when its difficulty reaches the threshold of its network and block kind.
//!
//! Everybody who wants to move money pays for this one hash millions of times over, so the kernel
//! is BLAKE2b specialised to it: see [`Kernel`]. It is written once and compiled for several widths
//! of registers; [`Engine`] picks one when the program runs. It knows nothing of networks and
//! thresholds (`nano-core` does) and nothing of threads (the worker pool does): it searches one range
//! of nonces and says what it found.
//!
//! With the feature `raw` the crate becomes the browser's `work.wasm`, whose one export imports
//! nothing and manages no memory; with `simd128` besides, `work-simd.wasm`, for browsers with vector
//! instructions, and with `relaxed`, `work-relaxed.wasm`, for those that have the relaxed ones too.

mod blake2b;
mod engine;
mod kernel;
mod lanes;
mod prepared;
#[cfg(feature = "raw")]
mod raw;

pub use engine::Engine;
pub use kernel::Kernel;
