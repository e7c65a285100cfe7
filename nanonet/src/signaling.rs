//! How two browsers agree on a data channel, through nodes that are already connected.
//!
//! What they say ([`Signal`]) is sealed for the other end and travels as a routed request, over
//! peers and, so that a young mesh works too, over a bridge at the same time; whichever copy comes
//! first counts.
//!
//! States of a session: *describing* (the page makes the offer or the answer), *offered* (our
//! offer is out), *agreed* (both descriptions are known; the channel is being opened). It ends when
//! its link is up, when it fails, or after [`SESSION_MS`].
//!
//! Rules:
//! - one session per peer. Of two crossing offers the lower node id's wins: the other side drops
//!   its own and answers;
//! - an offer is refused while banned, linked already, or when its sender would get no place;
//! - candidates gather for [`GATHER_MS`] and travel together; they are handed to the page only
//!   after the other side's description, and kept so long if they overtake it;
//! - a node that cannot be reached or refuses is left alone for a while
//!   ([`crate::routing::known`]).
//!
//! Limits: [`MAX_OFFERS`] offers of ours and [`MAX_ANSWERS`] of others at a time, descriptions of
//! [`MAX_SDP`] bytes, [`MAX_CANDIDATES`] candidates of [`MAX_CANDIDATE`] bytes per session and
//! side, [`MAX_EARLY`] candidates for sessions not known yet.

use std::collections::VecDeque;

use nano_core::UnixMillis;
use serde::{Deserialize, Serialize};

use crate::routing::forward::Own;
use crate::routing::places::{Admission, Seat};
use crate::sorted::{SortedMap, SortedSet};
use crate::timers::Timer;
use crate::wire::{Ask, Bytes, Reply, Target};
use crate::{LinkOrigin, Node, NodeId, Output, PeerRecord, Role, SessionId, SignalOp, seal};

/// Offers of ours at a time.
pub(crate) const MAX_OFFERS: usize = 4;
/// Offers of others being answered at a time.
pub(crate) const MAX_ANSWERS: usize = 8;
/// Longest session description in bytes.
pub(crate) const MAX_SDP: usize = 8 * 1024;
/// Most candidates per session and side.
pub(crate) const MAX_CANDIDATES: usize = 32;
/// Longest candidate in bytes.
pub(crate) const MAX_CANDIDATE: usize = 512;
/// Most candidates kept for sessions not known yet.
const MAX_EARLY: usize = 64;
/// Sessions of others remembered, so that a repeated offer is not answered twice.
const MAX_REMEMBERED: usize = 512;
/// How long a session may take.
pub(crate) const SESSION_MS: u64 = 10_000;
/// How long candidates gather before they are sent.
const GATHER_MS: u64 = 30;
/// What signals are sealed for.
const CONTEXT: &str = "signal";

/// What one end says to the other. Knowing the session's number proves having read its offer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Signal {
    /// Random number of the session, chosen by the side that makes the offer.
    session: u64,
    say: Say,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Say {
    /// Connect with me.
    Offer {
        /// Who; needed to seal the answer.
        from: PeerRecord,
        /// Links to browsers it has.
        links: u16,
        /// Its description.
        sdp: String,
    },
    /// Here is my description.
    Answer {
        /// Links to browsers it has.
        links: u16,
        /// Its description.
        sdp: String,
    },
    /// Addresses that may work.
    Candidates(Vec<String>),
    /// No place, or not willing.
    Refuse,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Describing,
    Offered,
    Agreed,
}

#[derive(Debug)]
struct Session {
    number: u64,
    peer: PeerRecord,
    peer_id: NodeId,
    offerer: bool,
    stage: Stage,
    ends: UnixMillis,
    /// Links to browsers the other side says it has.
    links: u16,
    /// Candidates of ours not sent yet, and how many there were in all.
    gathered: Vec<String>,
    gathered_in_all: usize,
    /// Candidates of theirs that wait for their description.
    held: Vec<String>,
    received_in_all: usize,
    /// Copies of signals on their way, and whether any arrived.
    copies: u16,
    delivered: bool,
    linked: bool,
}

/// All sessions.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    last: u64,
    sessions: SortedMap<SessionId, Session>,
    remembered: SortedSet<u64>,
    remembered_order: VecDeque<u64>,
    early: VecDeque<(u64, String)>,
}

impl Sessions {
    /// Nodes we have an offer out to.
    pub(crate) fn offers(&self) -> impl Iterator<Item = NodeId> {
        self.sessions
            .values()
            .filter(|session| session.offerer && !session.linked)
            .map(|session| session.peer_id)
    }

    /// Whether a session leads to this node.
    pub(crate) fn leads_to(&self, id: &NodeId) -> bool {
        self.with(id).is_some()
    }

    /// Whether no session is under way.
    pub(crate) fn is_idle(&self) -> bool {
        self.sessions.values().all(|session| session.linked)
    }

    fn with(&self, id: &NodeId) -> Option<SessionId> {
        self.sessions
            .iter()
            .find(|(_, session)| session.peer_id == *id && !session.linked)
            .map(|(id, _)| *id)
    }

    fn numbered(&self, number: u64) -> Option<SessionId> {
        self.sessions
            .iter()
            .find(|(_, session)| session.number == number)
            .map(|(id, _)| *id)
    }

    /// Remembers an offer's number; false if it was known.
    fn first_heard(&mut self, number: u64) -> bool {
        if !self.remembered.insert(number) {
            return false;
        }
        self.remembered_order.push_back(number);
        if self.remembered_order.len() > MAX_REMEMBERED
            && let Some(oldest) = self.remembered_order.pop_front()
        {
            self.remembered.remove(&oldest);
        }
        true
    }

    fn insert(
        &mut self,
        number: u64,
        peer: PeerRecord,
        offerer: bool,
        links: u16,
        now: UnixMillis,
    ) -> SessionId {
        self.last += 1;
        let id = SessionId(self.last);
        let session = Session {
            number,
            peer_id: peer.node_id(),
            peer,
            offerer,
            stage: Stage::Describing,
            ends: now.plus(SESSION_MS),
            links,
            gathered: Vec::new(),
            gathered_in_all: 0,
            held: Vec::new(),
            received_in_all: 0,
            copies: 0,
            delivered: false,
            linked: false,
        };
        self.sessions.insert(id, session);
        id
    }
}

impl Node {
    /// Offers a link to a known node; false if none can be made now.
    pub(crate) fn make_offer(&mut self, id: NodeId) -> bool {
        let Some(peer) = self.known.get(&id).cloned() else {
            return false;
        };
        let number = self.rng.next_u64();
        let session = self.sessions.insert(number, peer, true, 0, self.now);
        self.set_session_timer(session, self.now.plus(SESSION_MS));
        self.signal_op(SignalOp::CreateOffer { session });
        true
    }

    /// The page made the description we asked for.
    pub(crate) fn on_local_description(&mut self, id: SessionId, sdp: String) {
        let links = self.browser_links();
        let from = self.record.clone();
        let Some(session) = self.sessions.sessions.get_mut(&id) else {
            return;
        };
        if session.stage != Stage::Describing {
            return;
        }
        if sdp.len() > MAX_SDP {
            return self.end_session(id, true);
        }
        let say = if session.offerer {
            session.stage = Stage::Offered;
            Say::Offer { from, links, sdp }
        } else {
            session.stage = Stage::Agreed;
            Say::Answer { links, sdp }
        };
        self.say(id, say);
    }

    /// The page found an address of ours.
    pub(crate) fn on_local_candidate(&mut self, id: SessionId, candidate: String) {
        let gather = self.now.plus(GATHER_MS);
        let Some(session) = self.sessions.sessions.get_mut(&id) else {
            return;
        };
        if session.gathered_in_all >= MAX_CANDIDATES || candidate.len() > MAX_CANDIDATE {
            return;
        }
        session.gathered_in_all += 1;
        session.gathered.push(candidate);
        self.timers.set_by(Timer::Session(id), gather);
    }

    /// The page's connection failed.
    pub(crate) fn on_session_failed(&mut self, id: SessionId) {
        let Some(session) = self.sessions.sessions.remove(&id) else {
            return;
        };
        self.timers.clear(Timer::Session(id));
        if !session.linked {
            self.known.unreachable(self.now, session.peer_id);
            self.timers.set_by(Timer::Membership, self.now);
        }
    }

    /// Candidates are to be sent, or the session has taken too long.
    pub(crate) fn on_session_timer(&mut self, id: SessionId) {
        let Some(session) = self.sessions.sessions.get_mut(&id) else {
            return;
        };
        if session.linked {
            return;
        }
        if session.ends <= self.now {
            return self.end_session(id, true);
        }
        let ends = session.ends;
        // Before the description is out there is nothing to add candidates to.
        if session.stage != Stage::Describing && !session.gathered.is_empty() {
            let candidates = std::mem::take(&mut session.gathered);
            self.say(id, Say::Candidates(candidates));
        }
        let gathering = self
            .sessions
            .sessions
            .get(&id)
            .is_some_and(|session| !session.gathered.is_empty());
        let next = if gathering {
            self.now.plus(GATHER_MS)
        } else {
            ends
        };
        self.set_session_timer(id, next);
    }

    /// A sealed message for us. What cannot be opened or read is thrown away: the one who passed
    /// it on could not know.
    pub(crate) fn on_sealed(&mut self, sealed: &[u8]) {
        let signal = self
            .identity
            .open(CONTEXT, sealed)
            .ok()
            .and_then(|bytes| postcard::from_bytes::<Signal>(&bytes).ok());
        let Some(Signal { session, say }) = signal else {
            return self.counters.refuse("bad-signal");
        };
        match say {
            Say::Offer { from, links, sdp } => self.on_offer(session, from, links, sdp),
            Say::Answer { links, sdp } => self.on_agreed(session, links, sdp),
            Say::Candidates(candidates) => self.on_candidates(session, candidates),
            Say::Refuse => {
                if let Some(id) = self.sessions.numbered(session) {
                    self.end_session(id, true);
                }
            }
        }
    }

    fn on_offer(&mut self, number: u64, from: PeerRecord, links: u16, sdp: String) {
        let id = from.node_id();
        let usable = sdp.len() <= MAX_SDP
            && id != self.id
            && self.config.role == Role::Browser
            && from.role == Role::Browser
            && from.network == self.config.network
            && from.version == self.record.version
            && !self.bans.holds(&id, self.now)
            && from.verify().is_ok();
        if !usable || !self.sessions.first_heard(number) {
            return;
        }
        if let Some(ours) = self.sessions.with(&id) {
            let crossing = self.sessions.sessions.get(&ours);
            // Glare: the lower id's offer wins. An answer of ours to an earlier offer gives way
            // to the new one, whose sender has forgotten the first.
            if crossing.is_some_and(|session| session.offerer) && self.id < id {
                return;
            }
            self.end_session(ours, false);
        }
        let seat = Seat {
            link: None,
            id,
            role: Role::Browser,
            since: self.now,
            links,
        };
        let answering = self.sessions.sessions.values();
        let answering = answering.filter(|session| !session.offerer && !session.linked);
        let answering = answering.count();
        let linked = self.table.link_to(&id).is_some();
        let places = self.places.admit(&self.table.seats(), &seat) != Admission::Refuse;
        let welcome = (places || linked) && answering < MAX_ANSWERS;
        let session = self.sessions.insert(number, from, false, links, self.now);
        if !welcome {
            self.say(session, Say::Refuse);
            self.sessions.sessions.remove(&session);
            return;
        }
        self.set_session_timer(session, self.now.plus(SESSION_MS));
        self.signal_op(SignalOp::AcceptOffer { session, sdp });
        let early: Vec<(u64, String)> = self.sessions.early.drain(..).collect();
        for (of, candidate) in early {
            if of == number {
                self.add_candidate(session, candidate);
            } else {
                self.sessions.early.push_back((of, candidate));
            }
        }
    }

    fn on_agreed(&mut self, number: u64, links: u16, sdp: String) {
        let Some(id) = self.sessions.numbered(number) else {
            return;
        };
        let Some(session) = self.sessions.sessions.get_mut(&id) else {
            return;
        };
        if !session.offerer || session.stage != Stage::Offered || sdp.len() > MAX_SDP {
            return;
        }
        session.stage = Stage::Agreed;
        session.links = links;
        let held = std::mem::take(&mut session.held);
        self.signal_op(SignalOp::AcceptAnswer { session: id, sdp });
        for candidate in held {
            self.signal_op(SignalOp::AddCandidate {
                session: id,
                candidate,
            });
        }
    }

    fn on_candidates(&mut self, number: u64, candidates: Vec<String>) {
        let known = self.sessions.numbered(number);
        for candidate in candidates.into_iter().take(MAX_CANDIDATES) {
            if candidate.len() > MAX_CANDIDATE {
                continue;
            }
            match known {
                Some(id) => self.add_candidate(id, candidate),
                // The offer may be on a slower way.
                None => {
                    self.sessions.early.push_back((number, candidate));
                    if self.sessions.early.len() > MAX_EARLY {
                        self.sessions.early.pop_front();
                    }
                }
            }
        }
    }

    fn add_candidate(&mut self, id: SessionId, candidate: String) {
        let Some(session) = self.sessions.sessions.get_mut(&id) else {
            return;
        };
        if session.linked || session.received_in_all >= MAX_CANDIDATES {
            return;
        }
        session.received_in_all += 1;
        if session.offerer && session.stage != Stage::Agreed {
            session.held.push(candidate);
        } else {
            self.signal_op(SignalOp::AddCandidate {
                session: id,
                candidate,
            });
        }
    }

    /// A copy of a signal arrived at the other end, or could not be delivered. A session none of
    /// whose signals arrive is given up.
    pub(crate) fn on_signal_reply(&mut self, id: SessionId, body: &Reply) {
        let Some(session) = self.sessions.sessions.get_mut(&id) else {
            return;
        };
        session.copies = session.copies.saturating_sub(1);
        session.delivered |= matches!(body, Reply::Delivered);
        let lost = session.copies == 0 && !session.delivered && !session.linked;
        if lost {
            self.end_session(id, true);
        }
    }

    /// Seals and sends one message of a session.
    fn say(&mut self, id: SessionId, say: Say) {
        let Some(session) = self.sessions.sessions.get(&id) else {
            return;
        };
        let (peer, noise_key) = (session.peer_id, session.peer.noise_key);
        let signal = Signal {
            session: session.number,
            say,
        };
        let Ok(bytes) = postcard::to_allocvec(&signal) else {
            return;
        };
        let Ok(sealed) = seal(&noise_key, CONTEXT, &bytes, &mut self.rng) else {
            return self.end_session(id, true);
        };
        let bridges = self.table.links_of(Role::Bridge);
        let browsers = self.table.links_of(Role::Browser);
        let target = Target::Exactly(peer);
        // A copy over bridges only, and one over browsers only.
        let avoided: Vec<_> = [(&bridges, &browsers), (&browsers, &bridges)]
            .into_iter()
            .filter(|(over, _)| !over.is_empty())
            .map(|(_, avoid)| avoid.clone())
            .collect();
        if let Some(session) = self.sessions.sessions.get_mut(&id) {
            session.copies += u16::try_from(avoided.len()).unwrap_or(0);
        }
        for avoid in avoided {
            let sealed = Bytes(sealed.clone());
            self.ask_over(Own::Signal(id), target, Ask::Signal { sealed }, &avoid);
        }
    }

    /// Gives a session up. `blame`: leave the peer alone for a while.
    fn end_session(&mut self, id: SessionId, blame: bool) {
        let Some(session) = self.sessions.sessions.remove(&id) else {
            return;
        };
        self.timers.clear(Timer::Session(id));
        self.signal_op(SignalOp::Abandon { session: id });
        if blame {
            self.known.unreachable(self.now, session.peer_id);
        }
        self.timers.set_by(Timer::Membership, self.now);
        self.status_changed();
    }

    /// The link of a session is up.
    pub(crate) fn session_is_linked(&mut self, origin: LinkOrigin, peer: &NodeId) {
        if let LinkOrigin::Signaled { session, .. } = origin {
            self.timers.clear(Timer::Session(session));
            if let Some(session) = self.sessions.sessions.get_mut(&session) {
                session.linked = true;
            }
        }
        // Another session to the same node is not needed any more.
        if let Some(other) = self.sessions.with(peer) {
            self.end_session(other, false);
        }
    }

    /// The link of a session is gone, so its connection can go too.
    pub(crate) fn session_link_gone(&mut self, origin: LinkOrigin) {
        if let LinkOrigin::Signaled { session, .. } = origin {
            self.end_session(session, false);
        }
    }

    /// Whom a session leads to.
    pub(crate) fn session_peer(&self, origin: LinkOrigin) -> Option<NodeId> {
        match origin {
            LinkOrigin::Signaled { session, .. } => {
                let session = self.sessions.sessions.get(&session)?;
                Some(session.peer_id)
            }
            LinkOrigin::Dialled | LinkOrigin::Accepted => None,
        }
    }

    /// How many links the other side said it had when it made its offer.
    pub(crate) fn links_told_in_offer(&self, origin: LinkOrigin) -> u16 {
        match origin {
            LinkOrigin::Signaled { session, .. } => self
                .sessions
                .sessions
                .get(&session)
                .map_or(0, |session| session.links),
            LinkOrigin::Dialled | LinkOrigin::Accepted => 0,
        }
    }

    fn browser_links(&self) -> u16 {
        u16::try_from(self.table.count_of(Role::Browser)).unwrap_or(u16::MAX)
    }

    fn set_session_timer(&mut self, id: SessionId, at: UnixMillis) {
        self.timers.set(Timer::Session(id), at);
    }

    fn signal_op(&mut self, op: SignalOp) {
        self.outputs.push_back(Output::Signal(op));
    }
}
