//! What gossip promises: each piece of news comes once, comes from somebody, and comes to everyone
//! who was there; and no node holds more than its limits.

use std::collections::BTreeMap;

use clap::ValueEnum;
use nano_core::UnixMillis;
use nanonet::gossip::NewsId;
use nanonet::{Bug, Crypto};
use serde::Serialize;

use crate::world::{Heard, Place, World};

/// How long a node must have run before a piece of news is told to be owed it.
pub const SETTLE_MS: u64 = 15_000;
/// How long it must run afterwards.
pub const STAY_MS: u64 = 10_000;
/// No delay: the piece did not come.
const NEVER: u16 = u16::MAX;

/// A bug to be planted in every node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Plant {
    /// What comes again is delivered again.
    DeliversTwice,
    /// Nothing is verified, and what is passed on is altered.
    Invents,
    /// Nothing is passed on but by the publisher.
    KeepsForItself,
    /// Bytes of news are never forgotten.
    NeverForgets,
}

impl Plant {
    /// The bug in the node.
    #[must_use]
    pub const fn bug(self) -> Bug {
        match self {
            Self::DeliversTwice => Bug::DeliversTwice,
            Self::Invents => Bug::Invents,
            Self::KeepsForItself => Bug::KeepsForItself,
            Self::NeverForgets => Bug::NeverForgets,
        }
    }
}

/// What was broken, how often.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Violations {
    /// Pieces delivered to a shell that had them.
    pub delivered_twice: u64,
    /// Pieces delivered that nobody published.
    pub invented: u64,
    /// Pieces that a browser did not get that was there all the time.
    pub missed: u64,
    /// Looks at a node that held more than its limits.
    pub over_limits: u64,
}

impl Violations {
    /// All of them.
    #[must_use]
    pub const fn sum(&self) -> u64 {
        self.delivered_twice + self.invented + self.missed + self.over_limits
    }
}

struct Published {
    at: UnixMillis,
    by: Place,
    /// By place: milliseconds until it came.
    delays: Vec<u16>,
}

/// Times of a life, as they were noticed.
#[derive(Clone, Copy)]
struct Life {
    from: UnixMillis,
    until: Option<UnixMillis>,
    browser: bool,
}

/// Watches a world.
pub struct Checker {
    numbers: BTreeMap<NewsId, usize>,
    published: Vec<Published>,
    lives: Vec<Life>,
    violations: Violations,
    /// How many pieces came over so many links.
    pub hops: Vec<u64>,
}

impl Checker {
    /// Nothing was published. Who runs now has run for long.
    #[must_use]
    pub fn new<C: Crypto>(world: &World<C>) -> Self {
        let mut checker = Self {
            numbers: BTreeMap::new(),
            published: Vec::new(),
            lives: Vec::new(),
            violations: Violations::default(),
            hops: vec![0; 256],
        };
        checker.census(world);
        for life in &mut checker.lives {
            life.from = UnixMillis::new(0);
        }
        checker
    }

    /// Somebody published something.
    pub fn published<C: Crypto>(&mut self, world: &World<C>, by: Place, id: NewsId) {
        self.numbers.insert(id, self.published.len());
        self.published.push(Published {
            at: world.now,
            by,
            delays: vec![NEVER; world.places()],
        });
    }

    /// Takes what came since the last look, and looks who is there.
    pub fn look<C: Crypto>(&mut self, world: &mut World<C>) {
        for heard in std::mem::take(&mut world.news) {
            self.heard(&heard);
        }
        self.census(world);
    }

    /// Looks at what nodes hold.
    pub fn look_inside<C: Crypto>(&mut self, world: &World<C>) {
        let within = |place| !world.runs(place) || world.node(place).gossip().keeps_limits();
        let over = (0..world.places()).filter(|place| !within(*place));
        self.violations.over_limits += over.count() as u64;
    }

    /// A node told its shell something.
    pub fn heard(&mut self, heard: &Heard) {
        let Some(number) = self.numbers.get(&heard.id) else {
            self.violations.invented += 1;
            return;
        };
        let published = &mut self.published[*number];
        if published.delays.len() <= heard.place {
            published.delays.resize(heard.place + 1, NEVER);
        }
        let delay = &mut published.delays[heard.place];
        if *delay != NEVER || heard.place == published.by {
            self.violations.delivered_twice += 1;
            return;
        }
        let passed = heard.at.since(published.at);
        *delay = u16::try_from(passed).unwrap_or(NEVER).min(NEVER - 1);
        self.hops[usize::from(heard.hops)] += 1;
    }

    /// The same lives and the same news, of which nothing has come yet: for another protocol to do
    /// the same.
    #[must_use]
    pub fn again(&self) -> Self {
        let published = self.published.iter().map(|published| Published {
            at: published.at,
            by: published.by,
            delays: Vec::new(),
        });
        Self {
            numbers: self.numbers.clone(),
            published: published.collect(),
            lives: self.lives.clone(),
            violations: Violations::default(),
            hops: vec![0; 256],
        }
    }

    /// Every life by its place: since when, and until when.
    pub fn lives(&self) -> impl Iterator<Item = (UnixMillis, Option<UnixMillis>)> {
        self.lives.iter().map(|life| (life.from, life.until))
    }

    /// Everything published: when, by whom, its name.
    #[must_use]
    pub fn script(&self) -> Vec<(UnixMillis, Place, NewsId)> {
        let mut script: Vec<_> = self
            .numbers
            .iter()
            .map(|(id, number)| (self.published[*number].at, self.published[*number].by, *id))
            .collect();
        script.sort_unstable();
        script
    }

    fn census<C: Crypto>(&mut self, world: &World<C>) {
        for place in 0..world.places() {
            let runs = world.runs(place);
            if place == self.lives.len() {
                self.lives.push(Life {
                    from: world.now,
                    until: None,
                    browser: world.is_browser(place),
                });
            }
            let life = &mut self.lives[place];
            if !runs && life.until.is_none() {
                life.until = Some(world.now);
            }
        }
    }

    /// What was broken; for each piece, how long it took until everyone had it who was there all
    /// the time, sorted; and for each of these who got one, how long that took, sorted.
    #[must_use]
    pub fn verdict(mut self) -> (Violations, Vec<u64>, Vec<u64>) {
        let mut complete = Vec::new();
        let mut all = Vec::new();
        for published in &self.published {
            let mut last = 0;
            for (place, life) in self.lives.iter().enumerate() {
                let there = life.browser
                    && place != published.by
                    && published.at.since(life.from) >= SETTLE_MS
                    && life
                        .until
                        .is_none_or(|until| until.since(published.at) >= STAY_MS);
                if !there {
                    continue;
                }
                match published.delays.get(place) {
                    Some(delay) if *delay != NEVER => {
                        last = last.max(u64::from(*delay));
                        all.push(u64::from(*delay));
                    }
                    _ => self.violations.missed += 1,
                }
            }
            complete.push(last);
        }
        complete.sort_unstable();
        all.sort_unstable();
        (self.violations, complete, all)
    }
}
