//! What happens inside a node, for its WebSocket and its peers.
//!
//! Both travel by broadcast channels of fixed size: a reader that falls behind loses the oldest
//! entries and is told how many, exactly as full nodes promise no delivery.

use std::sync::Arc;

use nano_core::{Account, Block, BlockHash, Raw};

use crate::ledger::Entry;

/// How many events a slow WebSocket may fall behind.
pub(crate) const EVENT_BACKLOG: usize = 4096;

/// Something that happened.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// A block entered the ledger, not confirmed yet.
    BlockAdded(Arc<AddedBlock>),
    /// An election began for this block.
    ElectionStarted(BlockHash),
    /// An election ended with or without this block.
    ElectionStopped(BlockHash),
    /// A block was confirmed.
    Confirmed(Arc<Confirmation>),
}

/// A block that entered the ledger.
#[derive(Clone, Debug)]
pub(crate) struct AddedBlock {
    pub(crate) hash: BlockHash,
    pub(crate) block: Block,
    pub(crate) subtype: &'static str,
}

/// A block that was confirmed, as the WebSocket tells it.
#[derive(Clone, Debug)]
pub(crate) struct Confirmation {
    pub(crate) hash: BlockHash,
    pub(crate) entry: Entry,
    /// Destination of a send, sender of a receive.
    pub(crate) linked_account: Option<Account>,
    /// Whether votes decided on this very block, or on one that stands on it.
    pub(crate) by_own_election: bool,
    pub(crate) tally: Raw,
    pub(crate) final_tally: Raw,
}
