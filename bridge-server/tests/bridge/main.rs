//! Tests of the bridge over real sockets on loopback. One file per subject; one program, because
//! linking takes longer than running. It is built twice: as `bridge` its development nodes talk
//! like RsNano, as `bridge-cpp` like the C++ node; see `common::dialect`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends at the first thing that is not as it should be"
)]

mod backfill;
mod bad_peers;
mod batches;
mod bridges;
mod common;
mod crawler;
mod forks;
mod handshake;
mod kinds;
mod links;
mod live;
mod looks;
mod network;
mod notifications;
mod notifications_api;
mod overlay;
mod peering;
mod played;
mod proofs;
mod relay;
mod relayed;
mod requests;
mod rpc;
mod scripted;
mod silence;
mod stub;
mod voices;
mod web;
mod weights;
