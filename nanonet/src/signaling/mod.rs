//! How two browsers agree on a data channel, through nodes that are already connected.
//!
//! What they say ([`Signal`]) is sealed for the other end and travels as a routed request.
//!
//! *Who introduces.* A node's first two links are introduced by a bridge; for all others browsers
//! alone pass its signals on, so that a bridge's load follows those who join and not those who are
//! there. A node asks a bridge for no more than is missing to two links, and whoever has two asks
//! for a node only after signals to it got lost twice among browsers, which is how the parts of a
//! torn mesh find each other again; a node that is asking for its own first links refuses such an
//! offer. The answer goes the way the offer came; the status of a link
//! tells who introduced it ([`crate::Introducer`]).
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

mod page;
mod peer;
mod sessions;
mod signal;

use nano_core::UnixMillis;

use crate::Crypto;
use crate::routing::forward::Own;
use crate::routing::known::Unreached;
use crate::routing::places::POOR;
use crate::timers::Timer;
use crate::wire::{Ask, Bytes, Target};
use crate::{Defence, Introducer, LinkOrigin, Node, NodeId, Output, Role, SessionId, SignalOp};

pub(crate) use sessions::Sessions;
use sessions::Stage;
#[cfg(any(test, feature = "adversary"))]
pub(crate) use signal::sample_offer;
use signal::{Say, Signal};

/// Offers of ours at a time.
const MAX_OFFERS: usize = 4;
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

impl<C: Crypto> Node<C> {
    /// Seals and sends one message of a session.
    fn say(&mut self, id: SessionId, say: Say) {
        let Some(session) = self.sessions.sessions.get(&id) else {
            return;
        };
        let (peer, noise_key) = (session.peer_id, session.peer.noise_key);
        let carriers = session.carriers;
        let signal = Signal {
            session: session.number,
            say,
        };
        let Ok(bytes) = postcard::to_allocvec(&signal) else {
            return;
        };
        let Ok(sealed) = C::seal(&noise_key, CONTEXT, &bytes, &mut self.rng) else {
            return self.end_session(id, true);
        };
        let avoided = match carriers {
            Role::Bridge if self.table.count_of(Role::Bridge) > 0 => {
                self.table.links_of(Role::Browser)
            }
            Role::Bridge | Role::Browser => Vec::new(),
        };
        if let Some(session) = self.sessions.sessions.get_mut(&id) {
            session.sent += 1;
        }
        let body = Ask::Signal {
            carriers,
            sealed: Bytes(sealed),
        };
        self.ask_over(Own::Signal(id), Target::Exactly(peer), body, &avoided);
    }

    /// Whether a bridge is asked for introductions.
    pub(super) fn asks_bridges_itself(&self) -> bool {
        self.browser_links() < POOR && self.table.count_of(Role::Bridge) > 0
    }

    /// Who is to pass on the signals for a node that we offer a link.
    pub(super) fn carriers_to(&self, id: &NodeId) -> Role {
        if self.lacks(Defence::PeerSignaling) {
            return Role::Bridge;
        }
        match (self.asks_bridges_itself(), self.known.is_lost(id)) {
            (true, false) | (false, true) => Role::Bridge,
            (false, false) | (true, true) => Role::Browser,
        }
    }

    /// Offers of ours that may be under way at a time.
    pub(crate) fn most_offers(&self) -> usize {
        if self.asks_bridges_itself() {
            usize::from(POOR - self.browser_links())
        } else {
            MAX_OFFERS
        }
    }

    /// Who introduced us to the other end of a link, if anyone did.
    pub(crate) fn introduced_by(&self, origin: LinkOrigin) -> Option<Introducer> {
        let LinkOrigin::Signaled { session, .. } = origin else {
            return None;
        };
        let session = self.sessions.sessions.get(&session)?;
        Some(Introducer {
            carriers: session.carriers,
            by: session.by?,
            asked: session.offerer,
        })
    }

    /// Gives a session up. `blame`: leave the peer alone for a while.
    fn end_session(&mut self, id: SessionId, blame: bool) {
        let Some(session) = self.sessions.sessions.remove(&id) else {
            return;
        };
        self.timers.clear(Timer::Session(id));
        self.signal_op(SignalOp::Abandon { session: id });
        if blame {
            let why = match session.stage {
                Stage::Agreed => Unreached::NO_WAY,
                Stage::Describing | Stage::Offered if session.delivered => Unreached::UNWILLING,
                Stage::Describing | Stage::Offered => Unreached::LOST,
            };
            self.known.unreachable(self.now, session.peer_id, why);
        }
        self.membership_soon();
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

    pub(crate) fn browser_links(&self) -> u16 {
        u16::try_from(self.table.count_of(Role::Browser)).unwrap_or(u16::MAX)
    }

    fn set_session_timer(&mut self, id: SessionId, at: UnixMillis) {
        self.timers.set(Timer::Session(id), at);
    }

    fn signal_op(&mut self, op: SignalOp) {
        self.outputs.push_back(Output::Signal(op));
    }
}
