//! Questions for accounts that nobody asked for before, by nodes anywhere, while others come and
//! go, a part of all messages is lost and a part of all nodes lies.
//!
//! How it goes: the world is built and bridges put the accounts into the nanonet; then browsers leave
//! without a word and new ones come ([`crate::churn`]); every account gets a newer block, which replaces
//! the first; then, churn going on, browsers chosen by chance ask for one account each. Of the liars
//! ([`Liar`]) each kind is a quarter. An answer counts as found if it is proven and its frontier is the
//! newest one, confirmed [`SPREAD_MS`] or longer before.

use std::collections::BTreeMap;
use std::sync::Arc;

use nano_core::{Account, Network, UnixMillis};
use nanonet::adversary::Tamper;
use nanonet::testing::{TestKeys, account_key};
use nanonet::{
    Addresses, Contact, GetOptions, Identity, Misroute, Node, RequestId, Rng, Role, Who,
};
use serde::Serialize;

use super::{Common, Options, Reported, build, wide};
use crate::check::lookup::{Found, Tally, Violations};
use crate::churn::Churn;
use crate::world::{Place, World};

/// Churn before the questions.
pub const CHURN_MS: u64 = 600_000;
/// Time between the last account's confirmation and the first question.
const SPREAD_MS: u64 = 30_000;
/// Questions per second and thousand nodes.
const PACE: u64 = 100;
/// Time until the last question has been answered or given up.
const PATIENCE_MS: u64 = 30_000;
/// How much longer than another a message over an unordered channel takes at most.
const JITTER_MS: u32 = 10;
/// Nodes that do not exist, which liars name.
const FORGED: usize = 256;

/// What is played.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Workload {
    /// Questions.
    #[arg(long, default_value_t = 10_000)]
    pub lookups: usize,
    /// Seconds of coming and going before the questions.
    #[arg(long, default_value_t = CHURN_MS / 1_000)]
    pub churn: u64,
    /// Of a million messages, how many are lost on the way.
    #[arg(long, default_value_t = 50_000)]
    pub loss_ppm: u32,
    /// Of a hundred browsers, how many lie.
    #[arg(long, default_value_t = 20)]
    pub liars: u32,
}

/// A kind of liar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liar {
    /// Questions of others are dropped unread.
    Drops,
    /// Requests of others are acknowledged and dropped.
    AcknowledgesAndDrops,
    /// Answers with the oldest proof it ever held.
    ServesOldProofs,
    /// Names nodes that do not exist.
    ForgesNeighbours,
}

impl Liar {
    /// What the node at a place is, if `of_hundred` are liars.
    fn at(place: Place, seed: u64, of_hundred: u32) -> Option<Self> {
        let mut bytes = [b'L'; 32];
        bytes[..8].copy_from_slice(&seed.to_be_bytes());
        bytes[8..16].copy_from_slice(&(place as u64).to_be_bytes());
        let mut rng = Rng::from_seed(bytes);
        let liar = rng.below(100) < of_hundred;
        liar.then(|| match rng.below(4) {
            0 => Self::Drops,
            1 => Self::AcknowledgesAndDrops,
            2 => Self::ServesOldProofs,
            _ => Self::ForgesNeighbours,
        })
    }
}

/// What it shows.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Of every scenario.
    #[serde(flatten)]
    pub common: Common,
    /// Of a million messages between nodes, how many were lost on the way.
    pub loss_ppm: u32,
    /// Of a hundred browsers, how many lied.
    pub liars: u32,
    /// What the answers were.
    #[serde(flatten)]
    pub found: Found,
    /// Questions that reached full nodes.
    pub reached_full_node: u64,
    /// Links that nodes asked for while they were handed a question.
    pub connections_opened_by_lookups: u64,
    /// What was broken, in all.
    pub violations: u64,
    /// Of each kind.
    pub broken: Violations,
    /// Browsers that left, and as many that came.
    pub left: usize,
}

/// Plays it.
#[must_use]
pub fn play<C: Reported>(options: Options, work: &Workload) -> Report {
    let mut world: World<C> = build(options, wide::<C>(), Some(liars(options.seed, work.liars)));
    world.rules.loss_ppm = work.loss_ppm;
    world.rules.jitter_ms = JITTER_MS;
    let mut churn = Churn::new(&world, options.seed);
    let accounts: Vec<Account> = (0..work.lookups as u64)
        .map(|number| world.ledger.open(number, 500))
        .collect();
    confirm(&mut world, &mut churn, &accounts);
    churn.run(&mut world, work.churn * 1_000);
    for (number, account) in (10_000_000..).zip(&accounts) {
        let to = account_key(number).account();
        world.ledger.send(account, &to, 1);
    }
    confirm(&mut world, &mut churn, &accounts);
    churn.run(&mut world, SPREAD_MS);
    let resolved = world.resolves;
    world.answers.clear();
    world.dialled_by_questions = 0;

    let mut rng = Rng::from_seed([b'l'; 32]);
    let mut asked: BTreeMap<(Place, RequestId), (Account, UnixMillis)> = BTreeMap::new();
    let gap = (1_000_000 / (PACE * (options.nodes as u64).max(1))).max(1);
    for account in accounts {
        let asker = world.any_browser(&mut rng);
        let request = world.ask(asker, account, GetOptions::default());
        asked.insert((asker, request), (account, world.now));
        churn.run(&mut world, gap);
    }
    churn.run(&mut world, PATIENCE_MS);

    let mut tally = Tally::default();
    for answered in std::mem::take(&mut world.answers) {
        tally.take(&world, &asked, &answered);
    }
    // Whoever left cannot be answered any more.
    let lookups = asked.keys().filter(|(place, _)| world.runs(*place)).count();
    let dialled = world.dialled_by_questions;
    let (found, broken) = tally.verdict(lookups, dialled);
    Report {
        loss_ppm: work.loss_ppm,
        liars: work.liars,
        found,
        reached_full_node: world.resolves - resolved,
        connections_opened_by_lookups: dialled,
        violations: broken.sum(),
        broken,
        left: churn.left(),
        common: Common::of("lookup", options, &world),
    }
}

/// Bridges learn of the newest blocks of `accounts`, one after another.
fn confirm<C: Reported>(world: &mut World<C>, churn: &mut Churn, accounts: &[Account]) {
    let bridges = world.vouchers().to_vec();
    // As fast as the live network confirms at its best, per bridge.
    let pause = (20 / bridges.len() as u64).max(1);
    for (account, bridge) in accounts.iter().zip(bridges.iter().cycle()) {
        world.confirm_seen(*bridge, *account);
        churn.run(world, pause);
    }
}

/// Makes liars of so many of a hundred browsers.
fn liars<C: Reported>(seed: u64, of_hundred: u32) -> crate::world::Corrupt<C> {
    let mut rng = Rng::from_seed([b'f'; 32]);
    let forged: Arc<[Who]> = (0..FORGED)
        .map(|_| {
            let identity = Identity::generate(&mut rng);
            let at = nanonet::testing::TEST_TIME;
            let (role, network) = (Role::Browser, Network::Dev);
            Contact::new(identity.peer_record(role, network, Addresses::default(), at))
        })
        .collect();
    Box::new(move |place, node: &mut Node<C>| {
        if node.role() == Role::Bridge {
            return false;
        }
        match Liar::at(place, seed, of_hundred) {
            None => return false,
            Some(Liar::Drops) => return true,
            Some(Liar::AcknowledgesAndDrops) => node.misroute(Misroute::Drop),
            Some(Liar::ServesOldProofs) => node.lie(Tamper::OlderProof, TestKeys::new()),
            Some(Liar::ForgesNeighbours) => node.misroute(Misroute::Forge(forged.clone())),
        }
        false
    })
}
