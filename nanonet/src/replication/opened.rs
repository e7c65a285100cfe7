//! Records as they come, read unless it is known already what they prove.

use std::sync::Arc;

use nano_core::{Account, BlockHash};

use crate::slice::{HeldFrontier, Outcome};
use crate::wire::{Name, Packed};
use crate::{AccountKey, Crypto, Node, Record, RecordError};

/// A record that came.
pub(super) enum Opened {
    /// Read, not checked.
    Read(Record),
    /// Checked before.
    Known(Arc<HeldFrontier>),
}

impl Opened {
    /// Whose.
    pub(super) fn account(&self) -> Account {
        match self {
            Self::Read(record) => record.account(),
            Self::Known(frontier) => frontier.proven().account,
        }
    }

    /// The hash of its frontier, or of its send.
    pub(super) fn hash(&self) -> BlockHash {
        match self {
            Self::Read(record) => record.hash(),
            Self::Known(frontier) => frontier.proven().hash,
        }
    }

    /// Whether it is of a send.
    pub(super) const fn is_receivable(&self) -> bool {
        matches!(self, Self::Read(Record::Receivable(_)))
    }

    /// Its name.
    pub(super) fn name(&self) -> Name {
        Name::new(&self.hash(), self.is_receivable())
    }
}

impl<C: Crypto> Node<C> {
    /// Reads a record.
    pub(super) fn open(&self, packed: &Packed) -> Result<Opened, RecordError> {
        match C::recall(packed.as_bytes(), self.config.weights.as_of) {
            Some(frontier) => Ok(Opened::Known(frontier)),
            None => packed.open().map(Opened::Read),
        }
    }

    /// Offers a record to the slice. `packed` is what it was read from.
    pub(super) fn take_in_opened(&mut self, packed: &Packed, opened: Opened) -> Outcome {
        let account = opened.account();
        let outcome = self.offer_opened(packed, opened);
        let point = AccountKey::new(&account).point();
        match outcome {
            Outcome::OrderUnknown { kept: true, .. } => self.order_soon(&point),
            Outcome::Replaced { .. } => self.check_soon(&point),
            _ => {}
        }
        outcome
    }

    fn offer_opened(&mut self, packed: &Packed, opened: Opened) -> Outcome {
        let account = opened.account();
        match opened {
            Opened::Known(frontier) => {
                let weights = &self.config.weights;
                let outcome = self
                    .slice
                    .offer_proven(self.now, &account, &frontier, weights);
                self.tell_outcome(&account, &outcome);
                outcome
            }
            Opened::Read(record) => {
                let hash = record.hash();
                let plain =
                    matches!(&record, Record::Account(record) if record.sightings.is_empty());
                let outcome = self.take_in(&account, record);
                let held = self.slice.get(&account);
                if let Some(frontier) = held.and_then(|held| held.frontier_of(&hash))
                    && plain
                    && outcome == Outcome::Stored
                {
                    C::remember(packed.as_bytes(), self.config.weights.as_of, frontier);
                }
                outcome
            }
        }
    }
}
