//! What the node counts, and what it shows of itself.
//!
//! Counters only grow. Reasons are the fixed codes of this crate and of nano-core's proof errors,
//! so the tables of reasons are bounded by the program itself.

use crate::Crypto;
use crate::link::LinkEnd;
use crate::sorted::SortedMap;
use crate::{LinkInfo, Node, NodeState, Status};

/// Everything counted.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Records and answers refused, by reason.
    pub(crate) refused: SortedMap<&'static str, u64>,
    /// Links closed, by reason.
    pub(crate) dropped: SortedMap<&'static str, u64>,
    /// Questions of others answered here.
    pub(crate) served: u64,
    /// Requests of others passed on.
    pub(crate) forwarded: u64,
    /// Bytes sent to keep replicas; see [`Node::repair_bytes`].
    pub(crate) repair_bytes: u64,
    /// Bytes over links that are gone.
    pub(crate) past_bytes_in: u64,
    /// Bytes over links that are gone.
    pub(crate) past_bytes_out: u64,
}

impl Counters {
    /// Counts something refused.
    pub(crate) fn refuse(&mut self, reason: &'static str) {
        let count = self.refused.get_or_insert_with(reason, || 0);
        *count = count.saturating_add(1);
    }

    /// Counts a link closed.
    pub(crate) fn drop_link(&mut self, reason: &'static str) {
        let count = self.dropped.get_or_insert_with(reason, || 0);
        *count = count.saturating_add(1);
    }
}

impl<C: Crypto> Node<C> {
    /// What the node is doing and has done; made anew at each call.
    #[must_use]
    pub fn status(&self) -> Status {
        let links: Vec<LinkInfo> = self
            .table
            .up_links()
            .map(|(link, peer, who)| {
                let stats = peer.link.stats();
                LinkInfo {
                    link,
                    peer: who.id,
                    key: who.record.node_key,
                    role: who.record.role,
                    transport: peer.transport,
                    origin: peer.origin,
                    introducer: self.introduced_by(peer.origin),
                    rtt_ms: peer.link.rtt_ms(),
                    bytes_in: stats.bytes_in,
                    bytes_out: stats.bytes_out,
                    datagrams: stats.datagrams,
                    answers: peer.answers,
                    since: peer.since,
                }
            })
            .collect();
        let sum = |of: fn(&LinkInfo) -> u64| links.iter().map(of).sum::<u64>();
        let bytes_in = self.counters.past_bytes_in + sum(|link| link.bytes_in);
        let bytes_out = self.counters.past_bytes_out + sum(|link| link.bytes_out);
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Status {
            id: self.id,
            key: self.identity.node_key(),
            state: self.state(),
            standing: self.joining.standing(),
            links,
            known_peers: number(self.known.len()),
            records: self.slice.account_count(),
            receivables: self.slice.receivable_count(),
            record_bytes: self.slice.bytes(),
            pending: number(self.publishing.len()),
            refused: shown(&self.counters.refused),
            dropped: shown(&self.counters.dropped),
            answers_served: self.counters.served,
            forwarded: self.counters.forwarded,
            bytes_in,
            bytes_out,
            weights_as_of: self.config.weights.as_of,
        }
    }

    /// Bytes of messages sent that keep records on the nodes that shall hold them: names, pulls,
    /// comparisons and the records that came of them, our own and those passed on.
    #[must_use]
    pub const fn repair_bytes(&self) -> u64 {
        self.counters.repair_bytes
    }

    fn state(&self) -> NodeState {
        let linked = self.table.count() > 0;
        if !linked {
            return if self.was_linked {
                NodeState::Offline
            } else {
                NodeState::Starting
            };
        }
        let settled = self.config.role.is_bridge_here()
            || (self.sessions.is_idle() && !self.wants_links() && self.looked_around);
        if settled {
            NodeState::Meshed
        } else {
            NodeState::Connecting
        }
    }
}

fn shown(counts: &SortedMap<&'static str, u64>) -> Vec<(&'static str, u64)> {
    let counts = counts.iter();
    counts.map(|(reason, count)| (*reason, *count)).collect()
}
