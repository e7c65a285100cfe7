//! Nodes known without being linked: what peers say they are linked with, and what look-ups
//! brought.
//!
//! A node is known while at least one linked peer of our neighbourhood lists it (such lists are
//! first-hand and followed by news, so a node that is gone is forgotten as soon as its own peers say
//! so), and for [`FOUND_MS`] after anybody named it, or [`LOST_MS`] after the last link went whose peer
//! listed it.
//!
//! A node that could not be reached is left alone for a while (*back-off*), doubled at each failure
//! and forgotten when a link to it stands: from 5 seconds to five minutes where no signal came
//! through or the node had no place, from two minutes to two hours where signals came through but no
//! connection, because the routers between the two will hardly change.
//!
//! Memory: the [`MAX_NEAR`] browsers nearest to us and [`MAX_FAR`] others; beyond, of each further
//! bucket the [`PER_BUCKET`] with the
//! shortest expected round trip; and [`MAX_BRIDGES`] bridges; each listed by at most [`MAX_LISTS`]
//! links. [`MAX_BACK_OFF`] back-offs (the one that ends first goes). A bridge knows [`MAX_KNOWN`]
//! nodes, beyond it the furthest from us goes.

use nano_core::UnixMillis;

use super::contact::{Placed, Who};
use super::coordinates::Coordinates;
use super::nearest::Nearest;
use crate::sorted::SortedMap;
use crate::{LinkId, NodeId, PeerRecord, Role};

/// Most nodes a bridge knows.
pub(crate) const MAX_KNOWN: usize = 512;
/// Nearest browsers known.
pub(crate) const MAX_NEAR: usize = 32;
/// Browsers known besides, before some of a bucket are forgotten.
pub(crate) const MAX_FAR: usize = 96;
/// Browsers that are then known of each bucket further away.
pub(crate) const PER_BUCKET: usize = 6;
/// So many of the nearest that a look-up names are all there are.
const CONFIRMED: usize = 12;
/// Bridges known.
pub(crate) const MAX_BRIDGES: usize = 32;
/// Nodes by which the memory may be exceeded until it is tidied.
const SLACK: usize = 24;
/// Most links remembered to list one node.
pub(crate) const MAX_LISTS: usize = 8;
/// Most back-offs held.
pub(crate) const MAX_BACK_OFF: usize = 64;
/// How long a node is remembered when the last link is gone whose peer listed it.
const LOST_MS: u64 = 30_000;
/// How long a node that somebody named is remembered: ten minutes.
pub(crate) const FOUND_MS: u64 = 600_000;
/// How long it is certain that a node that somebody named is there: a minute and a half.
const FRESH_MS: u64 = 90_000;
/// Losses in a row after which the signals for a node go another way.
const LOST_OFTEN: u8 = 2;

/// Why a node could not be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unreached {
    /// Its first back-off, in milliseconds.
    first: u64,
    lost: bool,
}

impl Unreached {
    /// No signal came through.
    pub(crate) const LOST: Self = Self::new(5_000, true);
    /// It has no place for us.
    pub(crate) const UNWILLING: Self = Self::new(5_000, false);
    /// Signals came through, but no connection.
    pub(crate) const NO_WAY: Self = Self::new(120_000, false);

    const fn new(first: u64, lost: bool) -> Self {
        Self { first, lost }
    }

    /// Its longest back-off, in milliseconds.
    pub(crate) const fn longest(self) -> u64 {
        self.first * LONGEST
    }
}

/// The longest back-off, in first ones.
const LONGEST: u64 = 60;

#[derive(Debug)]
struct Entry {
    placed: Placed,
    /// The link over which it was named last.
    by: Option<LinkId>,
    /// Links whose peers list it and will say when it is gone.
    listed_by: Vec<LinkId>,
    found_until: UnixMillis,
}

#[derive(Debug, Clone, Copy)]
struct BackOff {
    until: UnixMillis,
    length: u64,
    /// Times in a row that no signal came through.
    lost: u8,
}

/// The nodes known.
#[derive(Debug)]
pub(crate) struct Known {
    us: NodeId,
    is_bridge: bool,
    entries: SortedMap<NodeId, Entry>,
    back_off: SortedMap<NodeId, BackOff>,
    /// Entries from which on the memory is tidied.
    tidied_from: usize,
}

impl Known {
    /// Nobody yet.
    pub(crate) const fn new(us: NodeId, is_bridge: bool) -> Self {
        Self {
            us,
            is_bridge,
            entries: SortedMap::new(),
            back_off: SortedMap::new(),
            tidied_from: MAX_NEAR,
        }
    }

    /// We lie elsewhere now: whoever had no place for us may have one.
    pub(crate) fn move_to(&mut self, us: NodeId) {
        self.us = us;
        self.back_off = SortedMap::new();
        self.entries.remove(&us);
    }

    /// How many.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// All of them, by id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Who> {
        self.placed().map(|placed| &placed.who)
    }

    /// All of them, by id, with where they lie.
    pub(crate) fn placed(&self) -> impl Iterator<Item = &Placed> {
        self.entries.values().map(|entry| &entry.placed)
    }

    /// Those of whom it is certain that they were there lately: a linked peer lists them, or somebody
    /// named them not long ago.
    pub(crate) fn certain(&self, now: UnixMillis) -> impl Iterator<Item = &Who> {
        let fresh = now.plus(FOUND_MS - FRESH_MS);
        let certain =
            move |entry: &&Entry| !entry.listed_by.is_empty() || entry.found_until >= fresh;
        self.entries
            .values()
            .filter(certain)
            .map(|entry| &entry.placed.who)
    }

    /// The record of one node.
    pub(crate) fn get(&self, id: &NodeId) -> Option<&PeerRecord> {
        self.entries.get(id).map(|entry| &entry.placed.who.record)
    }

    /// Whether a node is known.
    pub(crate) fn has(&self, id: &NodeId) -> bool {
        self.entries.contains_key(id)
    }

    /// The contact with exactly this record, if it is known: it was verified before.
    pub(crate) fn same(&self, record: &PeerRecord, id: &NodeId) -> Option<&Who> {
        let who = &self.entries.get(id)?.placed.who;
        (who.record == *record).then_some(who)
    }

    /// Whether the peer behind `link` says that it is, or was when it named it, linked with `id`.
    pub(crate) fn is_listed_by(&self, link: LinkId, id: &NodeId) -> bool {
        let entry = self.entries.get(id);
        entry.is_some_and(|entry| entry.by == Some(link) || entry.listed_by.contains(&link))
    }

    /// The nodes that one of `links` lists.
    pub(crate) fn listed_by<'a>(&'a self, links: &'a [LinkId]) -> impl Iterator<Item = &'a Placed> {
        let listed = |entry: &&Entry| entry.listed_by.iter().any(|link| links.contains(link));
        self.entries
            .values()
            .filter(listed)
            .map(|entry| &entry.placed)
    }

    /// Browsers that may be offered a link at `now`.
    pub(crate) fn reachable(&self, now: UnixMillis) -> impl Iterator<Item = &Placed> {
        self.placed().filter(move |placed| {
            let back = self.back_off.get(&placed.who.id);
            placed.who.record.role == Role::Browser && back.is_none_or(|back| back.until <= now)
        })
    }

    /// Remembers nodes that were named over `link`. `lists`: its peer is linked with them, and will
    /// say when it no longer is.
    pub(crate) fn learn(
        &mut self,
        now: UnixMillis,
        ours: &Coordinates,
        link: Option<LinkId>,
        lists: bool,
        new: Vec<Placed>,
    ) {
        for placed in new {
            let id = placed.who.id;
            if id == self.us {
                continue;
            }
            let entry = self.entries.get_or_insert_with(id, || Entry {
                placed: placed.clone(),
                by: link,
                listed_by: Vec::new(),
                found_until: now,
            });
            entry.found_until = now.plus(FOUND_MS);
            if placed.at.is_known() {
                entry.placed.at = placed.at;
            }
            if placed.who.record.issued_at > entry.placed.who.record.issued_at {
                entry.placed.who = placed.who;
            }
            if let Some(link) = link {
                entry.by = Some(link);
                if lists && !entry.listed_by.contains(&link) && entry.listed_by.len() < MAX_LISTS {
                    entry.listed_by.push(link);
                }
            }
        }
        if self.entries.len() >= self.tidied_from + SLACK {
            self.tidy(now, ours);
        }
    }

    /// The peer behind `link` is no longer linked with `gone`. Those of them that nobody lists any more,
    /// and that are forgotten therefore.
    pub(crate) fn unlist(&mut self, link: LinkId, gone: &[NodeId]) -> Vec<NodeId> {
        let mut forgotten = Vec::new();
        for id in gone {
            let forget = self.entries.get_mut(id).is_some_and(|entry| {
                entry.listed_by.retain(|by| *by != link);
                entry.listed_by.is_empty()
            });
            if forget {
                self.entries.remove(id);
                forgotten.push(*id);
            }
        }
        forgotten
    }

    /// A link is gone, and with it what its peer listed. Those whom nobody else lists.
    pub(crate) fn link_gone(&mut self, now: UnixMillis, link: LinkId) -> Vec<NodeId> {
        let mut unlisted = Vec::new();
        for (id, entry) in self.entries.iter_mut() {
            let listed = entry.listed_by.len();
            entry.listed_by.retain(|by| *by != link);
            if entry.listed_by.is_empty() && listed > 0 {
                entry.found_until = entry.found_until.min(now.plus(LOST_MS));
                unlisted.push(*id);
            }
            if entry.by == Some(link) {
                entry.by = None;
            }
        }
        unlisted
    }

    /// A node answered.
    pub(crate) fn answered(&mut self, now: UnixMillis, id: &NodeId) {
        if let Some(entry) = self.entries.get_mut(id) {
            entry.found_until = now.plus(FOUND_MS);
        }
    }

    /// A look-up of our own neighbourhood named `named`: whom it did not name nearer to us than most of
    /// them, and nobody lists, is gone.
    pub(crate) fn confirm(&mut self, named: &[Placed]) {
        let us = self.us.point();
        let mut nearest = Nearest::new(us, CONFIRMED);
        for placed in named {
            nearest.offer(&placed.who.id, placed.who.id);
        }
        let nearest = nearest.into_items();
        let Some(edge) = nearest.get(CONFIRMED - 1) else {
            return;
        };
        let edge = us.distance(&edge.point());
        self.entries.retain(|id, entry| {
            !entry.listed_by.is_empty()
                || entry.placed.who.record.role == Role::Bridge
                || us.distance(&id.point()) > edge
                || nearest.contains(id)
        });
    }

    /// A node does not answer: it is forgotten, whoever lists it. If it is there after all, a look-up
    /// will name it.
    pub(crate) fn doubt(&mut self, id: &NodeId) {
        self.entries.remove(id);
    }

    /// Forgets what nobody names any more.
    pub(crate) fn expire(&mut self, now: UnixMillis) {
        self.entries
            .retain(|_, entry| !entry.listed_by.is_empty() || entry.found_until > now);
    }

    /// Forgets what nobody names any more, and of what is too much the least useful.
    fn tidy(&mut self, now: UnixMillis, ours: &Coordinates) {
        self.expire(now);
        let us = self.us.point();
        let near = if self.is_bridge { MAX_KNOWN } else { MAX_NEAR };
        let mut nearest = Nearest::new(us, near);
        let (mut bridges, mut further) = (0, Vec::new());
        let mut dropped = Vec::new();
        for (id, entry) in self.entries.iter() {
            if entry.placed.who.record.role == Role::Bridge {
                bridges += 1;
                if bridges > MAX_BRIDGES {
                    dropped.push(*id);
                }
            } else if let Some((distance, far)) = nearest.offer(id, *id) {
                let round_trip = self
                    .entries
                    .get(&far)
                    .and_then(|far| far.placed.at.round_trip(ours));
                further.push((distance.shared_bits(), round_trip.unwrap_or(u32::MAX), far));
            }
        }
        further.sort_unstable();
        let crowded = further.len() > MAX_FAR;
        let (mut bucket, mut count) = (u16::MAX, 0);
        for (of, _, id) in further {
            if of != bucket {
                (bucket, count) = (of, 0);
            }
            count += 1;
            if self.is_bridge || (crowded && count > PER_BUCKET) {
                dropped.push(id);
            }
        }
        for id in dropped {
            self.entries.remove(&id);
        }
        self.tidied_from = self.entries.len().max(MAX_NEAR);
    }

    /// A link to it could not be made: it is left alone for a while.
    pub(crate) fn unreachable(&mut self, now: UnixMillis, id: NodeId, why: Unreached) {
        let (before, lost) = self
            .back_off
            .get(&id)
            .map_or((0, 0), |back| (back.length, back.lost));
        let length = (before * 2).clamp(why.first, why.longest());
        let lost = if why.lost { lost.saturating_add(1) } else { 0 };
        if self.back_off.len() >= MAX_BACK_OFF && !self.back_off.contains_key(&id) {
            let first = self.back_off.iter().min_by_key(|(_, back)| back.until);
            if let Some(first) = first.map(|(id, _)| *id) {
                self.back_off.remove(&first);
            }
        }
        let until = now.plus(length);
        let back = BackOff {
            until,
            length,
            lost,
        };
        self.back_off.insert(id, back);
    }

    /// Whether signals for it got lost so often that another way is to be tried.
    pub(crate) fn is_lost(&self, id: &NodeId) -> bool {
        self.back_off
            .get(id)
            .is_some_and(|back| back.lost >= LOST_OFTEN)
    }

    /// It is left alone until `until`, after failures that led to a back-off of `length`.
    #[cfg(any(test, feature = "adversary"))]
    pub(crate) fn settle_unreachable(&mut self, id: NodeId, until: UnixMillis, length: u64) {
        let (lost, back) = (0, &mut self.back_off);
        let settled = BackOff {
            until,
            length,
            lost,
        };
        back.insert(id, settled);
    }

    /// A link to it stands: no back-off.
    pub(crate) fn reached(&mut self, id: &NodeId) {
        self.back_off.remove(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::contact::Contact;
    use crate::{Identity, Rng};
    use nano_core::Network;

    fn somebody(rng: &mut Rng) -> Placed {
        let addresses = crate::Addresses::default();
        let identity = Identity::generate(rng);
        let record = identity.peer_record(Role::Browser, Network::Dev, addresses, UnixMillis(1));
        let (who, at) = (Contact::new(record), Coordinates::default());
        Placed { who, at }
    }

    fn known() -> (Known, Rng) {
        let mut rng = Rng::from_seed([1; 32]);
        (
            Known::new(Identity::generate(&mut rng).node_id(), false),
            rng,
        )
    }

    fn learn(known: &mut Known, now: u64, link: Option<u64>, new: &[&Placed]) {
        let new = new.iter().copied().cloned().collect();
        let (now, link) = (UnixMillis(now), link.map(LinkId));
        known.learn(now, &Coordinates::default(), link, true, new);
    }

    #[test]
    fn a_node_is_forgotten_when_its_last_peer_no_longer_lists_it() {
        let (mut known, mut rng) = known();
        let (a, b) = (somebody(&mut rng), somebody(&mut rng));
        learn(&mut known, 0, Some(1), &[&a, &b]);
        learn(&mut known, 0, Some(2), &[&a]);
        let _ = known.unlist(LinkId(1), &[a.who.id, b.who.id]);
        assert!(known.get(&a.who.id).is_some());
        assert!(known.get(&b.who.id).is_none());
        let _ = known.unlist(LinkId(2), &[a.who.id]);
        assert_eq!(known.len(), 0);
    }

    #[test]
    fn a_list_that_names_a_node_twice_counts_it_once() {
        let (mut known, mut rng) = known();
        let a = somebody(&mut rng);
        learn(&mut known, 0, Some(1), &[&a, &a]);
        let _ = known.unlist(LinkId(1), &[a.who.id]);
        assert_eq!(known.len(), 0);
    }

    #[test]
    fn what_nobody_lists_is_forgotten_after_ten_minutes_and_what_is_listed_is_not() {
        let (mut known, mut rng) = known();
        let (found, listed, lost) = (somebody(&mut rng), somebody(&mut rng), somebody(&mut rng));
        learn(&mut known, 0, None, &[&found]);
        learn(&mut known, 0, Some(1), &[&listed]);
        learn(&mut known, 0, Some(2), &[&lost]);
        known.link_gone(UnixMillis(0), LinkId(2));
        known.expire(UnixMillis(LOST_MS - 1));
        assert_eq!(known.len(), 3);
        known.expire(UnixMillis(LOST_MS));
        assert!(known.get(&lost.who.id).is_none());
        known.expire(UnixMillis(FOUND_MS - 1));
        assert_eq!(known.len(), 2);
        known.expire(UnixMillis(FOUND_MS));
        assert!(known.get(&listed.who.id).is_some());
        assert_eq!(known.len(), 1);
    }

    #[test]
    fn an_unreachable_node_is_left_alone_longer_each_time() {
        let (mut known, mut rng) = known();
        let a = somebody(&mut rng);
        learn(&mut known, 0, Some(1), &[&a]);
        let id = a.who.id;
        let free = |known: &Known, at| known.reachable(UnixMillis(at)).count();
        assert_eq!(free(&known, 0), 1);
        known.unreachable(UnixMillis(0), id, Unreached::UNWILLING);
        assert_eq!((free(&known, 4_999), free(&known, 5_000)), (0, 1));
        known.unreachable(UnixMillis(5_000), id, Unreached::UNWILLING);
        assert_eq!((free(&known, 14_999), free(&known, 15_000)), (0, 1));
        known.reached(&id);
        assert_eq!(free(&known, 5_001), 1);
        known.unreachable(UnixMillis(5_001), id, Unreached::LOST);
        assert!(!known.is_lost(&id));
        known.unreachable(UnixMillis(5_001), id, Unreached::LOST);
        assert!(known.is_lost(&id));
        known.reached(&id);
        known.unreachable(UnixMillis(6_000), id, Unreached::NO_WAY);
        assert_eq!((free(&known, 125_999), free(&known, 126_000)), (0, 1));
    }

    #[test]
    fn of_many_the_nearest_are_kept_and_not_too_many_others() {
        let (mut known, mut rng) = known();
        let us = known.us.point();
        let mut all: Vec<Placed> = (0..600).map(|_| somebody(&mut rng)).collect();
        for some in all.chunks(20) {
            learn(&mut known, 0, None, &some.iter().collect::<Vec<_>>());
            assert!(known.len() <= MAX_NEAR + MAX_FAR + SLACK);
        }
        all.sort_by_key(|placed| us.distance(&placed.who.id.point()));
        for nearest in &all[..MAX_NEAR] {
            assert!(known.get(&nearest.who.id).is_some());
        }
    }

    #[test]
    fn of_a_bucket_those_are_kept_that_are_expected_to_be_quick() {
        let (mut known, mut rng) = known();
        let mut here = Coordinates::default();
        here.relax(&[(Coordinates::default(), 20)], 0);
        let mut all: Vec<Placed> = (0..400).map(|_| somebody(&mut rng)).collect();
        for (number, placed) in all.iter_mut().enumerate() {
            let round_trip = 20 + u32::try_from(number % 40).unwrap() * 10;
            placed.at.relax(&[(here, round_trip)], number as u64 * 77);
        }
        known.learn(UnixMillis(0), &here, None, false, all.clone());
        known.tidy(UnixMillis(0), &here);
        let us = known.us.point();
        let mut far: Vec<&Placed> = all
            .iter()
            .filter(|placed| us.distance(&placed.who.id.point()).shared_bits() == 0)
            .collect();
        far.sort_by_key(|placed| (placed.at.round_trip(&here), placed.who.id));
        for quick in &far[..PER_BUCKET] {
            assert!(known.get(&quick.who.id).is_some());
        }
    }
}
