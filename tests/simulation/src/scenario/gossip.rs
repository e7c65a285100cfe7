//! News that random browsers tell everyone, while others come and go and messages get lost.
//!
//! How it goes: the world is built, messages begin to get lost and browsers to come and go
//! ([`crate::churn`]); then, one after another, browsers chosen by chance publish a signed block
//! each, and one time in ten a bridge tells of a confirmed block. A browser is owed a piece that it
//! did not publish itself if it ran from [`SETTLE_MS`] before to [`STAY_MS`] after.

use std::collections::BTreeSet;

use clap::Args;
use nano_core::{Account, Block, BlockHash, Link, Network, Raw, StateBlock, UnixMillis, WorkNonce};
use nanonet::gossip::{News, NewsId, Tell};
use nanonet::testing::{TestChain, account_key};
use nanonet::{Input, Rng};
use serde::Serialize;

use super::{Common, Options, Reported, build, percentile, pick, wide};
use crate::check::gossip::{Checker, Plant, SETTLE_MS, STAY_MS, Violations};
use crate::churn::Churn;
use crate::world::{Place, World};

/// Time to find its place for the last who joined while the world was built.
const MESH_MS: u64 = 30_000;
/// Time between two looks at everything.
const LOOK_MS: u64 = 200;
/// Looks between two looks into every node.
const INSIDE_EVERY: usize = 50;

/// How much is told.
#[derive(Debug, Clone, Copy, Args)]
pub struct Workload {
    /// Pieces of news.
    #[arg(long = "messages", default_value_t = 1_000)]
    pub messages: usize,
    /// Pieces per second.
    #[arg(long, default_value_t = 5)]
    pub rate: u64,
    /// Of a million messages between nodes, how many are lost on the way.
    #[arg(long = "loss-ppm", default_value_t = 50_000)]
    pub loss_ppm: u32,
    /// Also play it through iroh-gossip's state machine (a build with the feature `iroh`).
    #[cfg(feature = "iroh")]
    #[arg(long)]
    pub compare: bool,
}

/// What one protocol showed.
#[derive(Debug, Clone, Serialize)]
pub struct Figures {
    /// Which protocol.
    pub protocol: &'static str,
    /// Pieces of news published.
    pub published: usize,
    /// By how many nodes.
    pub senders: usize,
    /// Pieces that came to a node for the first time.
    pub deliveries: u64,
    /// Copies that came again, per delivery.
    pub redundancy: f64,
    /// Pulls per delivery.
    pub pulls: f64,
    /// Links over which the last came.
    pub last_hop: u64,
    /// The same for half of all.
    pub hops_p50: u64,
    /// Until everyone had a piece who was there all the time: the slowest piece.
    pub complete_ms: u64,
    /// The same for half of all pieces.
    pub complete_p50_ms: u64,
    /// The same for 99 of 100 pieces.
    pub complete_p99_ms: u64,
    /// Until a node had a piece, for half of all deliveries.
    pub delivery_p50_ms: u64,
    /// The same for 99 of 100.
    pub delivery_p99_ms: u64,
    /// Pieces that a browser did not get that was there all the time.
    pub missed: u64,
    /// Bytes of the protocol's messages per delivery.
    pub bytes_per_delivery: f64,
    /// The same in payloads: announcements, pulls and copies included.
    pub payloads_per_delivery: f64,
    /// Messages per delivery.
    pub messages_per_delivery: f64,
}

/// What it shows.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Of every scenario.
    #[serde(flatten)]
    pub common: Common,
    /// Of a million messages between nodes, how many were lost on the way.
    pub loss_ppm: u32,
    /// Of our own gossip.
    #[serde(flatten)]
    pub gossip: Figures,
    /// The same workload through other protocols.
    pub compared: Vec<Figures>,
    /// What was broken.
    pub violations: u64,
    /// Of each kind.
    pub broken: Violations,
    /// Browsers that left, and as many that came.
    pub left: usize,
}

/// One piece of news that is to be told.
#[derive(Debug, Clone)]
pub struct Telling {
    /// When, from the first on.
    pub at_ms: u64,
    /// What.
    pub tell: Tell,
    /// Whether a bridge tells it.
    pub by_bridge: bool,
}

/// What is told, the same for every protocol.
#[must_use]
pub fn tellings(work: &Workload) -> Vec<Telling> {
    (0..work.messages as u64)
        .map(|number| {
            let by_bridge = number % 10 == 9;
            let tell = if by_bridge {
                confirmed(number)
            } else {
                Tell::Transaction(Box::new(transaction(number)))
            };
            Telling {
                at_ms: number * 1_000 / work.rate.max(1),
                tell,
                by_bridge,
            }
        })
        .collect()
}

/// A signed block with work of an account of its own.
fn transaction(number: u64) -> StateBlock {
    let key = account_key(1_000_000 + number);
    let mut previous = [7; 32];
    previous[..8].copy_from_slice(&number.to_be_bytes());
    let account: Account = key.account();
    let block = StateBlock::unsigned(
        account,
        BlockHash::from_bytes(previous),
        account,
        Raw::NANO,
        Link::from(account_key(number).account()),
    );
    let block = block.sign(&key);
    let any = Block::State(block);
    let needed = Network::Dev.work_thresholds().entry_of(&any);
    let root = any.root();
    let mut work = (0..).map(WorkNonce::new);
    let enough = work.find(|work| work.difficulty(&root) >= needed);
    block.with_work(enough.unwrap())
}

fn confirmed(number: u64) -> Tell {
    let mut chain = TestChain::open(2_000_000 + number, Raw::NANO);
    chain.send(&account_key(number).account(), Raw::new(number.into()));
    Tell::Confirmed {
        block: Box::new(chain.blocks()[1]),
        previous: Some(Box::new(chain.blocks()[0])),
    }
}

/// The name that what is told will have.
fn name(tell: &Tell) -> NewsId {
    match tell {
        Tell::Transaction(block) => News::Transaction(block.clone()).id(),
        Tell::Confirmed { block, .. } => NewsId::of_block(&block.account, &block.hash()),
        _ => NewsId(0),
    }
}

/// Plays it.
#[must_use]
pub fn play<C: Reported>(options: Options, work: &Workload, plant: Option<Plant>) -> Report {
    let mut world: World<C> = build(options, wide::<C>(), None);
    world.run(MESH_MS);
    world.rules.loss_ppm = work.loss_ppm;
    let mut churn = Churn::new(&world, options.seed);
    churn.run(&mut world, SETTLE_MS);
    world.news.clear();
    if let Some(plant) = plant {
        for place in 0..world.places() {
            if world.runs(place) {
                world.node_mut(place).plant(plant.bug());
            }
        }
    }
    let mut checker = Checker::new(&world);
    let before = world.gossip();
    let mut run = Run {
        churn: &mut churn,
        checker: &mut checker,
        looks: 0,
    };
    let start = world.now;
    let mut rng = Rng::from_seed([b'g'; 32]);
    let mut senders: BTreeSet<Place> = BTreeSet::new();
    let tellings = tellings(work);
    for telling in tellings {
        run.until(&mut world, start.plus(telling.at_ms));
        let by = if telling.by_bridge {
            rng.below(3) as usize
        } else {
            pick(&mut rng, &world.browsers())
        };
        senders.insert(by);
        run.checker.published(&world, by, name(&telling.tell));
        world.input(by, Input::Tell(Box::new(telling.tell)));
    }
    let end = world.now.plus(STAY_MS + SETTLE_MS);
    run.until(&mut world, end);
    checker.look_inside(&world);

    let mut figures = world.gossip();
    figures.delivered -= before.delivered;
    figures.delivered_bytes -= before.delivered_bytes;
    figures.repeated -= before.repeated;
    figures.messages_out -= before.messages_out;
    figures.bytes_out -= before.bytes_out;
    figures.pulled -= before.pulled;
    let counts = Counts {
        deliveries: figures.delivered,
        repeated: figures.repeated,
        pulls: figures.pulled,
        messages: figures.messages_out,
        bytes: figures.bytes_out,
        payload: figures.delivered_bytes,
    };
    let senders = senders.len();
    let compared = compare(options, work, &checker, senders, figures.delivered_bytes);
    let (gossip, broken) = Figures::of("nanonet", senders, counts, checker);
    Report {
        loss_ppm: work.loss_ppm,
        gossip,
        compared,
        violations: broken.sum(),
        broken,
        left: churn.left(),
        common: Common::of("gossip", options, &world),
    }
}

/// The same through the state machine of iroh-gossip.
#[cfg(feature = "iroh")]
fn compare(
    options: Options,
    work: &Workload,
    ours: &Checker,
    senders: usize,
    payload: u64,
) -> Vec<Figures> {
    if !work.compare {
        return Vec::new();
    }
    let size = payload / ours.hops.iter().sum::<u64>().max(1);
    let (counts, checker) = crate::iroh::play(options, work.loss_ppm, ours, size);
    vec![Figures::of("iroh-gossip", senders, counts, checker).0]
}

#[cfg(not(feature = "iroh"))]
const fn compare(_: Options, _: &Workload, _: &Checker, _: usize, _: u64) -> Vec<Figures> {
    Vec::new()
}

/// What a protocol counted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    /// Pieces that came to a node for the first time.
    pub deliveries: u64,
    /// Copies that came again.
    pub repeated: u64,
    /// Pulls.
    pub pulls: u64,
    /// Messages.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes of what was delivered.
    pub payload: u64,
}

impl Figures {
    /// The figures of a protocol, with what a checker saw of it.
    fn of(
        protocol: &'static str,
        senders: usize,
        counts: Counts,
        mut checker: Checker,
    ) -> (Self, Violations) {
        let published = checker.script().len();
        let hops = std::mem::take(&mut checker.hops);
        let (broken, complete, all) = checker.verdict();
        #[allow(clippy::cast_precision_loss, reason = "figures for people")]
        let per = |part: u64, whole: u64| part as f64 / whole.max(1) as f64;
        let figures = Self {
            protocol,
            published,
            senders,
            deliveries: counts.deliveries,
            redundancy: per(counts.repeated, counts.deliveries),
            pulls: per(counts.pulls, counts.deliveries),
            last_hop: hops.iter().rposition(|count| *count > 0).unwrap_or(0) as u64,
            hops_p50: half(&hops),
            complete_ms: percentile(&complete, 100),
            complete_p50_ms: percentile(&complete, 50),
            complete_p99_ms: percentile(&complete, 99),
            delivery_p50_ms: percentile(&all, 50),
            delivery_p99_ms: percentile(&all, 99),
            missed: broken.missed,
            bytes_per_delivery: per(counts.bytes, counts.deliveries),
            payloads_per_delivery: per(counts.bytes, counts.payload),
            messages_per_delivery: per(counts.messages, counts.deliveries),
        };
        (figures, broken)
    }
}

/// Over how many links half of what was counted came.
fn half(hops: &[u64]) -> u64 {
    let all: u64 = hops.iter().sum();
    let mut sum = 0;
    let place = hops.iter().position(|count| {
        sum += count;
        sum * 2 >= all
    });
    place.unwrap_or(0) as u64
}

/// A world under churn that is looked at.
struct Run<'a> {
    churn: &'a mut Churn,
    checker: &'a mut Checker,
    looks: usize,
}

impl Run<'_> {
    fn until<C: Reported>(&mut self, world: &mut World<C>, until: UnixMillis) {
        while world.now < until {
            let step = until.since(world.now).min(LOOK_MS);
            self.churn.run(world, step);
            self.checker.look(world);
            self.looks += 1;
            if self.looks.is_multiple_of(INSIDE_EVERY) {
                self.checker.look_inside(world);
            }
        }
    }
}
