//! The walk itself, without clock and network: what to list, what to prove, how far it is.
//!
//! A round goes through the keys of the bridge's share upwards. Rules:
//! - accounts are listed a page ([`PAGE`]) at a time and proven [`Walk::batch`] at a time, in order
//!   of keys; the next page is listed when the last one is used up;
//! - a bucket of tokens bounds the pace: the operator's number per second, saved up to one batch;
//! - an account that could not be proven now is tried again, [`TRIES`] times in a round, after the
//!   others and not before [`PAUSE_MS`]; at most [`MAX_AGAIN`] wait, then no page is listed until
//!   they are through;
//! - an account listed without any confirmed block is no account yet: it does not count;
//! - one that can never be proven (too long a legacy chain) counts as missing;
//! - a round ends when all keys are passed and nobody waits; the next begins after [`ROUND_MS`],
//!   and finds most accounts unchanged.

use std::collections::VecDeque;

use nano_core::message::Frontier;
use nano_core::{Account, BlockHash, UnixMillis};

use super::progress::Progress;
use super::share::Share;

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
    /// Not now.
    Failed,
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
            tries: 0,
        });
        Self {
            again: again.take(MAX_AGAIN).collect(),
            share,
            pace: pace.max(1),
            progress,
            page: VecDeque::new(),
            open: Vec::new(),
            open_is_page: false,
            tokens: 0,
            counted: now,
            not_before: UnixMillis(0),
        }
    }

    /// Accounts proven at once at this pace.
    #[must_use]
    pub fn batch(&self) -> usize {
        self.pace.clamp(BATCH.0, BATCH.1) as usize
    }

    /// The share changes: bridges came or went. What is listed already is still proven.
    pub fn set_share(&mut self, share: Share) {
        self.share = share;
    }

    /// The share walked now.
    #[must_use]
    pub const fn share(&self) -> &Share {
        &self.share
    }

    /// What to do at `now`.
    pub fn next(&mut self, now: UnixMillis) -> Step {
        self.save_tokens(now);
        if now < self.not_before {
            return Step::Wait(self.not_before);
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

    /// The answer to [`Step::List`]: accounts in order of keys, none where the space ends.
    pub fn listed(&mut self, start: Account, frontiers: &[Frontier]) {
        let fits = |frontier: &&Frontier| frontier.account >= start;
        let rows: Vec<&Frontier> = frontiers.iter().filter(fits).collect();
        let full = frontiers.len() >= usize::from(PAGE);
        self.progress.next = match rows.last() {
            // A page that was not full ended with the space.
            Some(last) if full => after(last.account),
            _ => None,
        };
        self.page = rows
            .into_iter()
            .filter(|row| self.share.contains(&row.account))
            .map(|row| Candidate {
                account: row.account,
                head: row.hash,
                tries: 0,
            })
            .collect();
        self.progress.listed += self.page.len() as u64;
    }

    /// Nobody listed anything.
    pub fn not_listed(&mut self, now: UnixMillis) {
        self.not_before = UnixMillis(now.0.saturating_add(PAUSE_MS));
    }

    /// The outcomes of a [`Step::Prove`].
    pub fn tried(&mut self, outcomes: &[(Candidate, Outcome)], now: UnixMillis) {
        self.open.clear();
        for (candidate, outcome) in outcomes {
            match outcome {
                Outcome::Kept => self.progress.kept += 1,
                Outcome::Absent => self.progress.absent += 1,
                Outcome::Unprovable => self.progress.missing += 1,
                Outcome::Failed if candidate.tries + 1 >= TRIES => self.progress.missing += 1,
                Outcome::Failed => {
                    self.not_before = UnixMillis(now.0.saturating_add(PAUSE_MS));
                    self.again.push_back(Candidate {
                        tries: candidate.tries + 1,
                        ..*candidate
                    });
                }
            }
        }
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
        let kept_ppm = match due {
            0 => 1_000_000,
            due => progress.kept.saturating_mul(1_000_000) / due,
        };
        kept_ppm.min(1_000_000) * self.passed_ppm() / 1_000_000
    }

    fn end_round(&mut self, now: UnixMillis) -> Step {
        let done = self.round_coverage();
        self.not_before = UnixMillis(now.0.saturating_add(ROUND_MS));
        self.progress = Progress {
            round: self.progress.round + 1,
            last_round: Some(done),
            ..Progress::default()
        };
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
