//! Blocks met a short while ago: their roots, so that a vote's hash can be told apart without
//! asking, and their bytes where these can be trusted, so that they need not be asked for again.

use std::sync::{Arc, Mutex, PoisonError};

use nano_core::{Block, BlockHash, Root};

use crate::clock;
use crate::recent::Recent;

/// Blocks remembered: some minutes of the live network, about 12 MB.
const BLOCKS: usize = 32_768;
/// For how long, milliseconds.
const KEEP_MS: u64 = 10 * 60 * 1000;

/// Hash → root of blocks whose bytes were seen; cloning shares them.
#[derive(Clone, Debug)]
pub struct Roots {
    known: Arc<Mutex<Recent<BlockHash, Met>>>,
}

#[derive(Clone, Copy, Debug)]
struct Met {
    root: Root,
    /// The block, if its signature was checked.
    signed: Option<Block>,
    /// Whether it was proven, or is before a block that was.
    proven: bool,
}

impl Default for Roots {
    fn default() -> Self {
        Self {
            known: Arc::new(Mutex::new(Recent::new(BLOCKS, KEEP_MS))),
        }
    }
}

impl Roots {
    /// Remembers a block's root, which follows from the same bytes as its hash. The signature does
    /// not, so the block itself is not given out again.
    pub fn learn(&self, block: &Block) {
        self.put(block, None, false);
    }

    /// Remembers a block whose signature was checked, where it can be.
    pub fn learn_signed(&self, block: &Block) {
        self.put(block, Some(*block), false);
    }

    /// Remembers that a block was proven, or is before one that was.
    pub fn learn_proven(&self, block: &Block) {
        self.put(block, None, true);
    }

    fn put(&self, block: &Block, signed: Option<Block>, proven: bool) {
        let (hash, root, now) = (block.hash(), block.root(), clock::now());
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let before = known.get(&hash, now);
        let met = Met {
            root,
            signed: signed.or(before.and_then(|met| met.signed)),
            proven: proven || before.is_some_and(|met| met.proven),
        };
        known.put(hash, met, now);
    }

    /// Whether a block was proven a short while ago; false for one that was merely met.
    #[must_use]
    pub fn is_proven(&self, hash: &BlockHash) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(hash, clock::now()).is_some_and(|met| met.proven)
    }

    /// The root of a block, if it was met.
    #[must_use]
    pub fn get(&self, hash: &BlockHash) -> Option<Root> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(hash, clock::now()).map(|met| met.root)
    }

    /// A block, if it was met with a signature that holds.
    #[must_use]
    pub fn block(&self, hash: &BlockHash) -> Option<Block> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(hash, clock::now()).and_then(|met| met.signed)
    }
}
