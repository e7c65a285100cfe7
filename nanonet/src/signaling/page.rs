//! Our own side of a session: what the page's connection produces, and the session's timer.

use super::sessions::{New, Stage};
use super::signal::Say;
use super::{GATHER_MS, MAX_CANDIDATE, MAX_CANDIDATES, MAX_SDP, SESSION_MS};
use crate::Crypto;
use crate::routing::known::Unreached;
use crate::timers::Timer;
use crate::{Node, NodeId, SessionId, SignalOp};

impl<C: Crypto> Node<C> {
    /// Offers a link to a known node; false if none can be made now.
    pub(crate) fn make_offer(&mut self, id: NodeId) -> bool {
        let Some(peer) = self.known.get(&id).cloned() else {
            return false;
        };
        let new = New {
            number: self.rng.next_u64(),
            peer,
            offerer: true,
            links: 0,
            carriers: self.carriers_to(&id),
            by: None,
        };
        let session = self.sessions.insert(new, self.now);
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
            self.known
                .unreachable(self.now, session.peer_id, Unreached::NO_WAY);
            self.membership_soon();
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
}
