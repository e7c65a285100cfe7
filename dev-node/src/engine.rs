//! The one state of a node: ledger, store, elections, behind one lock.

use nano_core::{Block, BlockHash};

use crate::ledger::{Ledger, ProcessError};

/// Why a block was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// The work does not even reach the lowest threshold.
    #[error("block {0} carries less work than any block needs; compute work first")]
    EntryWork(BlockHash),
    /// The ledger refused it.
    #[error(transparent)]
    Refused(#[from] ProcessError),
    /// The store failed, now or earlier; the node takes nothing more.
    #[error(
        "the ledger could not be written ({0}); the node takes no more blocks, look at the disk"
    )]
    Storage(String),
}

impl SubmitError {
    /// The text that a full node's RPC `process` answers.
    #[must_use]
    pub const fn rpc_text(&self) -> &'static str {
        match self {
            Self::EntryWork(_) => "Block work is less than threshold",
            Self::Refused(reason) => reason.rpc_text(),
            Self::Storage(_) => "Error processing block",
        }
    }
}

/// Ledger, store and elections of one node.
#[derive(Debug)]
pub(crate) struct Engine {
    ledger: Ledger,
}

impl Engine {
    pub(crate) const fn new(ledger: Ledger) -> Self {
        Self { ledger }
    }

    pub(crate) const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Takes a block of a peer or client.
    pub(crate) fn submit(&mut self, block: Block, seconds: u64) -> Result<BlockHash, SubmitError> {
        if !Ledger::passes_entry_work(&block) {
            return Err(SubmitError::EntryWork(block.hash()));
        }
        Ok(self.ledger.process(block, seconds)?)
    }
}
