//! Nodes known without being linked: what peers say they are linked with, and what look-ups
//! brought.
//!
//! A node is known while at least one linked peer lists it, or for [`FOUND_MS`] after a look-up
//! named it; then it is forgotten. Lists are first-hand and followed by news, so a node that is
//! gone is forgotten as soon as its own peers say so.
//!
//! A node that could not be reached is left alone for a while (*back-off*), doubled at each failure
//! and forgotten when a link to it stands: from 5 seconds to five minutes where no signal came
//! through or the node had no place, from two minutes to two hours where signals came through but no
//! connection, because the routers between the two will hardly change.
//!
//! Memory: at most [`MAX_KNOWN`] nodes (beyond it the node furthest from us is not kept), each
//! listed by at most [`MAX_LISTS`] links, [`MAX_BACK_OFF`] back-offs (the one that ends first goes).

use nano_core::UnixMillis;

use super::contact::Who;
use crate::sorted::SortedMap;
use crate::{LinkId, NodeId, PeerRecord, Role};

/// Most records held.
pub(crate) const MAX_KNOWN: usize = 512;
/// Most links remembered to list one node.
pub(crate) const MAX_LISTS: usize = 32;
/// Most back-offs held.
pub(crate) const MAX_BACK_OFF: usize = 256;
/// How long a node named by a look-up is remembered: one minute.
pub(crate) const FOUND_MS: u64 = 60_000;
/// Why a node could not be reached: its first back-off, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unreached(u64);

impl Unreached {
    /// No signal came through, or it has no place for us.
    pub(crate) const UNWILLING: Self = Self(5_000);
    /// Signals came through, but no connection.
    pub(crate) const NO_WAY: Self = Self(120_000);
}

/// The longest back-off, in first ones.
const LONGEST: u64 = 60;

#[derive(Debug)]
struct Entry {
    who: Who,
    listed_by: Vec<LinkId>,
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
    back_off: SortedMap<NodeId, BackOff>,
}

impl Known {
    /// Nobody yet.
    pub(crate) const fn new(us: NodeId) -> Self {
        Self {
            us,
            entries: SortedMap::new(),
            back_off: SortedMap::new(),
        }
    }

    /// We lie elsewhere now.
    pub(crate) fn move_to(&mut self, us: NodeId) {
        self.us = us;
        self.entries.remove(&us);
    }

    /// How many.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// All of them, by id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Who> {
        self.entries.values().map(|entry| &entry.who)
    }

    /// The record of one node.
    pub(crate) fn get(&self, id: &NodeId) -> Option<&PeerRecord> {
        self.entries.get(id).map(|entry| &entry.who.record)
    }

    /// Whether the peer behind `link` says it is linked with `id`.
    pub(crate) fn is_listed_by(&self, link: LinkId, id: &NodeId) -> bool {
        let entry = self.entries.get(id);
        entry.is_some_and(|entry| entry.listed_by.contains(&link))
    }

    /// The nodes that one of `links` lists.
    pub(crate) fn listed_by<'a>(&'a self, links: &'a [LinkId]) -> impl Iterator<Item = &'a Who> {
        let listed = |entry: &&Entry| entry.listed_by.iter().any(|link| links.contains(link));
        self.entries.values().filter(listed).map(|entry| &entry.who)
    }

    /// Browsers that may be offered a link at `now`.
    pub(crate) fn reachable(&self, now: UnixMillis) -> impl Iterator<Item = &Who> {
        self.iter().filter(move |who| {
            let back = self.back_off.get(&who.id);
            who.record.role == Role::Browser && back.is_none_or(|back| back.until <= now)
        })
    }

    /// Remembers nodes that the peer behind `link` says it is linked with, or that a look-up named
    /// (`None`).
    pub(crate) fn learn(&mut self, now: UnixMillis, link: Option<LinkId>, new: Vec<Who>) {
        for who in new {
            let Some(entry) = self.keep(who) else {
                continue;
            };
            match link {
                None => entry.found_until = now.plus(FOUND_MS),
                Some(link) => {
                    if !entry.listed_by.contains(&link) && entry.listed_by.len() < MAX_LISTS {
                        entry.listed_by.push(link);
                    }
                }
            }
        }
        self.tidy(now);
    }

    /// The peer behind `link` is no longer linked with `gone`, or with anybody (`None`).
    pub(crate) fn unlist(&mut self, now: UnixMillis, link: LinkId, gone: Option<&[NodeId]>) {
        for (id, entry) in self.entries.iter_mut() {
            if gone.is_none_or(|gone| gone.contains(id)) {
                entry.listed_by.retain(|by| *by != link);
                if gone.is_some() {
                    entry.found_until = now;
                }
            }
        }
        self.tidy(now);
    }

    /// A link to it could not be made: it is left alone for a while.
    pub(crate) fn unreachable(&mut self, now: UnixMillis, id: NodeId, why: Unreached) {
        let before = self.back_off.get(&id).map_or(0, |back| back.length);
        let length = (before * 2).clamp(why.0, why.0 * LONGEST);
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

    fn keep(&mut self, who: Who) -> Option<&mut Entry> {
        let id = who.id;
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
        }
        let entry = self.entries.get_or_insert_with(id, || Entry {
            who: who.clone(),
            listed_by: Vec::new(),
            found_until: UnixMillis(0),
        });
        if who.record.issued_at > entry.who.record.issued_at {
            entry.who = who;
        }
        Some(entry)
    }

    fn tidy(&mut self, now: UnixMillis) {
        self.entries
            .retain(|_, entry| !entry.listed_by.is_empty() || entry.found_until > now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::contact::Contact;
    use crate::{Identity, Rng};
    use nano_core::Network;

    fn somebody(rng: &mut Rng) -> Who {
        let addresses = crate::Addresses::default();
        let identity = Identity::generate(rng);
        let record = identity.peer_record(Role::Browser, Network::Dev, addresses, UnixMillis(1));
        Contact::new(record)
    }

    fn known() -> (Known, Rng) {
        let mut rng = Rng::from_seed([1; 32]);
        (Known::new(Identity::generate(&mut rng).node_id()), rng)
    }

    #[test]
    fn a_node_is_forgotten_when_its_last_peer_no_longer_lists_it() {
        let (mut known, mut rng) = known();
        let (a, b) = (somebody(&mut rng), somebody(&mut rng));
        let now = UnixMillis(0);
        known.learn(now, Some(LinkId(1)), vec![a.clone(), b.clone()]);
        known.learn(now, Some(LinkId(2)), vec![a.clone()]);
        known.unlist(now, LinkId(1), Some(&[a.id, b.id]));
        assert!(known.get(&a.id).is_some());
        assert!(known.get(&b.id).is_none());
        known.unlist(now, LinkId(2), None);
        assert_eq!(known.len(), 0);
    }

    #[test]
    fn a_list_that_names_a_node_twice_counts_it_once() {
        let (mut known, mut rng) = known();
        let a = somebody(&mut rng);
        known.learn(UnixMillis(0), Some(LinkId(1)), vec![a.clone(), a]);
        known.unlist(UnixMillis(0), LinkId(1), None);
        assert_eq!(known.len(), 0);
    }

    #[test]
    fn a_found_node_is_forgotten_after_a_minute() {
        let (mut known, mut rng) = known();
        known.learn(UnixMillis(0), None, vec![somebody(&mut rng)]);
        known.learn(UnixMillis(FOUND_MS - 1), None, vec![]);
        assert_eq!(known.len(), 1);
        known.learn(UnixMillis(FOUND_MS), None, vec![]);
        assert_eq!(known.len(), 0);
    }

    #[test]
    fn an_unreachable_node_is_left_alone_longer_each_time() {
        let (mut known, mut rng) = known();
        let a = somebody(&mut rng);
        known.learn(UnixMillis(0), Some(LinkId(1)), vec![a.clone()]);
        let free = |known: &Known, at| known.reachable(UnixMillis(at)).count();
        assert_eq!(free(&known, 0), 1);
        known.unreachable(UnixMillis(0), a.id, Unreached::UNWILLING);
        assert_eq!((free(&known, 4_999), free(&known, 5_000)), (0, 1));
        known.unreachable(UnixMillis(5_000), a.id, Unreached::UNWILLING);
        assert_eq!((free(&known, 14_999), free(&known, 15_000)), (0, 1));
        known.reached(&a.id);
        assert_eq!(free(&known, 5_001), 1);
        known.unreachable(UnixMillis(6_000), a.id, Unreached::NO_WAY);
        assert_eq!((free(&known, 125_999), free(&known, 126_000)), (0, 1));
    }

    #[test]
    fn at_the_limit_only_nearer_nodes_are_taken() {
        let (mut known, mut rng) = known();
        let us = known.us.point();
        let mut all: Vec<Who> = (0..MAX_KNOWN + 40).map(|_| somebody(&mut rng)).collect();
        known.learn(UnixMillis(0), None, all.clone());
        assert_eq!(known.len(), MAX_KNOWN);
        all.sort_by_key(|record| us.distance(&record.id.point()));
        for nearest in &all[..MAX_KNOWN] {
            assert!(known.get(&nearest.id).is_some());
        }
    }
}
