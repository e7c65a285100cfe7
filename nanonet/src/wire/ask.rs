//! Requests: where they go and what they ask.

use nano_core::{Account, Block, BlockHash, Signature, UnixMillis};
use serde::{Deserialize, Serialize};

use super::{Bytes, Packed};
use crate::{NodeId, NodeKey, Point, Role};

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
        /// Their names.
        headers: Vec<Header>,
    },
    /// Send me these records of yours.
    Pull(Vec<Header>),
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
