//! A development full node of the Nano network: a real ledger, voting representatives, Nano's own
//! peer protocol over TCP, the full node's RPC over HTTP and its WebSocket. For trying things out
//! and for tests, on Nano's *dev* network only: every key in it is public, and nothing here can
//! be told to join another network.
//!
//! | module | what it is |
//! |---|---|
//! | `ledger` | every block rule, receivables, weights, confirmation heights, roll-back |
//! | `store` | the same on disk: blocks in order, confirmed heights, final votes |
//! | `voting` | elections with normal and final votes, final votes recorded once per root |
//! | `engine` | the one state of a node: ledger, store and voting behind one lock |
//! | `peer` | TCP: handshake, keepalive, publish, votes, serving `asc_pull`, catching up |
//! | `rpc`, `websocket` | the full node's names and formats |
//! | `dialect` | where the two full nodes, C++ and Rust, differ |
//! | `distribution`, `holders`, `keys` | what a fresh ledger holds, and the public keys to it |
//! | `network` | several nodes on addresses of their own, with split weight |
//!
//! Start one with [`DevNode::start`]; [`DevNode::faucet`] hands out money.
#![deny(missing_docs)]

mod config;
mod dialect;
mod distribution;
mod engine;
mod error;
mod events;
mod holders;
mod keys;
mod ledger;
mod network;
mod node;
mod peer;
mod rpc;
mod store;
mod voting;
mod wallet;
mod websocket;
mod work;

pub use config::{DevNodeConfig, Distribution, MAX_ACCOUNTS};
pub use dialect::{Dialect, UnknownDialect};
pub use engine::SubmitError;
pub use error::DevNodeError;
pub use keys::DevKeys;
pub use ledger::{AccountInfo, Entry, Ledger, ProcessError, ReceivableInfo, RollbackError};
pub use network::{MAX_NODES, SAFE_NODES, node_config, split_representatives, start_network};
pub use node::DevNode;
pub use wallet::{Wallet, WalletError};
