//! Nodes in one process on virtual time: one seed, one run.
//!
//! A [`World`] is a list of nodes with the shells they need: pipes with latency, a page that makes
//! data channels, a storage that survives restarts, and behind bridges a stand-in for the full
//! nodes ([`crate::ledger`]). Nodes are the product's own; with [`nanonet::Noise`] also keys,
//! handshakes and proofs are, with [`crate::open::Open`] links are not encrypted. Every
//! choice comes from the seed, and everything that is delivered goes into [`World::trace`].

mod faults;
mod geography;
mod page;
mod pipes;
mod queue;
mod seen;
mod settled;
mod shell;
mod talk;
mod trace;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;

use nano_core::{Account, Difficulty, Network, UnixMillis};
use nanonet::gossip::{GossipFigures, NewsId};
use nanonet::testing::TEST_TIME;
use nanonet::{
    Channel, Config, Event, Identity, Input, LinkId, Node, NodeId, NodeKey, Output, Point, Rng,
    Role, SessionId, SignalOp, StoredEntry,
};
use nanonet::{Crypto, Noise};

pub use self::faults::Faults;
pub use self::geography::{Geography, Home, LONGEST_MS, Nat, SHORTEST_MS};
use self::pipes::Pipes;
use self::queue::Queue;
pub use self::settled::Settles;
use self::trace::Trace;
use crate::ledger::{Ledger, Voters};

/// Bridges that are anchors, where bridges are.
const ANCHORS: usize = 5;

/// A node of the world, by its place.
pub type Place = usize;

/// How the world differs from the usual.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Links of a browser.
    pub max_links: u16,
    /// Holders of a record.
    pub replicas: u8,
    /// Whether the shells of browsers dial a bridge when their node asks for one.
    pub redial: bool,
    /// Bytes per millisecond of a pipe.
    pub bandwidth: u64,
    /// Whether bridges are everybody's anchors; else nobody has any.
    pub anchors: bool,
    /// Whether pages make data channels.
    pub channels: bool,
    /// Where nodes are.
    pub geography: Geography,
    /// Of a million messages, how many are lost on the way: on an ordered channel the transport sends
    /// them again, on an unordered one they are gone.
    pub loss_ppm: u32,
    /// Whether data channels between browsers come with an unordered one.
    pub unordered: bool,
    /// How many milliseconds longer a message of an unordered channel takes at most; each as chance
    /// will have it, so that they overtake each other.
    pub jitter_ms: u32,
    /// Of a million messages of unordered channels, how many arrive twice.
    pub repeat_ppm: u32,
    /// Whether everything that nodes tell their shells is kept; answers always are.
    pub keep_events: bool,
    /// Whether shells keep what nodes store. If not, who stored which account, and who stopped, is
    /// noted instead ([`World::moves`]).
    pub keep_stores: bool,
    /// Whether transports report what they have taken; links that are not encrypted need no word.
    pub report_written: bool,
    /// Whether messages are counted by what they are, where links are not encrypted.
    pub count_kinds: bool,
    /// What the work of an id must reach; the default is that nothing must be.
    pub join_threshold: Difficulty,
    /// How long it takes until the other end of a pipe notices that a node has gone without a word.
    pub notice_ms: u64,
    /// Whether bridges see each node come from a network of its own.
    pub addressed: bool,
    /// How old the weights are at the start.
    pub weights_age_ms: u64,
    /// Which representatives vote at the start.
    pub voters: Voters,
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
            geography: Geography::Near,
            loss_ppm: 0,
            unordered: true,
            jitter_ms: 0,
            repeat_ppm: 0,
            keep_events: true,
            keep_stores: true,
            report_written: true,
            count_kinds: false,
            join_threshold: nanonet::join_threshold(Network::Dev),
            notice_ms: 0,
            addressed: false,
            weights_age_ms: 0,
            voters: Voters::All,
        }
    }
}

struct Member<C: Crypto> {
    node: Option<Box<Node<C>>>,
    role: Role,
    home: Home,
    identity: Box<[u8]>,
    starts: u32,
    /// When it is woken next.
    woken: Option<UnixMillis>,
    links: Vec<LinkId>,
    store: BTreeMap<String, StoredEntry>,
    /// Our session → the other end's, once it answered.
    sessions: BTreeMap<SessionId, Option<(Place, SessionId)>>,
    events: Vec<(UnixMillis, Event)>,
    last_request: u64,
}

/// Makes the node at a place misbehave, or not; whether it is deaf to questions.
pub type Corrupt<C> = Box<dyn Fn(Place, &mut Node<C>) -> bool>;

enum Happening {
    Input(Place, u32, Box<Input>),
    /// A message arrives; a pipe that is gone swallows it.
    Arrive(Place, LinkId, Channel, Box<[u8]>),
    Dial(Place, Place),
    Wake(Place, u32),
}

/// What a node answered to its shell.
#[derive(Debug, Clone)]
pub struct Answered {
    /// When.
    pub at: UnixMillis,
    /// Which node.
    pub place: Place,
    /// What.
    pub event: Event,
}

/// News that a node told its shell.
#[derive(Debug, Clone, Copy)]
pub struct Heard {
    /// When.
    pub at: UnixMillis,
    /// Which node.
    pub place: Place,
    /// What.
    pub id: NewsId,
    /// Links it came over.
    pub hops: u8,
}

/// What became of a record at a node, where stores are not kept.
#[derive(Debug, Clone, Copy)]
pub struct Moved {
    /// When.
    pub at: UnixMillis,
    /// Which node.
    pub place: Place,
    /// What.
    pub what: Move,
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// It is stored now, or stored anew.
    Kept(Account),
    /// It was given up.
    Dropped(Account),
    /// The node stopped, with all it held.
    Stopped,
}

/// Everything.
pub struct World<C: Crypto = Noise> {
    /// The time.
    pub now: UnixMillis,
    /// How it differs from the usual.
    pub rules: Rules,
    /// What the full nodes know.
    pub ledger: Ledger,
    /// How often full nodes were asked.
    pub resolves: u64,
    /// Searches for join work that were done; each takes no time.
    pub works_found: u64,
    /// Nodes whose shells find no join work.
    pub idle: BTreeSet<Place>,
    /// Addresses that bridges see nodes come from, where they see one.
    pub addresses: BTreeMap<Place, IpAddr>,
    /// When bridges learned last of accounts.
    confirmed_at: BTreeMap<Account, UnixMillis>,
    /// Nodes whose shells let no question of others through, and acknowledge none.
    pub deaf: BTreeSet<Place>,
    /// What is done to each node before it starts.
    pub corrupt: Option<Corrupt<C>>,
    /// Offers of links and dials that nodes made while they were handed a question.
    pub dialled_by_questions: u64,
    /// Bridges whose full nodes know of no account.
    pub behind: BTreeSet<Place>,
    /// What is broken or hostile outside of nodes.
    pub faults: Faults,
    /// Data channels made.
    pub channels_made: u64,
    /// Messages and bytes by what they were, where [`Rules::count_kinds`] wants it.
    pub kinds: BTreeMap<&'static str, (u64, u64)>,
    /// Messages delivered.
    pub delivered: u64,
    /// Bytes delivered.
    pub delivered_bytes: u64,
    /// Answers nobody has taken yet, in order.
    pub answers: VecDeque<Answered>,
    /// Private messages that came, and what senders were told of theirs, that nobody has taken yet.
    pub letters: Vec<Answered>,
    /// News nobody has taken yet, in order.
    pub news: Vec<Heard>,
    /// Records that moved and nobody has taken note of yet, in order.
    pub moves: Vec<Moved>,
    /// What nodes that are gone have sent to keep replicas.
    repair_gone: u64,
    /// What nodes that are gone have counted of gossip.
    gossip_gone: GossipFigures,
    members: Vec<Member<C>>,
    bridges: Vec<Place>,
    bridge_keys: Vec<NodeKey>,
    queue: Queue<Happening>,
    pipes: Pipes,
    seed: u64,
    chance: Rng,
    trace: Trace,
}

impl<C: Crypto> World<C> {
    /// An empty world.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::with(seed, Rules::default())
    }

    /// An empty world with rules of its own.
    #[must_use]
    pub fn with(seed: u64, rules: Rules) -> Self {
        let ledger = Ledger::with(rules.voters, rules.weights_age_ms);
        Self {
            now: TEST_TIME,
            rules,
            ledger,
            resolves: 0,
            works_found: 0,
            idle: BTreeSet::new(),
            addresses: BTreeMap::new(),
            confirmed_at: BTreeMap::new(),
            deaf: BTreeSet::new(),
            corrupt: None,
            dialled_by_questions: 0,
            behind: BTreeSet::new(),
            faults: Faults::default(),
            channels_made: 0,
            kinds: BTreeMap::new(),
            delivered: 0,
            delivered_bytes: 0,
            answers: VecDeque::new(),
            letters: Vec::new(),
            news: Vec::new(),
            moves: Vec::new(),
            repair_gone: 0,
            gossip_gone: GossipFigures::default(),
            members: Vec::new(),
            bridges: Vec::new(),
            bridge_keys: Vec::new(),
            queue: Queue::new(TEST_TIME),
            pipes: Pipes::default(),
            seed,
            chance: Rng::from_seed(seed_of(seed, Place::MAX, 1)),
            trace: Trace::new(),
        }
    }

    /// A world with one bridge at place 0 and `browsers` browsers, run until they have meshed.
    #[must_use]
    pub fn meshed(seed: u64, browsers: usize) -> Self {
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
    pub fn add(&mut self, role: Role) -> Place {
        self.add_where(role, |_| true)
    }

    /// The same with an id that shares at least `bits` leading bits with `point`.
    pub fn add_near(&mut self, role: Role, point: &Point, bits: u16) -> Place {
        self.add_where(role, |id| point.distance(&id.point()).shared_bits() >= bits)
    }

    fn add_where(&mut self, role: Role, wanted: impl Fn(&NodeId) -> bool) -> Place {
        let mut rng = self.chance_of(self.members.len());
        let mut identity = Identity::generate(&mut rng);
        while !wanted(&identity.node_id()) {
            identity = Identity::generate(&mut rng);
        }
        let place = self.place_as(role, identity, rng);
        self.begin(place)
    }

    /// A new node's first start.
    fn begin(&mut self, place: Place) -> Place {
        self.start(place);
        if self.members[place].role == Role::Bridge {
            self.tell_anchors();
        }
        place
    }

    /// What decides who a new node is and where it lives.
    fn chance_of(&self, place: Place) -> Rng {
        Rng::from_seed(seed_of(self.seed, place, u64::MAX))
    }

    /// A place for a node that is not started yet.
    fn place_as(&mut self, role: Role, identity: Identity, mut rng: Rng) -> Place {
        let place = self.members.len();
        if self.rules.addressed {
            self.addresses.insert(place, faults::own_address(place));
        }
        let node_key = identity.node_key();
        self.members.push(Member {
            node: None,
            role,
            home: Home::draw(&mut rng),
            identity: identity.to_bytes().to_vec().into(),
            starts: 0,
            woken: None,
            links: Vec::new(),
            store: BTreeMap::new(),
            sessions: BTreeMap::new(),
            events: Vec::new(),
            last_request: 0,
        });
        if role == Role::Bridge {
            self.bridges.push(place);
            self.bridge_keys.push(node_key);
        }
        place
    }

    /// Tells everyone who the anchors are now.
    pub fn tell_anchors(&mut self) {
        for place in 0..self.members.len() {
            let anchors = self.anchors();
            self.input(place, Input::Anchors(anchors));
        }
    }

    /// The keys of all bridges, if they are anchors.
    pub fn anchors(&self) -> Vec<NodeKey> {
        if self.rules.anchors {
            let keys = self.bridge_keys.iter().take(ANCHORS);
            let anchors = keys.filter(|key| !self.faults.strangers.contains(key));
            anchors.copied().collect()
        } else {
            Vec::new()
        }
    }

    /// Starts a node that is stopped: same identity, same storage.
    pub fn start(&mut self, place: Place) {
        self.build_node(place);
        let entries = self.members[place].store.values().cloned().collect();
        self.input(place, Input::Loaded { entries });
    }

    /// Puts a node in its place, which has not been told anything yet.
    fn build_node(&mut self, place: Place) {
        let Ok(identity) = Identity::from_bytes(&self.members[place].identity) else {
            return;
        };
        self.members[place].starts += 1;
        let starts = self.members[place].starts;
        let seed = seed_of(self.seed, place, u64::from(starts));
        let (weights, anchors) = (self.ledger.weights(), self.anchors());
        let member = &mut self.members[place];
        let mut config = match member.role {
            Role::Browser => Config::browser(Network::Dev, weights, anchors),
            Role::Bridge => Config::bridge(Network::Dev, weights, anchors),
        };
        config.replicas = self.rules.replicas;
        config.join_threshold = self.rules.join_threshold;
        config.durable = self.rules.keep_stores;
        if member.role == Role::Browser {
            config.max_links = self.rules.max_links;
        }
        let mut node = Box::new(Node::new(config, identity, seed, self.now));
        if let Some(corrupt) = &self.corrupt
            && corrupt(place, &mut node)
        {
            self.deaf.insert(place);
        }
        member.node = Some(node);
    }

    /// Gives a stopped node another place in the key space under its old key.
    pub fn new_nonce(&mut self, place: Place) {
        let identity = &mut self.members[place].identity;
        let nonce = identity.len() - 8;
        identity[nonce] ^= 1;
    }

    /// Stops a node without anybody being told: its pipes stay and swallow everything.
    pub fn freeze(&mut self, place: Place) {
        if let Some(node) = &self.members[place].node {
            self.gossip_gone.add(&node.gossip());
            self.repair_gone += node.repair_bytes();
            if !self.rules.keep_stores {
                let (at, what) = (self.now, Move::Stopped);
                self.moves.push(Moved { at, place, what });
            }
        }
        self.members[place].node = None;
        self.members[place].woken = None;
    }

    /// Stops a node without a farewell; its pipes break after [`Rules::notice_ms`].
    pub fn stop(&mut self, place: Place) {
        self.freeze(place);
        self.members[place].sessions.clear();
        for link in std::mem::take(&mut self.members[place].links) {
            if let Some(pipe) = self.pipes.close(link) {
                let wait = self.latency(place, pipe.to) + self.rules.notice_ms;
                self.break_pipe(pipe.to, pipe.to_link, self.now.plus(wait));
            }
        }
    }

    /// Lets `millis` pass.
    pub fn run(&mut self, millis: u64) {
        let until = self.now.plus(millis);
        while let Some((at, happening)) = self.queue.pop(until) {
            self.now = at;
            self.happen(happening);
        }
        self.now = until;
    }

    /// Lets time pass until `done`, at most `millis`; whether it was done.
    pub fn run_until(&mut self, millis: u64, mut done: impl FnMut(&Self) -> bool) -> bool {
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
            Happening::Arrive(place, link, channel, bytes) => {
                if self.pipes.is_open(link) && !self.is_deaf_to(place, channel, &bytes) {
                    self.delivered += 1;
                    self.delivered_bytes += bytes.len() as u64;
                    self.trace.deliver(self.now, place, link, &bytes);
                    if self.rules.count_kinds {
                        let kind = self
                            .kinds
                            .entry(crate::open::kind_of(channel, &bytes))
                            .or_default();
                        *kind = (kind.0 + 1, kind.1 + bytes.len() as u64);
                    }
                    let bytes = bytes.into_vec();
                    let input = Input::LinkReceived {
                        link,
                        channel,
                        bytes,
                    };
                    self.hand(place, input);
                }
            }
            Happening::Dial(from, bridge) => self.connect(from, bridge),
            Happening::Wake(place, starts) => {
                let member = &mut self.members[place];
                if member.starts == starts && member.woken == Some(self.now) {
                    member.woken = None;
                    self.trace.wake(self.now, place);
                    self.hand(place, Input::Timeout);
                }
            }
        }
    }

    fn is_deaf_to(&self, place: Place, channel: Channel, bytes: &[u8]) -> bool {
        !self.deaf.is_empty()
            && self.deaf.contains(&place)
            && crate::open::kind_of(channel, bytes) == "get"
    }

    fn feed(&mut self, place: Place, input: Input) {
        self.trace.input(self.now, place, &input);
        if let Input::LinkClosed { link } = &input {
            self.drop_pipe(place, *link);
        }
        self.hand(place, input);
    }

    fn hand(&mut self, place: Place, input: Input) {
        let now = self.now;
        let Some(mut node) = self.members[place].node.take() else {
            return;
        };
        let asked = matches!(input, Input::Get { .. });
        node.handle_input(now, input);
        while let Some(output) = node.poll_output() {
            if asked && opens_a_link(&output) {
                self.dialled_by_questions += 1;
            }
            self.carry_out(place, output);
        }
        self.members[place].node = Some(node);
        self.wake_first(place);
    }

    /// Sees to it that a node is woken when it wants to be.
    fn wake_first(&mut self, place: Place) {
        let now = self.now;
        let member = &mut self.members[place];
        let next = member.node.as_ref().and_then(|node| node.next_timeout());
        if let Some(at) = next {
            let at = at.max(now.plus(1));
            if member.woken.is_none_or(|woken| at < woken) {
                member.woken = Some(at);
                let wake = Happening::Wake(place, member.starts);
                self.queue.push(at, wake);
            }
        }
    }

    /// One-way latency between two nodes, the same in both directions.
    fn latency(&self, a: Place, b: Place) -> u64 {
        match self.rules.geography {
            Geography::World => self.members[a].home.latency(&self.members[b].home),
            Geography::Near => {
                let (low, high) = (a.min(b) as u64, a.max(b) as u64);
                let mut rng =
                    Rng::from_seed(seed_of(self.seed, 0, 1_000_000 + low * 10_000 + high));
                5 + u64::from(rng.below(36))
            }
        }
    }
}

/// Whether a node wants a link that it does not have.
const fn opens_a_link(output: &Output) -> bool {
    matches!(
        output,
        Output::Signal(SignalOp::CreateOffer { .. }) | Output::Event(Event::NeedBridge { .. })
    )
}

/// The seed for one purpose of one node.
fn seed_of(seed: u64, place: Place, what: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_be_bytes());
    bytes[8..16].copy_from_slice(&(place as u64).to_be_bytes());
    bytes[16..24].copy_from_slice(&what.to_be_bytes());
    bytes
}
