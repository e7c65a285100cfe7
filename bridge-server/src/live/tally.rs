//! Elections seen from outside: final votes per block, rivals per root, and the moment the weight
//! of one reaches the threshold. No I/O.
//!
//! A root is in one of these states: *heard of* (votes only, no block of it known), *open* (one or
//! several blocks known, all of them kept while they are voted on), *decided* (one block reached
//! the threshold and was told; the others are dropped and only the winner's hash is remembered).
//! Rules:
//! - only final votes with a valid signature of a representative in the table confirm, each
//!   representative once per block; one that votes finally for two blocks of a root is told of
//!   ([`Verdict::DoubleVote`]), and counts for both, because each certificate stands by itself;
//! - normal votes for the blocks of an open root are kept to be shown ([`view`]), the newest of each
//!   representative; they decide nothing;
//! - nothing is told twice: neither a confirmed block, nor what comes after it at its root;
//! - a second block of a decided root that reaches the threshold as well is a
//!   [`Verdict::Conflict`], told once: no honest majority does that, and the proofs of both must
//!   reach those who hold the account;
//! - of one root at most [`RIVALS`] blocks are kept; a further one takes the place of the one with
//!   the least weight if it has more;
//! - at most [`ROOTS`] open roots, [`HEARD`] blocks with votes, [`STRAYS`] hashes with votes whose
//!   block was never met, and [`DONE`] decided roots are kept; what has waited [`KEEP_MS`] is
//!   forgotten, and the oldest goes first when full, so that votes for blocks nobody has push out
//!   their like and no others. A forgotten block is found again when somebody asks for its account.

pub mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use nano_core::{
    Account, Block, BlockHash, Raw, Root, UnixMillis, Vote, VoteTimestamp, WeightTable,
};

use crate::recent::Recent;

/// Open roots.
pub const ROOTS: usize = 8_192;
/// Blocks kept of one root (full nodes keep as many in an election).
pub const RIVALS: usize = 10;
/// Blocks kept with votes.
pub const HEARD: usize = 8_192;
/// Hashes kept with votes whose block was never met.
pub const STRAYS: usize = 8_192;
/// Decided roots remembered.
pub const DONE: usize = 32_768;
/// How long a block or a vote is kept, milliseconds.
pub const KEEP_MS: u64 = 5 * 60 * 1000;
/// Votes kept for one hash: more representatives than any table needs for its threshold.
const VOTES: usize = 256;
/// How often votes of one block are asked for.
const QUESTIONS: u32 = 8;

/// What a new block or vote changed.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Known before, or of no weight: drop it.
    Nothing,
    /// Kept; not yet enough weight.
    Counted,
    /// A second block of the same root is voted on now.
    Fork(Root),
    /// A representative has voted finally for two blocks of this root.
    DoubleVote(Account, Root),
    /// Enough weight, but the block's bytes are unknown: fetch them and hand them in.
    Wanted(BlockHash),
    /// The block is confirmed; told once.
    Confirmed(Box<Confirmed>),
    /// A block of an already decided root has reached the threshold, too; told once per root.
    Conflict(Box<Confirmed>),
}

/// A confirmed block with what proves it.
#[derive(Clone, Debug, PartialEq)]
pub struct Confirmed {
    /// The block.
    pub block: Block,
    /// Final votes, one per representative.
    pub votes: Vec<Arc<Vote>>,
}

/// A known block that waits for votes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Candidate {
    block: Block,
    /// When to ask for its votes.
    ask_at: UnixMillis,
    /// How often it was asked for.
    asked: u32,
}

/// An open root.
#[derive(Debug)]
struct Election {
    since: UnixMillis,
    blocks: BTreeMap<BlockHash, Candidate>,
    /// The newest normal vote of each representative; [`VOTES`] at most.
    normal: BTreeMap<Account, (VoteTimestamp, BlockHash)>,
}

#[derive(Clone, Copy, Debug)]
struct Decided {
    since: UnixMillis,
    winner: BlockHash,
    /// Whether there was another block that somebody voted on.
    forked: bool,
    conflict: bool,
}

#[derive(Debug, Default)]
struct Tallied {
    votes: BTreeMap<Account, Arc<Vote>>,
    weight: u128,
    wanted: bool,
}

/// The table.
#[derive(Debug)]
pub struct Tally {
    open: Recent<Root, Election>,
    /// Where a known block belongs. A root that is no longer open makes an entry worthless.
    roots: Recent<BlockHash, Root>,
    heard: Recent<BlockHash, Tallied>,
    /// Final votes for hashes without a known block.
    strays: Recent<BlockHash, Tallied>,
    done: Recent<Root, Decided>,
    /// First pause before votes are asked for, milliseconds.
    ask_after_ms: u64,
}

impl Tally {
    /// An empty table. Votes of a block are asked for when they have not come `ask_after_ms`
    /// after the block, then with doubling pauses.
    #[must_use]
    pub const fn new(ask_after_ms: u64) -> Self {
        Self {
            open: Recent::new(ROOTS, KEEP_MS),
            roots: Recent::new(ROOTS + DONE, KEEP_MS),
            heard: Recent::new(HEARD, KEEP_MS),
            strays: Recent::new(STRAYS, KEEP_MS),
            done: Recent::new(DONE, KEEP_MS),
            ask_after_ms,
        }
    }

    /// Whether blocks of this root wait for votes.
    #[must_use]
    pub fn waits_at(&self, root: &Root, now: UnixMillis) -> bool {
        self.open.get(root, now).is_some()
    }

    /// Whether a block of this root that only votes were heard of is worth fetching: others of it
    /// wait for votes, or one was confirmed, so that a further one is a conflict.
    #[must_use]
    pub fn is_contested(&self, root: &Root, now: UnixMillis) -> bool {
        self.waits_at(root, now) || self.done.get(root, now).is_some()
    }

    /// Of these blocks those that not all of `voters` have voted for.
    #[must_use]
    pub fn missing(
        &self,
        blocks: &[(BlockHash, Root)],
        voters: &BTreeSet<Account>,
        now: UnixMillis,
    ) -> Vec<(BlockHash, Root)> {
        let all = |hash| voters.iter().all(|who| self.has_voted(who, hash, now));
        let missing = blocks.iter().filter(|(hash, _)| !all(hash));
        missing.copied().collect()
    }

    fn has_voted(&self, who: &Account, hash: &BlockHash, now: UnixMillis) -> bool {
        let heard = self.tallied(hash, now);
        heard.is_some_and(|heard| heard.votes.contains_key(who))
    }

    fn tallied(&self, hash: &BlockHash, now: UnixMillis) -> Option<&Tallied> {
        let known = self.heard.get(hash, now);
        known.or_else(|| self.strays.get(hash, now))
    }

    /// The votes for a hash, where they belong.
    fn tallied_mut(&mut self, hash: &BlockHash, now: UnixMillis) -> Option<&mut Tallied> {
        let kept = match self.roots.get(hash, now) {
            Some(_) => &mut self.heard,
            None => &mut self.strays,
        };
        if kept.get(hash, now).is_none() {
            kept.put(*hash, Tallied::default(), now);
        }
        kept.get_mut(hash, now)
    }

    /// Notes where a block belongs, and that votes for it are for something.
    fn learn(&mut self, hash: BlockHash, root: Root, now: UnixMillis) {
        self.roots.put(hash, root, now);
        let early = self.strays.get(&hash, now).is_some();
        if let Some(tallied) = self.strays.remove(&hash).filter(|_| early) {
            self.heard.put(hash, tallied, now);
        }
    }

    /// How many roots are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.len()
    }

    /// Whether this very block is here already, or is the one that was confirmed: no news, whatever
    /// its signature.
    #[must_use]
    pub fn knows(&self, block: &Block, now: UnixMillis) -> bool {
        let (hash, root) = (block.hash(), block.root());
        if let Some(decided) = self.done.get(&root, now) {
            return decided.winner == hash;
        }
        let election = self.open.get(&root, now);
        let known = election.and_then(|election| election.blocks.get(&hash));
        known.is_some_and(|known| known.block == *block)
    }

    /// Whether a vote could still matter; saves checking its signature.
    #[must_use]
    pub fn cares(&self, vote: &Vote, weights: &WeightTable, now: UnixMillis) -> bool {
        let who = &vote.representative;
        weights.weight_of(who) > Raw::ZERO
            && vote
                .hashes
                .iter()
                .any(|hash| match vote.timestamp.is_final() {
                    true => !self.has_voted(who, hash, now),
                    false => self.shows(vote, hash, now),
                })
    }

    /// Whether a normal vote is the newest of its representative at an open root.
    fn shows(&self, vote: &Vote, hash: &BlockHash, now: UnixMillis) -> bool {
        let root = self.roots.get(hash, now);
        let election = root.and_then(|root| self.open.get(root, now));
        election.is_some_and(|election| {
            let before = election.normal.get(&vote.representative);
            election.blocks.contains_key(hash)
                && before.is_none_or(|(time, _)| time.packed() < vote.timestamp.packed())
        })
    }

    /// Takes a block from the stream (its hash follows from its bytes).
    pub fn block(&mut self, block: Block, weights: &WeightTable, now: UnixMillis) -> Verdict {
        let (hash, root) = (block.hash(), block.root());
        if self.done.get(&root, now).is_some() {
            return self.after_decision(block, weights, now);
        }
        let candidate = Candidate {
            block,
            ask_at: now.plus(self.ask_after_ms),
            asked: 0,
        };
        let lightest = self
            .open
            .get(&root, now)
            .and_then(|election| {
                election
                    .blocks
                    .keys()
                    .min_by_key(|hash| self.weight(hash, now))
            })
            .copied();
        let weight = self.weight(&hash, now);
        let lightest = lightest.map(|hash| (self.weight(&hash, now), hash));
        if self.open.get(&root, now).is_none() {
            let election = Election {
                since: now,
                blocks: BTreeMap::new(),
                normal: BTreeMap::new(),
            };
            self.open.put(root, election, now);
        }
        let Some(election) = self.open.get_mut(&root, now) else {
            return Verdict::Nothing;
        };
        if election.blocks.contains_key(&hash) {
            return Verdict::Nothing;
        }
        if election.blocks.len() >= RIVALS {
            match lightest {
                Some((least, hash)) if least < weight => drop(election.blocks.remove(&hash)),
                _ => return Verdict::Nothing,
            }
        }
        election.blocks.insert(hash, candidate);
        let is_fork = election.blocks.len() == 2;
        self.learn(hash, root, now);
        match self.decide(hash, weights, now) {
            Verdict::Nothing if is_fork => Verdict::Fork(root),
            Verdict::Nothing => Verdict::Counted,
            other => other,
        }
    }

    /// A block of a decided root: only a second certificate makes it news.
    fn after_decision(&mut self, block: Block, weights: &WeightTable, now: UnixMillis) -> Verdict {
        let hash = block.hash();
        let heavy = self.weight(&hash, now) >= weights.threshold().number();
        let votes = self.votes(&hash, now);
        match self.done.get_mut(&block.root(), now) {
            Some(decided) if heavy && decided.winner != hash && !decided.conflict => {
                decided.conflict = true;
                Verdict::Conflict(Box::new(Confirmed { block, votes }))
            }
            _ => Verdict::Nothing,
        }
    }

    /// Takes a vote whose signature was checked; what it changed.
    pub fn vote(
        &mut self,
        vote: &Arc<Vote>,
        weights: &WeightTable,
        now: UnixMillis,
    ) -> Vec<Verdict> {
        let weight = weights.weight_of(&vote.representative).number();
        if weight == 0 {
            return Vec::new();
        }
        if !vote.timestamp.is_final() {
            self.show(vote, now);
            return Vec::new();
        }
        let mut verdicts = Vec::new();
        for hash in &vote.hashes {
            let Some(known) = self.tallied_mut(hash, now) else {
                continue;
            };
            if known.votes.contains_key(&vote.representative) || known.votes.len() >= VOTES {
                continue;
            }
            known.votes.insert(vote.representative, Arc::clone(vote));
            known.weight = known.weight.saturating_add(weight);
            if let Some(root) = self.voted_twice(hash, &vote.representative, now) {
                verdicts.push(Verdict::DoubleVote(vote.representative, root));
            }
            verdicts.push(match self.decide(*hash, weights, now) {
                Verdict::Nothing => Verdict::Counted,
                other => other,
            });
        }
        verdicts
    }

    /// Keeps a normal vote to be shown.
    fn show(&mut self, vote: &Vote, now: UnixMillis) {
        for hash in &vote.hashes {
            if !self.shows(vote, hash, now) {
                continue;
            }
            let root = self.roots.get(hash, now).copied();
            let election = root.and_then(|root| self.open.get_mut(&root, now));
            if let Some(election) = election
                && (election.normal.len() < VOTES
                    || election.normal.contains_key(&vote.representative))
            {
                let newest = (vote.timestamp, *hash);
                election.normal.insert(vote.representative, newest);
            }
        }
    }

    /// The block of a [`Verdict::Wanted`] could not be had: the next vote for it wants it again.
    pub fn unwanted(&mut self, hash: &BlockHash, now: UnixMillis) {
        if let Some(stray) = self.strays.get_mut(hash, now) {
            stray.wanted = false;
        }
    }

    /// The root of `hash`, if the representative has also voted for another block of it.
    fn voted_twice(&self, hash: &BlockHash, who: &Account, now: UnixMillis) -> Option<Root> {
        let root = *self.roots.get(hash, now)?;
        let winner = self.done.get(&root, now).map(|decided| decided.winner);
        let open = self
            .open
            .get(&root, now)
            .into_iter()
            .flat_map(|election| election.blocks.keys());
        let mut others = open.copied().chain(winner).filter(|other| other != hash);
        let voted = others.any(|other| self.has_voted(who, &other, now));
        voted.then_some(root)
    }

    fn decide(&mut self, hash: BlockHash, weights: &WeightTable, now: UnixMillis) -> Verdict {
        let root = self.roots.get(&hash, now).copied();
        let candidate = root.and_then(|root| self.open.get(&root, now)?.blocks.get(&hash).copied());
        if self.tallied(&hash, now).is_none() {
            return Verdict::Nothing;
        }
        let Some(known) = self.tallied_mut(&hash, now) else {
            return Verdict::Nothing;
        };
        if known.weight < weights.threshold().number() {
            return Verdict::Nothing;
        }
        let Some(candidate) = candidate else {
            // A confirmed block's later votes come here too: its bytes are gone by then.
            if std::mem::replace(&mut known.wanted, true) {
                return Verdict::Nothing;
            }
            return Verdict::Wanted(hash);
        };
        known.wanted = true;
        let root = candidate.block.root();
        let rivals = self.open.remove(&root).map_or(0, |open| open.blocks.len());
        let decided = Decided {
            since: now,
            winner: hash,
            forked: rivals > 1,
            conflict: false,
        };
        self.done.put(root, decided, now);
        // Its votes stay for as long as the decision does.
        self.roots.put(hash, root, now);
        if let Some(tallied) = self.heard.remove(&hash) {
            self.heard.put(hash, tallied, now);
        }
        Verdict::Confirmed(Box::new(Confirmed {
            block: candidate.block,
            votes: self.votes(&hash, now),
        }))
    }

    fn weight(&self, hash: &BlockHash, now: UnixMillis) -> u128 {
        self.tallied(hash, now).map_or(0, |heard| heard.weight)
    }

    fn votes(&self, hash: &BlockHash, now: UnixMillis) -> Vec<Arc<Vote>> {
        let heard = self.tallied(hash, now);
        heard.map_or_else(Vec::new, |heard| heard.votes.values().cloned().collect())
    }

    /// Blocks whose votes are to be asked for now in one list, at most `most`, those that have been
    /// due for longest, in order of their accounts; each is told again after twice the pause, at
    /// most eight times. Of one root there is one block, the next one comes with the next list: a
    /// full node answers a root once.
    pub fn due(&mut self, most: usize, now: UnixMillis) -> Vec<(BlockHash, Root)> {
        self.open.expire(now);
        self.roots.expire(now);
        self.heard.expire(now);
        self.strays.expire(now);
        self.done.expire(now);
        let is_due = |candidate: &Candidate| candidate.ask_at <= now && candidate.asked < QUESTIONS;
        let mut due: Vec<_> = self
            .open
            .iter()
            .filter_map(|(root, election)| {
                let candidates = election.blocks.iter();
                let candidates = candidates.filter(|(_, candidate)| is_due(candidate));
                let (hash, first) = candidates.min_by_key(|(_, candidate)| candidate.ask_at)?;
                Some((first.ask_at, first.block.account(), *hash, *root))
            })
            .collect();
        due.sort_unstable();
        due.truncate(most);
        for (_, _, hash, root) in &due {
            let election = self.open.get_mut(root, now);
            if let Some(candidate) = election.and_then(|open| open.blocks.get_mut(hash)) {
                candidate.asked += 1;
                candidate.ask_at = now.plus(self.ask_after_ms << candidate.asked);
            }
        }
        due.sort_unstable_by_key(|(_, account, hash, _)| (*account, *hash));
        due.into_iter()
            .map(|(_, _, hash, root)| (hash, root))
            .collect()
    }
}

#[cfg(test)]
#[path = "tally_tests.rs"]
mod tests;
