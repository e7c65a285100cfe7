//! The search over one root.

use crate::engine::{Engine, scalar};
use crate::prepared::Prepared;

/// The search for work over one root, with everything computed that does not need the nonce.
///
/// ```
/// let kernel = nano_pow::Kernel::new(&[0; 32]);
/// let nonce = kernel.first(0xfff0_0000_0000_0000, 0, 100_000);
/// assert!(nonce.is_some_and(|nonce| kernel.difficulty(nonce) >= 0xfff0_0000_0000_0000));
/// ```
#[derive(Clone, Debug)]
pub struct Kernel {
    prepared: Prepared,
}

impl Kernel {
    /// Prepares the search for `root`: the previous block's hash, or the account's public key for
    /// its first block.
    #[must_use]
    pub fn new(root: &[u8; 32]) -> Self {
        let mut words = [0; 4];
        for (word, bytes) in words.iter_mut().zip(root.as_chunks().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        Self::from_words(words)
    }

    /// The same from the root's four little-endian words.
    #[must_use]
    pub fn from_words(root: [u64; 4]) -> Self {
        Self {
            prepared: Prepared::new(root),
        }
    }

    /// Difficulty of `nonce` over this root.
    #[must_use]
    pub fn difficulty(&self, nonce: u64) -> u64 {
        scalar::difficulty(&self.prepared, nonce)
    }

    /// The first of the `count` nonces from `start` on (wrapping) whose difficulty is at least
    /// `threshold`, searched with the fastest engine there is.
    #[must_use]
    pub fn first(&self, threshold: u64, start: u64, count: u32) -> Option<u64> {
        self.first_with(Engine::best(), threshold, start, count)
    }

    /// The same with an engine of choice: the same nonce in another time.
    #[must_use]
    pub fn first_with(
        &self,
        engine: Engine,
        threshold: u64,
        start: u64,
        count: u32,
    ) -> Option<u64> {
        engine.first(&self.prepared, threshold, start, count)
    }
}
