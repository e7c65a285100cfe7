//! Proofs: what an account's balance is, and what was sent to it, without trusting who says so.
//!
//! A [`BalanceProof`] is an account's last confirmed block with final votes on it. A
//! [`ReceivableProof`] is a send with the block before it, which gives the amount, and final votes.
//! Both are checked against a [`crate::WeightTable`] and nothing else: no clock, no network. Final
//! votes carry no time, so a proof does not expire, and says that a block *is* confirmed, not that
//! it is the newest, nor that what was sent has not been received since.
//!
//! # Rules
//! 1. Identity is the block hash; signatures, work and votes have many valid variants.
//! 2. The account is the one asked about, and has signed the block. An epoch block is signed by
//!    the network's epoch signer instead and therefore carries the block before it: only with
//!    balance and representative unchanged is it an epoch block, so whoever holds the epoch
//!    signer's key (on the dev network everyone) can sign nothing that moves money.
//! 3. Every vote is final, lists the block, and its signature holds; a representative that occurs
//!    twice, or whose key is of small order (anyone can sign for those), spoils the proof.
//! 4. The weights of the representatives reach [`crate::WeightTable::threshold`].
//! 5. A legacy block names no account and, but for sends, no balance. Its proof carries the chain
//!    back to the open block, and for each amount the send it came from; see [`History`] for what
//!    can and what cannot be proven that way.
//!
//! Everything is bounded before it is allocated: [`MAX_PROOF_BYTES`] bytes, [`MAX_VOTES`] votes,
//! [`MAX_LEGACY_CHAIN`] blocks of legacy history.
//!
//! # Binary form, version 1
//!
//! Integers are big-endian. Every accepted byte string is the only one of its proof.
//!
//! | size | field |
//! |---|---|
//! | 1 | version, `01` |
//! | 1 | kind: 0 state frontier, 1 epoch frontier, 2 legacy frontier, 3 receivable |
//! | 2 | network id as in peer messages |
//! | | kind 0: state block, 216 |
//! | | kind 1: state block, 216; history |
//! | | kind 2: history, whose last block is the frontier |
//! | | kind 3: typed block; history |
//! | 2 | number of lists, at most 256 |
//! | | lists: mark 1 (0 final, 1 not), where not final the packed time 8; number of hashes 1; hashes 32 each |
//! | 2 | number of votes, at most 256 |
//! | 97 each | votes: index of the list 1, representative 32, signature 64 |
//!
//! A *typed block* is the type's number (2 to 6) and the block's bytes. A *history* is a count (1)
//! of typed blocks, oldest first, and a count (1) of sources: the send as a typed block, then a
//! count (1) of typed blocks before it, oldest first.
//!
//! # JSON form
//!
//! `{"version": 1, "network": …, "hash": …, "frontier": {"type": "state", "block": …},
//! "certificate": {"lists": [{"timestamp": "final", "hashes": […]}], "votes": [{"representative":
//! …, "signature": …, "list": 0}]}}`; epoch frontiers add `history`, legacy ones have only that;
//! receivable proofs have `send` and `history` instead of `frontier`. Blocks are in the RPC's form.
//! `hash` is for the reader and has to be right; unknown fields are refused.

mod balance;
mod binary;
mod cache;
mod certificate;
mod error;
mod history;
mod receivable;
mod select;
mod text;

pub use balance::{BalanceProof, Frontier, ProvenFrontier};
pub use cache::VoteCache;
pub use certificate::{Certificate, CertificateVote, MAX_VOTES, VoteList};
pub use error::ProofError;
pub use history::{History, MAX_LEGACY_CHAIN, MAX_SOURCE_CHAIN, MAX_SOURCES, SourceSend};
pub use receivable::{ProvenReceivable, ReceivableProof};
pub use select::Assembled;

/// The longest binary proof that is read or written, in bytes: leaves room for the rest of a
/// 64 KiB overlay message.
pub const MAX_PROOF_BYTES: usize = 60 * 1024;
/// The longest JSON proof that is read, in bytes: text is about four times as long.
pub const MAX_PROOF_JSON_BYTES: usize = 256 * 1024;
/// The version of both forms.
const VERSION: u8 = 1;
