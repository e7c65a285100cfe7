//! Private messages between browsers, while others come and go and a part of all nodes drops what it
//! should pass on.
//!
//! How it goes: the world is built, every browser registers its key; while browsers come and go
//! ([`crate::churn`]), pairs chosen by chance hold conversations: [`PER_TALK`] messages, back and forth.
//! Of the droppers half drop everything unread, and half acknowledge cells and do nothing with them.
//! A message counts if both ends were there for a minute after it was sent.

use std::collections::BTreeMap;

use nano_core::UnixMillis;
use nanonet::onion::{Outbound, USUAL_RELAYS};
use nanonet::{Event, Input, Misroute, Node, RequestId, Rng, Role};
use serde::Serialize;

use super::{Common, Options, Reported, build, pick, wide};
use crate::check::leaks::{Checker as LeakChecker, Leaks};
use crate::check::messages::{Checker, Plant, STAY_MS, Tally};
use crate::churn::Churn;
use crate::world::{Place, World};

/// Messages of one conversation.
const PER_TALK: usize = 6;
/// Time between two messages of one conversation.
const REPLY_MS: u64 = 4_000;
/// Time to find its place for the last who joined while the world was built.
const MESH_MS: u64 = 30_000;
/// Time in which everyone registers.
const REGISTER_MS: u32 = 60_000;
/// Time between two looks.
const LOOK_MS: u64 = 100;

/// What is played.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Workload {
    /// Messages.
    #[arg(long = "messages", default_value_t = 3_000)]
    pub messages: usize,
    /// Conversations that begin per second.
    #[arg(long, default_value_t = 4)]
    pub rate: u64,
    /// Of a hundred browsers, how many drop what they should pass on.
    #[arg(long, default_value_t = 20)]
    pub droppers: u32,
    /// Of a million messages between nodes, how many are lost on the way.
    #[arg(long = "loss-ppm", default_value_t = 10_000)]
    pub loss_ppm: u32,
    /// Relays of each route.
    #[arg(long, default_value_t = USUAL_RELAYS)]
    pub relays: u8,
}

impl Default for Workload {
    fn default() -> Self {
        Self {
            messages: 3_000,
            rate: 4,
            droppers: 20,
            loss_ppm: 10_000,
            relays: USUAL_RELAYS,
        }
    }
}

/// What it shows.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Of every scenario.
    #[serde(flatten)]
    pub common: Common,
    /// What became of messages.
    #[serde(flatten)]
    pub tally: Tally,
    /// Nodes that saw both ends, and cells in which content could be read.
    pub leaks: u64,
    /// What the checker looked at.
    pub looked_at: Leaks,
    /// Of a hundred browsers, how many dropped.
    pub droppers: u32,
    /// Relays of each route.
    pub relays: u8,
    /// Senders that were told that a message did not arrive, by reason.
    pub failed: BTreeMap<&'static str, u64>,
    /// What was broken, in all.
    pub violations: u64,
    /// Browsers that left, and as many that came.
    pub left: usize,
}

/// Plays it.
#[must_use]
pub fn play<C: Reported>(options: Options, work: Workload, plant: Option<Plant>) -> Report {
    let corrupt = droppers(options.seed, work.droppers);
    let mut world: World<C> = build(options, wide::<C>(), Some(corrupt));
    world.run(MESH_MS);
    world.rules.loss_ppm = work.loss_ppm;
    let mut rng = Rng::from_seed(seed_of(options.seed, u64::MAX));
    let mut run = Run {
        churn: Churn::new(&world, options.seed),
        checker: Checker::default(),
        leaks: LeakChecker::default(),
        known: 0,
        unregistered: Vec::new(),
        chance: Rng::from_seed(seed_of(options.seed, u64::MAX - 1)),
        since: BTreeMap::new(),
        left: BTreeMap::new(),
        failed: BTreeMap::new(),
        plant,
        honest: Box::new(move |place| dropper(options.seed, work.droppers, place).is_none()),
    };
    run.until(&mut world, |now| now.plus(REGISTER_MS.into()));
    let mut talks: Vec<Talk> = Vec::new();
    let gap = 1_000 / work.rate.max(1);
    let start = world.now;
    let conversations = work.messages.div_ceil(PER_TALK);
    let last = start.plus(gap * conversations as u64 + REPLY_MS * PER_TALK as u64);
    let mut begun = 0;
    while world.now < last {
        if begun < conversations && world.now.since(start) >= gap * begun as u64 {
            begun += 1;
            let settled = run.settled(&world);
            let (a, b) = (pick(&mut rng, &settled), pick(&mut rng, &settled));
            if a != b {
                talks.push(Talk {
                    ends: [a, b],
                    said: 0,
                    next: world.now,
                });
            }
        }
        let now = world.now;
        for talk in &mut talks {
            let [from, to] = talk.ends;
            if talk.next > now || !world.runs(from) || !world.runs(to) {
                continue;
            }
            run.send(&mut world, from, to, work.relays);
            talk.said += 1;
            talk.next = now.plus(REPLY_MS);
            talk.ends.reverse();
        }
        talks.retain(|talk| talk.said < PER_TALK);
        run.until(&mut world, |now| now.plus(LOOK_MS));
    }
    run.until(&mut world, |now| now.plus(STAY_MS + 5_000));
    let ids: Vec<_> = (0..world.places())
        .map(|place| Some(world.identity(place).node_id()))
        .collect();
    let looked_at = run.leaks.verdict(|place| ids[place]);
    let left = &run.left;
    let tally = run.checker.verdict(|place| left.get(&place).copied());
    let missed = tally.missed + tally.delivered_twice + tally.out_of_order + tally.invented;
    Report {
        tally,
        leaks: looked_at.sum(),
        looked_at,
        droppers: work.droppers,
        relays: work.relays,
        failed: run.failed,
        violations: missed + looked_at.sum(),
        left: run.churn.left(),
        common: Common::of("messages", options, &world),
    }
}

struct Talk {
    ends: [Place; 2],
    said: usize,
    next: UnixMillis,
}

/// A world under churn that is looked at.
struct Run {
    churn: Churn,
    checker: Checker,
    leaks: LeakChecker,
    known: usize,
    /// Who has yet to register, and when.
    unregistered: Vec<(UnixMillis, Place)>,
    chance: Rng,
    /// When each browser registered.
    since: BTreeMap<Place, UnixMillis>,
    left: BTreeMap<Place, UnixMillis>,
    failed: BTreeMap<&'static str, u64>,
    plant: Option<Plant>,
    honest: Box<dyn Fn(Place) -> bool>,
}

impl Run {
    fn until<C: Reported>(
        &mut self,
        world: &mut World<C>,
        until: impl FnOnce(UnixMillis) -> UnixMillis,
    ) {
        let until = until(world.now);
        while world.now < until {
            self.greet(world);
            let step = until.since(world.now).min(LOOK_MS);
            self.churn.run(world, step);
            self.leaks.look(world);
            for told in std::mem::take(&mut world.letters) {
                match told.event {
                    Event::Message(received) => {
                        let (from, body) = (received.from, &received.body);
                        self.checker.came(told.at, told.place, from, body);
                    }
                    Event::Sent { request, result } => match result {
                        Ok(()) => {
                            let number = usize::try_from(request.0).unwrap_or(usize::MAX);
                            self.checker.confirmed(number);
                        }
                        Err(error) => *self.failed.entry(error.code()).or_default() += 1,
                    },
                    _ => {}
                }
            }
            for place in self.since.keys() {
                if !world.runs(*place) {
                    self.left.entry(*place).or_insert(world.now);
                }
            }
        }
    }

    /// Newcomers are watched and register.
    fn greet<C: Reported>(&mut self, world: &mut World<C>) {
        for place in self.known..world.places() {
            if !world.runs(place) {
                continue;
            }
            let node = world.node_mut(place);
            node.watch_cells();
            if let Some(plant) = self.plant {
                node.plant(plant.bug());
            }
            if world.is_browser(place) {
                self.since.insert(place, world.now);
                // Not all in one moment, as they would never open their pages.
                let wait = self.chance.below(REGISTER_MS / 4);
                self.unregistered.push((world.now.plus(wait.into()), place));
            }
        }
        self.known = world.places();
        let now = world.now;
        let (due, later) = std::mem::take(&mut self.unregistered)
            .into_iter()
            .partition(|(at, _)| *at <= now);
        self.unregistered = later;
        let due: Vec<(UnixMillis, Place)> = due;
        for (_, place) in due {
            if world.runs(place) {
                world.input(place, Input::Register(Box::default()));
            }
        }
    }

    /// Honest browsers that are there for a while.
    fn settled<C: Reported>(&self, world: &World<C>) -> Vec<Place> {
        let settled = self.since.iter().filter(|(place, since)| {
            let long = world.now.since(**since) >= u64::from(REGISTER_MS) / 2;
            world.runs(**place) && long && (self.honest)(**place)
        });
        settled.map(|(place, _)| *place).collect()
    }

    fn send<C: Reported>(&mut self, world: &mut World<C>, from: Place, to: Place, relays: u8) {
        let number = self.checker.next();
        let key = world.status(to).key;
        let ours = (from, world.status(from).key);
        let body = self.checker.send(world.now, ours, to);
        let message = Box::new(Outbound {
            to: key,
            name: number,
            body,
            relays,
            patience_ms: STAY_MS,
        });
        let request = RequestId(number);
        world.input(from, Input::Send { request, message });
    }
}

/// Makes droppers of so many of a hundred browsers.
fn droppers<C: Reported>(seed: u64, of_hundred: u32) -> crate::world::Corrupt<C> {
    Box::new(move |place, node: &mut Node<C>| {
        if node.role() == Role::Browser
            && let Some(how) = dropper(seed, of_hundred, place)
        {
            node.misroute(how);
        }
        false
    })
}

/// How the browser at a place drops, if it does.
fn dropper(seed: u64, of_hundred: u32, place: Place) -> Option<Misroute> {
    let mut rng = Rng::from_seed(seed_of(seed, place as u64));
    (rng.below(100) < of_hundred).then(|| match rng.below(2) {
        0 => Misroute::Drop,
        _ => Misroute::Swallow,
    })
}

fn seed_of(seed: u64, place: u64) -> [u8; 32] {
    let mut bytes = [b'm'; 32];
    bytes[..8].copy_from_slice(&seed.to_be_bytes());
    bytes[8..16].copy_from_slice(&place.to_be_bytes());
    bytes
}
