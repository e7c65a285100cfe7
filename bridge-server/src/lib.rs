//! The native bridge between Nano's full nodes and the nanonet of browsers.
//!
//! It speaks Nano's own TCP peer protocol to full nodes, and the overlay's links to browsers and
//! other bridges; it holds no ledger. What passes through it is proven by signatures on the way in
//! ([`prove`], [`live`]) and checked on the way out ([`relay`]); a bridge can withhold, it cannot
//! lie.
//!
//! | module | what it is |
//! |---|---|
//! | [`cli`], [`config`] | what a person may say, made into one checked configuration |
//! | [`run`], [`devnet`] | the two commands |
//! | [`full_node`] | channels to full nodes |
//! | [`ask`] | questions to full nodes, with retries |
//! | [`prove`] | a proof of an account from peers alone |
//! | [`backfill`] | accounts nobody asked for, walked through and proven in the background |
//! | [`live`] | confirmed blocks of the live stream, proven and passed on |
//! | [`relay`] | transactions brought to full nodes |
//! | [`shell`] | sockets, clock and storage around the overlay's state machine |
//! | [`http`], [`listener`] | page, API and links on one port |
//! | [`store`] | SQLite |
//! | [`rpc`], [`events`], [`receivables`] | a full node's RPC and WebSocket, where there are any |
//! | `client` | the HTTP client for other programs' interfaces |
//! | [`facade`] | a full node's RPC for programs that speak to one, answered from proofs |
//! | [`weights`] | the weight table in force |
//! | [`metrics`] | what is counted |
#![deny(missing_docs)]

pub mod ask;
pub mod backfill;
pub mod backoff;
pub mod bridges;
pub mod cli;
mod client;
pub mod clock;
pub mod coalesce;
pub mod config;
#[cfg(feature = "decoders")]
pub mod decoders;
pub mod devnet;
pub mod events;
pub mod facade;
pub mod faucet;
pub mod full_node;
pub mod http;
pub mod listener;
pub mod live;
pub mod metrics;
pub mod prove;
pub mod receivables;
pub mod recent;
pub mod relay;
pub mod rpc;
pub mod run;
pub mod shell;
pub mod store;
pub mod weights;
