//! The overlay's own state machines by the thousand on virtual time: one seed, one run.
//!
//! - [`world`]: nodes with the shells they need, and what happens between them;
//! - [`ledger`]: a stand-in for the full nodes behind bridges;
//! - [`open_link`]: links without encryption, for worlds of many nodes;
//!
//! Nodes are the product's own. What carries their bytes is simulated, and from some hundred nodes
//! on the encryption of links is left out; everything above a link is as in a browser.

// A scenario that asks for what is not there is wrong and shall stop.
#![allow(clippy::unwrap_used)]

pub mod ledger;
pub mod open_link;
pub mod world;
