//! Votes for blocks that have no election yet: kept for when they do.
//!
//! Bounds: [`MAX_BLOCKS`] blocks, the oldest goes first; [`MAX_VOTERS`] voters each, later ones
//! are ignored.

use std::collections::{BTreeMap, VecDeque};

use nano_core::{Account, BlockHash, VoteTimestamp};

/// Most blocks with early votes.
const MAX_BLOCKS: usize = 8192;
/// Most voters per block, as in full nodes.
const MAX_VOTERS: usize = 64;

/// Early votes by block.
#[derive(Debug, Default)]
pub(crate) struct VoteCache {
    votes: BTreeMap<BlockHash, BTreeMap<Account, VoteTimestamp>>,
    /// Blocks by age; may name blocks that were taken out since.
    order: VecDeque<BlockHash>,
}

impl VoteCache {
    /// Keeps a vote; of several by one representative the latest.
    pub(crate) fn put(&mut self, hash: BlockHash, who: Account, timestamp: VoteTimestamp) {
        if !self.votes.contains_key(&hash) {
            while self.order.len() >= MAX_BLOCKS {
                if let Some(oldest) = self.order.pop_front() {
                    self.votes.remove(&oldest);
                }
            }
            self.order.push_back(hash);
        }
        let voters = self.votes.entry(hash).or_default();
        if voters.len() < MAX_VOTERS || voters.contains_key(&who) {
            let known = voters.entry(who).or_insert(timestamp);
            *known = (*known).max(timestamp);
        }
    }

    /// Takes the votes for a block out.
    pub(crate) fn take(&mut self, hash: &BlockHash) -> BTreeMap<Account, VoteTimestamp> {
        self.votes.remove(hash).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(number: usize) -> BlockHash {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        BlockHash::from_bytes(bytes)
    }

    #[test]
    fn the_oldest_block_goes_when_the_cache_is_full() {
        let mut cache = VoteCache::default();
        for number in 0..=MAX_BLOCKS {
            cache.put(hash(number), Account::ZERO, VoteTimestamp::FINAL);
        }
        assert!(cache.take(&hash(0)).is_empty());
        assert_eq!(cache.take(&hash(1)).len(), 1);
        assert_eq!(cache.take(&hash(MAX_BLOCKS)).len(), 1);
    }

    #[test]
    fn voters_beyond_the_limit_are_ignored() {
        let mut cache = VoteCache::default();
        for number in 0..200 {
            let who = Account::from_bytes(*hash(number).as_bytes());
            cache.put(hash(1), who, VoteTimestamp::FINAL);
        }
        assert_eq!(cache.take(&hash(1)).len(), MAX_VOTERS);
    }

    #[test]
    fn the_latest_vote_of_a_representative_is_kept() {
        let mut cache = VoteCache::default();
        cache.put(hash(1), Account::ZERO, VoteTimestamp::FINAL);
        cache.put(hash(1), Account::ZERO, VoteTimestamp::normal(16, 9));
        let votes = cache.take(&hash(1));
        assert_eq!(votes.get(&Account::ZERO), Some(&VoteTimestamp::FINAL));
    }
}
