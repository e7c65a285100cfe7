//! The loop between the node and the browser.
//!
//! Whatever happens in the browser becomes an input; then [`Driver::pump`] takes the node's
//! outputs until there are none, or until one of them has to be on disk before the rest may go
//! out; then bridges are dialled, storage is written and one timer is set for the earliest thing
//! that waits. Nothing here calls back into itself: browsers deliver every event in a task of its
//! own, so the one borrow of the state is always free.

use std::cell::RefCell;
use std::rc::Rc;

use gloo_timers::callback::Timeout;
use js_sys::Uint8Array;
use nano_core::{Network, Raw, UnixMillis};
use nanonet::{Channel, Event, Input, LinkId, MAX_FRAME, Node, Output, SessionId, SignalOp};
use wasm_bindgen_futures::spawn_local;

use super::bridges::{Bridges, Reached};
use super::browser;
use super::links::{Carrier, Links};
use super::page::Page;
use super::socket::Socket;
use super::storage::{IDENTITY, Storage, StorageError};
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

pub(super) struct State {
    pub(super) node: Node,
    pub(super) links: Links,
    pub(super) bridges: Bridges,
    pub(super) storage: Storage,
    trust: Trust,
    pub(super) weights_source: &'static str,
    /// All weight in the table in force.
    pub(super) network_total: Raw,
    /// Requests of the page that the node has not answered: as many as the node takes, since it
    /// answers what is too much at once.
    waiting: Vec<u64>,
    pub(super) timer: Option<Timeout>,
    /// Who is known as it was stored last, and when it was looked at.
    pub(super) kept: Vec<u8>,
    pub(super) kept_at: UnixMillis,
    /// The request to answer once everything is written.
    pub(super) stopping: Option<u64>,
    /// The latest time seen: the clock may be set back, the node's time may not.
    now: UnixMillis,
}

impl State {
    /// The node will answer this request of the page.
    pub(super) fn expect(&mut self, request: u64) {
        self.waiting.push(request);
    }

    /// Nothing more is expected for it; says whether something was.
    pub(super) fn settle(&mut self, request: u64) -> bool {
        let place = self.waiting.iter().position(|waiting| *waiting == request);
        place.map(|place| self.waiting.swap_remove(place)).is_some()
    }
}

/// Drives one node.
pub(super) struct Driver {
    pub(super) page: Page,
    pub(super) network: Network,
    pub(super) state: RefCell<State>,
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
                waiting: Vec::new(),
                timer: None,
                kept: Vec::new(),
                kept_at: UnixMillis(0),
                stopping: None,
                now: browser::now(),
            }),
        })
    }

    /// Begins: dials, loads, sets its timer.
    pub(super) fn run(self: &Rc<Self>) {
        self.pump();
    }

    /// A transport is open.
    pub(super) fn carrier_opened(self: &Rc<Self>, link: LinkId) {
        let now = self.now();
        let (opened, bridge) = {
            let state = &mut *self.state.borrow_mut();
            (state.links.open(link), state.bridges.opened(now, link))
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
        // The unordered channel may have been first.
        if self.state.borrow().links.has_unordered(link) {
            self.unordered_changed(link, true);
        }
    }

    /// The unordered channel of a link is open, or gone.
    pub(super) fn unordered_changed(self: &Rc<Self>, link: LinkId, open: bool) {
        self.input(Input::LinkUnordered { link, open });
    }

    /// A transport brought one message; `None` if it is not even bytes.
    pub(super) fn carrier_received(
        self: &Rc<Self>,
        link: LinkId,
        channel: Channel,
        bytes: Option<Uint8Array>,
    ) {
        // Nothing of an oversized message is copied; the peer broke the rules of the link.
        let fits = |bytes: &Uint8Array| {
            usize::try_from(bytes.length()).is_ok_and(|length| length <= MAX_FRAME)
        };
        match bytes.filter(fits) {
            Some(bytes) => self.input(Input::LinkReceived {
                link,
                channel,
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

    pub(super) fn link_of(&self, session: SessionId) -> Option<LinkId> {
        self.state.borrow().links.of_session(session)
    }

    pub(super) fn tell_stopped(&self) {
        let state = &mut *self.state.borrow_mut();
        if state.storage.is_idle()
            && let Some(id) = state.stopping
        {
            self.page.result(id, &());
        }
    }

    pub(super) fn now(&self) -> UnixMillis {
        let state = &mut *self.state.borrow_mut();
        state.now = state.now.max(browser::now());
        state.now
    }

    pub(super) fn input(self: &Rc<Self>, input: Input) {
        let now = self.now();
        self.state.borrow_mut().node.handle_input(now, input);
        self.pump();
    }

    pub(super) fn pump(self: &Rc<Self>) {
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
            Output::Transmit {
                link,
                channel,
                bytes,
            } => {
                let now = self.now();
                let state = &mut *self.state.borrow_mut();
                // A transport that takes nothing any more tells so by its close event.
                if let Some(bytes) = state.links.send(link, channel, &bytes, &self.page)
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
            Output::FindWork { root, threshold } => self.page.find_work(root, threshold),
            Output::Event(Event::Joined { .. }) => self.keep_identity(),
            Output::Event(Event::BridgeFound(record)) => self.found_bridge(&record),
            Output::Event(Event::NeedBridge { urgent }) => self.need_bridge(urgent),
            Output::Event(event) => self.tell(event),
            // Only nodes in the role of a bridge say these.
            Output::Resolve { .. } | Output::Relay { .. } => {}
        }
    }

    /// Stores the identity with the nonce that was found. If that fails, the next start searches again.
    fn keep_identity(&self) {
        let state = self.state.borrow();
        if let Some(database) = state.storage.database() {
            let bytes = state.node.identity_bytes();
            spawn_local(async move {
                let _ = database.set_meta(IDENTITY, &bytes).await;
            });
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
        self.ask_bridges(now);
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
    pub(super) fn write(self: &Rc<Self>) {
        let Some(batch) = self.state.borrow_mut().storage.next() else {
            return;
        };
        let driver = Rc::clone(self);
        spawn_local(async move {
            let result = batch.write().await;
            if result == Err(StorageError::Deposed) {
                return driver.depose();
            }
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

    /// Renews the weights by what the anchors say together.
    fn ask_anchors(self: &Rc<Self>) {
        let now = self.now();
        let urls = {
            let state = &mut *self.state.borrow_mut();
            if !state.trust.wants_offers(now) {
                return;
            }
            state.bridges.urls()
        };
        let driver = Rc::clone(self);
        spawn_local(async move {
            let offers = trust::offers(&urls).await;
            let now = driver.now();
            let (trust, database) = {
                let state = &mut *driver.state.borrow_mut();
                match state.trust.renew(&offers, now) {
                    Ok(true) => {}
                    Ok(false) => return,
                    Err(error) => {
                        return driver.page.complain(&Fault::coded(error.code())(error));
                    }
                }
                state.weights_source = trust::ANCHORS;
                state.network_total = state.trust.weights.total();
                (state.trust.clone(), state.storage.database())
            };
            trust.keep(database.as_deref()).await;
            driver.input(Input::Weights(Box::new(trust.weights)));
        });
    }

    /// A bridge was just reached: asks the anchors for newer weights, if it is time to; on the dev
    /// network that bridge alone, and makes it an anchor. The weights of one that the person did not
    /// name are left alone.
    fn renew_trust(self: &Rc<Self>, bridge: Reached) {
        if self.network != Network::Dev {
            return self.ask_anchors();
        }
        let driver = Rc::clone(self);
        spawn_local(async move {
            // A bridge that says nothing leaves what is trusted as it is.
            let Ok(told) = Trust::ask(driver.network, &bridge.url).await else {
                return;
            };
            let (told, database) = {
                let state = &mut *driver.state.borrow_mut();
                let mut trust = state.trust.clone();
                if bridge.given {
                    trust.weights = told.weights;
                }
                trust.prefer(told.anchors);
                if trust == state.trust {
                    return;
                }
                state.trust = trust.clone();
                if bridge.given {
                    state.weights_source = trust::BRIDGE;
                }
                state.network_total = trust.weights.total();
                (trust, state.storage.database())
            };
            told.keep(database.as_deref()).await;
            driver.input(Input::Anchors(told.anchors));
            driver.input(Input::Weights(Box::new(told.weights)));
        });
    }
}
