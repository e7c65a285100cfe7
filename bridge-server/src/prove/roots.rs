//! Roots of blocks met a short while ago, so that a vote's hash can be told apart without asking.

use std::sync::{Arc, Mutex, PoisonError};

use nano_core::{Block, BlockHash, Root};

use crate::clock;
use crate::recent::Recent;

/// Blocks remembered: some minutes of the live network.
const BLOCKS: usize = 32_768;
/// For how long, milliseconds.
const KEEP_MS: u64 = 10 * 60 * 1000;

/// Hash → root of blocks whose bytes were seen; cloning shares them.
#[derive(Clone, Debug)]
pub struct Roots {
    known: Arc<Mutex<Recent<BlockHash, Root>>>,
}

impl Default for Roots {
    fn default() -> Self {
        Self {
            known: Arc::new(Mutex::new(Recent::new(BLOCKS, KEEP_MS))),
        }
    }
}

impl Roots {
    /// Remembers a block's root; both follow from its bytes.
    pub fn learn(&self, block: &Block) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.put(block.hash(), block.root(), clock::now());
    }

    /// The root of a block, if it was met.
    #[must_use]
    pub fn get(&self, hash: &BlockHash) -> Option<Root> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(hash, clock::now()).copied()
    }
}
