//! Tests of the bridge over real sockets on loopback. One file per subject; one program, because
//! linking takes longer than running.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends at the first thing that is not as it should be"
)]

mod bad_peers;
mod common;
mod crawler;
mod handshake;
mod links;
mod overlay;
mod peering;
mod proofs;
mod scripted;
mod silence;
mod stub;
mod web;
