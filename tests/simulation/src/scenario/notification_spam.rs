//! A flood of notifications that carry valid work, priced, with the work oracle.
//!
//! Work is not computed: the machines measure it as the number in the nonce says, and how long it takes is drawn as work
//! takes it, exponentially, at [`THREAD`] hashes per second for the honest and at the attacker's rate for him.
//! The attacker begins with [`FLOOD`] notifications a second that carry exactly the base work, to random tags; once
//! stores ask more, he pays what is asked, as many as his hashes are enough for. Honest senders ask for the price, work a
//! little beyond it, put, and work on when more is asked meanwhile.
//!
//! Limits that must hold ([`Violations`]): honest notifications are delivered, their work takes a bearable time, and the
//! price rises. Afterwards stronger attackers are tried, to see where it breaks.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use clap::{Args, ValueEnum};
use nano_core::{Difficulty, Network, UnixMillis, WorkNonce};
use nanonet::notify::{
    Ask, Bug, COPIES, Caller, Directory, Item, Keeper, Limits, MAX_TTL_S, Multiple, Output, PADDED,
    Places, Refusal, Region, RelayAddress, Reply, Sealed, Settings, Tag, base_difficulty,
};
use nanonet::testing::TEST_TIME;
use nanonet::{Addresses, Identity, NodeKey, PeerRecord, Rng, Role, SEAL_OVERHEAD};
use serde::Serialize;

use super::{Options, percentile};

/// Hashes per second of one thread of the honest: as a phone, or a tab without SIMD.
const THREAD: u64 = 4_000_000;
/// Notifications a second of the flood at the base price.
const FLOOD: u64 = 1_000;
/// Hashes that the base costs on average on the live network.
const BASE_HASHES: u64 = 1 << 22;
/// Honest notifications a minute.
const HONEST_PER_MINUTE: u64 = 20;
/// By how many thousandths honest work goes beyond what is asked.
const MARGIN: u64 = 250;

/// Most honest senders may wait in half of all cases.
const MOST_WORK_MS: u64 = 30_000;
/// Fewest of a hundred that are delivered.
const FEWEST: u64 = 99;

/// How long, and by how much.
#[derive(Debug, Clone, Copy, Args)]
pub struct Workload {
    /// Minutes of flood.
    #[arg(long, default_value_t = 60)]
    pub minutes: u64,
    /// Hashes per second of the attacker, in millions.
    #[arg(long, default_value_t = 4_000)]
    pub megahashes: u64,
    /// Plant a bug in every store, to see that a checker finds it.
    #[arg(long, value_enum)]
    pub plant: Option<Plant>,
    /// Do not look where it breaks.
    #[arg(long)]
    pub once: bool,
}

/// A bug that can be planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Plant {
    /// Stores ask the base price however busy they are (`price_did_not_rise`).
    NeverRaises,
    /// Stores ask a thousand times too much as soon as they are busy (`work_too_long`, `undelivered`).
    RaisesTooMuch,
}

/// What was broken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Violations {
    /// The flood went on at the base price.
    pub price_did_not_rise: u64,
    /// Fewer than 99 of 100 honest notifications were delivered.
    pub undelivered: u64,
    /// Half of the honest work took more than thirty seconds.
    pub work_too_long: u64,
}

impl Violations {
    const fn sum(&self) -> u64 {
        self.price_did_not_rise + self.undelivered + self.work_too_long
    }
}

/// One attack.
#[derive(Debug, Clone, Serialize)]
pub struct Attack {
    /// Hashes per second of the attacker, in millions.
    pub megahashes: u64,
    /// Honest notifications that were to be delivered, and those that were.
    pub honest: u64,
    /// Those that three stores keep.
    pub delivered: u64,
    /// In per cent.
    pub delivered_percent: f64,
    /// Milliseconds of honest work on one thread: half, and nine of ten, are below.
    pub work_p50_ms: u64,
    /// Nine of ten.
    pub work_p90_ms: u64,
    /// Notifications of the attacker that a store took, per second over the whole attack.
    pub spam_accepted_per_s: f64,
    /// Those of the last ten minutes.
    pub spam_accepted_per_s_at_last: f64,
    /// Times the base that is asked at the end, on average over stores.
    pub price_at_last: f64,
    /// Per cent of the fullest store's room that is taken at the end.
    pub fill_percent: f64,
    /// Hours until the fullest store is full if it goes on as in the last ten minutes.
    pub hours_until_full: f64,
}

/// What it shows.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Which scenario.
    pub scenario: &'static str,
    /// Stores.
    pub bridges: usize,
    /// Which run.
    pub seed: u64,
    /// Minutes of flood.
    pub minutes: u64,
    /// The attack asked for.
    #[serde(flatten)]
    pub attack: Attack,
    /// Stronger ones, until a limit breaks.
    pub stronger: Vec<Attack>,
    /// The first attacker, in millions of hashes per second, at whom a limit breaks; 0 = none of those tried.
    pub breaks_at_megahashes: u64,
    /// Of what was broken, by kind.
    pub broken: Violations,
    /// All of them.
    pub violations: u64,
}

/// The oracle: work is as hard as its number says.
fn oracle(_: &RelayAddress, nonce: WorkNonce) -> Difficulty {
    Difficulty::new(nonce.number())
}

/// How many hashes a difficulty costs on average.
fn hashes(difficulty: Difficulty) -> u64 {
    let distance = (1_u128 << 64) - u128::from(difficulty.number());
    u64::try_from((1_u128 << 64) / distance.max(1)).unwrap_or(u64::MAX)
}

struct Honest {
    sealed: Sealed,
    holders: Vec<usize>,
    stored: BTreeSet<usize>,
    work_ms: u64,
    deadline: UnixMillis,
}

struct Siege {
    now: UnixMillis,
    stores: Vec<Keeper>,
    places: Places,
    by_key: BTreeMap<NodeKey, usize>,
    rng: Rng,
    honest: BTreeMap<u64, Honest>,
    due: BinaryHeap<Reverse<(UnixMillis, u64)>>,
    work: Vec<u64>,
    delivered: u64,
    asked: u64,
    spam: u64,
    caller: u64,
    number: u64,
}

impl Siege {
    fn new(options: Options, plant: Option<Plant>) -> Self {
        let mut seed = [b's'; 32];
        seed[..8].copy_from_slice(&options.seed.to_be_bytes());
        let mut rng = Rng::from_seed(seed);
        let count = (options.nodes / 10).max(5);
        let identities: Vec<Identity> = (0..count).map(|_| Identity::generate(&mut rng)).collect();
        let records: Vec<PeerRecord> = identities
            .iter()
            .map(|one| {
                let addresses = Addresses::default();
                one.peer_record(Role::Bridge, Network::Live, addresses, TEST_TIME)
            })
            .collect();
        let directory = Directory::sign(&identities[0], Network::Live, TEST_TIME, records);
        let by_key = identities.iter().map(Identity::node_key).zip(0..).collect();
        let mut places = Places::new(Vec::new());
        places.take(directory, Network::Live, TEST_TIME);
        let stores = identities.into_iter().map(|identity| {
            let mut limits = Limits::BRIDGE;
            if plant == Some(Plant::RaisesTooMuch) {
                limits.per_minute = 0;
            }
            let settings = Settings {
                limits,
                measure: oracle,
                ..Settings::bridge(Network::Live)
            };
            let mut keeper = Keeper::new(settings, identity, Vec::new());
            if plant == Some(Plant::NeverRaises) {
                keeper.plant(Bug::NeverRaises);
            }
            keeper
        });
        Self {
            now: TEST_TIME,
            stores: stores.collect(),
            places,
            by_key,
            rng,
            honest: BTreeMap::new(),
            due: BinaryHeap::new(),
            work: Vec::new(),
            delivered: 0,
            asked: 0,
            spam: 0,
            caller: 0,
            number: 0,
        }
    }

    fn fresh(&mut self) -> (Sealed, Vec<usize>) {
        let tag = Tag::from_bytes(self.rng.array());
        let payload = vec![0; PADDED[0] + SEAL_OVERHEAD];
        let mut nonce = [0; 16];
        self.rng.fill(&mut nonce);
        let sealed = Sealed::with_payload(tag, payload, nonce, self.now, MAX_TTL_S);
        let order = self.places.order(Region::of(&tag));
        let holders = order.iter().take(COPIES).map(|key| self.by_key[key]);
        (sealed, holders.collect())
    }

    /// Hands a notification to a store whose disk takes everything at once.
    fn put(&mut self, store: usize, sealed: &Sealed) -> Result<(), Refusal> {
        self.caller += 1;
        let (keeper, now) = (&mut self.stores[store], self.now);
        keeper.ask(now, Caller(self.caller), Ask::Put(Item::new(sealed)));
        let mut result = Err(Refusal::Storage);
        while let Some(output) = keeper.poll_output() {
            match output {
                Output::Write(_) => keeper.written(now, Ok(())),
                Output::Reply(_, Reply::Stored(_)) => result = Ok(()),
                Output::Reply(_, Reply::Refused(refusal)) => result = Err(refusal),
                _ => {}
            }
        }
        result
    }

    /// Milliseconds that work takes: exponential around its mean.
    fn duration(&mut self, difficulty: Difficulty) -> u64 {
        let mean = u128::from(hashes(difficulty)) * 1_000 / u128::from(THREAD);
        // -ln of a number between 0 and 1, to a thousandth: a table would do as well.
        let chance = (f64::from(self.rng.below(1_000_000)) + 1.0) / 1_000_001.0;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let thousandths = (-chance.ln() * 1_000.0) as u64;
        u64::try_from(mean * u128::from(thousandths) / 1_000).unwrap_or(u64::MAX)
    }

    /// An honest sender begins.
    fn begin(&mut self) {
        let (sealed, holders) = self.fresh();
        let (tag, now) = (sealed.tag, self.now);
        let asked = holders
            .iter()
            .map(|place| self.stores[*place].needed(&tag, now));
        let most = asked.max().unwrap();
        self.number += 1;
        self.asked += 1;
        let one = Honest {
            sealed,
            holders,
            stored: BTreeSet::new(),
            work_ms: 0,
            // Relays take nothing older.
            deadline: now.plus(3_500_000),
        };
        self.honest.insert(self.number, one);
        self.work_for(self.number, most);
    }

    fn work_for(&mut self, number: u64, needed: Difficulty) {
        let aimed = Multiple::from_thousandths(1_000 + MARGIN).over(needed);
        let takes = self.duration(aimed);
        let now = self.now;
        if let Some(one) = self.honest.get_mut(&number) {
            one.sealed.work = WorkNonce::new(aimed.number());
            one.work_ms = one.work_ms.saturating_add(takes);
        }
        self.due.push(Reverse((now.plus(takes), number)));
    }

    /// Honest work was found: it is handed in.
    fn work_done(&mut self, number: u64) {
        let Some(mut one) = self.honest.remove(&number) else {
            return;
        };
        if self.now > one.deadline {
            self.work.push(one.work_ms);
            return;
        }
        let mut needed = None;
        for place in one.holders.clone() {
            if one.stored.contains(&place) {
                continue;
            }
            match self.put(place, &one.sealed) {
                Ok(()) => drop(one.stored.insert(place)),
                Err(Refusal::TooLittleWork { needed: more }) => needed = needed.max(Some(more)),
                Err(_) => {}
            }
        }
        if one.stored.len() >= 3 {
            self.delivered += 1;
            return self.work.push(one.work_ms);
        }
        self.honest.insert(number, one);
        let base = base_difficulty(Network::Live);
        self.work_for(number, needed.unwrap_or(base));
    }

    /// One of the attacker's, with this work; how many stores took it.
    fn attack(&mut self, work: Option<Difficulty>) -> (u64, u64) {
        let (mut sealed, holders) = self.fresh();
        let (tag, now) = (sealed.tag, self.now);
        let asked = holders
            .iter()
            .map(|place| self.stores[*place].needed(&tag, now));
        let work = work.unwrap_or_else(|| asked.max().unwrap());
        sealed.work = WorkNonce::new(work.number());
        let mut taken = 0;
        for place in holders {
            taken += u64::from(self.put(place, &sealed).is_ok());
        }
        self.spam += u64::from(taken > 0);
        (taken, hashes(work))
    }

    fn play(mut self, minutes: u64, megahashes: u64) -> (Attack, u64) {
        let base = base_difficulty(Network::Live);
        let end = self.now.plus(minutes * 60_000);
        // Thousandths of a millisecond's hashes that the attacker has to spend.
        let (mut purse, per_second) = (0_u64, megahashes * 1_000_000);
        let mut base_taken = 0;
        let mut last: (UnixMillis, u64, u64) = (self.now, 0, 0);
        let mut honest_next = self.now;
        while self.now < end || (!self.honest.is_empty() && self.now < end.plus(3_600_000)) {
            let flooding = self.now < end;
            // A tenth of a second.
            let until = self.now.plus(100);
            while let Some(Reverse((at, number))) = self.due.peek().copied()
                && at <= until
            {
                self.due.pop();
                self.now = self.now.max(at);
                self.work_done(number);
            }
            self.now = until;
            if flooding && self.now >= honest_next {
                self.begin();
                honest_next = honest_next.plus(60_000 / HONEST_PER_MINUTE);
            }
            if flooding {
                // The flood with base work goes on whether or not anybody takes it.
                purse = (purse + per_second / 10).min(per_second * 2);
                let price = self.stores[0].needed(&Tag::from_bytes([0; 32]), self.now);
                let mut left = FLOOD / 10;
                while left > 0 && purse >= BASE_HASHES && price == base {
                    let (taken, _) = self.attack(Some(base));
                    base_taken += taken;
                    purse -= BASE_HASHES;
                    left -= 1;
                }
                while price > base && purse > 0 {
                    let cost = hashes(price);
                    if purse < cost {
                        break;
                    }
                    let (_, spent) = self.attack(None);
                    purse = purse.saturating_sub(spent);
                }
            }
            if self.now.plus(600_000) <= end {
                let fullest = self.stores.iter().map(|store| store.figures().bytes).max();
                last = (self.now, self.spam, fullest.unwrap_or(0));
            }
        }
        let _ = base_taken;
        (self.report(end, minutes, megahashes, last), self.asked)
    }

    #[allow(clippy::cast_precision_loss, reason = "figures for people")]
    fn report(
        &mut self,
        end: UnixMillis,
        minutes: u64,
        megahashes: u64,
        last: (UnixMillis, u64, u64),
    ) -> Attack {
        let (since, spam, bytes) = last;
        let seconds = end.since(since).max(1) as f64 / 1_000.0;
        let fullest = self.stores.iter().map(|store| store.figures().bytes).max();
        let fullest = fullest.unwrap_or(0);
        let grown = fullest.saturating_sub(bytes) as f64 / seconds;
        let room = Limits::BRIDGE.bytes;
        let tag = Tag::from_bytes([0; 32]);
        let base = base_difficulty(Network::Live);
        let prices = self
            .stores
            .iter_mut()
            .map(|store| store.needed(&tag, end).multiplier(base));
        let price = prices.sum::<f64>() / self.places.listed().count().max(1) as f64;
        self.work.sort_unstable();
        Attack {
            megahashes,
            honest: self.asked,
            delivered: self.delivered,
            delivered_percent: self.delivered as f64 * 100.0 / self.asked.max(1) as f64,
            work_p50_ms: percentile(&self.work, 50),
            work_p90_ms: percentile(&self.work, 90),
            spam_accepted_per_s: self.spam as f64 / (minutes * 60) as f64,
            spam_accepted_per_s_at_last: (self.spam - spam) as f64 / seconds,
            price_at_last: price,
            fill_percent: fullest as f64 * 100.0 / room as f64,
            hours_until_full: (room.saturating_sub(fullest)) as f64 / grown.max(0.001) / 3_600.0,
        }
    }
}

fn broken(attack: &Attack) -> Violations {
    let over = |is: bool| u64::from(is);
    let share = attack.delivered * 100 / attack.honest.max(1);
    Violations {
        price_did_not_rise: over(attack.price_at_last < 2.0),
        undelivered: over(share < FEWEST),
        work_too_long: over(attack.work_p50_ms > MOST_WORK_MS),
    }
}

/// Plays it.
#[must_use]
pub fn play(options: Options, work: &Workload) -> Report {
    let minutes = work.minutes.max(11);
    let attack = |megahashes| Siege::new(options, work.plant).play(minutes, megahashes).0;
    let first = attack(work.megahashes);
    let found = broken(&first);
    let mut stronger = Vec::new();
    let mut breaks_at = if found.sum() > 0 { work.megahashes } else { 0 };
    let mut megahashes = work.megahashes;
    while breaks_at == 0 && !work.once && stronger.len() < 5 {
        megahashes *= 4;
        let next = attack(megahashes);
        if broken(&next).sum() > 0 {
            breaks_at = megahashes;
        }
        stronger.push(next);
    }
    Report {
        scenario: "notification-spam",
        bridges: (options.nodes / 10).max(5),
        seed: options.seed,
        minutes,
        attack: first,
        stronger,
        breaks_at_megahashes: breaks_at,
        broken: found,
        violations: found.sum(),
    }
}
