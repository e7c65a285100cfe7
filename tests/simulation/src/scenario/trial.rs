//! What all scenarios of faults and attacks share: a world with watched accounts, honest and hostile
//! nodes, and the checkers that look at it while time passes.
//!
//! How each goes: the world is built and accounts are spread ([`Trial::new`]); something is broken
//! or somebody attacks while honest nodes ask ([`Trial::pass`], [`Trial::question`]); then the faults
//! stop, and after a while everything must be well ([`Trial::finish`]).

use std::collections::{BTreeMap, BTreeSet};

use clap::ValueEnum;
use nano_core::{Account, BlockHash, UnixMillis};
use nanonet::{Bug, Defence, Event, GetOptions, Input, NodeKey, PublishState, Rng, Role};
use serde::Serialize;

use super::{Common, Options, Reported, build, join, pick, wide};
use crate::check::answers::{Answers, Demand, Tally};
use crate::check::blocks::Blocks;
use crate::check::budgets::Budgets;
use crate::check::replicas::Replicas;
use crate::check::{Violations, convergence, memory};
use crate::world::{Place, Rules, World};

/// Time between two looks at answers.
const LOOK_MS: u64 = 1_000;
/// Time between two looks into every node, and between two dials of bridges that lost each other.
const INSIDE_MS: u64 = 10_000;
/// Time for the world to mesh, and again for the accounts to spread.
const SETTLE_MS: u64 = 30_000;
/// Rounds of questions in the end, each for what the one before did not find.
const TRIES: usize = 3;
/// Time for one round.
const TRY_MS: u64 = 12_000;

/// A defence that can be switched off, to see that it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Without {
    /// Few links to nodes of one group of addresses.
    Diversity,
    /// Faults are counted, and who is dropped at fault is banned.
    Reputation,
    /// Messages cost tokens.
    Buckets,
    /// Ids cost work.
    JoinWork,
    /// Crowds of ids are looked for.
    Regions,
    /// An own block goes to a second bridge.
    SecondBridge,
    /// An older proof never takes the place of a newer one.
    Order,
    /// A second block in the place of a pending one is refused.
    Rivals,
    /// Two proofs that contradict each other are an alarm.
    Alarm,
    /// Who was cut off looks for those it lost.
    Healing,
    /// Offers and answers also travel through peers.
    PeerSignaling,
    /// Outdated proofs are made anew.
    Renewal,
    /// Only anchors date what they see; off: every bridge is an anchor.
    Sightings,
    /// Only a majority of anchors sets weights; off: whoever is first.
    Majority,
}

impl Without {
    /// What is switched off in nodes; the others are up to shells.
    const fn in_nodes(self) -> Option<Defence> {
        Some(match self {
            Self::Diversity => Defence::Diversity,
            Self::Reputation => Defence::Reputation,
            Self::Buckets => Defence::Buckets,
            Self::JoinWork => Defence::JoinWork,
            Self::Regions => Defence::Regions,
            Self::SecondBridge => Defence::SecondBridge,
            Self::Order => Defence::Order,
            Self::Rivals => Defence::Rivals,
            Self::Alarm => Defence::Alarm,
            Self::Healing => Defence::Healing,
            Self::PeerSignaling => Defence::PeerSignaling,
            Self::Renewal => Defence::Renewal,
            Self::Sightings | Self::Majority => return None,
        })
    }
}

/// A bug that can be planted in every node, to see that a checker finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Plant {
    /// Records are believed without their votes being counted (`answers`).
    BelievesAnything,
    /// Every record is dropped a while after it came (`blocks`).
    LosesRecords,
    /// No holder is ever replaced (`replicas`).
    NeverRepairs,
    /// What was asked for is never forgotten (`memory`).
    RemembersEverything,
    /// Links are given up and made without end (`budgets`).
    Restless,
    /// Newer frontiers of held accounts are not taken (`convergence`).
    StaysBehind,
}

impl Plant {
    const fn bug(self) -> Bug {
        match self {
            Self::BelievesAnything => Bug::BelievesAnything,
            Self::LosesRecords => Bug::LosesRecords,
            Self::NeverRepairs => Bug::NeverRepairs,
            Self::RemembersEverything => Bug::RemembersEverything,
            Self::Restless => Bug::Restless,
            Self::StaysBehind => Bug::StaysBehind,
        }
    }
}

/// What is different from how it should be.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub struct Setup {
    /// Plant a bug in every node, to see that a checker finds it.
    #[arg(long, value_enum)]
    pub plant: Option<Plant>,
    /// Switch a defence off, to see that it matters.
    #[arg(long, value_enum)]
    pub without: Option<Without>,
}

/// What it shows.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Of every scenario.
    #[serde(flatten)]
    pub common: Common,
    /// What was done to the network, counted.
    pub injected: BTreeMap<&'static str, u64>,
    /// What was broken.
    pub violations: u64,
    /// By which checker, and the first of them in words.
    pub broken: Violations,
    /// What else was seen.
    pub figures: BTreeMap<&'static str, f64>,
}

/// One run.
pub struct Trial<C: Reported> {
    /// The world.
    pub world: World<C>,
    /// What was broken so far.
    pub broken: Violations,
    /// Watches answers.
    pub answers: Answers,
    /// Watches blocks.
    pub blocks: Blocks,
    /// Watches holders.
    pub replicas: Replicas,
    /// Watches what is spent.
    pub budgets: Budgets,
    /// Nodes of the attacker.
    pub hostile: BTreeSet<Place>,
    /// Accounts that are watched.
    pub accounts: Vec<Account>,
    /// What was told of splits, alarms and the like that no checker has taken.
    pub told: Vec<(Place, Event)>,
    /// Chance.
    pub rng: Rng,
    /// What is different from how it should be.
    pub setup: Setup,
    name: &'static str,
    options: Options,
    injected: BTreeMap<&'static str, u64>,
    figures: BTreeMap<&'static str, f64>,
    looked_inside: UnixMillis,
    joined: usize,
}

impl<C: Reported> Trial<C> {
    /// A meshed world in which `accounts` accounts are known.
    #[must_use]
    pub fn new(
        name: &'static str,
        options: Options,
        setup: Setup,
        accounts: usize,
        change: impl FnOnce(&mut Rules),
    ) -> Self {
        let mut rules = wide::<C>();
        change(&mut rules);
        let replicas = usize::from(rules.replicas).min(options.nodes / 2);
        let mut world: World<C> = build(options, rules, None);
        world.faults.listening = true;
        let mut seed = [b't'; 32];
        seed[..8].copy_from_slice(&options.seed.to_be_bytes());
        let mut trial = Self {
            broken: Violations::default(),
            answers: Answers::default(),
            blocks: Blocks::default(),
            replicas: Replicas::new(replicas, 60_000),
            budgets: Budgets::new(&world, u64::MAX / 2),
            hostile: BTreeSet::new(),
            accounts: Vec::new(),
            told: Vec::new(),
            rng: Rng::from_seed(seed),
            setup,
            name,
            options,
            injected: BTreeMap::new(),
            figures: BTreeMap::new(),
            looked_inside: world.now,
            joined: options.nodes,
            world,
        };
        for place in 0..trial.world.places() {
            trial.arm(place);
        }
        trial.world.run(SETTLE_MS);
        for number in 0..accounts {
            let account = trial.world.ledger.open(number as u64, 500);
            trial.accounts.push(account);
            trial.world.confirm(number % super::BRIDGES, account);
            trial.world.run(20);
        }
        trial.world.run(SETTLE_MS);
        trial.world.faults.links_made.clear();
        trial.budgets = Budgets::new(&trial.world, 60);
        trial
    }

    /// Plants and switches off in a new node what is to be.
    fn arm(&mut self, place: Place) {
        let node = self.world.node_mut(place);
        if let Some(plant) = self.setup.plant {
            node.plant(plant.bug());
        }
        if let Some(defence) = self.setup.without.and_then(Without::in_nodes) {
            node.do_without(defence);
        }
    }

    /// A node that started again is as the others.
    pub fn rearm(&mut self, place: Place) {
        self.arm(place);
    }

    /// An honest browser joins.
    pub fn join(&mut self) -> Place {
        let place = join(&mut self.world, self.joined);
        self.joined += 1;
        self.arm(place);
        place
    }

    /// A node of the attacker is there: armed, and not honest.
    pub fn turn(&mut self, place: Place) {
        self.hostile.insert(place);
        self.arm(place);
    }

    /// How many browsers there are to be.
    #[must_use]
    pub const fn nodes(&self) -> usize {
        self.options.nodes
    }

    /// Honest browsers that run.
    #[must_use]
    pub fn honest(&self) -> Vec<Place> {
        let mut honest = self.world.browsers();
        honest.retain(|place| !self.hostile.contains(place));
        honest
    }

    /// Counts what was done to the network.
    pub fn inject(&mut self, what: &'static str, count: u64) {
        *self.injected.entry(what).or_default() += count;
    }

    /// Notes a figure.
    #[allow(clippy::cast_precision_loss, reason = "a figure for people")]
    pub fn figure(&mut self, what: &'static str, value: u64) {
        self.figures.insert(what, value as f64);
    }

    /// Bridges that are anchors and run.
    #[must_use]
    pub fn anchors(&self) -> Vec<Place> {
        (0..super::BRIDGES)
            .filter(|place| self.world.runs(*place))
            .collect()
    }

    /// A bridge that is nobody's anchor, unless that is what the run is to do without.
    pub fn add_stranger(&mut self) -> Place {
        let place = self.world.add(Role::Bridge);
        self.hostile.insert(place);
        let key: NodeKey = self.world.status(place).key;
        if self.setup.without != Some(Without::Sightings) {
            self.world.faults.strangers.insert(key);
        }
        self.world.tell_anchors();
        for bridge in self.anchors() {
            self.world.dial(place, bridge);
        }
        place
    }

    /// A watched account pays another one in Nano's own network, and bridge `by` hears of it.
    pub fn confirm_next(&mut self, account: Account, by: Place) -> BlockHash {
        let to = pick(&mut self.rng, &self.accounts);
        let hash = self.world.ledger.send(&account, &to, 1);
        self.world.confirm(by, account);
        hash
    }

    /// Lets time pass while everything is watched.
    pub fn pass(&mut self, millis: u64) {
        let until = self.world.now.plus(millis);
        while self.world.now < until {
            let step = LOOK_MS.min(until.since(self.world.now));
            self.world.run(step);
            self.look();
        }
    }

    fn look(&mut self) {
        self.world.news.clear();
        let (blocks, answers, now) = (&mut self.blocks, &mut self.answers, self.world.now);
        blocks.scan(&self.world, |hash| answers.confirmed(hash, now));
        for told in std::mem::take(&mut self.world.faults.told) {
            let (place, at) = (told.place, told.at);
            match told.event {
                Event::Publish { hash, state, .. } => {
                    self.blocks.told(at, place, hash, state, &mut self.broken);
                    if matches!(state, PublishState::Superseded { .. } | PublishState::Rival) {
                        self.told.push((place, told.event));
                    }
                }
                event => self.told.push((place, event)),
            }
        }
        self.answers.look(&mut self.world, &mut self.broken);
        if self.world.now.since(self.looked_inside) >= INSIDE_MS {
            self.looked_inside = self.world.now;
            self.bridges_dial();
            let honest = self.honest();
            memory::look(&self.world, &honest, &mut self.broken);
            let (world, broken) = (&self.world, &mut self.broken);
            let mut all = honest.clone();
            all.extend((0..super::BRIDGES).filter(|place| world.runs(*place)));
            self.blocks.look(world, &all, &self.accounts, broken);
            self.replicas.look(world, &honest, &self.accounts, broken);
        }
    }

    /// Shells of bridges dial each other.
    fn bridges_dial(&mut self) {
        let bridges = self.anchors();
        for from in &bridges {
            let links = self.world.status(*from).links;
            for to in bridges.iter().filter(|to| *to < from) {
                let id = self.world.id(*to);
                if !links.iter().any(|link| link.peer == id) {
                    self.world.dial(*from, *to);
                }
            }
        }
    }

    /// An honest node asks.
    pub fn ask(&mut self, place: Place, account: Account, demand: Demand) {
        let options = GetOptions::default();
        let request = self.world.ask(place, account, options);
        self.answers.asked(place, request, account, demand);
    }

    /// Random honest nodes ask for random watched accounts. Who can be linked with no browser at all,
    /// because of its router, is answered by bridges only, and not asked here.
    pub fn question(&mut self, count: usize, demand: Demand) {
        let mut honest = self.honest();
        honest.retain(|place| convergence::has_browser_link(&self.world, *place));
        for _ in 0..count {
            let place = pick(&mut self.rng, &honest);
            let account = pick(&mut self.rng, &self.accounts);
            self.ask(place, account, demand);
        }
    }

    /// Ends a phase of questions, see [`Answers::settle`].
    pub fn settle(&mut self, phase: &'static str, per_cent: u64) -> Tally {
        let now = self.world.now;
        self.answers.settle(now, phase, per_cent, &mut self.broken)
    }

    /// A browser that knows the frontier of an account and watches it.
    pub fn own(&mut self, place: Place, account: Account) {
        self.world.input(place, Input::Watch { account });
        self.ask(place, account, Demand::Nothing);
    }

    /// A node publishes a send of `nano` to somebody.
    pub fn publish(&mut self, place: Place, account: Account, nano: u128) -> BlockHash {
        let to = pick(&mut self.rng, &self.accounts);
        let block = self.world.ledger.build_send(&account, &to, nano);
        let hash = self.world.publish(place, block);
        self.blocks.published(place, hash);
        hash
    }

    /// The person at a node agrees that a block which lost is built anew; false if it cannot be.
    pub fn rebuild(&mut self, place: Place, lost: BlockHash) -> bool {
        let Some(block) = self.world.node(place).rebuilt(&lost) else {
            return false;
        };
        let block = self.world.ledger.complete(block);
        let hash = self.world.publish(place, block);
        self.blocks.published(place, hash);
        true
    }

    /// After the faults: every question of the last round is answered by browsers, everyone knows
    /// the same, and what was spent is within what may be.
    #[must_use]
    pub fn finish(mut self, questions: usize) -> Report {
        let honest = self.honest();
        let _ = self.answers.take_failed();
        let _ = self.settle("before the end", 0);
        self.answers.newest_only = true;
        self.question(questions, Demand::Browsers);
        for left in (0..TRIES).rev() {
            self.pass(TRY_MS);
            let failed = self.answers.take_failed();
            if failed.is_empty() || left == 0 {
                break;
            }
            let _ = self.settle("a try", 0);
            for (place, account) in failed {
                self.ask(place, account, Demand::Browsers);
            }
        }
        let last = self.settle("in the end", 100);
        self.figure("asked_in_the_last_round", last.asked);
        let replicas = usize::from(self.world.rules.replicas).min(self.nodes() / 2);
        let (world, broken) = (&self.world, &mut self.broken);
        let anchors: Vec<Place> = (0..super::BRIDGES)
            .filter(|place| world.runs(*place))
            .collect();
        convergence::look(world, &honest, &anchors, &self.accounts, replicas, broken);
        self.blocks.finish(world, broken);
        let nodes = honest.len() + self.hostile.len();
        self.budgets.settle(world, &honest, nodes, broken);
        let (confirmed, superseded) = self.blocks.ended();
        let most_links = self.budgets.most_links_made;
        let (longest, fewest) = (self.replicas.longest_ms, self.replicas.fewest as u64);
        let (wrong, stale) = (self.answers.wrong, self.answers.stale_shown_fresh);
        for (what, value) in [
            ("own_blocks_confirmed", confirmed),
            ("own_blocks_superseded", superseded),
            ("most_links_made", most_links),
            ("longest_below_replicas_ms", longest),
            ("fewest_honest_holders", fewest),
            ("wrong_accepted", wrong),
            ("stale_shown_fresh", stale),
        ] {
            self.figure(what, value);
        }
        self.figures
            .insert("messages_per_node_s", self.budgets.messages_seen);
        Report {
            common: Common::of(self.name, self.options, &self.world),
            injected: self.injected,
            violations: self.broken.sum(),
            broken: self.broken,
            figures: self.figures,
        }
    }
}
