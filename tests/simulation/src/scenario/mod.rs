//! What is played, and what it shows.
//!
//! A scenario builds a world, lets things happen to it and reports figures. From [`OPEN_FROM`] nodes
//! on it leaves out encryption ([`crate::open`]); the report says so.

pub mod adversary;
mod bridge_loss;
mod eclipse;
mod flood;
mod fork_storm;
pub mod gossip;
pub mod lookup;
pub mod mainnet_load;
pub mod messages;
mod partition;
mod replay;
mod siege;
pub mod slice;
mod sybil;
mod table_shift;
pub mod trial;

use std::collections::BTreeMap;

use nanonet::{Crypto, Noise, Rng, Role};
use serde::Serialize;

use crate::open::{self, Open};
use crate::world::{Corrupt, Geography, Place, Rules, World};

/// Nodes from which on links are not encrypted.
pub const OPEN_FROM: usize = 300;
/// Fewest bridges of a scenario.
const BRIDGES: usize = 3;
/// Browsers per bridge of a large scenario.
const PER_BRIDGE: usize = 400;
/// Time between two nodes that join while a world is built, at least.
const JOIN_EVERY_MS: u64 = 2;
/// Time in which a world is built, if that leaves more between two nodes.
const BUILD_MS: u64 = 60_000;

/// What every scenario is told.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Browsers at a time.
    pub nodes: usize,
    /// Which run.
    pub seed: u64,
    /// Whether messages are counted by what they are.
    pub kinds: bool,
}

/// How signatures were checked and links kept secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cryptography {
    /// As in the product.
    Real,
    /// Links not encrypted, each signature of a node's record checked once for everybody.
    Open,
}

/// What cryptography a world had, for its report.
pub trait Reported: Crypto {
    /// Which it is.
    const KIND: Cryptography;

    /// Fills an empty world with linked nodes.
    fn build(options: Options, world: &mut World<Self>)
    where
        Self: Sized;
}

impl Reported for Noise {
    const KIND: Cryptography = Cryptography::Real;

    fn build(options: Options, world: &mut World<Self>) {
        join_all(options, world);
    }
}

impl Reported for Open {
    const KIND: Cryptography = Cryptography::Open;

    fn build(options: Options, world: &mut World<Self>) {
        if world.rules.addressed {
            // Bridges tell nodes from where they see them when they join.
            return join_all(options, world);
        }
        world.settle(BRIDGES.max(options.nodes / PER_BRIDGE), options.nodes);
    }
}

/// Figures of every scenario.
#[derive(Debug, Clone, Serialize)]
pub struct Common {
    /// Which scenario.
    pub scenario: &'static str,
    /// Browsers at a time.
    pub nodes: usize,
    /// Which run.
    pub seed: u64,
    /// How cryptography was done.
    pub cryptography: Cryptography,
    /// Signatures of nodes' records that were to be checked, where that is counted.
    pub signatures_asked: u64,
    /// Those of them that were checked.
    pub signatures_checked: u64,
    /// Simulated time in all.
    pub simulated_ms: u64,
    /// Messages delivered.
    pub messages: u64,
    /// Bytes delivered.
    pub bytes: u64,
    /// Messages per node and second, bridges included.
    pub messages_per_node_s: f64,
    /// Messages and bytes by what they were, where they were counted.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub kinds: BTreeMap<&'static str, (u64, u64)>,
    /// Links that browsers still there have closed, by reason.
    pub closed: BTreeMap<&'static str, u64>,
    /// What browsers still there have refused, by reason.
    pub refused: BTreeMap<&'static str, u64>,
    /// Data channels that were made.
    pub channels: u64,
    /// Links per browser at the end.
    pub links_mean: f64,
    /// A number over everything delivered: equal in two runs of one seed.
    pub trace_hash: String,
}

impl Common {
    /// Reads them from a world at its end.
    fn of<C: Reported>(scenario: &'static str, options: Options, world: &World<C>) -> Self {
        let browsers = world.browsers();
        let links: usize = browsers
            .iter()
            .map(|place| world.status(*place).links.len())
            .sum();
        let (mut closed, mut refused) = (BTreeMap::new(), BTreeMap::new());
        for place in &browsers {
            let status = world.status(*place);
            for (reason, count) in status.dropped {
                *closed.entry(reason).or_default() += count;
            }
            for (reason, count) in status.refused {
                *refused.entry(reason).or_default() += count;
            }
        }
        let (signatures_asked, signatures_checked) = match C::KIND {
            Cryptography::Real => (0, 0),
            Cryptography::Open => open::counts(),
        };
        Self {
            scenario,
            nodes: options.nodes,
            seed: options.seed,
            cryptography: C::KIND,
            signatures_asked,
            signatures_checked,
            simulated_ms: world.now.since(nanonet::testing::TEST_TIME),
            messages: world.delivered,
            bytes: world.delivered_bytes,
            #[allow(clippy::cast_precision_loss, reason = "a figure for people")]
            messages_per_node_s: world.delivered as f64
                / (options.nodes + world.bridges().len()) as f64
                / (world.now.since(nanonet::testing::TEST_TIME) as f64 / 1_000.0),
            kinds: world.kinds.clone(),
            closed,
            refused,
            channels: world.channels_made,
            #[allow(clippy::cast_precision_loss, reason = "a figure for people")]
            links_mean: links as f64 / browsers.len().max(1) as f64,
            trace_hash: format!("{:016x}", world.trace()),
        }
    }
}

/// Rules of a world as wide as the real one.
#[must_use]
pub fn wide<C: Reported>() -> Rules {
    Rules {
        max_links: 32,
        replicas: 16,
        geography: Geography::World,
        keep_events: false,
        report_written: C::KIND == Cryptography::Real,
        notice_ms: 15_000,
        ..Rules::default()
    }
}

/// A world of linked nodes: with real cryptography joined one by one, else linked from the start.
fn build<C: Reported>(options: Options, rules: Rules, corrupt: Option<Corrupt<C>>) -> World<C> {
    let rules = Rules {
        count_kinds: options.kinds && C::KIND == Cryptography::Open,
        ..rules
    };
    let mut world = World::with(options.seed, rules);
    world.corrupt = corrupt;
    C::build(options, &mut world);
    world
}

/// Bridges that know each other, then browsers that join one after another through any of them.
fn join_all<C: Crypto>(options: Options, world: &mut World<C>) {
    for bridge in 0..BRIDGES {
        world.add(Role::Bridge);
        for other in 0..bridge {
            world.dial(bridge, other);
        }
    }
    world.run(1_000);
    let gap = (BUILD_MS / (options.nodes as u64).max(1)).max(JOIN_EVERY_MS);
    for number in 0..options.nodes {
        join(world, number);
        world.run(gap);
    }
}

/// A new browser that dials a bridge.
pub(crate) fn join<C: Crypto>(world: &mut World<C>, number: usize) -> Place {
    let browser = world.add(Role::Browser);
    let bridges = world.bridges();
    let bridge = bridges[number % bridges.len()];
    world.dial(browser, bridge);
    browser
}

/// One of `items`.
fn pick<T: Copy>(rng: &mut Rng, items: &[T]) -> T {
    let count = u32::try_from(items.len()).unwrap_or(u32::MAX);
    items[rng.below(count) as usize]
}

/// The value below which `per_cent` of the sorted `values` lie; 0 without any.
pub(crate) fn percentile(values: &[u64], per_cent: usize) -> u64 {
    let place = (values.len() * per_cent / 100).min(values.len().saturating_sub(1));
    values.get(place).copied().unwrap_or(0)
}
