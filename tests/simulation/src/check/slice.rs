//! What keeping replicas promises: none is lost, and few copies are soon enough ones again.
//!
//! Only browsers count. A copy counts as long as the node that stored it runs and keeps it, whether
//! that node still is one of those that shall hold it or not.

use std::collections::{BTreeMap, BTreeSet};

use clap::ValueEnum;
use nano_core::{Account, UnixMillis};
use nanonet::{Bug, Crypto};
use serde::Serialize;

use crate::world::{Move, Moved, World};

/// Copies below which a record counts as short of them.
pub const ENOUGH: u16 = 12;

/// A bug to be planted in every node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Plant {
    /// Nothing is named to new holders, and no slice is asked for or compared.
    NeverRepairs,
    /// Every record is dropped a while after it came.
    LosesRecords,
    /// What is held is pulled again whenever it is named or compared.
    PullsHeld,
}

impl Plant {
    /// The bug in the node.
    #[must_use]
    pub const fn bug(self) -> Bug {
        match self {
            Self::NeverRepairs => Bug::NeverRepairs,
            Self::LosesRecords => Bug::LosesRecords,
            Self::PullsHeld => Bug::PullsHeld,
        }
    }
}

/// What was seen over some time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// Longest time in seconds that a record was short of copies.
    pub longest_below_12_replicas_s: u64,
    /// Times that a record became short of copies.
    pub shortages: u64,
    /// Fewest copies that a record had at a time.
    pub fewest_replicas: u16,
}

struct Watched {
    copies: u16,
    short_since: Option<UnixMillis>,
}

/// Watches the records of a world.
pub struct Checker {
    numbers: BTreeMap<Account, u32>,
    watched: Vec<Watched>,
    /// By place: what it holds.
    held: Vec<BTreeSet<u32>>,
    seen: Seen,
    /// Whether shortages are counted yet.
    counting: bool,
}

impl Checker {
    /// Watches these accounts' records; nobody holds one yet.
    #[must_use]
    pub fn new(accounts: &[Account]) -> Self {
        let numbers = accounts.iter().zip(0..);
        Self {
            numbers: numbers
                .map(|(account, number)| (*account, number))
                .collect(),
            watched: accounts
                .iter()
                .map(|_| Watched {
                    copies: 0,
                    short_since: None,
                })
                .collect(),
            held: Vec::new(),
            seen: Seen::default(),
            counting: false,
        }
    }

    /// Takes note of what moved since the last look.
    pub fn look<C: Crypto>(&mut self, world: &mut World<C>) {
        for moved in std::mem::take(&mut world.moves) {
            if world.is_browser(moved.place) {
                self.take(&moved);
            }
        }
    }

    /// One record moved.
    pub fn take(&mut self, moved: &Moved) {
        if self.held.len() <= moved.place {
            self.held.resize_with(moved.place + 1, BTreeSet::new);
        }
        match moved.what {
            Move::Kept(account) => {
                if let Some(number) = self.numbers.get(&account).copied()
                    && self.held[moved.place].insert(number)
                {
                    self.count(number, moved.at, true);
                }
            }
            Move::Dropped(account) => {
                if let Some(number) = self.numbers.get(&account).copied()
                    && self.held[moved.place].remove(&number)
                {
                    self.count(number, moved.at, false);
                }
            }
            Move::Stopped => {
                for number in std::mem::take(&mut self.held[moved.place]) {
                    self.count(number, moved.at, false);
                }
            }
        }
    }

    fn count(&mut self, number: u32, at: UnixMillis, more: bool) {
        let watched = &mut self.watched[number as usize];
        watched.copies = if more {
            watched.copies + 1
        } else {
            watched.copies - 1
        };
        if !self.counting {
            return;
        }
        self.seen.fewest_replicas = self.seen.fewest_replicas.min(watched.copies);
        if watched.copies >= ENOUGH {
            if let Some(since) = watched.short_since.take() {
                let longest = &mut self.seen.longest_below_12_replicas_s;
                *longest = (*longest).max(at.since(since).div_ceil(1_000));
            }
        } else if watched.short_since.is_none() {
            watched.short_since = Some(at);
            self.seen.shortages += 1;
        }
    }

    /// Begins to count at `now`: what is short of copies already has been since now.
    pub fn begin(&mut self, now: UnixMillis) {
        self.counting = true;
        self.seen = Seen {
            fewest_replicas: u16::MAX,
            ..Seen::default()
        };
        for watched in &mut self.watched {
            self.seen.fewest_replicas = self.seen.fewest_replicas.min(watched.copies);
            watched.short_since = (watched.copies < ENOUGH).then_some(now);
            self.seen.shortages += u64::from(watched.copies < ENOUGH);
        }
    }

    /// What was seen from the beginning until `now`: what is still short of copies is, too.
    #[must_use]
    pub fn seen(&self, now: UnixMillis) -> Seen {
        let short = self
            .watched
            .iter()
            .filter_map(|watched| watched.short_since);
        let longest = short.map(|since| now.since(since).div_ceil(1_000)).max();
        Seen {
            longest_below_12_replicas_s: self
                .seen
                .longest_below_12_replicas_s
                .max(longest.unwrap_or(0)),
            ..self.seen
        }
    }

    /// Records of which no browser holds a copy.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.watched
            .iter()
            .filter(|watched| watched.copies == 0)
            .count() as u64
    }

    /// Copies of all records together.
    #[must_use]
    pub fn copies(&self) -> u64 {
        self.watched
            .iter()
            .map(|watched| u64::from(watched.copies))
            .sum()
    }
}
