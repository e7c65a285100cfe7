//! Final votes per block, and the moment their weight reaches the threshold. No I/O.
//!
//! A block is in one of these states: *heard of* (votes only, the block's bytes unknown), *seen*
//! (bytes known, votes missing), *confirmed* (told once, then only remembered so that nothing is
//! told twice). Rules:
//! - only final votes with a valid signature of a representative in the table count, each
//!   representative once per block;
//! - a confirmed block makes every other block of the same root lost;
//! - at most [`BLOCKS`] blocks, [`HEARD`] hashes with votes and [`DONE`] confirmed ones are kept;
//!   what has waited [`KEEP_MS`] is forgotten, and the oldest goes first when full. A forgotten
//!   block is found again when somebody asks for its account.

use std::collections::BTreeMap;

use nano_core::{Account, Block, BlockHash, Raw, Root, UnixMillis, Vote, WeightTable};

use crate::recent::Recent;

/// Blocks kept while their votes come in.
pub const BLOCKS: usize = 8_192;
/// Hashes kept with votes while their blocks come in.
pub const HEARD: usize = 8_192;
/// Confirmed roots remembered.
pub const DONE: usize = 32_768;
/// How long a block or a vote is kept, milliseconds.
pub const KEEP_MS: u64 = 5 * 60 * 1000;
/// Votes kept for one hash: more representatives than any table needs for its threshold.
const VOTES: usize = 256;

/// What a new block or vote changed.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Known before, or of no weight: drop it.
    Nothing,
    /// Kept; not yet enough weight.
    Counted,
    /// Enough weight, but the block's bytes are unknown: fetch them and hand them in.
    Wanted(BlockHash),
    /// The block is confirmed; told once.
    Confirmed(Box<Confirmed>),
}

/// A confirmed block with what proves it.
#[derive(Clone, Debug, PartialEq)]
pub struct Confirmed {
    /// The block.
    pub block: Block,
    /// Final votes, one per representative.
    pub votes: Vec<Vote>,
}

/// A seen block that waits for votes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Waiting {
    block: Block,
    /// When to ask for its votes.
    ask_at: UnixMillis,
    /// How often it was asked for.
    asked: u32,
}

#[derive(Debug, Default)]
struct Tallied {
    votes: BTreeMap<Account, Vote>,
    weight: u128,
    wanted: bool,
}

/// The table.
#[derive(Debug)]
pub struct Tally {
    blocks: Recent<BlockHash, Waiting>,
    heard: Recent<BlockHash, Tallied>,
    done: Recent<Root, BlockHash>,
    /// First pause before votes are asked for, milliseconds.
    ask_after_ms: u64,
}

impl Tally {
    /// An empty table. Votes of a block are asked for when they have not come `ask_after_ms`
    /// after the block, then with doubling pauses.
    #[must_use]
    pub const fn new(ask_after_ms: u64) -> Self {
        Self {
            blocks: Recent::new(BLOCKS, KEEP_MS),
            heard: Recent::new(HEARD, KEEP_MS),
            done: Recent::new(DONE, KEEP_MS),
            ask_after_ms,
        }
    }

    /// Whether a block of this root waits for votes.
    #[must_use]
    pub fn waits_at(&self, root: &Root) -> bool {
        self.blocks
            .iter()
            .any(|(_, waiting)| waiting.block.root() == *root)
    }

    /// Whether a vote for `hashes` could still matter; saves checking its signature.
    #[must_use]
    pub fn cares(&self, vote: &Vote, weights: &WeightTable, now: UnixMillis) -> bool {
        vote.timestamp.is_final()
            && weights.weight_of(&vote.representative) > Raw::ZERO
            && vote.hashes.iter().any(|hash| {
                self.heard
                    .get(hash, now)
                    .is_none_or(|known| !known.votes.contains_key(&vote.representative))
            })
    }

    /// Takes a block from the stream (its hash follows from its bytes).
    pub fn block(&mut self, block: Block, weights: &WeightTable, now: UnixMillis) -> Verdict {
        let hash = block.hash();
        if self.done.get(&block.root(), now).is_some() || self.blocks.get(&hash, now).is_some() {
            return Verdict::Nothing;
        }
        let waiting = Waiting {
            block,
            ask_at: now.plus(self.ask_after_ms),
            asked: 0,
        };
        self.blocks.put(hash, waiting, now);
        match self.decide(hash, weights, now) {
            Verdict::Nothing => Verdict::Counted,
            other => other,
        }
    }

    /// Takes a vote whose signature was checked; a verdict per hash that changed something.
    pub fn vote(&mut self, vote: &Vote, weights: &WeightTable, now: UnixMillis) -> Vec<Verdict> {
        let weight = weights.weight_of(&vote.representative).number();
        if !vote.timestamp.is_final() || weight == 0 {
            return Vec::new();
        }
        let mut verdicts = Vec::new();
        for hash in &vote.hashes {
            if self.heard.get(hash, now).is_none() {
                self.heard.put(*hash, Tallied::default(), now);
            }
            let Some(known) = self.heard.get_mut(hash, now) else {
                continue;
            };
            if known.votes.contains_key(&vote.representative) || known.votes.len() >= VOTES {
                continue;
            }
            known.votes.insert(vote.representative, vote.clone());
            known.weight = known.weight.saturating_add(weight);
            verdicts.push(match self.decide(*hash, weights, now) {
                Verdict::Nothing => Verdict::Counted,
                other => other,
            });
        }
        verdicts
    }

    fn decide(&mut self, hash: BlockHash, weights: &WeightTable, now: UnixMillis) -> Verdict {
        let Some(known) = self.heard.get_mut(&hash, now) else {
            return Verdict::Nothing;
        };
        if known.weight < weights.threshold().number() {
            return Verdict::Nothing;
        }
        let Some(waiting) = self.blocks.get(&hash, now).copied() else {
            // A confirmed block's later votes come here too: its bytes are gone by then.
            if known.wanted {
                return Verdict::Nothing;
            }
            known.wanted = true;
            return Verdict::Wanted(hash);
        };
        let root = waiting.block.root();
        if self.done.get(&root, now).is_some() {
            return Verdict::Nothing;
        }
        known.wanted = true;
        let votes = known.votes.values().cloned().collect();
        self.blocks.remove(&hash);
        self.done.put(root, hash, now);
        Verdict::Confirmed(Box::new(Confirmed {
            block: waiting.block,
            votes,
        }))
    }

    /// Blocks whose votes are to be asked for now, at most `most`; each is told again after twice
    /// the pause, at most eight times.
    pub fn due(&mut self, most: usize, now: UnixMillis) -> Vec<(BlockHash, Root)> {
        self.blocks.expire(now);
        self.heard.expire(now);
        self.done.expire(now);
        let mut due = Vec::new();
        for (hash, waiting) in self.blocks.iter_mut() {
            if due.len() >= most {
                break;
            }
            if waiting.ask_at <= now && waiting.asked < 8 {
                waiting.asked += 1;
                waiting.ask_at = now.plus(self.ask_after_ms << waiting.asked);
                due.push((*hash, waiting.block.root()));
            }
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nano_core::{Link, Network, PrivateKey, StateBlock, VoteTimestamp};

    const NOW: UnixMillis = UnixMillis(1_000_000);

    fn representative(number: u8) -> PrivateKey {
        PrivateKey::from_bytes([number; 32])
    }

    /// Ten representatives of weight 10 each: 67 is the threshold.
    fn table() -> WeightTable {
        let weights = (1..=10)
            .map(|n| (representative(n).account(), Raw::new(10)))
            .collect();
        WeightTable {
            network: Network::Dev,
            as_of: NOW,
            online_weight: Raw::new(100),
            minimum: Raw::new(1),
            weights,
        }
    }

    fn block(balance: u128) -> Block {
        let key = PrivateKey::from_bytes([99; 32]);
        let account = key.account();
        let previous = BlockHash::from_bytes([5; 32]);
        StateBlock::unsigned(account, previous, account, Raw::new(balance), Link::ZERO)
            .sign(&key)
            .into()
    }

    fn vote(number: u8, block: &Block) -> Vote {
        Vote::sign(
            &representative(number),
            VoteTimestamp::FINAL,
            vec![block.hash()],
        )
    }

    /// Takes votes of these representatives; gives back what the last one led to.
    fn count(tally: &mut Tally, numbers: impl IntoIterator<Item = u8>, block: &Block) -> Verdict {
        let mut last = Verdict::Nothing;
        for number in numbers {
            let verdicts = tally.vote(&vote(number, block), &table(), NOW);
            last = verdicts.into_iter().next().unwrap_or(Verdict::Nothing);
        }
        last
    }

    #[test]
    fn a_block_is_confirmed_once_when_its_final_votes_reach_the_threshold() {
        let mut tally = Tally::new(100);
        let one = block(1);
        assert_eq!(tally.block(one, &table(), NOW), Verdict::Counted);
        assert_eq!(count(&mut tally, 1..=6, &one), Verdict::Counted);
        let Verdict::Confirmed(confirmed) = count(&mut tally, [7], &one) else {
            panic!("not confirmed");
        };
        assert_eq!((confirmed.block, confirmed.votes.len()), (one, 7));
        assert!(!matches!(
            count(&mut tally, [8], &one),
            Verdict::Confirmed(_)
        ));
        assert_eq!(tally.block(one, &table(), NOW), Verdict::Nothing);
    }

    #[test]
    fn votes_before_the_block_ask_for_it_and_then_confirm_it() {
        let mut tally = Tally::new(100);
        let one = block(1);
        assert_eq!(count(&mut tally, 1..=7, &one), Verdict::Wanted(one.hash()));
        assert_eq!(count(&mut tally, [8], &one), Verdict::Counted);
        assert!(matches!(
            tally.block(one, &table(), NOW),
            Verdict::Confirmed(_)
        ));
    }

    #[test]
    fn a_repeated_representative_counts_once() {
        let mut tally = Tally::new(100);
        let one = block(1);
        tally.block(one, &table(), NOW);
        assert_eq!(count(&mut tally, [1; 20], &one), Verdict::Nothing);
        assert!(!tally.cares(&vote(1, &one), &table(), NOW));
        assert!(tally.cares(&vote(2, &one), &table(), NOW));
    }

    #[test]
    fn normal_votes_and_representatives_without_weight_do_not_count() {
        let mut tally = Tally::new(100);
        let one = block(1);
        tally.block(one, &table(), NOW);
        let normal = VoteTimestamp::normal(1_000_000, 9);
        for number in 1..=10 {
            let vote = Vote::sign(&representative(number), normal, vec![one.hash()]);
            assert!(tally.vote(&vote, &table(), NOW).is_empty());
        }
        for number in 20..=60 {
            assert!(tally.vote(&vote(number, &one), &table(), NOW).is_empty());
        }
        assert_eq!(count(&mut tally, 1..=6, &one), Verdict::Counted);
    }

    #[test]
    fn the_rival_of_a_confirmed_block_is_dropped() {
        let mut tally = Tally::new(100);
        let (winner, rival) = (block(1), block(2));
        tally.block(rival, &table(), NOW);
        tally.block(winner, &table(), NOW);
        assert!(tally.waits_at(&rival.root()));
        assert!(matches!(
            count(&mut tally, 1..=7, &winner),
            Verdict::Confirmed(_)
        ));
        assert_eq!(tally.block(rival, &table(), NOW), Verdict::Nothing);
    }

    #[test]
    fn missing_votes_are_asked_for_with_growing_pauses_and_not_forever() {
        let mut tally = Tally::new(100);
        let one = block(1);
        tally.block(one, &table(), NOW);
        let mut asked = Vec::new();
        for later in 0..KEEP_MS {
            if !tally.due(8, NOW.plus(later)).is_empty() {
                asked.push(later);
            }
        }
        assert_eq!(asked, [100, 300, 700, 1_500, 3_100, 6_300, 12_700, 25_500]);
        assert!(tally.due(8, NOW.plus(KEEP_MS)).is_empty());
        assert!(!tally.waits_at(&one.root()));
    }
}
