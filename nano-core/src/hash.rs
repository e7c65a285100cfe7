//! Hashes and the 32-byte fields that mean different things by context.
//!
//! A block hash, a link and a root are all 32 bytes, and mixing them up loses money, so each is a
//! type of its own; the conversions that exist are the ones the protocol makes.

use blake2::Digest as _;
use blake2::digest::consts::U32;

use crate::bytes::{bytes_accessors, bytes_hex_text, bytes_serde};
use crate::{Account, PublicKey};

/// BLAKE2b with a 32-byte digest, the hash of blocks and votes.
pub(crate) type Blake2b256 = blake2::Blake2b<U32>;

/// BLAKE2b-256 over the concatenation of `parts`.
pub(crate) fn blake2b_256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Blake2b256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// The hash of a block: its identity in the ledger. Zero stands for "no block".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct BlockHash([u8; 32]);

bytes_accessors!(BlockHash, 32);
bytes_hex_text!(BlockHash);
bytes_serde!(BlockHash);

/// The link field of a state block: a destination account in a send, the hash of the send in a
/// receive, an epoch mark in an epoch block, zero in a change.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Link([u8; 32]);

bytes_accessors!(Link, 32);
bytes_hex_text!(Link);
bytes_serde!(Link);

/// What elections and work are about: the previous block's hash, or the account's public key for
/// the first block of an account.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Root([u8; 32]);

bytes_accessors!(Root, 32);
bytes_hex_text!(Root);
bytes_serde!(Root);

impl From<Link> for Account {
    fn from(link: Link) -> Self {
        Self::from_bytes(link.0)
    }
}

impl From<Link> for BlockHash {
    fn from(link: Link) -> Self {
        Self(link.0)
    }
}

impl From<Account> for Link {
    fn from(account: Account) -> Self {
        Self(*account.as_bytes())
    }
}

impl From<BlockHash> for Link {
    fn from(hash: BlockHash) -> Self {
        Self(hash.0)
    }
}

impl From<BlockHash> for Root {
    fn from(hash: BlockHash) -> Self {
        Self(hash.0)
    }
}

impl From<Account> for Root {
    fn from(account: Account) -> Self {
        Self(*account.as_bytes())
    }
}

impl From<PublicKey> for Root {
    fn from(key: PublicKey) -> Self {
        Self(*key.as_bytes())
    }
}
