//! Records that must not get lost while browsers come and go, and half of them leave at once.
//!
//! How it goes: the world is built; bridges hear of the accounts' frontiers, one after another, and
//! put them into the nanonet; then browsers come and go for hours ([`crate::churn`]); in the end every
//! second one leaves at the same moment and nobody comes in their place, and what is left is watched
//! for [`AFTER_MS`].

use clap::Args;
use nano_core::{Account, BlockHash, Raw, UnixMillis};
use nanonet::Input;
use nanonet::testing::{TestChain, TestKeys};
use serde::Serialize;

use super::{Common, Options, Reported, build, wide};
use crate::check::slice::{Checker, Plant, Seen};
use crate::churn::Churn;
use crate::world::{Rules, World};

/// Time to find its place for the last who joined while the world was built.
const MESH_MS: u64 = 60_000;
/// Records put per second and thousand nodes.
const PACE: u64 = 20;
/// Time between the last put and the first look.
const SPREAD_MS: u64 = 60_000;
/// Time after half have left.
const AFTER_MS: u64 = 900_000;
/// Time between two looks.
const LOOK_MS: u64 = 1_000;
/// Blocks of lineage that make a record about as long as one in the live network: 4 KB.
const LINEAGE: usize = 14;

/// How much is kept for how long.
#[derive(Debug, Clone, Copy, Args)]
pub struct Workload {
    /// Accounts; ten per node if not given.
    #[arg(long)]
    pub accounts: Option<u64>,
    /// Minutes of coming and going.
    #[arg(long, default_value_t = 24 * 60)]
    pub minutes: u64,
}

/// What must not be exceeded.
const MOST_SHORT_S: u64 = 60;
const MOST_SHORT_AFTER_S: u64 = 300;
const MOST_BYTES: f64 = 5_000.0;

/// What was broken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Violations {
    /// Records that no browser holds in the end.
    pub lost: u64,
    /// A record was short of copies for too long while nodes came and went.
    pub too_long_short: u64,
    /// The same after half had left.
    pub too_long_short_after: u64,
    /// Nodes sent more than they may to keep replicas.
    pub too_many_bytes: u64,
}

impl Violations {
    const fn sum(&self) -> u64 {
        self.lost + self.too_long_short + self.too_long_short_after + self.too_many_bytes
    }
}

/// What it shows.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Of every scenario.
    #[serde(flatten)]
    pub common: Common,
    /// Accounts with a record.
    pub accounts: u64,
    /// Bytes of a record.
    pub record_bytes: usize,
    /// Minutes of coming and going.
    pub minutes: u64,
    /// Browsers that left in that time, and as many that came.
    pub left: usize,
    /// Browsers that then left at once.
    pub left_at_once: usize,
    /// Records that no browser holds in the end.
    pub records_lost: u64,
    /// While nodes came and went.
    #[serde(flatten)]
    pub steady: Seen,
    /// After half had left.
    pub after_half_left: Seen,
    /// Copies per record in browsers, before half left.
    pub replicas_mean: f64,
    /// Bytes sent per node and second to keep replicas, while nodes came and went.
    pub repair_bytes_per_node_s: f64,
    /// The same after half had left.
    pub repair_bytes_per_node_s_after: f64,
    /// Messages of all kinds per node and second, while nodes came and went.
    pub messages_per_node_s: f64,
    /// What was broken.
    pub violations: u64,
    /// Of each kind.
    pub broken: Violations,
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
    let accounts = work.accounts.unwrap_or(options.nodes as u64 * 10);
    let filled = fill(&mut world, options, accounts);
    let mut checker = Checker::new(&filled.accounts);
    world.run(SPREAD_MS);
    checker.look(&mut world);
    plant_in(&mut world, plant);

    let mut churn = Churn::new(&world, options.seed);
    let before = Meter::read(&world);
    checker.begin(world.now);
    let end = world.now.plus(work.minutes * 60_000);
    watch(&mut world, &mut churn, &mut checker, end, plant);
    let steady = checker.seen(world.now);
    let (bytes, messages) = before.per_node_s(&world, options.nodes);
    let replicas_mean = ratio(checker.copies(), accounts);

    let before = Meter::read(&world);
    checker.begin(world.now);
    let left = churn.left();
    let left_at_once = churn.halve(&mut world);
    checker.look(&mut world);
    let end = world.now.plus(AFTER_MS);
    watch(&mut world, &mut churn, &mut checker, end, plant);
    let after = checker.seen(world.now);
    let (bytes_after, _) = before.per_node_s(&world, options.nodes - left_at_once);

    let over = |is: bool| u64::from(is);
    let broken = Violations {
        lost: checker.lost(),
        too_long_short: over(steady.longest_below_12_replicas_s > MOST_SHORT_S),
        too_long_short_after: over(after.longest_below_12_replicas_s > MOST_SHORT_AFTER_S),
        too_many_bytes: over(bytes > MOST_BYTES),
    };
    Report {
        accounts,
        record_bytes: filled.record_bytes,
        minutes: work.minutes,
        left,
        left_at_once,
        records_lost: broken.lost,
        steady,
        after_half_left: after,
        replicas_mean,
        repair_bytes_per_node_s: bytes,
        repair_bytes_per_node_s_after: bytes_after,
        messages_per_node_s: messages,
        violations: broken.sum(),
        broken,
        common: Common::of("slice", options, &world),
    }
}

/// What a world was filled with.
pub(super) struct Filled {
    pub(super) accounts: Vec<Account>,
    /// Of each account.
    pub(super) frontiers: Vec<BlockHash>,
    pub(super) record_bytes: usize,
}

/// Bridges hear of frontiers, each of one account.
pub(super) fn fill<C: Reported>(world: &mut World<C>, options: Options, accounts: u64) -> Filled {
    let keys = TestKeys::new();
    let gap = (1_000_000 / (PACE * (options.nodes as u64).max(1))).max(1);
    let mut filled = Filled {
        accounts: Vec::new(),
        frontiers: Vec::new(),
        record_bytes: 0,
    };
    for number in 0..accounts {
        let chain = TestChain::of_length(number, Raw::NANO, LINEAGE + 1);
        let record = keys.record(&chain, LINEAGE, LINEAGE);
        filled.record_bytes = record.to_bytes().len();
        filled.accounts.push(chain.account());
        filled.frontiers.push(record.hash());
        let bridges = world.vouchers();
        let bridge = bridges[usize::try_from(number).unwrap_or(0) % bridges.len()];
        let confirmed = Input::Confirmed {
            record: Box::new(record),
            receivable: None,
        };
        world.input(bridge, confirmed);
        world.run(gap);
    }
    filled
}

fn plant_in<C: Reported>(world: &mut World<C>, plant: Option<Plant>) {
    let Some(plant) = plant else { return };
    for place in 0..world.places() {
        if world.runs(place) {
            world.node_mut(place).plant(plant.bug());
        }
    }
}

fn watch<C: Reported>(
    world: &mut World<C>,
    churn: &mut Churn,
    checker: &mut Checker,
    end: UnixMillis,
    plant: Option<Plant>,
) {
    while world.now < end {
        let left = churn.left();
        churn.run(world, end.since(world.now).min(LOOK_MS));
        checker.look(world);
        if churn.left() > left {
            // Whoever came has the bug, too.
            plant_in(world, plant);
        }
    }
}

/// Counters at a time.
struct Meter {
    at: UnixMillis,
    repair: u64,
    messages: u64,
}

impl Meter {
    fn read<C: Reported>(world: &World<C>) -> Self {
        Self {
            at: world.now,
            repair: world.repair_bytes(),
            messages: world.delivered,
        }
    }

    /// Bytes and messages per node and second since.
    fn per_node_s<C: Reported>(&self, world: &World<C>, nodes: usize) -> (f64, f64) {
        let node_s = nodes as u64 * world.now.since(self.at) / 1_000;
        (
            ratio(world.repair_bytes() - self.repair, node_s),
            ratio(world.delivered - self.messages, node_s),
        )
    }
}

#[allow(clippy::cast_precision_loss, reason = "figures for people")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}
