//! Dozens of nodes in one process on virtual time: one seed, one run.
//!
//! A [`World`] is a list of nodes with the shells they need: pipes with latency, a page that makes
//! data channels, a storage that survives restarts, and behind bridges a stand-in for the full
//! nodes ([`oracle`]). Nodes are the product's own, with real keys, handshakes and proofs; only
//! what carries their bytes is simulated. Every choice comes from the seed, and everything that is
//! delivered goes into [`World::trace`].

pub(crate) mod oracle;

use std::collections::{BTreeMap, BTreeSet};

use nano_core::{Account, Block, BlockHash, Network, UnixMillis};
use nanonet::testing::TEST_TIME;
use nanonet::{
    AccountAnswer, CloseReason, Config, Event, GetError, GetOptions, Identity, Input, LinkId,
    LinkOrigin, Node, NodeId, NodeState, Output, PublishState, RelayState, RequestId,
    ResolveOutcome, Rng, Role, SessionId, SignalOp, Status, StoreKey, StoreOp, StoredEntry,
    Transport,
};

use self::oracle::Oracle;

/// A node of the world, by its place.
pub(crate) type Place = usize;

/// Time the page takes for a description.
const DESCRIBE_MS: u64 = 5;
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
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            max_links: 6,
            replicas: 3,
            redial: true,
            bandwidth: 2_000,
        }
    }
}

struct Pipe {
    to: Place,
    to_link: LinkId,
    session: Option<SessionId>,
    /// When the last message arrives: order is kept.
    busy_until: UnixMillis,
    bytes: u64,
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
    Input(Place, u64, Input),
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
        place
    }

    /// Starts a node that is stopped: same identity, same storage.
    pub(crate) fn start(&mut self, place: Place) {
        self.members[place].starts += 1;
        let starts = self.members[place].starts;
        let seed = self.seed_of(place, starts);
        let weights = self.oracle.weights();
        let member = &mut self.members[place];
        let mut config = match member.role {
            Role::Browser => Config::browser(Network::Dev, weights, Vec::new()),
            Role::Bridge => Config::bridge(Network::Dev, weights, Vec::new()),
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

    /// Whether a node runs.
    pub(crate) fn runs(&self, place: Place) -> bool {
        self.members[place].node.is_some()
    }

    /// Opens a WebSocket (browser) or TCP connection (bridge) to a bridge.
    pub(crate) fn dial(&mut self, from: Place, bridge: Place) {
        let at = self.now.plus(self.latency(from, bridge));
        self.later(at, Happening::Dial(from, bridge));
    }

    /// Breaks the pipe between two nodes, if there is one.
    pub(crate) fn cut(&mut self, a: Place, b: Place) {
        let Some((link, other)) = self.members[a]
            .pipes
            .iter()
            .find(|(_, pipe)| pipe.to == b)
            .map(|(link, pipe)| (*link, pipe.to_link))
        else {
            return;
        };
        self.members[a].pipes.remove(&link);
        self.input(a, Input::LinkClosed { link });
        self.break_pipe(b, other, self.now);
    }

    /// The node at a place.
    pub(crate) fn node(&self, place: Place) -> &Node {
        self.members[place].node.as_ref().unwrap()
    }

    /// Its status.
    pub(crate) fn status(&self, place: Place) -> Status {
        self.node(place).status()
    }

    /// Its id.
    pub(crate) fn id(&self, place: Place) -> NodeId {
        self.node(place).id()
    }

    /// The place of a node.
    pub(crate) fn place_of(&self, id: NodeId) -> Option<Place> {
        (0..self.members.len()).find(|place| self.runs(*place) && self.id(*place) == id)
    }

    /// Browsers that run.
    pub(crate) fn browsers(&self) -> Vec<Place> {
        (0..self.members.len())
            .filter(|place| self.runs(*place) && self.members[*place].role == Role::Browser)
            .collect()
    }

    /// Accounts that a node has in storage.
    pub(crate) fn stored_accounts(&self, place: Place) -> BTreeSet<Account> {
        let keys = self.members[place].store.values().map(|entry| entry.key);
        keys.filter_map(|key| match key {
            StoreKey::Account(account) => Some(account),
            _ => None,
        })
        .collect()
    }

    /// Own blocks that a node has in storage.
    pub(crate) fn stored_pending(&self, place: Place) -> Vec<BlockHash> {
        let keys = self.members[place].store.values().map(|entry| entry.key);
        keys.filter_map(|key| match key {
            StoreKey::Pending(hash) => Some(hash),
            _ => None,
        })
        .collect()
    }

    /// Browsers that hold an account.
    pub(crate) fn holders(&self, account: &Account) -> Vec<Place> {
        let mut places = self.browsers();
        places.retain(|place| self.stored_accounts(*place).contains(account));
        places
    }

    /// What a node told its shell.
    pub(crate) fn events(&self, place: Place) -> impl Iterator<Item = &Event> {
        self.members[place].events.iter().map(|(_, event)| event)
    }

    /// Hands something to a node now.
    pub(crate) fn input(&mut self, place: Place, input: Input) {
        let starts = self.members[place].starts;
        self.happen(Happening::Input(place, starts, input));
    }

    /// Asks a node and runs until it answers.
    pub(crate) fn get(
        &mut self,
        place: Place,
        account: Account,
        options: GetOptions,
    ) -> Result<AccountAnswer, GetError> {
        let request = self.ask(place, account, options);
        self.answer_to(place, request)
    }

    /// Asks a node.
    pub(crate) fn ask(&mut self, place: Place, account: Account, options: GetOptions) -> RequestId {
        let member = &mut self.members[place];
        member.last_request += 1;
        let request = RequestId(member.last_request);
        self.input(
            place,
            Input::Get {
                request,
                account,
                options,
            },
        );
        request
    }

    /// Runs until a node answers.
    pub(crate) fn answer_to(
        &mut self,
        place: Place,
        asked: RequestId,
    ) -> Result<AccountAnswer, GetError> {
        let until = self.now.plus(70_000);
        loop {
            let answer = self.events(place).find_map(|event| match event {
                Event::Answer { request, result } if *request == asked => Some(result.clone()),
                _ => None,
            });
            if let Some(answer) = answer {
                return answer.map(|answer| *answer);
            }
            assert!(self.now < until, "every question is answered");
            self.run(10);
        }
    }

    /// Publishes a block.
    pub(crate) fn publish(&mut self, place: Place, block: Block) -> BlockHash {
        let member = &mut self.members[place];
        member.last_request += 1;
        let request = RequestId(member.last_request);
        let hash = block.hash();
        let block = Box::new(block);
        self.input(place, Input::Publish { request, block });
        hash
    }

    /// What was told about a published block.
    pub(crate) fn publish_states(&self, place: Place, of: BlockHash) -> Vec<PublishState> {
        self.events(place)
            .filter_map(|event| match event {
                Event::Publish { hash, state, .. } if *hash == of => Some(*state),
                _ => None,
            })
            .collect()
    }

    /// Lets bridge `place` learn of an account from the full nodes' live stream.
    pub(crate) fn confirm(&mut self, bridge: Place, account: Account) {
        let record = Box::new(self.oracle.record(&account, None).unwrap());
        let receivable = self.oracle.receivable_of_frontier(&account).map(Box::new);
        self.input(bridge, Input::Confirmed { record, receivable });
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

    /// A number over everything that was delivered, in order.
    pub(crate) fn trace(&self) -> u64 {
        self.trace
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Input(place, starts, input) => {
                if self.members[place].starts == starts {
                    self.feed(place, input);
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

    fn connect(&mut self, from: Place, bridge: Place) {
        if !self.runs(from) {
            return;
        }
        if !self.runs(bridge) {
            // Refused: the shell tries again when it is asked again.
            return;
        }
        let transport = match self.members[from].role {
            Role::Browser => Transport::WebSocket,
            Role::Bridge => Transport::Tcp,
        };
        let (a, b) = self.pipe(from, bridge, None, None);
        self.open(bridge, b, LinkOrigin::Accepted, transport);
        self.open(from, a, LinkOrigin::Dialled, transport);
    }

    fn pipe(
        &mut self,
        a: Place,
        b: Place,
        a_session: Option<SessionId>,
        b_session: Option<SessionId>,
    ) -> (LinkId, LinkId) {
        self.counter += 2;
        let (a_link, b_link) = (LinkId(self.counter), LinkId(self.counter + 1));
        let pipe = |to, to_link, session| Pipe {
            to,
            to_link,
            session,
            busy_until: UnixMillis(0),
            bytes: 0,
        };
        self.members[a]
            .pipes
            .insert(a_link, pipe(b, b_link, a_session));
        self.members[b]
            .pipes
            .insert(b_link, pipe(a, a_link, b_session));
        (a_link, b_link)
    }

    fn open(&mut self, place: Place, link: LinkId, origin: LinkOrigin, transport: Transport) {
        self.input(
            place,
            Input::LinkOpened {
                link,
                origin,
                transport,
            },
        );
    }

    fn break_pipe(&mut self, place: Place, link: LinkId, at: UnixMillis) {
        let starts = self.members[place].starts;
        let input = Input::LinkClosed { link };
        self.later(at, Happening::Input(place, starts, input));
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

    fn redial(&mut self, place: Place) {
        let bridges: Vec<Place> = (0..self.members.len())
            .filter(|other| self.members[*other].role == Role::Bridge)
            .collect();
        for bridge in bridges {
            let linked = self.members[place]
                .pipes
                .values()
                .any(|pipe| pipe.to == bridge);
            if !linked {
                self.dial(place, bridge);
            }
        }
    }

    fn relay(&mut self, place: Place, request: nanonet::RelayId, block: Block) {
        let account = block.account().unwrap();
        let state = match self.oracle.apply(block) {
            Ok(()) => RelayState::Accepted { full_nodes: 2 },
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

    fn transmit(&mut self, place: Place, link: LinkId, bytes: Vec<u8>) {
        let Some((to, bytes_per_ms)) = self.members[place]
            .pipes
            .get(&link)
            .map(|pipe| (pipe.to, self.rules.bandwidth))
        else {
            return;
        };
        let latency = self.latency(place, to);
        let now = self.now;
        let length = u64::try_from(bytes.len()).unwrap();
        let pipe = self.members[place].pipes.get_mut(&link).unwrap();
        let sent = pipe.busy_until.max(now).plus(length / bytes_per_ms);
        pipe.busy_until = sent;
        pipe.bytes += length;
        let to_link = pipe.to_link;
        let written = Input::LinkWritten {
            link,
            bytes: u32::try_from(length).unwrap(),
        };
        let starts = self.members[place].starts;
        self.later(sent.plus(1), Happening::Input(place, starts, written));
        self.later(sent.plus(latency), Happening::Arrive(to, to_link, bytes));
    }

    fn close(&mut self, place: Place, link: LinkId) {
        if let Some(pipe) = self.members[place].pipes.remove(&link) {
            let at = pipe
                .busy_until
                .max(self.now)
                .plus(self.latency(place, pipe.to));
            self.break_pipe(pipe.to, pipe.to_link, at);
        }
    }

    /// The page: descriptions name place and session, so both ends find each other.
    fn signal(&mut self, place: Place, op: SignalOp) {
        match op {
            SignalOp::CreateOffer { session } => {
                self.members[place].sessions.insert(session, None);
                self.describe(place, session);
            }
            SignalOp::AcceptOffer { session, sdp } => {
                let other = self.parse(&sdp);
                self.members[place].sessions.insert(session, Some(other));
                self.describe(place, session);
            }
            SignalOp::AcceptAnswer { session, sdp } => {
                let (other, theirs) = self.parse(&sdp);
                let agreed =
                    self.members[other].sessions.get(&theirs) == Some(&Some((place, session)));
                if !agreed {
                    return;
                }
                self.members[place]
                    .sessions
                    .insert(session, Some((other, theirs)));
                let (a, b) = self.pipe(place, other, Some(session), Some(theirs));
                let at = self.latency(place, other) * 3;
                let transport = Transport::DataChannel;
                let offerer = |session, offerer| LinkOrigin::Signaled { session, offerer };
                let ours = Input::LinkOpened {
                    link: a,
                    origin: offerer(session, true),
                    transport,
                };
                let theirs = Input::LinkOpened {
                    link: b,
                    origin: offerer(theirs, false),
                    transport,
                };
                self.soon(other, at, theirs);
                self.soon(place, at, ours);
            }
            SignalOp::AddCandidate { .. } => {}
            SignalOp::Abandon { session } => {
                self.members[place].sessions.remove(&session);
                let link = self.members[place]
                    .pipes
                    .iter()
                    .find(|(_, pipe)| pipe.session == Some(session))
                    .map(|(link, _)| *link);
                if let Some(link) = link {
                    self.close(place, link);
                }
            }
        }
    }

    fn describe(&mut self, place: Place, session: SessionId) {
        let sdp = format!("{place} {}", session.0);
        let candidate = format!("candidate of {sdp}");
        self.soon(place, DESCRIBE_MS, Input::LocalDescription { session, sdp });
        self.soon(
            place,
            DESCRIBE_MS * 2,
            Input::LocalCandidate { session, candidate },
        );
    }

    fn parse(&self, sdp: &str) -> (Place, SessionId) {
        let (place, session) = sdp.split_once(' ').unwrap();
        (place.parse().unwrap(), SessionId(session.parse().unwrap()))
    }

    fn soon(&mut self, place: Place, millis: u64, input: Input) {
        let starts = self.members[place].starts;
        self.later(
            self.now.plus(millis),
            Happening::Input(place, starts, input),
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

/// Bytes that went over the pipes of a node.
impl World {
    /// Bytes a node has sent over pipes that still stand.
    pub(crate) fn bytes_sent(&self, place: Place) -> u64 {
        self.members[place]
            .pipes
            .values()
            .map(|pipe| pipe.bytes)
            .sum()
    }

    /// Whether a node says it has meshed.
    pub(crate) fn is_meshed(&self, place: Place) -> bool {
        self.status(place).state == NodeState::Meshed
    }

    /// How often a node dropped peers for a reason.
    pub(crate) fn drops(&self, place: Place, reason: CloseReason) -> u64 {
        let dropped = self.status(place).dropped;
        dropped.get(reason.code()).copied().unwrap_or(0)
    }
}

/// What a bridge makes of an account nobody opened.
pub(crate) fn is_unopened(outcome: &ResolveOutcome) -> bool {
    matches!(outcome, ResolveOutcome::Unopened { .. })
}
