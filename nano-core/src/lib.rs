//! Nano itself, without I/O: keys, addresses, amounts, blocks, work, votes, weights, balance proofs, peer messages.
//!
//! Nothing here opens a socket, reads a clock or draws a random number: time and entropy are
//! passed in. Every decoder takes untrusted bytes or text and answers with a typed error that says
//! what was wrong with the input; nothing is repaired silently.

#![deny(missing_docs)]

mod address;
mod amount;
mod bip44;
mod blob;
mod block;
mod bytes;
mod cursor;
mod hash;
mod key;
pub mod message;
mod mnemonic;
mod network;
pub mod proof;
mod quorum;
pub mod rpc;
mod seed;
mod signature;
mod time;
mod vote;
mod weights;
mod work;

pub use address::{Account, AddressError};
pub use amount::{AmountError, Raw};
pub use bip44::Bip44Error;
pub use block::{
    Block, BlockError, BlockJsonError, BlockKind, BlockType, ChangeBlock, Epoch, OpenBlock,
    ReceiveBlock, SendBlock, StateBlock,
};
pub use bytes::HexError;
pub use hash::{BlockHash, Link, Root};
pub use key::{PrivateKey, PublicKey};
pub use mnemonic::{Bip39Phrase, MnemonicError};
pub use network::{Network, UnknownNetwork, dev_genesis_private_key};
pub use quorum::{ONLINE_WEIGHT_MINIMUM, collection_target, quorum_delta, quorum_rest};
pub use seed::NanoSeed;
pub use signature::{Signature, SignatureError};
pub use time::UnixMillis;
pub use vote::{Vote, VoteTimestamp, VoteTimestampError};
pub use weights::{WeightTable, WeightTableError};
pub use work::{Difficulty, WorkNonce, WorkThresholds};
