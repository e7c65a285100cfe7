//! Nodes known without being linked: what peers say they are linked with, and what look-ups
//! brought.
//!
//! A node is known while at least one linked peer lists it, or for [`FOUND_MS`] after a look-up
//! named it; then it is forgotten. Lists are first-hand and replaced as a whole, so a node that
//! is gone is forgotten as soon as its own peers say so.
//!
//! A node that could not be reached is left alone for a while (*back-off*): 5 seconds, doubled at
//! each failure up to five minutes, forgotten when a link to it stands.
//!
//! Memory: at most [`MAX_KNOWN`] records (beyond it the node furthest from us is not kept), lists
//! of at most [`MAX_LISTS`] links, [`MAX_BACK_OFF`] back-offs (the one that ends first goes).

use nano_core::UnixMillis;

use crate::sorted::{SortedMap, SortedSet};
use crate::{LinkId, NodeId, PeerRecord, Role};

/// Most records held.
pub(crate) const MAX_KNOWN: usize = 512;
/// Most links whose lists are held.
pub(crate) const MAX_LISTS: usize = 64;
/// Most back-offs held.
pub(crate) const MAX_BACK_OFF: usize = 256;
/// How long a node named by a look-up is remembered: one minute.
pub(crate) const FOUND_MS: u64 = 60_000;
/// First back-off.
const FIRST_BACK_OFF_MS: u64 = 5_000;
/// Longest back-off: five minutes.
const LONGEST_BACK_OFF_MS: u64 = 300_000;

#[derive(Debug)]
struct Entry {
    record: PeerRecord,
    listed_by: u16,
    found_until: UnixMillis,
}

#[derive(Debug, Clone, Copy)]
struct BackOff {
    until: UnixMillis,
    length: u64,
}

/// The nodes known.
#[derive(Debug)]
pub(crate) struct Known {
    us: NodeId,
    entries: SortedMap<NodeId, Entry>,
    lists: SortedMap<LinkId, SortedSet<NodeId>>,
    back_off: SortedMap<NodeId, BackOff>,
}

impl Known {
    /// Nobody yet.
    pub(crate) const fn new(us: NodeId) -> Self {
        Self {
            us,
            entries: SortedMap::new(),
            lists: SortedMap::new(),
            back_off: SortedMap::new(),
        }
    }

    /// How many.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Records, by id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&NodeId, &PeerRecord)> {
        self.entries.iter().map(|(id, entry)| (id, &entry.record))
    }

    /// The record of one node.
    pub(crate) fn get(&self, id: &NodeId) -> Option<&PeerRecord> {
        self.entries.get(id).map(|entry| &entry.record)
    }

    /// Whether the peer behind `link` says it is linked with `id`.
    pub(crate) fn is_listed_by(&self, link: LinkId, id: &NodeId) -> bool {
        self.lists.get(&link).is_some_and(|list| list.contains(id))
    }

    /// The records that the peer behind `link` lists.
    pub(crate) fn listed_by(&self, link: LinkId) -> impl Iterator<Item = (&NodeId, &PeerRecord)> {
        let ids = self.lists.get(&link).into_iter().flat_map(SortedSet::iter);
        ids.filter_map(|id| self.get(id).map(|record| (id, record)))
    }

    /// Browsers that may be offered a link at `now`.
    pub(crate) fn reachable(&self, now: UnixMillis) -> impl Iterator<Item = NodeId> {
        self.entries
            .iter()
            .filter(move |(id, entry)| {
                entry.record.role == Role::Browser
                    && self.back_off.get(id).is_none_or(|back| back.until <= now)
            })
            .map(|(id, _)| *id)
    }

    /// Remembers nodes a look-up named. Their records must have been verified.
    pub(crate) fn found(&mut self, now: UnixMillis, records: Vec<PeerRecord>) {
        for record in records {
            let id = record.node_id();
            if let Some(entry) = self.keep(id, record) {
                entry.found_until = now.plus(FOUND_MS);
            }
        }
        self.tidy(now);
    }

    /// Replaces what the peer behind `link` lists. The records must have been verified.
    pub(crate) fn listed(&mut self, now: UnixMillis, link: LinkId, records: Vec<PeerRecord>) {
        if !self.lists.contains_key(&link) && self.lists.len() >= MAX_LISTS {
            self.found(now, records);
            return;
        }
        let before = self.lists.remove(&link).unwrap_or_default();
        let mut list = SortedSet::new();
        for record in records {
            let id = record.node_id();
            if let Some(entry) = self.keep(id, record)
                && list.insert(id)
            {
                entry.listed_by = entry.listed_by.saturating_add(1);
            }
        }
        self.lists.insert(link, list);
        self.unlist(&before);
        self.tidy(now);
    }

    /// Forgets what the peer behind `link` listed.
    pub(crate) fn link_gone(&mut self, now: UnixMillis, link: LinkId) {
        if let Some(list) = self.lists.remove(&link) {
            self.unlist(&list);
            self.tidy(now);
        }
    }

    /// Forgets a node at once: it is known to be gone.
    pub(crate) fn unreachable(&mut self, now: UnixMillis, id: NodeId) {
        let length = self.back_off.get(&id).map_or(FIRST_BACK_OFF_MS, |back| {
            (back.length * 2).min(LONGEST_BACK_OFF_MS)
        });
        if self.back_off.len() >= MAX_BACK_OFF && !self.back_off.contains_key(&id) {
            let first = self.back_off.iter().min_by_key(|(_, back)| back.until);
            if let Some(first) = first.map(|(id, _)| *id) {
                self.back_off.remove(&first);
            }
        }
        let until = now.plus(length);
        self.back_off.insert(id, BackOff { until, length });
    }

    /// A link to it stands: no back-off.
    pub(crate) fn reached(&mut self, id: &NodeId) {
        self.back_off.remove(id);
    }

    fn keep(&mut self, id: NodeId, record: PeerRecord) -> Option<&mut Entry> {
        if id == self.us {
            return None;
        }
        if self.entries.len() >= MAX_KNOWN && !self.entries.contains_key(&id) {
            let us = self.us.point();
            let distance = |id: &NodeId| us.distance(&id.point());
            let furthest = self.entries.keys().copied().max_by_key(distance)?;
            if distance(&furthest) <= distance(&id) {
                return None;
            }
            self.entries.remove(&furthest);
            for list in self.lists.values_mut() {
                list.remove(&furthest);
            }
        }
        let entry = self.entries.get_or_insert_with(id, || Entry {
            record: record.clone(),
            listed_by: 0,
            found_until: UnixMillis(0),
        });
        if record.issued_at > entry.record.issued_at {
            entry.record = record;
        }
        Some(entry)
    }

    fn unlist(&mut self, list: &SortedSet<NodeId>) {
        for id in list.iter() {
            if let Some(entry) = self.entries.get_mut(id) {
                entry.listed_by = entry.listed_by.saturating_sub(1);
            }
        }
    }

    fn tidy(&mut self, now: UnixMillis) {
        self.entries
            .retain(|_, entry| entry.listed_by > 0 || entry.found_until > now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Identity, Rng};
    use nano_core::Network;

    fn record(rng: &mut Rng) -> PeerRecord {
        Identity::generate(rng).peer_record(
            Role::Browser,
            Network::Dev,
            crate::Addresses::default(),
            UnixMillis(1),
        )
    }

    fn known() -> (Known, Rng) {
        let mut rng = Rng::from_seed([1; 32]);
        (Known::new(Identity::generate(&mut rng).node_id()), rng)
    }

    #[test]
    fn a_node_is_forgotten_when_its_last_peer_no_longer_lists_it() {
        let (mut known, mut rng) = known();
        let (a, b) = (record(&mut rng), record(&mut rng));
        let now = UnixMillis(0);
        known.listed(now, LinkId(1), vec![a.clone(), b.clone()]);
        known.listed(now, LinkId(2), vec![a.clone()]);
        known.listed(now, LinkId(1), vec![]);
        assert!(known.get(&a.node_id()).is_some());
        assert!(known.get(&b.node_id()).is_none());
        known.link_gone(now, LinkId(2));
        assert_eq!(known.len(), 0);
    }

    #[test]
    fn a_list_that_names_a_node_twice_counts_it_once() {
        let (mut known, mut rng) = known();
        let a = record(&mut rng);
        known.listed(UnixMillis(0), LinkId(1), vec![a.clone(), a]);
        known.link_gone(UnixMillis(0), LinkId(1));
        assert_eq!(known.len(), 0);
    }

    #[test]
    fn a_found_node_is_forgotten_after_a_minute() {
        let (mut known, mut rng) = known();
        known.found(UnixMillis(0), vec![record(&mut rng)]);
        known.found(UnixMillis(FOUND_MS - 1), vec![]);
        assert_eq!(known.len(), 1);
        known.found(UnixMillis(FOUND_MS), vec![]);
        assert_eq!(known.len(), 0);
    }

    #[test]
    fn an_unreachable_node_is_left_alone_longer_each_time() {
        let (mut known, mut rng) = known();
        let a = record(&mut rng);
        known.listed(UnixMillis(0), LinkId(1), vec![a.clone()]);
        let free = |known: &Known, at| known.reachable(UnixMillis(at)).count();
        assert_eq!(free(&known, 0), 1);
        known.unreachable(UnixMillis(0), a.node_id());
        assert_eq!((free(&known, 4_999), free(&known, 5_000)), (0, 1));
        known.unreachable(UnixMillis(5_000), a.node_id());
        assert_eq!((free(&known, 14_999), free(&known, 15_000)), (0, 1));
        known.reached(&a.node_id());
        assert_eq!(free(&known, 5_001), 1);
    }

    #[test]
    fn at_the_limit_only_nearer_nodes_are_taken() {
        let (mut known, mut rng) = known();
        let us = known.us.point();
        let mut all: Vec<PeerRecord> = (0..MAX_KNOWN + 40).map(|_| record(&mut rng)).collect();
        known.found(UnixMillis(0), all.clone());
        assert_eq!(known.len(), MAX_KNOWN);
        all.sort_by_key(|record| us.distance(&record.node_id().point()));
        for nearest in &all[..MAX_KNOWN] {
            assert!(known.get(&nearest.node_id()).is_some());
        }
    }
}
