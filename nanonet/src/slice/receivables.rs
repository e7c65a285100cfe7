//! Proven sends to one account, largest first.
//!
//! Rules: at most [`MAX_RECEIVABLES`] are kept per destination; when there are that many, a larger
//! one takes the place of the smallest, of equal ones of the one with the lowest hash.
//!
//! Memory: `MAX_RECEIVABLES` records.

use nano_core::proof::ProvenReceivable;
use nano_core::{BlockHash, Raw, UnixMillis};

use crate::ReceivableRecord;
use crate::sorted::{SortedMap, SortedSet};

/// Most receivables kept per destination.
pub const MAX_RECEIVABLES: usize = 256;

/// A proven send as it is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldReceivable {
    pub(crate) record: ReceivableRecord,
    pub(crate) proven: ProvenReceivable,
    pub(crate) weights_as_of: UnixMillis,
}

impl HeldReceivable {
    /// The record as it is passed on.
    #[must_use]
    pub const fn record(&self) -> &ReceivableRecord {
        &self.record
    }

    /// What the proof proves.
    #[must_use]
    pub const fn proven(&self) -> &ProvenReceivable {
        &self.proven
    }

    /// Date of the weight table it was proven under.
    #[must_use]
    pub const fn weights_as_of(&self) -> UnixMillis {
        self.weights_as_of
    }
}

/// The receivables of one destination.
#[derive(Debug, Default)]
pub(crate) struct Receivables {
    sends: SortedMap<BlockHash, HeldReceivable>,
    by_amount: SortedSet<(Raw, BlockHash)>,
}

impl Receivables {
    pub(crate) fn is_empty(&self) -> bool {
        self.sends.is_empty()
    }

    pub(crate) fn get(&self, send: &BlockHash) -> Option<&HeldReceivable> {
        self.sends.get(send)
    }

    /// Whether a send of this amount would be kept.
    pub(crate) fn would_keep(&self, amount: Raw) -> bool {
        self.sends.len() < MAX_RECEIVABLES
            || self
                .by_amount
                .first()
                .is_some_and(|(least, _)| *least < amount)
    }

    /// Keeps a send. Returns whether it was not held before, and the one that had to go for it.
    pub(crate) fn insert(&mut self, receivable: HeldReceivable) -> (bool, Option<BlockHash>) {
        let hash = receivable.proven.hash;
        self.by_amount.insert((receivable.proven.amount, hash));
        let new = self.sends.insert(hash, receivable).is_none();
        if self.sends.len() <= MAX_RECEIVABLES {
            return (new, None);
        }
        let least = self.by_amount.first().map(|(_, least)| *least);
        if let Some(least) = &least {
            self.remove(least);
        }
        (new, least)
    }

    pub(crate) fn remove(&mut self, send: &BlockHash) -> bool {
        let Some(receivable) = self.sends.remove(send) else {
            return false;
        };
        self.by_amount.remove(&(receivable.proven.amount, *send));
        true
    }

    /// Largest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &HeldReceivable> {
        self.by_amount
            .iter()
            .rev()
            .filter_map(|(_, hash)| self.sends.get(hash))
    }

    /// Hash and amount of each, smallest first.
    pub(crate) fn amounts(&self) -> impl Iterator<Item = (BlockHash, Raw)> {
        self.by_amount.iter().map(|(amount, hash)| (*hash, *amount))
    }
}
