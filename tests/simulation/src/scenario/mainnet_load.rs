//! What people ask on a usual day: popular accounts all the time, others now and then, and some that
//! were never opened; and how much of that the full nodes see.
//!
//! How it goes: the world is built, and bridges put the records of all accounts into the nanonet; then,
//! while browsers come and go ([`crate::churn`]), browsers chosen by chance ask. Nine questions of
//! ten are for an account with a record, by Zipf's law with exponent 1; one of ten is for one of a few
//! accounts that were never opened, by the same law. A bridge renews what it has seen of one account
//! per [`BACKGROUND`] questions, which counts as a question to the full nodes. In the end a few
//! browsers ask for random addresses as fast as they can ([`FLOOD_PER_S`]).

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use nano_core::{Account, BlockHash, UnixMillis};
use nanonet::testing::account_key;
use nanonet::{AccountState, AnswerSource, Event, GetOptions, RequestId, Rng};
use serde::Serialize;

use super::slice::fill;
use super::{Common, Options, Reported, build, percentile, pick, wide};
use crate::check::load::{Flood, Plant, Violations, judge};
use crate::churn::Churn;
use crate::world::{Place, Rules, World};

/// Time to find its place for the last who joined while the world was built.
const MESH_MS: u64 = 60_000;
/// Questions per second and thousand browsers: one in ten seconds each.
const PACE: u64 = 100;
/// Accounts never opened that are asked for, per thousand browsers.
const UNOPENED: u64 = 30;
/// Questions per background sighting of each bridge.
const BACKGROUND: u64 = 1_000;
/// Time until the last question has been answered or given up.
const PATIENCE_MS: u64 = 15_000;
/// One in so many browsers takes part in the flood.
const FLOODERS: usize = 10;
/// Most browsers that do.
const MOST_FLOODERS: usize = 100;
/// Random addresses that each of them asks for per second.
const FLOOD_PER_S: u64 = 20;
/// How long.
const FLOOD_MS: u64 = 30_000;
/// First number of accounts without a chain.
const NEVER: u64 = 1 << 40;

/// How much is asked.
#[derive(Debug, Clone, Copy, Args)]
pub struct Workload {
    /// Accounts; ten per node if not given.
    #[arg(long)]
    pub accounts: Option<u64>,
    /// Seconds of questions.
    #[arg(long, default_value_t = 300)]
    pub seconds: u64,
}

/// What became of questions of one kind.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Figures {
    /// Questions of browsers that were still there for the answer.
    pub asked: u64,
    /// Share answered rightly.
    pub answered: f64,
    /// Of those: from the own slice.
    pub from_own_slice: u64,
    /// By other browsers.
    pub from_browsers: u64,
    /// By bridges.
    pub from_bridges: u64,
    /// Time until the answer.
    pub p50_ms: u64,
    /// The same at 99 of 100.
    pub p99_ms: u64,
}

/// What it shows.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Of every scenario.
    #[serde(flatten)]
    pub common: Common,
    /// Accounts with a record.
    pub accounts: u64,
    /// Accounts never opened that were asked for.
    pub accounts_unopened: u64,
    /// Questions.
    pub queries: u64,
    /// Share of them that reached a full node, background sightings included.
    pub reached_full_node: f64,
    /// Questions that bridges asked the full nodes for somebody.
    pub resolves: u64,
    /// Background sightings.
    pub background: u64,
    /// The hundredth of accounts that is asked for most.
    pub popular: Figures,
    /// The others with a record.
    pub tail: Figures,
    /// Those never opened.
    pub unopened: Figures,
    /// Questions of the flood.
    pub flood_queries: u64,
    /// Of them reached a full node.
    pub flood_reached: u64,
    /// As many might have.
    pub flood_may_reach: u64,
    /// What was broken.
    pub violations: u64,
    /// Of each kind.
    pub broken: Violations,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Popular,
    Tail,
    Unopened,
}

struct Asked {
    kind: Kind,
    frontier: Option<BlockHash>,
    at: UnixMillis,
}

/// Plays it.
#[must_use]
pub fn play<C: Reported>(options: Options, work: &Workload, plant: Option<Plant>) -> Report {
    let rules = Rules {
        keep_stores: false,
        ..wide::<C>()
    };
    let mut world: World<C> = build(options, rules, None);
    world.run(MESH_MS);
    let count = work.accounts.unwrap_or(options.nodes as u64 * 10);
    let filled = fill(&mut world, options, count);
    let never = (UNOPENED * options.nodes as u64 / 1_000).max(1);
    if let Some(plant) = plant {
        for place in 0..world.places() {
            world.node_mut(place).plant(plant.bug());
        }
    }
    let bridges = world.bridges().len() as u64;
    let mut churn = Churn::new(&world, options.seed);
    let mut rng = Rng::from_seed([b'm'; 32]);
    let (known, unknown) = (Zipf::new(count), Zipf::new(never));
    let per_s = (PACE * options.nodes as u64 / 1_000).max(1);
    let queries = per_s * work.seconds;
    let (before, mut background) = (world.resolves, 0);
    world.answers.clear();

    let mut tally = Tally::default();
    for number in 0..queries {
        let (account, frontier, kind) = if rng.below(10) == 0 {
            let account = account_key(NEVER + unknown.draw(&mut rng)).account();
            (account, None, Kind::Unopened)
        } else {
            let rank = known.draw(&mut rng);
            let place = usize::try_from(rank).unwrap_or(0);
            let kind = if rank * 100 < count {
                Kind::Popular
            } else {
                Kind::Tail
            };
            (filled.accounts[place], Some(filled.frontiers[place]), kind)
        };
        let asker = pick(&mut rng, &tally.browsers(&world));
        let request = world.ask(asker, account, GetOptions::default());
        let at = world.now;
        tally
            .asked
            .insert((asker, request), Asked { kind, frontier, at });
        background += bridges * u64::from(number % BACKGROUND == 0);
        churn.run(&mut world, 1_000 / per_s.min(1_000));
        if number % per_s == 0 {
            tally.look(&mut world);
        }
    }
    churn.run(&mut world, PATIENCE_MS);
    tally.look(&mut world);
    let resolves = world.resolves - before;

    let flood = flood(&mut world, &mut churn, &mut rng);
    let mut broken = judge(queries, resolves + background, &flood);
    broken.wrong_accepted = tally.wrong;
    let [popular, tail, unopened] =
        [Kind::Popular, Kind::Tail, Kind::Unopened].map(|kind| tally.figures(&world, kind));
    Report {
        accounts: count,
        accounts_unopened: never,
        queries,
        reached_full_node: share(resolves + background, queries),
        resolves,
        background,
        popular,
        tail,
        unopened,
        flood_queries: flood.queries,
        flood_reached: flood.reached,
        flood_may_reach: flood.most(),
        violations: broken.sum(),
        broken,
        common: Common::of("mainnet-load", options, &world),
    }
}

/// Some ask for random addresses.
fn flood<C: Reported>(world: &mut World<C>, churn: &mut Churn, rng: &mut Rng) -> Flood {
    let mut flooders = world.browsers();
    let count = (flooders.len() / FLOODERS).clamp(1, MOST_FLOODERS);
    flooders.truncate(count);
    let before = world.resolves;
    let (mut asked, mut number) = (0, NEVER * 2);
    for _ in 0..FLOOD_MS / 1_000 * FLOOD_PER_S {
        for place in &flooders {
            if world.runs(*place) {
                number += 1 + u64::from(rng.below(1_000));
                let account = Account::from_bytes(*account_key(number).account().as_bytes());
                world.ask(*place, account, GetOptions::default());
                asked += 1;
            }
        }
        churn.run(world, 1_000 / FLOOD_PER_S);
        world.answers.clear();
    }
    Flood {
        bridges: world.bridges().len() as u64,
        seconds: FLOOD_MS / 1_000,
        queries: asked,
        reached: world.resolves - before,
    }
}

/// Ranks by Zipf's law with exponent 1, the first the most frequent.
struct Zipf {
    /// Sums of 2^32 / rank.
    sums: Vec<u64>,
}

impl Zipf {
    fn new(count: u64) -> Self {
        let mut sum = 0;
        let sums = (1..=count).map(|rank| {
            sum += (1 << 32) / rank;
            sum
        });
        Self {
            sums: sums.collect(),
        }
    }

    fn draw(&self, rng: &mut Rng) -> u64 {
        let all = self.sums.last().copied().unwrap_or(1);
        let drawn = rng.next_u64() % all;
        self.sums.partition_point(|sum| *sum <= drawn) as u64
    }
}

#[derive(Default)]
struct Tally {
    asked: BTreeMap<(Place, RequestId), Asked>,
    times: BTreeMap<Kind, Vec<u64>>,
    sources: BTreeMap<Kind, [u64; 3]>,
    done: BTreeSet<(Place, RequestId)>,
    wrong: u64,
    places: usize,
    browsers: Vec<Place>,
}

impl Tally {
    /// Browsers that run; looked up again when somebody came.
    fn browsers<C: Reported>(&mut self, world: &World<C>) -> Vec<Place> {
        if self.places != world.places() {
            self.places = world.places();
            self.browsers = world.browsers();
        }
        self.browsers.clone()
    }

    fn look<C: Reported>(&mut self, world: &mut World<C>) {
        world.moves.clear();
        for answered in std::mem::take(&mut world.answers) {
            let Event::Answer { request, result } = answered.event else {
                continue;
            };
            let key = (answered.place, request);
            let (Some(asked), Ok(answer)) = (self.asked.get(&key), result) else {
                continue;
            };
            let right = match (&answer.state, asked.frontier) {
                (AccountState::Opened { frontier, .. }, Some(hash)) => frontier.hash == hash,
                (AccountState::Unopened { .. }, None) => true,
                (AccountState::Unknown, _) => continue,
                _ => false,
            };
            if !right {
                self.wrong += 1;
                continue;
            }
            let times = self.times.entry(asked.kind).or_default();
            times.push(answered.at.since(asked.at));
            let source = match answer.source {
                AnswerSource::OwnSlice => 0,
                AnswerSource::Peer { .. } => 1,
                AnswerSource::Bridge { .. } => 2,
            };
            self.sources.entry(asked.kind).or_default()[source] += 1;
            self.done.insert(key);
        }
    }

    fn figures<C: Reported>(&mut self, world: &World<C>, kind: Kind) -> Figures {
        let of_kind = self.asked.iter().filter(|(_, asked)| asked.kind == kind);
        // Whoever left cannot be answered any more.
        let there = of_kind.filter(|(key, _)| world.runs(key.0) || self.done.contains(key));
        let asked = there.count() as u64;
        let mut times = self.times.remove(&kind).unwrap_or_default();
        times.sort_unstable();
        let [from_own_slice, from_browsers, from_bridges] =
            self.sources.remove(&kind).unwrap_or_default();
        Figures {
            asked,
            answered: share(times.len() as u64, asked),
            from_own_slice,
            from_browsers,
            from_bridges,
            p50_ms: percentile(&times, 50),
            p99_ms: percentile(&times, 99),
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "figures for people")]
fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}
