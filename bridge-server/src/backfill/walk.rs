//! The walk itself, without clock and network: what to list, what to prove, how far it is.
//!
//! A round goes through the keys of the bridge's share upwards. Rules:
//! - accounts are listed a page ([`PAGE`]) at a time and proven [`Walk::batch`] at a time, in order
//!   of keys; the next page is listed when the last one is used up;
//! - a bucket of tokens bounds the pace: the operator's number per second, saved up to one batch;
//! - an account that could not be proven now is tried again, [`TRIES`] times in a round, after the
//!   others and not before [`PAUSE_MS`]; at most [`MAX_AGAIN`] wait, then no page is listed until
//!   they are through. Where nobody could be asked that was no try;
//! - a full node that alone named [`INVENTED`] accounts on a page that do not exist, and few that
//!   do, is not asked for lists any more in this round ([`Walk::distrusted`]), and what it alone
//!   named is let go: else one that invents keys without end would hold the walk up for ever;
//! - an account listed without any confirmed block is no account yet: it does not count;
//! - one that can never be proven (too long a legacy chain), or that the node has no room for,
//!   counts as missing;
//! - a round ends when all keys are passed and nobody waits; the next begins after [`ROUND_MS`],
//!   and finds most accounts unchanged; after one that found no account at all it begins after
//!   [`EMPTY_MS`], since full nodes that have just begun list none.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use nano_core::{Account, BlockHash, UnixMillis};

use super::progress::Progress;
use super::share::Share;
use crate::ask::{Listed, Listing};
use crate::full_node::ChannelId;

/// Accounts listed at once: the most that one answer holds.
pub const PAGE: u16 = 1000;
/// Least and most accounts proven at once: enough to fill batches of votes, few enough to stop.
const BATCH: (u32, u32) = (32, 256);
/// Times an account is tried in one round.
pub const TRIES: u8 = 8;
/// Most accounts that wait for another try.
const MAX_AGAIN: usize = 4096;
/// Pause after something failed, milliseconds.
const PAUSE_MS: u64 = 2_000;
/// Pause between two rounds, milliseconds: a day.
const ROUND_MS: u64 = 86_400_000;
/// The same after a round that found nothing, milliseconds.
const EMPTY_MS: u64 = 60_000;
/// Accounts of a page that only one full node named and that do not exist before it is distrusted.
const INVENTED: u32 = 32;
/// It is not while so many times fewer of them do exist.
const INVENTED_TO_REAL: u32 = 4;
/// Full nodes distrusted at once; beyond that the first ones are asked again.
const MAX_DISTRUSTED: usize = 64;

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// List accounts from this key on, [`PAGE`] at most; then [`Walk::listed`] or
    /// [`Walk::not_listed`].
    List(Account),
    /// Prove these; then [`Walk::tried`] with one outcome for each.
    Prove(Vec<Candidate>),
    /// Nothing before this time.
    Wait(UnixMillis),
}

/// An account to be proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The account.
    pub account: Account,
    /// Its newest block, as a full node listed it; a hint.
    pub head: BlockHash,
    /// Who alone listed it.
    by: Option<ChannelId>,
    tries: u8,
}

/// What became of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Proven and kept, or kept already.
    Kept,
    /// It has no confirmed block.
    Absent,
    /// No proof of it is possible.
    Unprovable,
    /// Proven, but the node has no room for it.
    NoRoom,
    /// Not now.
    Failed,
    /// Nobody could be asked.
    Unasked,
}

/// What became of the accounts of a page that one full node alone named.
#[derive(Clone, Copy, Debug, Default)]
struct Alone {
    absent: u32,
    real: u32,
}

/// The state of a walk.
#[derive(Clone, Debug)]
pub struct Walk {
    share: Share,
    pace: u32,
    progress: Progress,
    page: VecDeque<Candidate>,
    again: VecDeque<Candidate>,
    /// Handed out to be proven: first tries of a page, or others.
    open: Vec<Candidate>,
    open_is_page: bool,
    alone: BTreeMap<ChannelId, Alone>,
    distrusted: BTreeSet<ChannelId>,
    /// Tokens in thousandths of an account, as of `counted`.
    tokens: u64,
    counted: UnixMillis,
    not_before: UnixMillis,
}

impl Walk {
    /// Goes on where `progress` says, at `pace` accounts per second (at least 1).
    #[must_use]
    pub fn new(share: Share, pace: u32, progress: Progress, now: UnixMillis) -> Self {
        let again = progress.again.iter().map(|account| Candidate {
            account: *account,
            head: BlockHash::ZERO,
            by: None,
            tries: 0,
        });
        // A clock that was set back must not stop the walk for longer than it pauses anyway.
        let latest = UnixMillis(now.0.saturating_add(ROUND_MS));
        let not_before = progress.not_before.min(latest);
        Self {
            again: again.take(MAX_AGAIN).collect(),
            share,
            pace: pace.max(1),
            progress,
            page: VecDeque::new(),
            open: Vec::new(),
            open_is_page: false,
            alone: BTreeMap::new(),
            distrusted: BTreeSet::new(),
            tokens: 0,
            counted: now,
            not_before,
        }
    }

    /// Accounts proven at once at this pace.
    #[must_use]
    pub fn batch(&self) -> usize {
        self.pace.clamp(BATCH.0, BATCH.1) as usize
    }

    /// The share changes: bridges came or went. What is listed and was not tried yet is let go
    /// where it belongs to another bridge now, like what is not listed yet.
    pub fn set_share(&mut self, share: Share) {
        self.share = share;
        let before = self.page.len();
        self.page.retain(|one| self.share.contains(&one.account));
        let gone = before - self.page.len();
        self.progress.listed = self.progress.listed.saturating_sub(gone as u64);
    }

    /// The share walked now.
    #[must_use]
    pub const fn share(&self) -> &Share {
        &self.share
    }

    /// Full nodes that are not to be asked for lists while there are others.
    #[must_use]
    pub const fn distrusted(&self) -> &BTreeSet<ChannelId> {
        &self.distrusted
    }

    /// What to do at `now`.
    pub fn next(&mut self, now: UnixMillis) -> Step {
        self.save_tokens(now);
        if now < self.not_before {
            return Step::Wait(self.not_before);
        }
        if self.progress.not_before > UnixMillis(0) {
            self.progress = Progress {
                round: self.progress.round,
                last_round: self.progress.last_round,
                ..Progress::default()
            };
        }
        if self.page.is_empty() && self.again.len() < MAX_AGAIN {
            if let Some(start) = self
                .progress
                .next
                .and_then(|from| self.share.next_from(from))
            {
                return Step::List(start);
            }
            self.progress.next = None;
        }
        if self.page.is_empty() && self.again.is_empty() {
            return self.end_round(now);
        }
        let waiting = if self.page.is_empty() {
            self.again.len()
        } else {
            self.page.len()
        };
        let count = waiting.min(self.batch());
        let price = count as u64 * 1000;
        if self.tokens < price {
            // A thousandth of an account per millisecond and pace.
            let missing = (price - self.tokens).div_ceil(u64::from(self.pace));
            return Step::Wait(UnixMillis(now.0.saturating_add(missing)));
        }
        self.tokens -= price;
        self.open_is_page = !self.page.is_empty();
        let from = if self.open_is_page {
            &mut self.page
        } else {
            &mut self.again
        };
        self.open = from.drain(..count).collect();
        Step::Prove(self.open.clone())
    }

    /// The answer to [`Step::List`].
    pub fn listed(&mut self, start: Account, listing: &Listing, now: UnixMillis) {
        let fits = |row: &&Listed| row.account >= start;
        let rows: Vec<&Listed> = listing.rows.iter().filter(fits).collect();
        self.progress.next = match rows.last() {
            _ if listing.is_last => None,
            Some(last) => after(last.account),
            None => return self.not_listed(now),
        };
        self.alone.clear();
        self.page = rows
            .into_iter()
            .filter(|row| self.share.contains(&row.account))
            .map(|row| Candidate {
                account: row.account,
                head: row.head,
                by: row.by,
                tries: 0,
            })
            .collect();
        self.progress.listed += self.page.len() as u64;
    }

    /// Nobody listed anything.
    pub fn not_listed(&mut self, now: UnixMillis) {
        self.not_before = UnixMillis(now.0.saturating_add(PAUSE_MS));
    }

    /// The outcomes of a [`Step::Prove`]. Gives the full nodes that are distrusted from now on.
    pub fn tried(&mut self, outcomes: &[(Candidate, Outcome)], now: UnixMillis) -> Vec<ChannelId> {
        self.open.clear();
        for (candidate, outcome) in outcomes {
            let mut tries = candidate.tries;
            match outcome {
                Outcome::Kept => self.progress.kept += 1,
                Outcome::Absent => self.progress.absent += 1,
                Outcome::Unprovable => self.progress.missing += 1,
                Outcome::NoRoom => {
                    self.progress.missing += 1;
                    self.progress.no_room += 1;
                }
                Outcome::Failed if tries + 1 >= TRIES => self.progress.missing += 1,
                Outcome::Failed | Outcome::Unasked => {
                    tries += u8::from(*outcome == Outcome::Failed);
                    self.not_before = UnixMillis(now.0.saturating_add(PAUSE_MS));
                    self.again.push_back(Candidate {
                        tries,
                        ..*candidate
                    });
                }
            }
            if let Some(by) = candidate.by {
                let alone = self.alone.entry(by).or_default();
                match outcome {
                    Outcome::Absent => alone.absent += 1,
                    Outcome::Kept | Outcome::Unprovable | Outcome::NoRoom => alone.real += 1,
                    Outcome::Failed | Outcome::Unasked => {}
                }
            }
        }
        self.find_liars()
    }

    fn find_liars(&mut self) -> Vec<ChannelId> {
        let lies = |alone: &Alone| {
            alone.absent >= INVENTED && alone.absent > alone.real.saturating_mul(INVENTED_TO_REAL)
        };
        let all = self.alone.iter().filter(|(_, alone)| lies(alone));
        let found: Vec<ChannelId> = all.map(|(by, _)| *by).collect();
        let found: Vec<ChannelId> = found
            .into_iter()
            .filter(|by| self.distrusted.insert(*by))
            .collect();
        while self.distrusted.len() > MAX_DISTRUSTED {
            self.distrusted.pop_first();
        }
        let before = self.page.len() + self.again.len();
        let stays = |one: &Candidate| one.by.is_none_or(|by| !found.contains(&by));
        self.page.retain(stays);
        self.again.retain(stays);
        let gone = before - self.page.len() - self.again.len();
        self.progress.listed = self.progress.listed.saturating_sub(gone as u64);
        found
    }

    /// What to go on from after a restart: nothing whose outcome is not known yet is skipped.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let mut progress = self.progress.clone();
        let (first, again) = if self.open_is_page {
            self.open.split_at(self.open.len())
        } else {
            self.open.split_at(0)
        };
        let untried = || first.iter().chain(&self.page);
        if let Some(first) = untried().next() {
            progress.next = Some(first.account);
        }
        progress.listed = progress.listed.saturating_sub(untried().count() as u64);
        let again = again.iter().chain(&self.again);
        progress.again = again.map(|one| one.account).collect();
        progress
    }

    /// Parts per million of the share's keys that this round has passed.
    #[must_use]
    pub fn passed_ppm(&self) -> u64 {
        self.share.passed_ppm(self.progress().next)
    }

    /// Parts per million of the accounts of the share that are kept, as far as is known: of the
    /// last whole round, or of what the first one has passed.
    #[must_use]
    pub fn coverage_ppm(&self) -> u64 {
        self.progress
            .last_round
            .unwrap_or_else(|| self.round_coverage())
    }

    fn round_coverage(&self) -> u64 {
        let progress = &self.progress;
        let due = progress.listed.saturating_sub(progress.absent);
        // Where no account was found, nothing is covered.
        let kept_ppm = progress.kept.saturating_mul(1_000_000).checked_div(due);
        let kept_ppm = kept_ppm.unwrap_or(0);
        kept_ppm.min(1_000_000) * self.passed_ppm() / 1_000_000
    }

    fn end_round(&mut self, now: UnixMillis) -> Step {
        let done = self.round_coverage();
        let pause = match self.progress.listed {
            0 => EMPTY_MS,
            _ => ROUND_MS,
        };
        self.not_before = UnixMillis(now.0.saturating_add(pause));
        self.distrusted.clear();
        // What was counted is told until the next round begins.
        self.progress.round += 1;
        self.progress.last_round = Some(done);
        self.progress.not_before = self.not_before;
        Step::Wait(self.not_before)
    }

    fn save_tokens(&mut self, now: UnixMillis) {
        let most = self.batch() as u64 * 1000;
        let more = now.since(self.counted).saturating_mul(u64::from(self.pace));
        self.tokens = self.tokens.saturating_add(more).min(most);
        self.counted = now;
    }
}

/// The key after this one.
fn after(account: Account) -> Option<Account> {
    let mut key = *account.as_bytes();
    for byte in key.iter_mut().rev() {
        let (sum, carried) = byte.overflowing_add(1);
        *byte = sum;
        if !carried {
            return Some(Account::from_bytes(key));
        }
    }
    None
}

#[cfg(test)]
mod tests;
