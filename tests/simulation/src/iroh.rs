//! The workload of the scenario `gossip` through iroh-gossip's published state machine.
//!
//! The same lives, the same news of the same size at the same times by the same nodes, ways of the
//! same geography, the same loss. What is kinder to it than to us: every pair can connect, and a
//! connection costs nothing. Its maps are ordered by chance, so no two runs are equal.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use iroh_gossip::proto::state::MessageKind;
use iroh_gossip::proto::topic::{Command, Event};
use iroh_gossip::proto::{
    Config, DeliveryScope, InEvent, Message, OutEvent, PeerData, Scope, State, Timer, TopicId,
};
use nano_core::UnixMillis;
use nanonet::Rng;
use nanonet::gossip::NewsId;
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use crate::check::gossip::Checker;
use crate::scenario::Options;
use crate::scenario::gossip::Counts;
use crate::world::{Heard, Home, Place};

/// Time between two nodes that join at the start.
const JOIN_EVERY_MS: u64 = 5;
/// Time until the first news.
const MESH_MS: u64 = 60_000;
/// Time after the last.
const AFTER_MS: u64 = 25_000;
/// How long it takes until it is noticed that a node has gone, as in our own world.
const NOTICE_MS: u64 = 15_000;
/// Least wait until something lost is sent again, as in our own world.
const RESEND_MS: u64 = 1_000;

/// A peer's name, as long as a key.
type Id = [u8; 32];

enum Happening {
    Start(Place),
    Stop(Place),
    Publish(Place, NewsId),
    Arrive(Place, Place, Message<Id>),
    Gone(Place, Place),
    Timer(Place, u32, Timer<Id>),
}

struct Swarm {
    nodes: Vec<Option<State<Id, StdRng>>>,
    starts: Vec<u32>,
    homes: Vec<Home>,
    connected: Vec<BTreeSet<Place>>,
    queue: BTreeMap<(u64, u64), Happening>,
    number: u64,
    /// When the last message of a pair arrives: order is kept.
    arrives: HashMap<(Place, Place), u64>,
    now: u64,
    base: Instant,
    rng: Rng,
    loss_ppm: u32,
    copies: u64,
    counts: Counts,
    counting: bool,
    heard: Vec<(u64, Place, NewsId, u8)>,
    size: u64,
}

/// Plays what `ours` tells of with payloads of `size` bytes.
#[must_use]
pub fn play(options: Options, loss_ppm: u32, ours: &Checker, size: u64) -> (Counts, Checker) {
    let script = ours.script();
    let first = script.first().map_or(UnixMillis::new(0), |(at, ..)| *at);
    let mut checker = ours.again();
    let lives: Vec<_> = ours.lives().collect();
    let mut seed = [b'i'; 32];
    seed[..8].copy_from_slice(&options.seed.to_be_bytes());
    let mut rng = Rng::from_seed(seed);
    let count = lives.len();
    let mut swarm = Swarm {
        nodes: (0..count).map(|_| None).collect(),
        starts: vec![0; count],
        homes: (0..count).map(|_| Home::draw(&mut rng)).collect(),
        connected: vec![BTreeSet::new(); count],
        queue: BTreeMap::new(),
        number: 0,
        arrives: HashMap::new(),
        now: 0,
        base: Instant::now(),
        rng,
        loss_ppm: 0,
        copies: 0,
        counts: Counts::default(),
        counting: false,
        heard: Vec::new(),
        size,
    };
    // Their time starts before ours, so that everyone has joined when the first news is told.
    let ready = count as u64 * JOIN_EVERY_MS + MESH_MS;
    let at = |time: UnixMillis| ready + time.since(first);
    for (place, (from, until)) in lives.into_iter().enumerate() {
        let start = if from.number() == 0 {
            place as u64 * JOIN_EVERY_MS
        } else {
            at(from)
        };
        swarm.push(start, Happening::Start(place));
        if let Some(until) = until {
            swarm.push(at(until), Happening::Stop(place));
        }
    }
    let mut end = ready;
    for (time, by, id) in script {
        swarm.push(at(time), Happening::Publish(by, id));
        end = at(time) + AFTER_MS;
    }
    swarm.run(ready.saturating_sub(1));
    swarm.loss_ppm = loss_ppm;
    swarm.counting = true;
    swarm.run(end);
    for (time, place, id, hops) in swarm.heard {
        checker.heard(&Heard {
            at: first.plus(time.saturating_sub(ready)),
            place,
            id,
            hops,
        });
    }
    let mut counts = swarm.counts;
    counts.repeated = swarm.copies.saturating_sub(counts.deliveries);
    counts.payload = counts.deliveries * size;
    (counts, checker)
}

fn name(place: Place) -> Id {
    let mut id = [0x5a; 32];
    id[..8].copy_from_slice(&(place as u64).to_be_bytes());
    id
}

fn place_of(id: &Id) -> Place {
    let mut first = [0; 8];
    first.copy_from_slice(&id[..8]);
    usize::try_from(u64::from_be_bytes(first)).unwrap_or(0)
}

fn topic() -> TopicId {
    TopicId::from_bytes([1; 32])
}

impl Swarm {
    fn push(&mut self, at: u64, happening: Happening) {
        self.number += 1;
        self.queue.insert((at, self.number), happening);
    }

    fn run(&mut self, until: u64) {
        while let Some(entry) = self.queue.first_entry() {
            if entry.key().0 > until {
                break;
            }
            let ((at, _), happening) = entry.remove_entry();
            self.now = at;
            self.happen(happening);
        }
        self.now = until;
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Start(place) => self.start(place),
            Happening::Stop(place) => {
                self.nodes[place] = None;
                for other in std::mem::take(&mut self.connected[place]) {
                    self.push(self.now + NOTICE_MS, Happening::Gone(other, place));
                }
            }
            Happening::Publish(place, id) => {
                let length = usize::try_from(self.size).unwrap_or(8).max(8);
                let mut content = vec![0; length];
                content[..8].copy_from_slice(&id.0.to_be_bytes());
                let tell = Command::Broadcast(content.into(), Scope::Swarm);
                self.hand(place, InEvent::Command(topic(), tell));
            }
            Happening::Arrive(to, from, message) => {
                if self.counting && matches!(message.kind(), MessageKind::Data) {
                    self.copies += u64::from(self.nodes[to].is_some());
                }
                self.hand(to, InEvent::RecvMessage(name(from), message));
            }
            Happening::Gone(place, other) => {
                self.connected[place].remove(&other);
                self.hand(place, InEvent::PeerDisconnected(name(other)));
            }
            Happening::Timer(place, starts, timer) => {
                if self.starts[place] == starts {
                    self.hand(place, InEvent::TimerExpired(timer));
                }
            }
        }
    }

    fn start(&mut self, place: Place) {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&(place as u64).to_be_bytes());
        let random = StdRng::from_seed(seed);
        let data = PeerData::default();
        let state = State::new(name(place), data, Config::default(), random);
        let there: Vec<Place> = (0..self.nodes.len())
            .filter(|other| self.nodes[*other].is_some())
            .collect();
        self.nodes[place] = Some(state);
        self.starts[place] += 1;
        let peers = if there.is_empty() {
            Vec::new()
        } else {
            let count = u32::try_from(there.len()).unwrap_or(u32::MAX);
            vec![name(there[self.rng.below(count) as usize])]
        };
        self.hand(place, InEvent::Command(topic(), Command::Join(peers)));
    }

    fn hand(&mut self, place: Place, event: InEvent<Id>) {
        let now = self.base + Duration::from_millis(self.now);
        let Some(node) = &mut self.nodes[place] else {
            return;
        };
        let outputs: Vec<OutEvent<Id>> = node.handle(event, now.into(), None).collect();
        for output in outputs {
            match output {
                OutEvent::SendMessage(to, message) => self.send(place, place_of(&to), message),
                OutEvent::EmitEvent(_, Event::Received(received)) => {
                    let mut first = [0; 8];
                    first.copy_from_slice(&received.content[..8]);
                    let id = NewsId(u64::from_be_bytes(first));
                    self.counts.deliveries += 1;
                    self.heard.push((self.now, place, id, hops(received.scope)));
                }
                OutEvent::ScheduleTimer(after, timer) => {
                    let after = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
                    let timer = Happening::Timer(place, self.starts[place], timer);
                    self.push(self.now.saturating_add(after), timer);
                }
                OutEvent::DisconnectPeer(other) => {
                    let other = place_of(&other);
                    self.connected[place].remove(&other);
                    if self.connected[other].contains(&place) {
                        let way = self.homes[place].latency(&self.homes[other]);
                        self.push(self.now + way, Happening::Gone(other, place));
                    }
                }
                OutEvent::EmitEvent(..) | OutEvent::PeerData(..) => {}
            }
        }
    }

    fn send(&mut self, from: Place, to: Place, message: Message<Id>) {
        if self.counting {
            self.counts.messages += 1;
            self.counts.bytes += message.size().unwrap_or(0) as u64;
        }
        let newly = self.connected[from].insert(to);
        if self.nodes[to].is_none() {
            if newly {
                self.push(self.now + NOTICE_MS, Happening::Gone(from, to));
            }
            return;
        }
        self.connected[to].insert(from);
        let way = self.homes[from].latency(&self.homes[to]);
        let lost = self.loss_ppm > 0 && self.rng.below(1_000_000) < self.loss_ppm;
        let resent = if lost { RESEND_MS.max(4 * way) } else { 0 };
        let last = self.arrives.entry((from, to)).or_insert(0);
        *last = (*last).max(self.now + way + resent);
        let at = *last;
        self.push(at, Happening::Arrive(to, from, message));
    }
}

/// Links that news came over; its round counts from the first receiver on.
fn hops(scope: DeliveryScope) -> u8 {
    let DeliveryScope::Swarm(round) = scope else {
        return 1;
    };
    let text = format!("{round:?}");
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    digits
        .parse::<u8>()
        .map_or(u8::MAX, |round| round.saturating_add(1))
}
