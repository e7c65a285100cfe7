//! The fuzzer's corpus, replayed on stable Rust.
//!
//! Decoders are functions that take any bytes, tell whether these were accepted, and panic over
//! what must not happen. The overlay and the bridge bring their own (`decoders` in each), because
//! much of what they read is not public; `nano-core`'s are here ([`nano`]). The fuzz targets call
//! them with what the fuzzer thinks up, the tests of this crate with what `fuzz/corpus/` keeps:
//! `replay` says how, `seeds` where the kept files come from.

pub mod nano;

#[cfg(test)]
mod replay;
#[cfg(test)]
mod seeds;
