//! Ninety days of notifications, while bridges are lost one by one, crash, fill up, and tabs open and close.
//!
//! How it goes: a tenth of the nodes are bridges, the others wallets. Every hour some people pay others and tell them;
//! tabs are open for minutes, some people stay away for weeks, some come back with nothing but their seed. Bridges crash
//! and start again; a tenth of them have little room, and disks fill up for hours. One after the other a third of the
//! bridges goes for good, with their disks. Every day everything that was promised is looked for; every ten days, and in
//! the end for everybody, a wallet with nothing but the seed looks through everything.

use clap::{Args, ValueEnum};
use nanonet::notify::{Bug, Limits, MAX_TTL_S, RelayAddress};
use nanonet::testing::TEST_TIME;
use serde::Serialize;

use super::{Options, percentile};
use crate::relays::check::Violations;
use crate::relays::{Rules, World};

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;
/// Room of a store that is soon full: some three hundred notifications.
const LITTLE_ROOM: u64 = 300_000;
/// Wallets that look through everything from the seed alone, every ten days.
const AUDITED: usize = 20;
/// Time in which a wallet has looked through everything.
const AUDIT_MS: u64 = 2 * MINUTE_MS;

/// How much is told for how long.
#[derive(Debug, Clone, Copy, Args)]
pub struct Workload {
    /// Days.
    #[arg(long, default_value_t = 90)]
    pub days: u64,
    /// Payments a day; one per wallet if not given.
    #[arg(long)]
    pub payments: Option<u64>,
    /// Plant a bug in every node, to see that a checker finds it.
    #[arg(long, value_enum)]
    pub plant: Option<Plant>,
}

/// A bug that can be planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Plant {
    /// Stores let go of what they promised (`lost`).
    Evicts,
    /// Stores never make a lost copy anew (`lost`).
    NeverRepairs,
    /// Stores sign the receipt before the disk has it (`lost`).
    PromisesEarly,
    /// Stores hand out what is over (`late`).
    NeverEnds,
    /// Wallets deliver again what they have delivered (`duplicates`).
    DeliversAgain,
}

impl Plant {
    const fn bug(self) -> Bug {
        match self {
            Self::Evicts => Bug::Evicts,
            Self::NeverRepairs => Bug::NeverRepairs,
            Self::PromisesEarly => Bug::PromisesEarly,
            Self::NeverEnds => Bug::NeverEnds,
            Self::DeliversAgain => Bug::DeliversAgain,
        }
    }
}

/// What it shows.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Which scenario.
    pub scenario: &'static str,
    /// Bridges and wallets.
    pub nodes: usize,
    /// Which run.
    pub seed: u64,
    /// Bridges at the start.
    pub bridges: usize,
    /// Days.
    pub days: u64,
    /// Notifications whose senders got their receipts.
    pub accepted: usize,
    /// Payments that recipients were told of.
    pub delivered: usize,
    /// Of what was broken, by kind.
    #[serde(flatten)]
    pub broken: Violations,
    /// All of them.
    pub violations: u64,
    /// Bridges that went for good.
    pub bridges_lost: usize,
    /// Crashes of bridges that came back.
    pub crashes: u64,
    /// Disks that were full for hours.
    pub disks_full: u64,
    /// Bridges with little room.
    pub little_room: usize,
    /// Wallets that looked through everything from the seed alone.
    pub audits: u64,
    /// Copies of what is promised at the end: on average, and the fewest.
    pub copies_mean: f64,
    /// The fewest.
    pub copies_fewest: usize,
    /// Milliseconds from the receipts to the recipient's screen, the median of those whose tabs were open or opened.
    pub delivery_p50_ms: u64,
    /// Messages delivered.
    pub messages: u64,
    /// Equal in two runs of one seed.
    pub trace_hash: String,
}

struct Trial {
    world: World,
    crashes: u64,
    disks_full: u64,
    lost: usize,
    audits: u64,
}

/// Plays it.
#[must_use]
pub fn play(options: Options, work: &Workload) -> Report {
    let bridges = (options.nodes / 10).max(6);
    let browsers = options.nodes.saturating_sub(bridges).max(2);
    let mut world = World::new(Rules {
        bridges,
        browsers,
        limits: Limits::BRIDGE,
        seed: options.seed,
        plant: work.plant.map(Plant::bug),
    });
    let little_room = (bridges / 10).max(1);
    for place in 0..little_room {
        // They start anew with less.
        let place = place * 7 % bridges;
        world.bridges[place].limits.bytes = LITTLE_ROOM;
        world.crash_in(place, 1);
        world.start_in(place, 1_000);
    }
    world.run_until(TEST_TIME.plus(10 * MINUTE_MS));
    let mut trial = Trial {
        world,
        crashes: 0,
        disks_full: 0,
        lost: 0,
        audits: 0,
    };
    let payments = work.payments.unwrap_or(browsers as u64);
    for day in 0..work.days {
        trial.day(day, work.days, payments);
    }
    trial.finish(options, work.days, bridges, little_room)
}

impl Trial {
    fn some_bridge(&mut self) -> Option<usize> {
        let running = self.world.running();
        let count = running.len() as u64;
        (count > 0).then(|| running[usize::try_from(self.world.below(count)).unwrap()])
    }

    fn some_browser(&mut self) -> usize {
        let count = self.world.browsers.len() as u64;
        usize::try_from(self.world.below(count)).unwrap()
    }

    fn day(&mut self, day: u64, days: u64, payments: u64) {
        self.plan_tabs();
        self.plan_faults();
        // A third of the bridges in all, evenly, with time to make copies anew between two of them.
        let third = self.world.bridges.len() / 3;
        let wanted = usize::try_from(third as u64 * (day + 1) / days)
            .unwrap()
            .min(third);
        for hour in 0..24 {
            if hour % 8 == 0
                && self.lost < wanted
                && let Some(place) = self.some_bridge()
            {
                self.world.lose(place);
                self.lost += 1;
            }
            let end = self.world.now.plus(HOUR_MS);
            let here = payments * (hour + 1) / 24 - payments * hour / 24;
            for _ in 0..here {
                self.pay();
                let pause = HOUR_MS / (here + 1);
                self.world.run_until(self.world.now.plus(pause));
            }
            self.world.run_until(end);
        }
        self.look();
        if (day + 1).is_multiple_of(10) {
            let audited: Vec<usize> = (0..AUDITED).map(|_| self.some_browser()).collect();
            self.audit(&audited);
        }
    }

    /// Every second person comes once a day for a while; some stay away for weeks.
    fn plan_tabs(&mut self) {
        for place in 0..self.world.browsers.len() {
            let days = match self.world.below(100) {
                0..50 => 0,
                50..52 => 7 + self.world.below(70),
                _ => continue,
            };
            let at = days * DAY_MS + self.world.below(DAY_MS);
            if self.world.below(20) == 0 {
                self.world.browsers[place].forgets = true;
            }
            self.world.open_in(place, at);
            let stays = (5 + self.world.below(40)) * MINUTE_MS;
            self.world.close_in(place, at + stays);
        }
    }

    fn plan_faults(&mut self) {
        for place in 0..self.world.bridges.len() {
            if self.world.below(3) == 0 {
                let at = self.world.below(DAY_MS);
                self.world.crash_in(place, at);
                let away = 2 * MINUTE_MS + self.world.below(4 * HOUR_MS);
                self.world.start_in(place, at + away);
                self.crashes += 1;
            }
        }
        if let Some(place) = self.some_bridge() {
            let until = self.world.now.plus(self.world.below(12 * HOUR_MS));
            self.world.bridges[place].disk_full_until = until;
            self.disks_full += 1;
        }
    }

    fn pay(&mut self) {
        let (from, to) = (self.some_browser(), self.some_browser());
        if self.world.browsers[from].wallet.is_none() {
            self.world.open_in(from, 0);
            self.world.close_in(from, 10 * MINUTE_MS);
            self.world.run_until(self.world.now.plus(2_000));
        }
        // Most for as long as can be, some for days.
        let ttl_s = match self.world.below(4) {
            0 => u32::try_from((1 + self.world.below(20)) * 86_400).unwrap(),
            _ => MAX_TTL_S,
        };
        self.world.pay(from, to, ttl_s);
        // A power failure in the middle of it.
        if self.world.below(10) == 0
            && let Some(place) = self.some_bridge()
        {
            let at = self.world.below(400);
            self.world.crash_in(place, at);
            self.world.start_in(place, at + 60_000);
            self.crashes += 1;
        }
    }

    /// Is everything promised still somewhere?
    fn look(&mut self) {
        let (now, world) = (self.world.now, &self.world);
        let promised = world.checker.promised.iter();
        let gone: Vec<RelayAddress> = promised
            .filter(|(_, promised)| promised.until > now)
            .filter(|(hash, _)| !world.is_held(hash))
            .map(|(hash, _)| *hash)
            .collect();
        for hash in gone {
            self.world.checker.lose(hash);
        }
    }

    /// Wallets with the seeds of these and nothing else look through everything.
    fn audit(&mut self, places: &[usize]) {
        for place in places {
            let (auditor, from) = (self.world.add_auditor(*place), self.world.now);
            self.world.open_in(auditor, 0);
            self.world.run_until(from.plus(AUDIT_MS));
            self.audits += 1;
            let until = self.world.now.plus(MINUTE_MS);
            let checker = &self.world.checker;
            let missing: Vec<RelayAddress> = checker
                .promised
                .iter()
                .filter(|(_, promised)| {
                    promised.to == *place
                        && promised.at < from
                        && promised.until > until
                        && !checker.told.contains(&(auditor, promised.transaction))
                })
                .map(|(hash, _)| *hash)
                .collect();
            for hash in missing {
                self.world.checker.lose(hash);
            }
            self.world.remove_auditor(auditor);
        }
    }

    fn finish(mut self, options: Options, days: u64, bridges: usize, little_room: usize) -> Report {
        let delivered = self.world.checker.told.len();
        for place in 0..bridges {
            self.world.start_in(place, 0);
        }
        self.world.run_until(self.world.now.plus(HOUR_MS));
        self.look();
        let everybody: Vec<usize> = (0..self.world.browsers.len()).collect();
        self.audit(&everybody);
        let now = self.world.now;
        let promised = self.world.checker.promised.iter();
        let copies: Vec<usize> = promised
            .filter(|(_, promised)| promised.until > now)
            .map(|(hash, _)| self.world.copies(hash))
            .collect();
        let mut delays = std::mem::take(&mut self.world.checker.delays);
        delays.sort_unstable();
        let broken = self.world.checker.broken;
        Report {
            scenario: "notifications",
            nodes: options.nodes,
            seed: options.seed,
            bridges,
            days,
            accepted: self.world.checker.promised.len(),
            delivered,
            broken,
            violations: broken.sum(),
            bridges_lost: self.lost,
            crashes: self.crashes,
            disks_full: self.disks_full,
            little_room,
            audits: self.audits,
            #[allow(clippy::cast_precision_loss, reason = "a figure for people")]
            copies_mean: copies.iter().sum::<usize>() as f64 / copies.len().max(1) as f64,
            copies_fewest: copies.iter().min().copied().unwrap_or(0),
            delivery_p50_ms: percentile(&delays, 50),
            messages: self.world.messages,
            trace_hash: format!("{:016x}", self.world.trace()),
        }
    }
}
