//! One election: which block takes a place that no or several blocks are decided for.
//!
//! States: *normal* (votes can still move), then *final* (a quorum of votes was seen, local
//! representatives commit themselves), then confirmed, when a quorum of final votes was seen.
//! Rules: of each representative the newest vote counts (same time: the higher hash); at most
//! [`MAX_CANDIDATES`] blocks compete, later ones are ignored; only representatives that have
//! weight are counted, so the table is as small as the list of representatives.

use std::collections::BTreeMap;

use nano_core::{Account, Block, BlockHash, Raw, UnixMillis, VoteTimestamp};

/// Most blocks competing for one root; as in full nodes.
pub(crate) const MAX_CANDIDATES: usize = 10;

/// What local representatives voted last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LocalVote {
    pub(crate) hash: BlockHash,
    pub(crate) at: UnixMillis,
}

/// A running election for one root.
#[derive(Clone, Debug)]
pub(crate) struct Election {
    /// The candidate that the ledger holds.
    pub(crate) winner: BlockHash,
    /// All candidates by hash.
    pub(crate) candidates: BTreeMap<BlockHash, Block>,
    votes: BTreeMap<Account, (BlockHash, VoteTimestamp)>,
    pub(crate) started: UnixMillis,
    /// When block and votes were last sent to the peers.
    pub(crate) sent: UnixMillis,
    /// How often votes were asked for.
    pub(crate) requests: u32,
    /// Whether a quorum of votes was seen, so that final votes are due.
    pub(crate) is_final: bool,
    pub(crate) local: Option<LocalVote>,
}

/// The count of an election at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tally {
    /// The candidate with most weight; among equals the higher hash.
    pub(crate) leader: BlockHash,
    pub(crate) leading: Raw,
    /// Weight of the second candidate.
    pub(crate) second: Raw,
    /// Weight of all votes.
    pub(crate) total: Raw,
    /// Weight of the final votes for the leader.
    pub(crate) leader_final: Raw,
    /// Weight by candidate.
    pub(crate) by_block: BTreeMap<BlockHash, Raw>,
}

impl Election {
    pub(crate) fn new(block: Block, now: UnixMillis) -> Self {
        let hash = block.hash();
        Self {
            winner: hash,
            candidates: BTreeMap::from([(hash, block)]),
            votes: BTreeMap::new(),
            started: now,
            sent: now,
            requests: 0,
            is_final: false,
            local: None,
        }
    }

    /// Counts a vote; false when it is not newer than the one known.
    pub(crate) fn vote(
        &mut self,
        representative: Account,
        hash: BlockHash,
        timestamp: VoteTimestamp,
    ) -> bool {
        let known = self.votes.get(&representative);
        let is_newer = known
            .is_none_or(|(known_hash, known_time)| (timestamp, hash) > (*known_time, *known_hash));
        if is_newer {
            self.votes.insert(representative, (hash, timestamp));
        }
        is_newer
    }

    /// Adds a competing block; false when it is known or there are too many.
    pub(crate) fn add_candidate(&mut self, block: Block) -> bool {
        let hash = block.hash();
        if self.candidates.len() >= MAX_CANDIDATES || self.candidates.contains_key(&hash) {
            return false;
        }
        self.candidates.insert(hash, block);
        true
    }

    /// Counts with the weights of this moment.
    pub(crate) fn tally(&self, weight: impl Fn(&Account) -> Raw) -> Tally {
        let mut by_block: BTreeMap<BlockHash, Raw> = self
            .candidates
            .keys()
            .map(|hash| (*hash, Raw::ZERO))
            .collect();
        let mut finals: BTreeMap<BlockHash, Raw> = BTreeMap::new();
        let mut total = Raw::ZERO;
        for (representative, (hash, timestamp)) in &self.votes {
            let weight = weight(representative);
            total = sum(total, weight);
            let votes = by_block.entry(*hash).or_default();
            *votes = sum(*votes, weight);
            if timestamp.is_final() {
                let votes = finals.entry(*hash).or_default();
                *votes = sum(*votes, weight);
            }
        }
        let mut order: Vec<(Raw, BlockHash)> = by_block
            .iter()
            .map(|(hash, weight)| (*weight, *hash))
            .collect();
        order.sort_unstable_by(|left, right| right.cmp(left));
        let (leading, leader) = order.first().copied().unwrap_or((Raw::ZERO, self.winner));
        Tally {
            leader,
            leading,
            second: order.get(1).map_or(Raw::ZERO, |(weight, _)| *weight),
            total,
            leader_final: finals.get(&leader).copied().unwrap_or_default(),
            by_block,
        }
    }

    /// Who voted what, when.
    pub(crate) const fn votes(&self) -> &BTreeMap<Account, (BlockHash, VoteTimestamp)> {
        &self.votes
    }
}

/// Sums of weights never exceed the supply, which is the largest number of the type.
fn sum(left: Raw, right: Raw) -> Raw {
    left.checked_add(right).unwrap_or(Raw::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nano_core::Network;

    fn account(byte: u8) -> Account {
        Account::from_bytes([byte; 32])
    }

    fn hash(byte: u8) -> BlockHash {
        BlockHash::from_bytes([byte; 32])
    }

    fn election() -> Election {
        Election::new(Network::Dev.genesis_block(), UnixMillis::new(0))
    }

    fn at(millis: u64) -> VoteTimestamp {
        VoteTimestamp::normal(millis, 9)
    }

    #[test]
    fn a_representative_that_votes_twice_counts_once_with_its_newest_vote() {
        let mut election = election();
        assert!(election.vote(account(1), hash(1), at(1600)));
        assert!(election.vote(account(1), hash(2), at(3200)));
        assert!(!election.vote(account(1), hash(1), at(1600)));
        let tally = election.tally(|_| Raw::new(5));
        assert_eq!((tally.leader, tally.leading), (hash(2), Raw::new(5)));
        assert_eq!(tally.total, Raw::new(5));
    }

    #[test]
    fn votes_of_the_same_time_are_ordered_by_hash() {
        let mut election = election();
        assert!(election.vote(account(1), hash(2), at(1600)));
        assert!(!election.vote(account(1), hash(1), at(1600)));
        assert!(election.vote(account(1), hash(3), at(1600)));
    }

    #[test]
    fn nothing_is_newer_than_a_final_vote_but_another_final_vote_of_a_higher_hash() {
        let mut election = election();
        assert!(election.vote(account(1), hash(1), VoteTimestamp::FINAL));
        assert!(!election.vote(account(1), hash(9), at(u64::MAX - 1)));
        assert_eq!(election.tally(|_| Raw::new(1)).leader_final, Raw::new(1));
    }

    #[test]
    fn only_final_votes_for_the_leader_count_as_final() {
        let mut election = election();
        election.vote(account(1), hash(1), VoteTimestamp::FINAL);
        election.vote(account(2), hash(2), at(1600));
        election.vote(account(3), hash(2), VoteTimestamp::FINAL);
        let tally = election.tally(|who| Raw::new(u128::from(who.as_bytes()[0])));
        assert_eq!(tally.leader, hash(2));
        assert_eq!(tally.leading, Raw::new(5));
        assert_eq!(tally.second, Raw::new(1));
        assert_eq!(tally.leader_final, Raw::new(3));
    }

    #[test]
    fn at_most_ten_blocks_compete() {
        let mut election = election();
        for byte in 0..20 {
            let account = account(byte);
            let block = nano_core::StateBlock::unsigned(
                account,
                hash(1),
                account,
                Raw::ZERO,
                account.into(),
            );
            election.add_candidate(block.into());
        }
        assert_eq!(election.candidates.len(), MAX_CANDIDATES);
    }
}
