//! The overlay's own state machines by the thousand on virtual time: one seed, one run.
//!
//! - [`scenario`]: what is played, and what it shows;
//! - [`world`]: nodes with the shells they need, and what happens between them;
//! - [`check`]: what must never happen;
//! - [`churn`]: people who come and go;
//! - [`ledger`]: a stand-in for the full nodes behind bridges;
//! - [`relays`]: stores and wallets of notifications, for months;
//! - [`open`]: links without encryption, and every signature checked once, for worlds of many nodes.
//!
//! Nodes are the product's own. What carries their bytes is simulated, and from some hundred nodes
//! on the encryption of links is left out; everything above a link is as in a browser.

// A scenario that asks for what is not there is wrong and shall stop.
#![allow(clippy::unwrap_used)]

pub mod check;
pub mod churn;
#[cfg(feature = "iroh")]
pub mod iroh;
pub mod ledger;
pub mod open;
pub mod relays;
pub mod scenario;
pub mod world;
