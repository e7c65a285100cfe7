//! The other side of a session: what arrives sealed from it, and whether our signals reach it.

use super::sessions::{New, Stage};
use super::signal::{Say, Signal};
use super::{CONTEXT, MAX_ANSWERS, MAX_CANDIDATE, MAX_CANDIDATES, MAX_EARLY, MAX_SDP, SESSION_MS};
use crate::Crypto;
use crate::routing::forward::Upstream;
use crate::routing::places::{Admission, POOR, Seat};
use crate::wire::Reply;
use crate::{Node, NodeId, Role, SessionId, SignalOp};

impl<C: Crypto> Node<C> {
    /// A sealed message for us. What cannot be opened or read is thrown away: the one who passed
    /// it on could not know.
    pub(crate) fn on_sealed(&mut self, upstream: Upstream, carriers: Role, sealed: &[u8]) {
        let by = match upstream {
            Upstream::Link(link) => self.table.get(link),
            Upstream::Own(_) => None,
        };
        let by = by.and_then(|peer| peer.who.as_ref()).map(|who| who.id);
        let signal = C::open(&self.identity, CONTEXT, sealed)
            .ok()
            .and_then(|bytes| postcard::from_bytes::<Signal>(&bytes).ok());
        let Some(Signal { session, say }) = signal else {
            return self.counters.refuse("bad-signal");
        };
        match say {
            Say::Offer { from, links, sdp } => {
                let new = New {
                    number: session,
                    peer: from,
                    offerer: false,
                    links,
                    carriers,
                    by,
                };
                self.on_offer(new, sdp);
            }
            Say::Answer { links, sdp } => self.on_agreed(session, by, links, sdp),
            Say::Candidates(candidates) => self.on_candidates(session, candidates),
            Say::Refuse => {
                if let Some(id) = self.sessions.numbered(session) {
                    self.end_session(id, true);
                }
            }
        }
    }

    fn on_offer(&mut self, new: New, sdp: String) {
        let (from, links, number) = (&new.peer, new.links, new.number);
        let id = from.node_id();
        let usable = sdp.len() <= MAX_SDP
            && id != self.id
            && self.config.role == Role::Browser
            && from.role == Role::Browser
            && from.network == self.config.network
            && from.version == self.record.version
            && !self.bans.holds(&from.node_key, self.now)
            && self.is_sound(from)
            && !self.is_too_alike(&id, from);
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
        let places = if self.stands(from) {
            self.places.admit(&self.table.seats(), &seat) != Admission::Refuse
        } else {
            self.has_leaf_room()
        };
        // Who has peers asks bridges for those only whom no peer reaches: we are asking ourselves.
        let uncalled_for = new.carriers == Role::Bridge
            && links >= POOR
            && self.asks_bridges_itself()
            && (self.wants_links() || self.sessions.offers().next().is_some());
        let welcome = (places || linked) && answering < MAX_ANSWERS && !uncalled_for;
        let session = self.sessions.insert(new, self.now);
        if !welcome {
            self.say(session, Say::Refuse);
            self.sessions.sessions.remove(&session);
            return;
        }
        self.set_session_timer(session, self.now.plus(SESSION_MS));
        self.signal_op(SignalOp::AcceptOffer { session, sdp });
        let early = std::mem::take(&mut self.sessions.early);
        for (of, candidate) in early {
            if of == number {
                self.add_candidate(session, candidate);
            } else {
                self.sessions.early.push((of, candidate));
            }
        }
    }

    fn on_agreed(&mut self, number: u64, by: Option<NodeId>, links: u16, sdp: String) {
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
        session.by = by;
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
                    self.sessions.early.push((number, candidate));
                    if self.sessions.early.len() > MAX_EARLY {
                        self.sessions.early.remove(0);
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

    /// A signal arrived at the other end, or could not be delivered. A session none of whose signals
    /// arrive is given up.
    pub(crate) fn on_signal_reply(&mut self, id: SessionId, body: &Reply) {
        let Some(session) = self.sessions.sessions.get_mut(&id) else {
            return;
        };
        session.sent = session.sent.saturating_sub(1);
        session.delivered |= matches!(body, Reply::Delivered);
        let lost = session.sent == 0 && !session.delivered && !session.linked;
        let peer = session.peer_id;
        if lost {
            self.end_session(id, true);
            self.doubt_node(&peer);
        }
    }
}
