//! The world: who is there, and what is on its way.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use nano_core::{BlockHash, Network, PublicKey, Raw, UnixMillis, WorkNonce};
use nanonet::notify::{
    Ask, Bug, Caller, Change, Directory, Keeper, Limits, MAX_TTL_S, Output, Payment, RecipientKey,
    RecipientSecret, RelayAddress, Reply, SendState, Settings, StoreFault, TagKind, Ticket, Wallet,
    WalletKey, WalletOutput,
};
use nanonet::testing::TEST_TIME;
use nanonet::{Addresses, Identity, NodeId, NodeKey, PeerRecord, Rng, Role};

use super::check::Checker;

/// How long somebody waits for an answer.
const PATIENCE_MS: u64 = 5_000;

/// How the world is.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// Bridges, a half of which are anchors.
    pub bridges: usize,
    /// Wallets.
    pub browsers: usize,
    /// Bounds of a bridge.
    pub limits: Limits,
    /// Which run.
    pub seed: u64,
    /// A fault planted in every machine.
    pub plant: Option<Bug>,
}

/// A bridge and its disk.
pub struct Bridge {
    /// The store, while its process runs.
    pub keeper: Option<Keeper>,
    /// Whether it will never come back.
    pub lost: bool,
    /// Until when its disk takes nothing.
    pub disk_full_until: UnixMillis,
    /// Its bounds.
    pub limits: Limits,
    identity: Vec<u8>,
    record: PeerRecord,
    disk: BTreeMap<RelayAddress, Vec<u8>>,
    directory: Option<Directory>,
    runs: u64,
    wakes: Option<UnixMillis>,
}

/// A wallet and what it keeps.
pub struct Browser {
    /// The wallet, while its tab is open.
    pub wallet: Option<Wallet>,
    /// Its recipient key.
    pub key: RecipientKey,
    /// Up to when its seed alone is left at the next visit.
    pub forgets: bool,
    seed: [u8; 32],
    id: NodeId,
    kept: BTreeMap<WalletKey, Vec<u8>>,
    runs: u64,
    wakes: Option<UnixMillis>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Bridge(usize),
    Browser(usize),
}

enum Happening {
    Arrive(Who, u64, Ticket, usize, Box<Ask>),
    Answer(Who, u64, Ticket, Option<Box<Reply>>),
    Pushed(NodeId, Box<Ask>),
    Written(usize, u64, Vec<Change>),
    Wake(Who, u64),
    Open(usize),
    Close(usize),
    Start(usize),
    Crash(usize),
}

/// Everything.
pub struct World {
    /// The time.
    pub now: UnixMillis,
    /// Bridges.
    pub bridges: Vec<Bridge>,
    /// Wallets.
    pub browsers: Vec<Browser>,
    /// Watches.
    pub checker: Checker,
    /// Chance.
    pub rng: Rng,
    /// Messages delivered.
    pub messages: u64,
    rules: Rules,
    anchors: Vec<NodeKey>,
    places: BTreeMap<NodeKey, usize>,
    ids: BTreeMap<NodeId, usize>,
    callers: BTreeMap<Caller, (Who, u64, Ticket, usize)>,
    last_caller: u64,
    visitors: u64,
    queue: BinaryHeap<Reverse<(UnixMillis, u64, usize)>>,
    happenings: BTreeMap<usize, Happening>,
    last: u64,
}

impl World {
    /// Bridges that know each other, and wallets whose tabs are closed.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        let mut seed = [b'n'; 32];
        seed[..8].copy_from_slice(&rules.seed.to_be_bytes());
        let mut rng = Rng::from_seed(seed);
        let now = TEST_TIME;
        let identities: Vec<Identity> = (0..rules.bridges)
            .map(|_| Identity::generate(&mut rng))
            .collect();
        let anchors: Vec<NodeKey> = identities
            .iter()
            .take(rules.bridges.div_ceil(2))
            .map(Identity::node_key)
            .collect();
        let bridges: Vec<Bridge> = identities
            .iter()
            .map(|identity| Bridge {
                keeper: None,
                lost: false,
                disk_full_until: now,
                limits: rules.limits,
                identity: identity.to_bytes().to_vec(),
                record: identity.peer_record(Role::Bridge, Network::Dev, Addresses::default(), now),
                disk: BTreeMap::new(),
                directory: None,
                runs: 0,
                wakes: None,
            })
            .collect();
        let places = identities.iter().map(Identity::node_key).zip(0..).collect();
        let mut world = Self {
            now,
            bridges,
            browsers: Vec::new(),
            checker: Checker::default(),
            rng,
            messages: 0,
            rules,
            anchors,
            places,
            ids: BTreeMap::new(),
            callers: BTreeMap::new(),
            last_caller: 0,
            visitors: 0,
            queue: BinaryHeap::new(),
            happenings: BTreeMap::new(),
            last: 0,
        };
        for _ in 0..rules.browsers {
            world.add_browser();
        }
        for place in 0..rules.bridges {
            world.start(place);
        }
        world
    }

    /// One more wallet, whose tab is closed.
    pub fn add_browser(&mut self) -> usize {
        self.visitors += 1;
        let seed = self.rng.array();
        let id = NodeId::from_bytes(self.rng.array());
        let place = self.browsers.len();
        self.ids.insert(id, place);
        self.browsers.push(Browser {
            wallet: None,
            key: RecipientSecret::from_seed(&seed).key(),
            forgets: false,
            seed,
            id,
            kept: BTreeMap::new(),
            // Never that of somebody who was at this place before.
            runs: self.visitors << 16,
            wakes: None,
        });
        place
    }

    /// Somebody with the seed of `of` and nothing else.
    pub fn add_auditor(&mut self, of: usize) -> usize {
        let place = self.add_browser();
        let seed = self.browsers[of].seed;
        self.browsers[place].seed = seed;
        self.browsers[place].key = self.browsers[of].key;
        place
    }

    /// He goes; nobody else came meanwhile.
    pub fn remove_auditor(&mut self, place: usize) {
        self.checker.forgot(place);
        if place + 1 == self.browsers.len()
            && let Some(gone) = self.browsers.pop()
        {
            self.ids.remove(&gone.id);
        }
    }

    /// A number below `most`.
    pub fn below(&mut self, most: u64) -> u64 {
        u64::from(self.rng.below(u32::try_from(most).unwrap()))
    }

    fn at(&mut self, at: UnixMillis, what: Happening) {
        self.last += 1;
        let number = usize::try_from(self.last).unwrap();
        self.happenings.insert(number, what);
        self.queue.push(Reverse((at, self.last, number)));
    }

    /// In some time a tab is opened.
    pub fn open_in(&mut self, browser: usize, millis: u64) {
        self.at(self.now.plus(millis), Happening::Open(browser));
    }

    /// In some time a tab is closed.
    pub fn close_in(&mut self, browser: usize, millis: u64) {
        self.at(self.now.plus(millis), Happening::Close(browser));
    }

    /// In some time a bridge's process dies.
    pub fn crash_in(&mut self, bridge: usize, millis: u64) {
        self.at(self.now.plus(millis), Happening::Crash(bridge));
    }

    /// In some time a bridge's process starts again.
    pub fn start_in(&mut self, bridge: usize, millis: u64) {
        self.at(self.now.plus(millis), Happening::Start(bridge));
    }

    /// Lets things happen until then.
    pub fn run_until(&mut self, end: UnixMillis) {
        while let Some(Reverse((at, _, number))) = self.queue.peek().copied()
            && at <= end
        {
            self.queue.pop();
            self.now = self.now.max(at);
            if let Some(what) = self.happenings.remove(&number) {
                self.happen(what);
            }
        }
        self.now = self.now.max(end);
    }

    fn happen(&mut self, what: Happening) {
        match what {
            Happening::Arrive(from, runs, ticket, to, ask) => {
                self.arrive(from, runs, ticket, to, *ask)
            }
            Happening::Answer(who, runs, ticket, reply) => {
                self.messages += 1;
                let (now, reply) = (self.now, reply.map(|reply| *reply));
                match who {
                    Who::Bridge(place) if self.bridges[place].runs == runs => {
                        if let Some(keeper) = &mut self.bridges[place].keeper {
                            keeper.answered(now, ticket, reply);
                        }
                    }
                    Who::Browser(place) if self.runs_of(place) == Some(runs) => {
                        if let Some(wallet) = &mut self.browsers[place].wallet {
                            wallet.answered(now, ticket, reply);
                        }
                    }
                    _ => return,
                }
                self.drain(who);
            }
            Happening::Pushed(id, ask) => {
                if let Some(place) = self.ids.get(&id).copied()
                    && let Some(wallet) = &mut self.browsers[place].wallet
                    && let Ask::Push(items) = *ask
                {
                    self.messages += 1;
                    wallet.pushed(self.now, &items);
                    self.drain(Who::Browser(place));
                }
            }
            Happening::Written(place, runs, changes) => self.written(place, runs, changes),
            Happening::Wake(who, runs) => self.wake(who, runs),
            Happening::Open(place) => self.open(place),
            Happening::Close(place) => self.close(place),
            Happening::Start(place) => self.start(place),
            Happening::Crash(place) => self.crash(place),
        }
    }

    fn arrive(&mut self, from: Who, runs: u64, ticket: Ticket, to: usize, ask: Ask) {
        let Some(keeper) = &mut self.bridges[to].keeper else {
            let at = self.now.plus(PATIENCE_MS);
            return self.at(at, Happening::Answer(from, runs, ticket, None));
        };
        self.messages += 1;
        self.last_caller += 1;
        let caller = Caller(self.last_caller);
        self.callers.insert(caller, (from, runs, ticket, to));
        keeper.ask(self.now, caller, ask);
        self.drain(Who::Bridge(to));
    }

    fn latency(&mut self) -> u64 {
        10 + self.below(60)
    }

    fn send(&mut self, from: Who, runs: u64, ticket: Ticket, key: NodeKey, ask: Ask) {
        let at = self.now.plus(self.latency());
        match self.places.get(&key).copied() {
            Some(to) => self.at(at, Happening::Arrive(from, runs, ticket, to, Box::new(ask))),
            None => self.at(at, Happening::Answer(from, runs, ticket, None)),
        }
    }

    fn drain(&mut self, who: Who) {
        match who {
            Who::Bridge(place) => self.drain_bridge(place),
            Who::Browser(place) => self.drain_browser(place),
        }
    }

    fn drain_bridge(&mut self, place: usize) {
        loop {
            let runs = self.bridges[place].runs;
            let Some(keeper) = &mut self.bridges[place].keeper else {
                return;
            };
            let Some(output) = keeper.poll_output() else {
                break;
            };
            match output {
                Output::Reply(caller, reply) => {
                    if let Some((who, of, ticket, _)) = self.callers.remove(&caller) {
                        self.checker.handed_out(self.now, &reply);
                        let at = self.now.plus(self.latency());
                        self.at(
                            at,
                            Happening::Answer(who, of, ticket, Some(Box::new(reply))),
                        );
                    }
                }
                Output::Ask(ticket, key, ask) => {
                    self.send(Who::Bridge(place), runs, ticket, key, ask);
                }
                Output::Push(id, ask) => {
                    let at = self.now.plus(self.latency());
                    self.at(at, Happening::Pushed(id, Box::new(ask)));
                }
                Output::Write(changes) => {
                    // A disk does one thing after the other.
                    let at = self.now.plus(8);
                    self.at(at, Happening::Written(place, runs, changes));
                }
                Output::Directory(directory) => self.bridges[place].directory = Some(*directory),
                Output::DamagedEntry(address) => self.checker.damaged(address),
            }
        }
        let next = self.bridges[place].keeper.as_ref();
        let next = next.and_then(Keeper::next_timeout);
        let bridge = &mut self.bridges[place];
        if let Some(next) = next
            && bridge.wakes.is_none_or(|wakes| next < wakes)
        {
            let next = next.max(self.now);
            bridge.wakes = Some(next);
            let runs = bridge.runs;
            self.at(next, Happening::Wake(Who::Bridge(place), runs));
        }
    }

    fn drain_browser(&mut self, place: usize) {
        loop {
            let (now, runs) = (self.now, self.browsers[place].runs);
            let Some(wallet) = &mut self.browsers[place].wallet else {
                return;
            };
            let Some(output) = wallet.poll_output() else {
                break;
            };
            match output {
                WalletOutput::Ask(ticket, key, ask) => {
                    self.send(Who::Browser(place), runs, ticket, key, ask);
                }
                WalletOutput::Keep(key, Some(bytes)) => {
                    self.browsers[place].kept.insert(key, bytes);
                }
                WalletOutput::Keep(key, None) => drop(self.browsers[place].kept.remove(&key)),
                WalletOutput::FindWork { hash, needed } => {
                    let nonces = (0..).map(WorkNonce::new);
                    let mut good = nonces.filter(|nonce| nonce.difficulty(&hash.root()) >= needed);
                    if let Some(nonce) = good.next() {
                        wallet.work_found(now, hash, nonce);
                    }
                }
                WalletOutput::Sent(id, SendState::Placed { hash, .. }) => {
                    self.checker.placed(now, place, id, hash);
                }
                WalletOutput::Sent(..) | WalletOutput::Directory(_) => {}
                WalletOutput::Received(received) => {
                    wallet.confirmed(&received.recipient, &received.payment.transaction);
                    self.checker.received(now, place, &received);
                }
                WalletOutput::Searched { complete, .. } => self.checker.searched(place, complete),
                WalletOutput::Unreadable(hash, _) => self.checker.damaged(hash),
            }
        }
        let next = self.browsers[place].wallet.as_ref();
        let next = next.and_then(Wallet::next_timeout);
        let browser = &mut self.browsers[place];
        if let Some(next) = next
            && browser.wakes.is_none_or(|wakes| next < wakes)
        {
            let next = next.max(self.now);
            browser.wakes = Some(next);
            let runs = browser.runs;
            self.at(next, Happening::Wake(Who::Browser(place), runs));
        }
    }

    fn wake(&mut self, who: Who, runs: u64) {
        let now = self.now;
        match who {
            Who::Bridge(place) if self.bridges[place].runs == runs => {
                let bridge = &mut self.bridges[place];
                bridge.wakes = None;
                if let Some(keeper) = &mut bridge.keeper {
                    keeper.handle_timeout(now);
                }
            }
            Who::Browser(place) if self.runs_of(place) == Some(runs) => {
                let browser = &mut self.browsers[place];
                browser.wakes = None;
                if let Some(wallet) = &mut browser.wallet {
                    wallet.handle_timeout(now);
                }
            }
            _ => return,
        }
        self.drain(who);
    }

    fn written(&mut self, place: usize, runs: u64, changes: Vec<Change>) {
        let now = self.now;
        let bridge = &mut self.bridges[place];
        if bridge.runs != runs {
            return;
        }
        let result = if now < bridge.disk_full_until {
            Err(StoreFault::Full("simulated".to_owned()))
        } else {
            for change in changes {
                match change.value {
                    Some(bytes) => drop(bridge.disk.insert(change.address, bytes)),
                    None => drop(bridge.disk.remove(&change.address)),
                }
            }
            Ok(())
        };
        if let Some(keeper) = &mut bridge.keeper {
            keeper.written(now, result);
        }
        self.drain(Who::Bridge(place));
    }

    fn start(&mut self, place: usize) {
        let now = self.now;
        let records: Vec<PeerRecord> = self.bridges.iter().map(|b| b.record.clone()).collect();
        let bridge = &mut self.bridges[place];
        if bridge.lost || bridge.keeper.is_some() {
            return;
        }
        let identity = Identity::from_bytes(&bridge.identity).unwrap();
        let settings = Settings {
            limits: bridge.limits,
            ..Settings::bridge(Network::Dev)
        };
        let mut keeper = Keeper::new(settings, identity, self.anchors.clone());
        if let Some(bug) = self.rules.plant {
            keeper.plant(bug);
        }
        let entries = bridge.disk.iter();
        let entries = entries.map(|(address, bytes)| (*address, bytes.clone()));
        keeper.loaded(now, entries.collect());
        if let Some(directory) = bridge.directory.clone() {
            keeper.take_directory(now, directory);
        }
        for record in records {
            keeper.meet(now, record);
        }
        bridge.keeper = Some(keeper);
        bridge.runs += 1;
        bridge.wakes = None;
        self.drain(Who::Bridge(place));
    }

    /// A bridge's process dies: what its disk has not taken is gone.
    pub fn crash(&mut self, place: usize) {
        let now = self.now;
        let bridge = &mut self.bridges[place];
        bridge.keeper = None;
        bridge.runs += 1;
        let waiting = self.callers.iter().filter(|(_, (.., to))| *to == place);
        let waiting: Vec<Caller> = waiting.map(|(caller, _)| *caller).collect();
        for caller in waiting {
            if let Some((who, runs, ticket, _)) = self.callers.remove(&caller) {
                let at = now.plus(PATIENCE_MS);
                self.at(at, Happening::Answer(who, runs, ticket, None));
            }
        }
    }

    /// A bridge is gone for good, with its disk.
    pub fn lose(&mut self, place: usize) {
        self.crash(place);
        self.bridges[place].lost = true;
        self.bridges[place].disk.clear();
    }

    fn open(&mut self, place: usize) {
        let now = self.now;
        let mut rng = self.rng.fork();
        // Its node has links to two bridges that run.
        let mut running = self.running();
        let mut linked = || {
            let count = u32::try_from(running.len()).unwrap();
            let place = (count > 0).then(|| running.swap_remove(self.rng.below(count) as usize));
            place.map(|place| self.bridges[place].record.node_key)
        };
        let linked = [linked(), linked()];
        let browser = &mut self.browsers[place];
        if browser.wallet.is_some() {
            return;
        }
        if std::mem::take(&mut browser.forgets) {
            browser.kept.clear();
            self.checker.forgot(place);
        }
        let mut wallet = Wallet::new(Network::Dev, browser.id, self.anchors.clone(), rng.fork());
        if let Some(bug) = self.rules.plant {
            wallet.plant(bug);
        }
        for bridge in linked.into_iter().flatten() {
            wallet.ask_directory(now, bridge);
        }
        let mut seen = None;
        for (key, bytes) in &browser.kept {
            match key {
                WalletKey::Send(id) => drop(wallet.resume(now, *id, bytes)),
                WalletKey::Recipient(_) => seen = Some(bytes.clone()),
            }
        }
        let secret = RecipientSecret::from_seed(&browser.seed);
        wallet.receive(now, secret.into(), seen.as_deref());
        browser.wallet = Some(wallet);
        browser.runs += 1;
        browser.wakes = None;
        self.drain(Who::Browser(place));
    }

    fn runs_of(&self, browser: usize) -> Option<u64> {
        self.browsers.get(browser).map(|browser| browser.runs)
    }

    fn close(&mut self, place: usize) {
        let browser = &mut self.browsers[place];
        browser.wallet = None;
        browser.runs += 1;
    }

    /// The owner of one wallet pays that of another, and tells.
    pub fn pay(&mut self, from: usize, to: usize, ttl_s: u32) {
        let payment = Payment {
            ephemeral: PublicKey::from_bytes(self.rng.array()),
            transaction: BlockHash::from_bytes(self.rng.array()),
            amount: Raw::new(u128::from(self.rng.next_u64())),
            nonce: self.rng.array(),
            memo: None,
        };
        self.tell(from, to, payment.clone(), ttl_s);
        // Some tell twice, for instance from two devices.
        if self.below(20) == 0 {
            let nonce = self.rng.array();
            self.tell(from, to, Payment { nonce, ..payment }, ttl_s);
        }
    }

    fn tell(&mut self, from: usize, to: usize, payment: Payment, ttl_s: u32) {
        let (now, key) = (self.now, self.browsers[to].key);
        let kind = if self.below(10) == 0 {
            TagKind::Plain
        } else {
            TagKind::Rotating
        };
        let Some(wallet) = &mut self.browsers[from].wallet else {
            return;
        };
        let transaction = payment.transaction;
        let id = wallet.send(now, payment, key, kind, ttl_s.min(MAX_TTL_S));
        self.checker.sent(from, id, to, transaction, ttl_s);
        self.drain(Who::Browser(from));
    }

    /// A number over everything that was delivered: equal in two runs of one seed.
    #[must_use]
    pub fn trace(&self) -> u64 {
        self.messages
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .wrapping_add(self.last)
    }

    /// Whether a bridge that is not lost holds this, running or not.
    #[must_use]
    pub fn is_held(&self, address: &RelayAddress) -> bool {
        self.bridges.iter().any(|bridge| {
            let keeper = bridge.keeper.as_ref();
            keeper.map_or(bridge.disk.contains_key(address), |k| k.holds(address))
        })
    }

    /// How many bridges that are not lost hold it.
    #[must_use]
    pub fn copies(&self, address: &RelayAddress) -> usize {
        let holds = |bridge: &&Bridge| bridge.disk.contains_key(address);
        self.bridges.iter().filter(holds).count()
    }

    /// Bridges whose process runs.
    #[must_use]
    pub fn running(&self) -> Vec<usize> {
        let places = 0..self.bridges.len();
        places
            .filter(|place| self.bridges[*place].keeper.is_some())
            .collect()
    }
}
