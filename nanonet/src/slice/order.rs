//! Which of two proven frontiers of one account is the newer one.
//!
//! A block's hash covers the hash of the block before it, so a confirmed frontier vouches for all
//! its ancestors: no vote is needed to know that an ancestor of a proven frontier is older than
//! it. A [`Chain`] is what a node knows of one frontier's past: its hash, then the hash before it,
//! and so on without a gap as far back as blocks were seen, at most [`REMEMBERED_ANCESTORS`].
//!
//! Relations of a chain to another one ([`Chain::relation`]):
//!
//! - *same*: equal heads;
//! - *newer*: the other head is among our ancestors; *older*: the reverse;
//! - *diverged*: neither, yet an ancestor is shared. Both chains are known without a gap from
//!   their heads down to it, so if one head descended from the other it would have been met;
//! - *unknown*: no shared hash. One may be older than what is remembered of the other.
//!
//! Rules:
//!
//! - heights and times never matter, a claimed height is not even read;
//! - the start of an account (nothing before the first block) counts as one shared ancestor, so
//!   two different first blocks of an account have diverged;
//! - knowledge only grows: [`Chain::learn`] appends the past of an ancestor, or of the head itself. When the limit is
//!   reached the oldest hashes are forgotten, which can turn *newer* into *unknown*, never into a
//!   wrong answer.
//!
//! Memory: at most `REMEMBERED_ANCESTORS` hashes of 32 bytes per chain.

use nano_core::{Block, BlockHash};

/// Hashes of superseded blocks remembered per frontier: twice the longest lineage a record can
/// carry, so that a holder which has just caught up still recognises what it passed. 4 KiB.
pub const REMEMBERED_ANCESTORS: usize = 128;

/// A frontier and the hashes before it, newest first, without a gap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chain {
    head: BlockHash,
    /// Hash before the head first. [`BlockHash::ZERO`] stands for the start of the account and
    /// can only be the last element.
    ancestors: Vec<BlockHash>,
}

/// How one chain stands to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    /// The same frontier.
    Same,
    /// The first one descends from the other.
    Newer,
    /// The other descends from the first one.
    Older,
    /// Neither descends from the other, and both descend from one block.
    Diverged,
    /// No hash in common.
    Unknown,
}

impl Chain {
    /// The chain of a frontier block known by itself: it names the hash before it.
    pub(crate) fn new(frontier: &Block) -> Self {
        Self {
            head: frontier.hash(),
            ancestors: vec![before(frontier)],
        }
    }

    /// A chain as it was remembered. Hashes beyond the limit are dropped.
    pub(crate) fn remembered(head: BlockHash, mut ancestors: Vec<BlockHash>) -> Self {
        ancestors.truncate(REMEMBERED_ANCESTORS);
        Self { head, ancestors }
    }

    /// The frontier's hash.
    pub(crate) const fn head(&self) -> BlockHash {
        self.head
    }

    /// Hashes before the head, newest first; zero at the end if the account's start is reached.
    pub(crate) fn ancestors(&self) -> &[BlockHash] {
        &self.ancestors
    }

    /// Whether `hash` is known to come before the head.
    pub(crate) fn supersedes(&self, hash: &BlockHash) -> bool {
        !hash.is_zero() && self.ancestors.contains(hash)
    }

    /// The block known to come right after `previous` ([`BlockHash::ZERO`]: the first block).
    pub(crate) fn after(&self, previous: &BlockHash) -> Option<BlockHash> {
        let place = self.ancestors.iter().position(|hash| hash == previous)?;
        let newer = place.checked_sub(1).map(|place| self.ancestors[place]);
        Some(newer.unwrap_or(self.head))
    }

    /// Adds the block that comes before the oldest hash known. False, and nothing changes, if it
    /// is another block.
    pub(crate) fn extend(&mut self, block: &Block) -> bool {
        if self.ancestors.last() != Some(&block.hash()) {
            return false;
        }
        if self.ancestors.len() < REMEMBERED_ANCESTORS {
            self.ancestors.push(before(block));
        }
        true
    }

    /// Takes over what `other` knows of the past, if its head is ours or an ancestor of ours and
    /// it knows more. Returns whether anything was learnt.
    pub(crate) fn learn(&mut self, other: &Self) -> bool {
        let shared = if other.head == self.head {
            0
        } else {
            match self.ancestors.iter().position(|hash| *hash == other.head) {
                Some(place) => place + 1,
                None => return false,
            }
        };
        let known = self.ancestors.len() - shared;
        let room = REMEMBERED_ANCESTORS - shared;
        if other.ancestors.len().min(room) <= known {
            return false;
        }
        self.ancestors.truncate(shared);
        self.ancestors
            .extend(other.ancestors.iter().take(room).copied());
        true
    }

    /// How this chain stands to `other`.
    pub(crate) fn relation(&self, other: &Self) -> Relation {
        if self.head == other.head {
            Relation::Same
        } else if self.supersedes(&other.head) {
            Relation::Newer
        } else if other.supersedes(&self.head) {
            Relation::Older
        } else if self
            .ancestors
            .iter()
            .any(|hash| other.ancestors.contains(hash))
        {
            Relation::Diverged
        } else {
            Relation::Unknown
        }
    }
}

/// The hash before `block`; zero for the first block of an account.
fn before(block: &Block) -> BlockHash {
    block.previous().unwrap_or(BlockHash::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nano_core::{Account, Link, Raw, StateBlock};
    use proptest::prelude::*;

    fn block(previous: BlockHash, balance: u128) -> Block {
        Block::State(StateBlock::unsigned(
            Account::from_bytes([7; 32]),
            previous,
            Account::from_bytes([8; 32]),
            Raw::new(balance),
            Link::ZERO,
        ))
    }

    /// The first `length` blocks of one account.
    fn chain_of(length: usize, salt: u128) -> Vec<Block> {
        let mut previous = BlockHash::ZERO;
        (0..length)
            .map(|height| {
                let next = block(previous, salt + u128::try_from(height).unwrap());
                previous = next.hash();
                next
            })
            .collect()
    }

    /// What is known of block `height` of `blocks` with `lineage` blocks before it.
    fn known(blocks: &[Block], height: usize, lineage: usize) -> Chain {
        let mut chain = Chain::new(&blocks[height]);
        for older in blocks[..height].iter().rev().take(lineage) {
            assert!(chain.extend(older));
        }
        chain
    }

    #[test]
    fn what_follows_a_block_is_known_as_far_back_as_the_chain_is() {
        let blocks = chain_of(4, 0);
        let chain = known(&blocks, 3, 1);
        assert_eq!(chain.after(&blocks[2].hash()), Some(blocks[3].hash()));
        assert_eq!(chain.after(&blocks[1].hash()), Some(blocks[2].hash()));
        assert_eq!(chain.after(&blocks[0].hash()), None, "not known");
        assert_eq!(chain.after(&blocks[3].hash()), None, "nothing yet");
        assert_eq!(chain.after(&BlockHash::ZERO), None, "not known");
        let whole = known(&blocks, 3, 3);
        assert_eq!(whole.after(&BlockHash::ZERO), Some(blocks[0].hash()));
    }

    #[test]
    fn the_block_before_a_frontier_is_older_without_any_lineage() {
        let blocks = chain_of(3, 0);
        let (second, third) = (known(&blocks, 1, 0), known(&blocks, 2, 0));
        assert_eq!(third.relation(&second), Relation::Newer);
        assert_eq!(second.relation(&third), Relation::Older);
    }

    #[test]
    fn frontiers_with_unseen_blocks_between_them_have_no_known_order() {
        let blocks = chain_of(6, 0);
        let (old, new) = (known(&blocks, 1, 0), known(&blocks, 4, 0));
        assert_eq!(new.relation(&old), Relation::Unknown);
        assert_eq!(known(&blocks, 4, 2).relation(&old), Relation::Newer);
    }

    #[test]
    fn two_children_of_one_block_have_diverged() {
        let blocks = chain_of(2, 0);
        let left = Chain::new(&block(blocks[1].hash(), 100));
        let right = Chain::new(&block(blocks[1].hash(), 200));
        assert_eq!(left.relation(&right), Relation::Diverged);
    }

    #[test]
    fn two_first_blocks_of_an_account_have_diverged() {
        let (left, right) = (chain_of(1, 0), chain_of(1, 50));
        assert_eq!(
            known(&left, 0, 0).relation(&known(&right, 0, 0)),
            Relation::Diverged
        );
    }

    #[test]
    fn a_divergence_deep_in_the_past_is_seen_when_both_lineages_reach_it() {
        let common = chain_of(2, 0);
        let branch = |salt: u128| {
            let mut blocks = common.clone();
            for height in 0..3 {
                blocks.push(block(blocks[blocks.len() - 1].hash(), salt + height));
            }
            blocks
        };
        let (left, right) = (branch(1000), branch(2000));
        assert_eq!(
            known(&left, 4, 2).relation(&known(&right, 3, 1)),
            Relation::Diverged
        );
        assert_eq!(
            known(&left, 4, 1).relation(&known(&right, 3, 1)),
            Relation::Unknown
        );
    }

    #[test]
    fn a_block_that_does_not_link_is_not_taken_into_the_chain() {
        let (blocks, others) = (chain_of(3, 0), chain_of(3, 70));
        let mut chain = Chain::new(&blocks[2]);
        let before = chain.clone();
        assert!(!chain.extend(&others[1]));
        assert!(!chain.extend(&blocks[0]));
        assert_eq!(chain, before);
    }

    #[test]
    fn the_past_of_an_ancestor_is_learnt() {
        let blocks = chain_of(8, 0);
        let mut newest = known(&blocks, 7, 1);
        assert!(!newest.learn(&known(&blocks, 3, 2)));
        assert!(newest.learn(&known(&blocks, 6, 4)));
        assert_eq!(newest.relation(&known(&blocks, 2, 0)), Relation::Newer);
        assert!(!newest.learn(&known(&blocks, 6, 2)), "nothing new in it");
    }

    #[test]
    fn the_oldest_hashes_are_forgotten_at_the_limit() {
        let blocks = chain_of(REMEMBERED_ANCESTORS * 2, 0);
        let mut chain = Chain::new(&blocks[0]);
        for frontier in &blocks[1..] {
            let mut next = Chain::new(frontier);
            assert!(next.learn(&chain));
            chain = next;
        }
        assert_eq!(chain.ancestors().len(), REMEMBERED_ANCESTORS);
        let last = blocks.len() - 1;
        assert!(chain.supersedes(&blocks[last - REMEMBERED_ANCESTORS].hash()));
        assert!(!chain.supersedes(&blocks[last - REMEMBERED_ANCESTORS - 1].hash()));
    }

    proptest! {
        #[test]
        fn an_order_that_is_told_is_the_true_one(
            length in 2_usize..40, left in 0_usize..40, right in 0_usize..40,
            left_lineage in 0_usize..40, right_lineage in 0_usize..40,
        ) {
            let blocks = chain_of(length, 0);
            let (left, right) = (left % length, right % length);
            let relation = known(&blocks, left, left_lineage)
                .relation(&known(&blocks, right, right_lineage));
            match relation {
                Relation::Same => prop_assert_eq!(left, right),
                Relation::Newer => prop_assert!(left > right),
                Relation::Older => prop_assert!(left < right),
                Relation::Unknown => prop_assert_ne!(left, right),
                Relation::Diverged => prop_assert!(false, "one chain never diverges from itself"),
            }
        }

        #[test]
        fn branches_are_never_put_in_order(
            common in 0_usize..10, left in 1_usize..10, right in 1_usize..10,
            left_lineage in 0_usize..20, right_lineage in 0_usize..20,
        ) {
            let branch = |salt: u128, length: usize| {
                let mut blocks = chain_of(common, 0);
                for height in 0..length {
                    let previous = blocks.last().map_or(BlockHash::ZERO, Block::hash);
                    blocks.push(block(previous, salt + u128::try_from(height).unwrap()));
                }
                blocks
            };
            let (a, b) = (branch(1000, left), branch(2000, right));
            let relation = known(&a, a.len() - 1, left_lineage)
                .relation(&known(&b, b.len() - 1, right_lineage));
            prop_assert!(matches!(relation, Relation::Diverged | Relation::Unknown));
            if left_lineage >= left - 1 && right_lineage >= right - 1 {
                prop_assert_eq!(relation, Relation::Diverged);
            }
        }
    }
}
