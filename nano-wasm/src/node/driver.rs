//! The loop between the node and the browser.
//!
//! Whatever happens in the browser becomes an input; then [`Driver::pump`] takes the node's
//! outputs until there are none, or until one of them has to be on disk before the rest may go
//! out; then bridges are dialled, storage is written and one timer is set for the earliest thing
//! that waits. Nothing here calls back into itself: browsers deliver every event in a task of its
//! own, so the one borrow of the state is always free.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use gloo_timers::callback::Timeout;
use js_sys::Uint8Array;
use nano_core::{Account, Block, BlockHash, Network, Raw, UnixMillis};
use nanonet::{
    Event, GetOptions, Input, LinkId, MAX_FRAME, Node, Output, PublishState, RequestId, SessionId,
    SignalOp,
};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::RtcDataChannel;

use super::answer::AnswerReply;
use super::bridges::{BridgeUrl, Bridges};
use super::browser;
use super::channel::Channel;
use super::command::Command;
use super::links::{Carrier, Links};
use super::page::Page;
use super::reply::{self, LinkReply, StatusReply, TransactionReply};
use super::socket::Socket;
use super::storage::Storage;
use super::trust::{self, Trust};
use crate::fault::Fault;

/// How often the buffer of a socket is looked at while it has something in it, milliseconds.
const SOCKET_POLL_MS: u64 = 5;
/// How long after its channel was closed a page's connection is ended, milliseconds: what was
/// still in the channel goes out first.
const LAST_BYTES_MS: u32 = 1_000;
/// Longest time a timer is set for, milliseconds; browsers take 31 bits.
const LONGEST_TIMER_MS: u64 = 1 << 30;

/// What a driver is made of.
pub(super) struct Parts {
    pub(super) page: Page,
    pub(super) node: Node,
    pub(super) network: Network,
    pub(super) bridges: Bridges,
    pub(super) storage: Storage,
    pub(super) trust: Trust,
    pub(super) weights_source: &'static str,
}

/// What a request of the page waits for.
enum Waiting {
    Answer,
    Publish,
}

struct State {
    node: Node,
    links: Links,
    bridges: Bridges,
    storage: Storage,
    trust: Trust,
    weights_source: &'static str,
    /// All weight in the table in force.
    network_total: Raw,
    /// Requests of the page that the node has not answered.
    waiting: BTreeMap<u64, Waiting>,
    timer: Option<Timeout>,
    /// The request to answer once everything is written.
    stopping: Option<u64>,
    /// The latest time seen: the clock may be set back, the node's time may not.
    now: UnixMillis,
}

/// Drives one node.
pub(super) struct Driver {
    page: Page,
    network: Network,
    state: RefCell<State>,
}

impl Driver {
    pub(super) fn new(parts: Parts) -> Rc<Self> {
        Rc::new(Self {
            page: parts.page,
            network: parts.network,
            state: RefCell::new(State {
                node: parts.node,
                links: Links::default(),
                bridges: parts.bridges,
                storage: parts.storage,
                network_total: parts.trust.weights.total(),
                trust: parts.trust,
                weights_source: parts.weights_source,
                waiting: BTreeMap::new(),
                timer: None,
                stopping: None,
                now: browser::now(),
            }),
        })
    }

    /// Begins: dials, loads, sets its timer.
    pub(super) fn run(self: &Rc<Self>) {
        self.pump();
    }

    /// Does what the page says.
    pub(super) fn obey(self: &Rc<Self>, command: Command, attachment: JsValue) {
        match command {
            Command::Start(options) => {
                let fault = Fault {
                    code: "already-started",
                    message: "this worker runs a node already".into(),
                };
                self.page.error(options.id, &fault);
            }
            Command::Status { id } => self.status(|status| self.page.result(id, &status)),
            Command::Account {
                id,
                address,
                fresh,
                timeout_ms,
            } => self.with_account(id, &address, |account| {
                let options = GetOptions {
                    fresh,
                    deadline_ms: timeout_ms,
                };
                let request = RequestId(id);
                self.wait(id, Waiting::Answer);
                self.input(Input::Get {
                    request,
                    account,
                    options,
                });
            }),
            Command::Process { id, block } => match Block::from_json(&block) {
                Ok(block) => {
                    self.wait(id, Waiting::Publish);
                    self.input(Input::Publish {
                        request: RequestId(id),
                        block: Box::new(block),
                    });
                }
                Err(error) => self.page.error(id, &Fault::coded("bad-block")(error)),
            },
            Command::Watch { id, address } => self.with_account(id, &address, |account| {
                self.input(Input::Watch { account });
                self.page.result(id, &());
            }),
            Command::Unwatch { id, address } => self.with_account(id, &address, |account| {
                self.input(Input::Unwatch { account });
                self.page.result(id, &());
            }),
            Command::Stop { id } => self.stop(id),
            Command::Cancel { request } => {
                self.state.borrow_mut().waiting.remove(&request);
            }
            Command::Network { online } => {
                let now = self.now();
                self.state.borrow_mut().bridges.set_online(now, online);
                self.pump();
            }
            Command::LocalDescription { session, sdp } => self.input(Input::LocalDescription {
                session: SessionId(session),
                sdp,
            }),
            Command::LocalCandidate { session, candidate } => self.input(Input::LocalCandidate {
                session: SessionId(session),
                candidate,
            }),
            Command::SessionFailed { session } => self.session_over(SessionId(session)),
            Command::Channel { session, offerer } => {
                self.adopt(SessionId(session), offerer, attachment);
            }
            Command::ForwardOpen { session, offerer } => {
                let session = SessionId(session);
                let link = {
                    let links = &mut self.state.borrow_mut().links;
                    let link = links.number();
                    links.add(link, Carrier::Forwarded, Some((session, offerer)));
                    link
                };
                self.carrier_opened(link);
            }
            Command::ForwardReceived { session } => {
                if let Some(link) = self.link_of(SessionId(session)) {
                    self.carrier_received(link, Some(Uint8Array::new(&attachment)));
                }
            }
            Command::ForwardWritten { session, bytes } => {
                if let Some(link) = self.link_of(SessionId(session)) {
                    self.input(Input::LinkWritten { link, bytes });
                }
            }
            Command::ForwardClosed { session } => {
                if let Some(link) = self.link_of(SessionId(session)) {
                    self.carrier_closed(link);
                }
            }
            #[cfg(feature = "adversary")]
            Command::Tamper { id, how } => self.tamper(id, &how),
        }
    }

    /// Makes the node lie in the named way, or not at all.
    #[cfg(feature = "adversary")]
    fn tamper(self: &Rc<Self>, id: u64, how: &str) {
        use nanonet::adversary::Tamper;
        match (how, Tamper::from_name(how)) {
            ("none", _) => self.state.borrow_mut().node.stop_lying(),
            (_, Some(kind)) => {
                let keys = development_keys();
                self.state.borrow_mut().node.lie(kind, keys);
            }
            (_, None) => {
                let fault = Fault {
                    code: "bad-lie",
                    message: format!("{how:?} is no kind of lie that this build knows"),
                };
                self.page.error(id, &fault);
                return;
            }
        }
        self.page.result(id, &());
        self.pump();
    }

    /// A transport is open.
    pub(super) fn carrier_opened(self: &Rc<Self>, link: LinkId) {
        let (opened, bridge) = {
            let state = &mut *self.state.borrow_mut();
            (state.links.open(link), state.bridges.opened(link))
        };
        if let Some((origin, transport)) = opened {
            self.input(Input::LinkOpened {
                link,
                origin,
                transport,
            });
        }
        if let Some(bridge) = bridge {
            self.renew_trust(bridge);
        }
    }

    /// A transport brought one message; `None` if it is not even bytes.
    pub(super) fn carrier_received(self: &Rc<Self>, link: LinkId, bytes: Option<Uint8Array>) {
        // Nothing of an oversized message is copied; the peer broke the rules of the link.
        let fits = |bytes: &Uint8Array| {
            usize::try_from(bytes.length()).is_ok_and(|length| length <= MAX_FRAME)
        };
        match bytes.filter(fits) {
            Some(bytes) => self.input(Input::LinkReceived {
                link,
                bytes: bytes.to_vec(),
            }),
            None => self.carrier_closed(link),
        }
    }

    /// A transport has taken what it had buffered.
    pub(super) fn carrier_drained(self: &Rc<Self>, link: LinkId) {
        let bytes = self.state.borrow_mut().links.drained(link);
        if bytes > 0 {
            self.input(Input::LinkWritten { link, bytes });
        }
    }

    /// A transport is gone, or is to go because it is of no use.
    pub(super) fn carrier_closed(self: &Rc<Self>, link: LinkId) {
        let now = self.now();
        let removed = {
            let state = &mut *self.state.borrow_mut();
            state.bridges.closed(now, link, false, browser::dice());
            state.links.remove(link)
        };
        let Some(removed) = removed else { return };
        removed.close();
        if let Some(session) = removed.session() {
            self.page.abandon(session);
            if !removed.is_open() {
                self.input(Input::SessionFailed { session });
            }
        }
        if removed.is_open() {
            self.input(Input::LinkClosed { link });
        } else {
            self.pump();
        }
    }

    /// The page's connection failed, or could not be made.
    fn session_over(self: &Rc<Self>, session: SessionId) {
        match self.link_of(session) {
            Some(link) => self.carrier_closed(link),
            None => self.input(Input::SessionFailed { session }),
        }
    }

    /// Takes over a data channel of the page.
    fn adopt(self: &Rc<Self>, session: SessionId, offerer: bool, attachment: JsValue) {
        let Ok(channel) = attachment.dyn_into::<RtcDataChannel>() else {
            self.page.abandon(session);
            self.input(Input::SessionFailed { session });
            return;
        };
        let (link, open) = {
            let links = &mut self.state.borrow_mut().links;
            let link = links.number();
            let channel = Channel::adopt(channel, link, self);
            let open = channel.is_open();
            links.add(link, Carrier::Channel(channel), Some((session, offerer)));
            (link, open)
        };
        if open {
            self.carrier_opened(link);
        }
    }

    fn link_of(&self, session: SessionId) -> Option<LinkId> {
        self.state.borrow().links.of_session(session)
    }

    fn with_account(&self, id: u64, address: &str, then: impl FnOnce(Account)) {
        match address.parse() {
            Ok(account) => then(account),
            Err(error) => self.page.error(id, &Fault::coded("bad-address")(error)),
        }
    }

    fn wait(&self, id: u64, what: Waiting) {
        self.state.borrow_mut().waiting.insert(id, what);
    }

    fn status(&self, tell: impl FnOnce(StatusReply<'_>)) {
        let state = self.state.borrow();
        let status = state.node.status();
        tell(StatusReply::new(
            status,
            state.weights_source,
            state.storage.status(),
        ));
    }

    /// Closes every link, writes everything, answers.
    fn stop(self: &Rc<Self>, id: u64) {
        {
            let state = &mut *self.state.borrow_mut();
            state.stopping = Some(id);
            state.timer = None;
            for link in state.links.remove_all() {
                link.close();
            }
        }
        self.write();
        self.tell_stopped();
    }

    fn tell_stopped(&self) {
        let state = &mut *self.state.borrow_mut();
        if state.storage.is_idle()
            && let Some(id) = state.stopping
        {
            self.page.result(id, &());
        }
    }

    fn now(&self) -> UnixMillis {
        let state = &mut *self.state.borrow_mut();
        state.now = state.now.max(browser::now());
        state.now
    }

    fn input(self: &Rc<Self>, input: Input) {
        let now = self.now();
        self.state.borrow_mut().node.handle_input(now, input);
        self.pump();
    }

    fn pump(self: &Rc<Self>) {
        loop {
            let output = {
                let state = &mut *self.state.borrow_mut();
                if state.stopping.is_some() {
                    return;
                }
                if state.storage.is_blocking() {
                    break;
                }
                state.node.poll_output()
            };
            match output {
                Some(output) => self.carry_out(output),
                None => break,
            }
        }
        self.dial();
        self.write();
        self.set_timer();
    }

    fn carry_out(self: &Rc<Self>, output: Output) {
        match output {
            Output::Transmit { link, bytes } => {
                let now = self.now();
                let state = &mut *self.state.borrow_mut();
                // A transport that takes nothing any more tells so by its close event.
                if let Some(bytes) = state.links.send(link, &bytes, &self.page)
                    && bytes > 0
                {
                    let written = Input::LinkWritten { link, bytes };
                    state.node.handle_input(now, written);
                }
            }
            Output::Close { link, .. } => self.close(link),
            Output::Store(operation) => self.state.borrow_mut().storage.change(operation),
            Output::Signal(SignalOp::Abandon { session }) => {
                if let Some(link) = self.link_of(session) {
                    self.close(link);
                }
                self.page.abandon(session);
            }
            Output::Signal(operation) => self.page.signal(operation),
            Output::Event(event) => self.tell(event),
            // Only nodes in the role of a bridge say these.
            Output::Resolve { .. } | Output::Relay { .. } => {}
        }
    }

    /// Closes a link that the node has forgotten.
    fn close(self: &Rc<Self>, link: LinkId) {
        let now = self.now();
        let removed = {
            let state = &mut *self.state.borrow_mut();
            state.bridges.closed(now, link, true, browser::dice());
            state.links.remove(link)
        };
        let Some(removed) = removed else { return };
        removed.close();
        if let Some(session) = removed.session() {
            let page = self.page.clone();
            Timeout::new(LAST_BYTES_MS, move || page.abandon(session)).forget();
        }
    }

    fn dial(self: &Rc<Self>) {
        let now = self.now();
        loop {
            let overdue = self.state.borrow().bridges.overdue(now);
            match overdue {
                Some(link) => self.give_up(now, link),
                None => break,
            }
        }
        loop {
            let next = {
                let state = &mut *self.state.borrow_mut();
                let link = state.links.number();
                let bridge = state.bridges.dial(now, link, browser::dice());
                bridge.map(|bridge| (link, bridge))
            };
            let Some((link, bridge)) = next else { break };
            match Socket::dial(&bridge.link, link, self) {
                Ok(socket) => {
                    let links = &mut self.state.borrow_mut().links;
                    links.add(link, Carrier::Socket(socket), None);
                }
                Err(_) => self.give_up(now, link),
            }
        }
    }

    /// Ends a dial; the node has not heard of it.
    fn give_up(&self, now: UnixMillis, link: LinkId) {
        let state = &mut *self.state.borrow_mut();
        state.bridges.closed(now, link, false, browser::dice());
        if let Some(link) = state.links.remove(link) {
            link.close();
        }
    }

    /// Begins the next write, if there is one.
    fn write(self: &Rc<Self>) {
        let Some(batch) = self.state.borrow_mut().storage.next() else {
            return;
        };
        let driver = Rc::clone(self);
        spawn_local(async move {
            let result = batch.write().await;
            driver.state.borrow_mut().storage.written(result);
            if driver.state.borrow().stopping.is_some() {
                driver.write();
                driver.tell_stopped();
            } else {
                driver.pump();
            }
        });
    }

    fn set_timer(self: &Rc<Self>) {
        let now = self.now();
        let state = &mut *self.state.borrow_mut();
        let poll = (!state.links.full_sockets().is_empty()).then(|| now.plus(SOCKET_POLL_MS));
        // While storage blocks, the node is not asked, so its time would come at once for ever.
        let node = (!state.storage.is_blocking())
            .then(|| state.node.next_timeout())
            .flatten();
        let next = [poll, node, state.bridges.next_timeout()];
        state.timer = next.into_iter().flatten().min().map(|at| {
            let wait = at.since(now).min(LONGEST_TIMER_MS);
            let driver = Rc::clone(self);
            let wait = u32::try_from(wait).unwrap_or(u32::MAX);
            Timeout::new(wait, move || driver.time_has_come())
        });
    }

    fn time_has_come(self: &Rc<Self>) {
        let full = self.state.borrow().links.full_sockets();
        let now = self.now();
        {
            let state = &mut *self.state.borrow_mut();
            for link in full {
                let bytes = state.links.drained(link);
                let written = Input::LinkWritten { link, bytes };
                state.node.handle_input(now, written);
            }
        }
        self.input(Input::Timeout);
    }

    /// Asks a bridge that was just reached for the dev network's weights.
    fn renew_trust(self: &Rc<Self>, bridge: BridgeUrl) {
        if self.network != Network::Dev {
            return;
        }
        let driver = Rc::clone(self);
        spawn_local(async move {
            // A bridge that says nothing leaves what is trusted as it is.
            let Ok(mut told) = Trust::ask(driver.network, &bridge).await else {
                return;
            };
            let database = {
                let state = &mut *driver.state.borrow_mut();
                for anchor in &state.trust.anchors {
                    if !told.anchors.contains(anchor) {
                        told.anchors.push(*anchor);
                    }
                }
                if told == state.trust {
                    return;
                }
                state.trust = told.clone();
                state.weights_source = trust::BRIDGE;
                state.network_total = told.weights.total();
                state.storage.database()
            };
            told.keep(database.as_deref()).await;
            driver.input(Input::Weights(Box::new(told.weights)));
        });
    }

    fn tell(&self, event: Event) {
        match event {
            Event::Answer { request, result } => self.tell_answer(request, result),
            Event::Publish {
                request,
                hash,
                state,
            } => self.tell_publish(request, hash, state),
            Event::LinkUp { peer, role, .. } => self.page.event(&reply::Event::Link(LinkReply {
                id: peer.to_string(),
                up: true,
                role: Some(reply::role(role)),
                reason: None,
            })),
            Event::LinkDown { peer, reason, .. } => {
                self.page.event(&reply::Event::Link(LinkReply {
                    id: peer.to_string(),
                    up: false,
                    role: None,
                    reason: reason.map(|reason| reason.code()),
                }));
            }
            Event::RecordUpdated { account } => self.page.event(&reply::Event::Record {
                account: account.to_string(),
            }),
            Event::Refused { from, reason } => self.page.event(&reply::Event::Refused {
                from: from.map(|peer| peer.to_string()),
                reason,
            }),
            // The link's own event says it.
            Event::PeerDropped { .. } => {}
            Event::Conflict { account, diverged } => self.page.event(&reply::Event::Alarm {
                account: account.to_string(),
                diverged,
            }),
            Event::WatchRefused { account } => self.page.complain(&Fault {
                code: "too-many-watches",
                message: format!("{account} is not watched: 64 accounts are; end another watch"),
            }),
            Event::NeedBridge => self.state.borrow_mut().bridges.want(),
            Event::StatusChanged => {
                self.status(|status| self.page.event(&reply::Event::Status(status)));
            }
        }
    }

    fn tell_answer(
        &self,
        RequestId(id): RequestId,
        result: Result<Box<nanonet::AccountAnswer>, nanonet::GetError>,
    ) {
        let total = {
            let state = &mut *self.state.borrow_mut();
            if state.waiting.remove(&id).is_none() {
                return;
            }
            state.network_total
        };
        match result {
            Ok(answer) => self.page.result(id, &AnswerReply::new(*answer, total)),
            Err(error) => self.page.error(id, &error.into()),
        }
    }

    fn tell_publish(&self, request: Option<RequestId>, hash: BlockHash, state: PublishState) {
        let transaction = TransactionReply::new(hash, state);
        let over = transaction.is_over();
        if let Some(RequestId(id)) = request
            && over
            && self.state.borrow_mut().waiting.remove(&id).is_some()
        {
            match transaction.fault() {
                None => self.page.result(id, &transaction),
                Some(fault) => self.page.error(id, &fault),
            }
        }
        self.page.event(&reply::Event::Transaction(transaction));
    }
}

/// The keys of the development network's representatives, which are public: with them a lie can
/// carry votes that really are theirs.
#[cfg(feature = "adversary")]
fn development_keys() -> nanonet::testing::TestKeys {
    const SEED: [u8; 32] = *b"nanonet development public seed!";
    const REPRESENTATIVES: u32 = 12;
    let seed = nano_core::NanoSeed::from_bytes(SEED);
    let keys: Vec<_> = (0..REPRESENTATIVES)
        .map(|index| seed.private_key(index))
        .collect();
    let weights = nano_core::WeightTable {
        weights: keys
            .iter()
            .map(|key| (key.account(), nano_core::Raw::NANO))
            .collect(),
        ..nanonet::testing::TestKeys::new().weights().clone()
    };
    nanonet::testing::TestKeys::with(keys, weights)
}
