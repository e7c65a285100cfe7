//! Requests: where they go and what they ask.

use nano_core::{Account, Block, BlockHash, Signature, UnixMillis};
use serde::{Deserialize, Serialize};

use super::{Bytes, Packed};
use crate::onion::Cell;
use crate::registry::{KeyRecord, ServiceFilter};
use crate::{AccountKey, NodeId, NodeKey, Point, Role};

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Target {
    /// To the node nearest to this place.
    Near(Point),
    /// To this node and no other.
    Exactly(NodeId),
}

impl Target {
    /// The place it lies at.
    pub(crate) const fn point(&self) -> Point {
        match self {
            Self::Near(point) => *point,
            Self::Exactly(id) => id.point(),
        }
    }
}

/// A request on its way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Request {
    /// Random; the same on all paths of one question.
    pub(crate) id: u64,
    /// Where to.
    pub(crate) target: Target,
    /// Hops it may still make in a row.
    pub(crate) hops_left: u8,
    /// Forwards it may still cause in all, dead ends included.
    pub(crate) budget: u8,
    /// What is asked.
    pub(crate) body: Ask,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Ask {
    /// Which nodes lie nearest to the target? Everyone on the way back adds its own peers.
    FindNearest,
    /// The records of an account.
    Get {
        /// Whose.
        account: Account,
    },
    /// A sealed [`crate::signaling`] message for the target node.
    Signal {
        /// Who passes it on: [`Role::Browser`] browsers alone, [`Role::Bridge`] bridges, too.
        carriers: Role,
        /// Readable by the target only.
        sealed: Bytes,
    },
    /// Keep these records. A [`Target::Near`] node also passes them to the other nodes that
    /// shall hold them.
    Put {
        /// What.
        records: Vec<Packed>,
        /// A bridge's word for them.
        voucher: Option<Voucher>,
    },
    /// `from` holds these records and thinks the target should too.
    Headers {
        /// Where to pull them from.
        from: NodeId,
        /// They are new: who holds an older one of an account pulls it although it need not hold any.
        newer: bool,
        /// Their names.
        headers: Vec<Header>,
    },
    /// Send me records that you hold of these accounts.
    Pull {
        /// Accounts.
        keys: KeyRange,
        /// Which records of theirs.
        which: Wanted,
    },
    /// Which records of these accounts, of those that `from` shall hold, does one of us have and
    /// the other not?
    Compare {
        /// Who asks.
        from: Holder,
        /// Accounts.
        keys: KeyRange,
        /// A message of the reconciliation; see [`crate::replication`].
        sketch: Bytes,
    },
    /// To a bridge: ask the full nodes.
    Resolve {
        /// Whose.
        account: Account,
        /// The frontier the asker already has proven.
        held: Option<BlockHash>,
        /// What the bridge holds itself is not fresh enough.
        fresh: bool,
    },
    /// To a bridge: publish this block.
    Publish(Box<Block>),
    /// A cell of a private message for the target node.
    Cell(Cell),
    /// Keep this record of a key. A [`Target::Near`] node also passes it to the others that shall.
    Register(Box<KeyRecord>),
    /// The record of a key.
    FindKey {
        /// Whose.
        key: NodeKey,
        /// With a higher sequence number than this.
        after: u64,
    },
    /// To a bridge: records of nodes that offer such a service.
    FindServices(Box<ServiceFilter>),
}

impl Ask {
    /// Whether only browsers pass it on.
    pub(crate) const fn is_for_browsers(&self) -> bool {
        matches!(
            self,
            Self::Signal {
                carriers: Role::Browser,
                ..
            }
        )
    }
}

/// Accounts whose keys begin with bits from `first` to `last`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyRange {
    /// First eight bytes of the first key.
    pub(crate) first: u64,
    /// First eight bytes of the last key.
    pub(crate) last: u64,
}

impl KeyRange {
    /// Keys that share `bits` leading bits with `point`, at most 64.
    pub(crate) fn around(point: u64, bits: u16) -> Self {
        let rest = u64::MAX.checked_shr(u32::from(bits)).unwrap_or(0);
        Self {
            first: point & !rest,
            last: point | rest,
        }
    }

    /// The least range with all these accounts.
    pub(crate) fn over<'a>(accounts: impl Iterator<Item = &'a Account>) -> Self {
        let empty = Self {
            first: u64::MAX,
            last: 0,
        };
        accounts.fold(empty, |range, account| {
            let key = AccountKey::new(account).first_bits();
            Self {
                first: range.first.min(key),
                last: range.last.max(key),
            }
        })
    }
}

/// A node, and who is near it as far as it knows: what it shall hold is then the same for whoever
/// reckons it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Holder {
    /// Who.
    pub(crate) id: NodeId,
    /// The first 64 bits of the ids of those near it, at most [`super::MAX_NEAR`].
    pub(crate) near: Vec<u64>,
}

/// Which records of a range of accounts are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Wanted {
    /// All that this node shall hold, as many as fit, from the first account on.
    SliceOf(Holder),
    /// These.
    Named(Vec<Name>),
}

/// The short name of one record: the hash of a frontier, or the complement of the hash of a send
/// to the account, because one block can be both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Name(#[serde(with = "crate::fixed")] pub(crate) [u8; 32]);

impl Name {
    /// The name of the record of this block.
    pub(crate) fn new(hash: &BlockHash, receivable: bool) -> Self {
        let mut bytes = *hash.as_bytes();
        if receivable {
            bytes = bytes.map(|byte| !byte);
        }
        Self(bytes)
    }

    /// The hash of the frontier that it may name, and that of the send.
    pub(crate) fn hashes(&self) -> (BlockHash, BlockHash) {
        (
            BlockHash::from_bytes(self.0),
            BlockHash::from_bytes(self.0.map(|byte| !byte)),
        )
    }
}

/// The name of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Header {
    /// Under which account it is kept.
    pub(crate) account: Account,
    /// Frontier, or send block.
    pub(crate) hash: BlockHash,
    /// Whether it is a send to `account`.
    pub(crate) receivable: bool,
}

impl Header {
    /// Its short name.
    pub(crate) fn name(&self) -> Name {
        Name::new(&self.hash, self.receivable)
    }
}

/// A bridge's word that records come from the network's confirmations and shall be kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Voucher {
    /// Who.
    pub(crate) bridge: NodeKey,
    /// When.
    pub(crate) at: UnixMillis,
    /// Over network, time and the hashes of the records.
    pub(crate) signature: Signature,
}
