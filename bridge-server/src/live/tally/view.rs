//! How elections stand, for people to look at: nothing is decided by what is shown here.
//!
//! Of each block there are two sums. The *final tally* counts final votes, which confirm. The
//! *tally* adds representatives that have only voted normally so far, each for the block of its
//! newest vote. A decided root shows its winner alone, without the normal votes for it.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use nano_core::{Account, BlockHash, Raw, Root, UnixMillis, WeightTable};
use serde::Serialize;

use super::{Decided, Election, Tally};

/// How many voted for one block, and with how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Stand {
    /// The block.
    pub hash: BlockHash,
    /// Weight of all who voted for it, in raw.
    pub tally: Raw,
    /// Weight of those of them who voted finally, in raw.
    pub final_tally: Raw,
    /// How many representatives have voted finally for it.
    pub representatives: usize,
}

/// How an election stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct View {
    /// What all blocks here build upon.
    pub root: Root,
    /// When its first block was met, or when it was decided; Unix time in milliseconds.
    pub since: u64,
    /// Whether there are, or were, several blocks.
    pub forked: bool,
    /// Whether two blocks were confirmed, which no honest majority does.
    pub conflict: bool,
    /// The block that was confirmed.
    pub winner: Option<BlockHash>,
    /// Its blocks, most final weight first. A decided root has its winner alone.
    pub blocks: Vec<Stand>,
}

/// How all elections stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Overview {
    /// Final weight that decides, in raw.
    pub quorum: Raw,
    /// Open roots, listed or not.
    pub open: usize,
    /// Decided roots that are remembered, listed or not.
    pub decided: usize,
    /// Some of them: forks first, then open ones, longest waiting first, then decided ones, newest
    /// first.
    pub elections: Vec<View>,
}

impl Tally {
    /// How the election at `root` stands; `None` when no block of it is known.
    #[must_use]
    pub fn view(&self, root: &Root, weights: &WeightTable, now: UnixMillis) -> Option<View> {
        if let Some(decided) = self.done.get(root, now) {
            return Some(self.decided(*root, decided, now));
        }
        let election = self.open.get(root, now)?;
        Some(self.undecided(*root, election, weights, now))
    }

    /// How the elections stand, at most `most` of them.
    #[must_use]
    pub fn overview(&self, most: usize, weights: &WeightTable, now: UnixMillis) -> Overview {
        let open = self.open.iter().map(|(root, election)| {
            let calm = election.blocks.len() < 2;
            (calm, false, election.since.0, *root)
        });
        let done = self.done.iter().map(|(root, decided)| {
            let newest_first = u64::MAX - decided.since.0;
            (
                !decided.forked && !decided.conflict,
                true,
                newest_first,
                *root,
            )
        });
        let mut all: Vec<_> = open.chain(done).collect();
        all.sort_unstable();
        let listed = all.iter().take(most);
        Overview {
            quorum: weights.threshold(),
            open: self.open.len(),
            decided: self.done.len(),
            elections: listed
                .filter_map(|(_, _, _, root)| self.view(root, weights, now))
                .collect(),
        }
    }

    fn undecided(
        &self,
        root: Root,
        election: &Election,
        weights: &WeightTable,
        now: UnixMillis,
    ) -> View {
        let committed: BTreeSet<Account> = election
            .blocks
            .keys()
            .filter_map(|hash| self.tallied(hash, now))
            .flat_map(|tallied| tallied.votes.keys().copied())
            .collect();
        let normal = |wanted: &BlockHash| {
            let votes = election.normal.iter();
            votes
                .filter(|(who, (_, hash))| hash == wanted && !committed.contains(who))
                .map(|(who, _)| weights.weight_of(who).number())
                .fold(0, u128::saturating_add)
        };
        let mut blocks: Vec<_> = election
            .blocks
            .keys()
            .map(|hash| {
                let stand = self.stand(*hash, now);
                let tally = stand.final_tally.number().saturating_add(normal(hash));
                Stand {
                    tally: Raw::new(tally),
                    ..stand
                }
            })
            .collect();
        blocks.sort_by_key(|stand| Reverse((stand.final_tally, stand.tally)));
        View {
            root,
            since: election.since.0,
            forked: blocks.len() > 1,
            conflict: false,
            winner: None,
            blocks,
        }
    }

    fn decided(&self, root: Root, decided: &Decided, now: UnixMillis) -> View {
        View {
            root,
            since: decided.since.0,
            forked: decided.forked,
            conflict: decided.conflict,
            winner: Some(decided.winner),
            blocks: vec![self.stand(decided.winner, now)],
        }
    }

    /// By final votes alone.
    fn stand(&self, hash: BlockHash, now: UnixMillis) -> Stand {
        let final_tally = Raw::new(self.weight(&hash, now));
        Stand {
            hash,
            tally: final_tally,
            final_tally,
            representatives: self
                .tallied(&hash, now)
                .map_or(0, |heard| heard.votes.len()),
        }
    }
}
