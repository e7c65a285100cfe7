//! The sessions under way and what is remembered of those that ended.

use std::collections::VecDeque;

use nano_core::UnixMillis;

use super::{MAX_REMEMBERED, SESSION_MS};
use crate::sorted::{SortedMap, SortedSet};
use crate::{NodeId, PeerRecord, Role, SessionId};

/// How far a session is; see the states in [`crate::signaling`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Describing,
    Offered,
    Agreed,
}

/// One session.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) number: u64,
    pub(super) peer: PeerRecord,
    pub(super) peer_id: NodeId,
    pub(super) offerer: bool,
    pub(super) stage: Stage,
    pub(super) ends: UnixMillis,
    /// Links to browsers the other side says it has.
    pub(super) links: u16,
    /// Who passes its signals on.
    pub(super) carriers: Role,
    /// Who handed us the first signal of the other side.
    pub(super) by: Option<NodeId>,
    /// Candidates of ours not sent yet, and how many there were in all.
    pub(super) gathered: Vec<String>,
    pub(super) gathered_in_all: usize,
    /// Candidates of theirs that wait for their description.
    pub(super) held: Vec<String>,
    pub(super) received_in_all: usize,
    /// Signals on their way, and whether any arrived.
    pub(super) sent: u16,
    pub(super) delivered: bool,
    pub(super) linked: bool,
}

/// How a session begins.
#[derive(Debug)]
pub(super) struct New {
    pub(super) number: u64,
    pub(super) peer: PeerRecord,
    pub(super) offerer: bool,
    pub(super) links: u16,
    pub(super) carriers: Role,
    pub(super) by: Option<NodeId>,
}

/// All sessions.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    last: u64,
    pub(super) sessions: SortedMap<SessionId, Session>,
    remembered: SortedSet<u64>,
    remembered_order: VecDeque<u64>,
    pub(super) early: Vec<(u64, String)>,
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

    pub(super) fn with(&self, id: &NodeId) -> Option<SessionId> {
        self.sessions
            .iter()
            .find(|(_, session)| session.peer_id == *id && !session.linked)
            .map(|(id, _)| *id)
    }

    pub(super) fn numbered(&self, number: u64) -> Option<SessionId> {
        self.sessions
            .iter()
            .find(|(_, session)| session.number == number)
            .map(|(id, _)| *id)
    }

    /// Remembers an offer's number; false if it was known.
    pub(super) fn first_heard(&mut self, number: u64) -> bool {
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

    pub(super) fn insert(&mut self, new: New, now: UnixMillis) -> SessionId {
        self.last += 1;
        let id = SessionId(self.last);
        let session = Session {
            number: new.number,
            peer_id: new.peer.node_id(),
            peer: new.peer,
            offerer: new.offerer,
            stage: Stage::Describing,
            ends: now.plus(SESSION_MS),
            links: new.links,
            carriers: new.carriers,
            by: new.by,
            gathered: Vec::new(),
            gathered_in_all: 0,
            held: Vec::new(),
            received_in_all: 0,
            sent: 0,
            delivered: false,
            linked: false,
        };
        self.sessions.insert(id, session);
        id
    }
}
