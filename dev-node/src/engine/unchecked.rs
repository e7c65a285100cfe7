//! Blocks whose previous or source block is unknown, kept until that arrives.
//!
//! Bound: [`MAX_BLOCKS`]; the oldest goes first.

use std::collections::{BTreeMap, VecDeque};

use nano_core::{Block, BlockHash};

/// Most blocks kept.
const MAX_BLOCKS: usize = 4096;

/// Blocks by what they wait for: a block, or (for epoch opens) a send to an account, whose key
/// stands in for the hash.
#[derive(Debug, Default)]
pub(super) struct Unchecked {
    waiting: BTreeMap<[u8; 32], BTreeMap<BlockHash, Block>>,
    /// By age; may name blocks that were taken out since.
    order: VecDeque<([u8; 32], BlockHash)>,
    count: usize,
}

impl Unchecked {
    /// Keeps a block until `needed` arrives.
    pub(super) fn put(&mut self, needed: [u8; 32], block: Block) {
        let hash = block.hash();
        let known = self
            .waiting
            .get(&needed)
            .is_some_and(|blocks| blocks.contains_key(&hash));
        if known {
            return;
        }
        while self.order.len() >= MAX_BLOCKS {
            let Some((needed, hash)) = self.order.pop_front() else {
                break;
            };
            if let Some(blocks) = self.waiting.get_mut(&needed) {
                self.count -= usize::from(blocks.remove(&hash).is_some());
                if blocks.is_empty() {
                    self.waiting.remove(&needed);
                }
            }
        }
        self.order.push_back((needed, hash));
        self.waiting.entry(needed).or_default().insert(hash, block);
        self.count += 1;
    }

    /// Takes out the blocks that waited for `arrived`.
    pub(super) fn take(&mut self, arrived: &[u8; 32]) -> Vec<Block> {
        let blocks = self.waiting.remove(arrived).unwrap_or_default();
        self.count -= blocks.len();
        blocks.into_values().collect()
    }

    /// How many blocks wait.
    pub(super) const fn count(&self) -> usize {
        self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nano_core::{Account, Raw, StateBlock};

    fn block(number: usize) -> Block {
        let account = Account::from_bytes([1; 32]);
        let balance = Raw::new(number as u128);
        StateBlock::unsigned(account, BlockHash::ZERO, account, balance, account.into()).into()
    }

    #[test]
    fn the_oldest_block_goes_when_the_limit_is_reached() {
        let mut unchecked = Unchecked::default();
        for number in 0..=MAX_BLOCKS {
            let needed = if number == 0 { [0; 32] } else { [1; 32] };
            unchecked.put(needed, block(number));
        }
        assert_eq!(unchecked.count(), MAX_BLOCKS);
        assert!(unchecked.take(&[0; 32]).is_empty());
        assert_eq!(unchecked.take(&[1; 32]).len(), MAX_BLOCKS);
        assert_eq!(unchecked.count(), 0);
    }

    #[test]
    fn a_block_that_waits_already_is_not_kept_twice() {
        let mut unchecked = Unchecked::default();
        unchecked.put([1; 32], block(1));
        unchecked.put([1; 32], block(1));
        assert_eq!(unchecked.take(&[1; 32]).len(), 1);
    }
}
