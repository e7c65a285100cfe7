//! Dozens of nodes in one process on virtual time: one seed, one run.
//!
//! A [`World`] is a list of nodes with the shells they need: pipes with latency, a page that makes
//! data channels, a storage that survives restarts, and behind bridges a stand-in for the full
//! nodes ([`oracle`]). Nodes are the product's own, with real keys, handshakes and proofs; only
//! what carries their bytes is simulated. Every choice comes from the seed, and everything that is
//! delivered goes into [`World::trace`].

pub(crate) mod oracle;
mod page;
mod pipes;
mod seen;
mod talk;

use std::collections::BTreeMap;

use nano_core::{Block, Network, UnixMillis};
use nanonet::testing::TEST_TIME;
use nanonet::{
    Config, Event, Identity, Input, LinkId, Node, NodeKey, Output, RelayId, RelayState, Rng, Role,
    SessionId, StoreOp, StoredEntry,
};

use self::oracle::Oracle;

/// A node of the world, by its place.
pub(crate) type Place = usize;

/// Time the full nodes take.
const RESOLVE_MS: u64 = 60;
/// Time until a relayed block is confirmed.
const CONFIRM_MS: u64 = 400;

/// How the world differs from the usual.
#[derive(Clone)]
pub(crate) struct Rules {
    /// Links of a browser.
    pub(crate) max_links: u16,
    /// Holders of a record.
    pub(crate) replicas: u8,
    /// Whether the shells of browsers dial a bridge when their node asks for one.
    pub(crate) redial: bool,
    /// Bytes per millisecond of a pipe.
    pub(crate) bandwidth: u64,
    /// Whether bridges are everybody's anchors; else nobody has any.
    pub(crate) anchors: bool,
    /// Whether pages make data channels.
    pub(crate) channels: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            max_links: 6,
            replicas: 3,
            redial: true,
            bandwidth: 2_000,
            anchors: true,
            channels: true,
        }
    }
}

struct Pipe {
    to: Place,
    to_link: LinkId,
    session: Option<SessionId>,
    /// When the last message arrives: order is kept.
    busy_until: UnixMillis,
}

struct Member {
    node: Option<Node>,
    role: Role,
    identity: Vec<u8>,
    starts: u64,
    store: BTreeMap<String, StoredEntry>,
    pipes: BTreeMap<LinkId, Pipe>,
    /// Our session → the other end's, once it answered.
    sessions: BTreeMap<SessionId, Option<(Place, SessionId)>>,
    events: Vec<(UnixMillis, Event)>,
    last_request: u64,
}

enum Happening {
    Input(Place, u64, Box<Input>),
    /// A message arrives; a pipe that is gone swallows it.
    Arrive(Place, LinkId, Vec<u8>),
    Dial(Place, Place),
    Wake(Place),
}

/// Everything.
pub(crate) struct World {
    pub(crate) now: UnixMillis,
    pub(crate) rules: Rules,
    pub(crate) oracle: Oracle,
    pub(crate) resolves: u64,
    members: Vec<Member>,
    queue: BTreeMap<(UnixMillis, u64), Happening>,
    woken: BTreeMap<Place, UnixMillis>,
    counter: u64,
    seed: u64,
    trace: u64,
}

impl World {
    /// An empty world.
    pub(crate) fn new(seed: u64) -> Self {
        Self::with(seed, Rules::default())
    }

    /// An empty world with rules of its own.
    pub(crate) fn with(seed: u64, rules: Rules) -> Self {
        Self {
            now: TEST_TIME,
            rules,
            oracle: Oracle::new(),
            resolves: 0,
            members: Vec::new(),
            queue: BTreeMap::new(),
            woken: BTreeMap::new(),
            counter: 0,
            seed,
            trace: 0xcbf2_9ce4_8422_2325,
        }
    }

    /// A world with one bridge at place 0 and `browsers` browsers, run until they have meshed.
    pub(crate) fn meshed(seed: u64, browsers: usize) -> Self {
        let mut world = Self::new(seed);
        world.add(Role::Bridge);
        for _ in 0..browsers {
            let browser = world.add(Role::Browser);
            world.dial(browser, 0);
            world.run(150);
        }
        world.run(20_000);
        world
    }

    /// Adds a node and starts it.
    pub(crate) fn add(&mut self, role: Role) -> Place {
        let place = self.members.len();
        let mut rng = Rng::from_seed(self.seed_of(place, u64::MAX));
        let identity = Identity::generate(&mut rng);
        self.members.push(Member {
            node: None,
            role,
            identity: identity.to_bytes().to_vec(),
            starts: 0,
            store: BTreeMap::new(),
            pipes: BTreeMap::new(),
            sessions: BTreeMap::new(),
            events: Vec::new(),
            last_request: 0,
        });
        self.start(place);
        if role == Role::Bridge {
            self.tell_anchors();
        }
        place
    }

    /// The keys of all bridges, if they are anchors.
    fn anchors(&self) -> Vec<NodeKey> {
        let bridges = self
            .members
            .iter()
            .filter(|member| member.role == Role::Bridge && self.rules.anchors);
        bridges
            .map(|bridge| Identity::from_bytes(&bridge.identity).unwrap().node_key())
            .collect()
    }

    /// Tells everyone who the anchors are now.
    pub(crate) fn tell_anchors(&mut self) {
        for place in 0..self.members.len() {
            let anchors = self.anchors();
            self.input(place, Input::Anchors(anchors));
        }
    }

    /// Starts a node that is stopped: same identity, same storage.
    pub(crate) fn start(&mut self, place: Place) {
        self.members[place].starts += 1;
        let starts = self.members[place].starts;
        let seed = self.seed_of(place, starts);
        let weights = self.oracle.weights();
        let anchors = self.anchors();
        let member = &mut self.members[place];
        let mut config = match member.role {
            Role::Browser => Config::browser(Network::Dev, weights, anchors),
            Role::Bridge => Config::bridge(Network::Dev, weights, anchors),
        };
        config.replicas = self.rules.replicas;
        if member.role == Role::Browser {
            config.max_links = self.rules.max_links;
        }
        let identity = Identity::from_bytes(&member.identity).unwrap();
        member.node = Some(Node::new(config, identity, seed, self.now));
        let entries = member.store.values().cloned().collect();
        self.input(place, Input::Loaded { entries });
    }

    /// Gives a stopped node another place in the key space under its old key.
    pub(crate) fn new_nonce(&mut self, place: Place) {
        let identity = &mut self.members[place].identity;
        let nonce = identity.len() - 8;
        identity[nonce] ^= 1;
    }

    /// Stops a node without anybody being told: its pipes stay and swallow everything.
    pub(crate) fn freeze(&mut self, place: Place) {
        self.members[place].node = None;
        self.woken.remove(&place);
    }

    /// Stops a node without a farewell; its pipes break a latency later.
    pub(crate) fn stop(&mut self, place: Place) {
        let member = &mut self.members[place];
        member.node = None;
        member.sessions.clear();
        self.woken.remove(&place);
        for (_, pipe) in std::mem::take(&mut self.members[place].pipes) {
            let at = self.now.plus(self.latency(place, pipe.to));
            self.break_pipe(pipe.to, pipe.to_link, at);
        }
    }

    /// Lets `millis` pass.
    pub(crate) fn run(&mut self, millis: u64) {
        let until = self.now.plus(millis);
        while let Some((&(at, number), _)) = self.queue.first_key_value() {
            if at > until {
                break;
            }
            let happening = self.queue.remove(&(at, number)).unwrap();
            self.now = at;
            self.happen(happening);
        }
        self.now = until;
    }

    /// Lets time pass until `done`, at most `millis`; whether it was done.
    pub(crate) fn run_until(&mut self, millis: u64, mut done: impl FnMut(&Self) -> bool) -> bool {
        let until = self.now.plus(millis);
        while self.now < until {
            if done(self) {
                return true;
            }
            self.run(50);
        }
        done(self)
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Input(place, starts, input) => {
                if self.members[place].starts == starts {
                    self.feed(place, *input);
                }
            }
            Happening::Arrive(place, link, bytes) => {
                if self.members[place].pipes.contains_key(&link) {
                    self.feed(place, Input::LinkReceived { link, bytes });
                }
            }
            Happening::Dial(from, bridge) => self.connect(from, bridge),
            Happening::Wake(place) => {
                if self.woken.get(&place) == Some(&self.now) {
                    self.woken.remove(&place);
                    self.feed(place, Input::Timeout);
                }
            }
        }
    }

    fn feed(&mut self, place: Place, input: Input) {
        self.note(place, &input);
        if let Input::LinkClosed { link } = &input {
            self.members[place].pipes.remove(link);
        }
        let now = self.now;
        let Some(node) = self.members[place].node.as_mut() else {
            return;
        };
        node.handle_input(now, input);
        let outputs: Vec<Output> = std::iter::from_fn(|| node.poll_output()).collect();
        let next = node.next_timeout();
        for output in outputs {
            self.carry_out(place, output);
        }
        if let Some(at) = next {
            let at = at.max(now.plus(1));
            if self.woken.get(&place) != Some(&at) {
                self.woken.insert(place, at);
                self.later(at, Happening::Wake(place));
            }
        }
    }

    fn carry_out(&mut self, place: Place, output: Output) {
        match output {
            Output::Transmit { link, bytes } => self.transmit(place, link, bytes),
            Output::Close { link, .. } => self.close(place, link),
            Output::Store(StoreOp::Put { key, bytes }) => {
                let entry = StoredEntry { key, bytes };
                self.members[place].store.insert(key.to_text(), entry);
            }
            Output::Store(StoreOp::Remove { key }) => {
                self.members[place].store.remove(&key.to_text());
            }
            Output::Signal(op) => self.signal(place, op),
            Output::Resolve {
                request,
                account,
                held,
            } => {
                self.resolves += 1;
                let bridge = Identity::from_bytes(&self.members[place].identity).unwrap();
                let outcome = self.oracle.resolve(&bridge, self.now, &account, held);
                self.soon(place, RESOLVE_MS, Input::Resolved { request, outcome });
            }
            Output::Relay { request, block } => self.relay(place, request, *block),
            Output::Event(event) => {
                if matches!(event, Event::NeedBridge) && self.rules.redial {
                    self.redial(place);
                }
                let now = self.now;
                self.members[place].events.push((now, event));
            }
        }
    }

    fn relay(&mut self, place: Place, request: RelayId, block: Block) {
        let account = block.account().unwrap();
        let state = match self.oracle.apply(block) {
            Ok(()) => RelayState::Accepted { full_nodes: 2 },
            Err(_) if let Some(winner) = self.oracle.in_place_of(&block) => {
                RelayState::Superseded { winner }
            }
            Err(refusal) => RelayState::Refused(refusal),
        };
        self.soon(place, 20, Input::RelayProgress { request, state });
        if matches!(state, RelayState::Accepted { .. }) {
            let state = RelayState::Confirmed;
            self.soon(place, CONFIRM_MS, Input::RelayProgress { request, state });
            let record = Box::new(self.oracle.record(&account, None).unwrap());
            let receivable = self.oracle.receivable_of_frontier(&account).map(Box::new);
            self.soon(place, CONFIRM_MS, Input::Confirmed { record, receivable });
        }
    }

    fn soon(&mut self, place: Place, millis: u64, input: Input) {
        let starts = self.members[place].starts;
        self.later(
            self.now.plus(millis),
            Happening::Input(place, starts, Box::new(input)),
        );
    }

    fn later(&mut self, at: UnixMillis, happening: Happening) {
        self.counter += 1;
        self.queue.insert((at, self.counter), happening);
    }

    /// One-way latency between two nodes, 5 to 40 ms, the same in both directions.
    fn latency(&self, a: Place, b: Place) -> u64 {
        let (low, high) = (a.min(b) as u64, a.max(b) as u64);
        let mut rng = Rng::from_seed(self.seed_of(0, 1_000_000 + low * 10_000 + high));
        5 + u64::from(rng.below(36))
    }

    fn seed_of(&self, place: Place, what: u64) -> [u8; 32] {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.seed.to_be_bytes());
        seed[8..16].copy_from_slice(&(place as u64).to_be_bytes());
        seed[16..24].copy_from_slice(&what.to_be_bytes());
        seed
    }

    fn note(&mut self, place: Place, input: &Input) {
        let mut mix = |bytes: &[u8]| {
            for byte in bytes {
                self.trace = (self.trace ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
            }
        };
        mix(&self.now.0.to_be_bytes());
        mix(&(place as u64).to_be_bytes());
        match input {
            Input::LinkReceived { link, bytes } => {
                mix(&link.0.to_be_bytes());
                mix(bytes);
            }
            other => mix(format!("{other:?}").as_bytes()),
        }
    }
}
