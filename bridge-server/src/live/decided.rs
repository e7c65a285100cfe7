//! Which block won at each root lately: for whoever comes late, or was behind when it was told.

use std::sync::{Arc, Mutex, PoisonError};

use nano_core::{BlockHash, Root};

use super::Confirmation;
use crate::clock;
use crate::recent::Recent;

/// Roots remembered, the oldest going first, and for how long in milliseconds.
const REMEMBERED: (usize, u64) = (8_192, 10 * 60 * 1000);

/// Root → the block confirmed there; cloning shares it. Entered before it is told.
#[derive(Clone, Debug)]
pub struct Decided {
    winners: Arc<Mutex<Recent<Root, BlockHash>>>,
}

impl Default for Decided {
    fn default() -> Self {
        Self {
            winners: Arc::new(Mutex::new(Recent::new(REMEMBERED.0, REMEMBERED.1))),
        }
    }
}

impl Decided {
    /// Enters a block that was confirmed.
    pub fn put(&self, note: Confirmation) {
        let mut winners = self.winners.lock().unwrap_or_else(PoisonError::into_inner);
        winners.put(note.root, note.hash, clock::now());
    }

    /// The block confirmed at `root`, if that was seen lately.
    #[must_use]
    pub fn winner(&self, root: &Root) -> Option<BlockHash> {
        let winners = self.winners.lock().unwrap_or_else(PoisonError::into_inner);
        winners.get(root, clock::now()).copied()
    }
}
