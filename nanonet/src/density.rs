//! Sybil clusters: places where far more nodes lie than anywhere else, and what is done about them.
//!
//! Ids are hashes, so honest nodes lie evenly. Whoever wants to censor a key needs ids of his own among
//! the nearest to it, and those lie closer together than chance has it. A node estimates how densely
//! nodes lie from the [`SAMPLE`] nearest to it, leaving out the half of the space that it examines, and
//! holds every group of [`LEAST`] or more known nodes against that: a cell of the key space that holds
//! [`TOO_MANY`] times as many as expected is a [`Crowd`]. Its own cell it cannot examine, because its
//! surroundings are its measure: nodes beside it do. It is looked for every [`SURVEY_MS`]; of what
//! is known of a place at most some is missing, so that nobody is suspected for lack of knowledge.
//!
//! While there is a crowd:
//! - records belong on the nodes nearest to their key as always, and besides on as many of the nearest
//!   *outside of crowds*, so that a key whose nearest nodes are all one attacker's has its full number of
//!   other holders;
//! - bridges, and holders by which a put comes, pass it to all holders themselves, instead of leaving
//!   that to the nearest node;
//! - questions for keys at a crowd that this node asks take all their paths at once;
//! - the shell is told once of each crowd ([`Event::Crowded`]).
//!
//! Memory: [`MAX_CROWDS`] crowds; more are not looked at.

use nano_core::UnixMillis;

use crate::Crypto;
use crate::routing::nearest::Nearest;
use crate::{Defence, Event, Node, NodeId, PeerRecord, Point, Role};

/// How often crowds are looked for.
pub(crate) const SURVEY_MS: u64 = 60_000;
/// Nearest nodes from which the density is estimated: as many as of the two dozen nearest that are known
/// mostly lie outside of what is examined.
pub(crate) const SAMPLE: usize = 8;
/// Fewest nodes of a crowd.
pub(crate) const LEAST: usize = 12;
/// How many times as many nodes as expected make a crowd.
pub(crate) const TOO_MANY: u128 = 8;
/// Most crowds held.
pub(crate) const MAX_CROWDS: usize = 8;
/// Among how many nearest those who hold records besides are looked for: the largest crowd and they.
const MOST_BESIDE: usize = 128;
/// How many bits around a crowd a key must lie for its questions to take all paths at once: as wide as the nearest nodes
/// to a key usually lie.
const AROUND_BITS: u16 = 5;

/// A cell of the key space with too many nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Crowd {
    /// One of its nodes.
    at: Point,
    /// Leading bits that all its nodes share.
    bits: u16,
    /// Known nodes in it.
    nodes: usize,
}

impl Crowd {
    fn holds(&self, id: &NodeId) -> bool {
        self.at.distance(&id.point()).shared_bits() >= self.bits
    }
}

/// The crowds known.
#[derive(Debug, Default)]
pub(crate) struct Crowds {
    crowds: Vec<Crowd>,
    looked: Option<UnixMillis>,
}

/// The first 64 bits of a distance.
fn far(from: &Point, to: &Point) -> u64 {
    let distance = from.distance(to);
    let (first, _) = distance.as_bytes().as_chunks::<8>();
    first.first().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

/// How many of `ids` were to be expected in the cell of `bits` bits around `at`, in thousandths, judged
/// by how densely the others lie around `us`; `None` if too few are known, or if `us` lies in it.
fn expected(us: &Point, ids: &[NodeId], at: &Point, bits: u16) -> Option<u128> {
    let shared = us.distance(at).shared_bits();
    if shared >= bits {
        return None;
    }
    // What the examined cell could falsify is left out of the sample: all on its side of where the bits
    // part.
    let left_out = shared + 1;
    let width = 1_u128.checked_shl(64_u32.checked_sub(u32::from(left_out))?)?;
    // The nearest of the others, nearest first.
    let mut sample = [u64::MAX; SAMPLE];
    for id in ids {
        let point = id.point();
        if point != *us && at.distance(&point).shared_bits() < left_out {
            let mut carried = far(us, &point);
            for kept in &mut sample {
                if carried < *kept {
                    std::mem::swap(kept, &mut carried);
                }
            }
        }
    }
    let reach = sample[SAMPLE - 1];
    if reach == u64::MAX {
        return None;
    }
    let reach = u128::from(reach);
    let volume = reach - (reach.clamp(width, 2 * width) - width).min(reach);
    let cell = 1_u128.checked_shl(64_u32.checked_sub(u32::from(bits))?)?;
    Some(SAMPLE as u128 * 1_000 * cell / volume.max(1))
}

/// The crowds among `ids`, which are in order and each there once, as `us` sees them.
fn survey(us: &Point, ids: &[NodeId]) -> Vec<Crowd> {
    let mut crowds: Vec<Crowd> = Vec::new();
    for (place, first) in ids.iter().enumerate() {
        let Some(last) = ids.get(place + LEAST - 1) else {
            break;
        };
        let at = first.point();
        // Beyond 48 bits a cell is as good as a point: whoever lies so close is in it.
        let bits = at.distance(&last.point()).shared_bits().min(48);
        let mut crowd = Crowd { at, bits, nodes: 0 };
        if crowds.len() >= MAX_CROWDS || crowds.iter().any(|found| found.holds(first)) {
            continue;
        }
        crowd.nodes = ids.iter().filter(|id| crowd.holds(id)).count();
        // Fewer than everybody known would come to if they lay evenly: not worth an estimate.
        if ((crowd.nodes as u128) << bits) < ids.len() as u128 * TOO_MANY / 2 {
            continue;
        }
        let most = expected(us, ids, &at, bits).map(|milli| milli * TOO_MANY);
        if most.is_some_and(|most| crowd.nodes as u128 * 1_000 >= most) {
            crowds.push(crowd);
        }
    }
    crowds
}

impl<C: Crypto> Node<C> {
    /// Looks for crowds, if it is time to.
    pub(crate) fn look_for_crowds(&mut self) {
        let looked = self.crowds.looked;
        let due = looked.is_none_or(|looked| self.now.since(looked) >= SURVEY_MS);
        if !due || self.lacks(Defence::Regions) {
            return;
        }
        self.crowds.looked = Some(self.now);
        let mut ids: Vec<NodeId> = Vec::new();
        self.each_member(|id, _| {
            if let Err(place) = ids.binary_search(id) {
                ids.insert(place, *id);
            }
        });
        let found = survey(&self.id.point(), &ids);
        let before = std::mem::replace(&mut self.crowds.crowds, found.clone());
        for crowd in found {
            let old = |old: &Crowd| old.at.distance(&crowd.at).shared_bits() >= old.bits;
            if !before.iter().any(old) {
                let nodes = u16::try_from(crowd.nodes).unwrap_or(u16::MAX);
                let at = crowd.at;
                self.event(Event::Crowded { at, nodes });
            }
        }
    }

    /// Every browser known with join work, we included; some twice.
    fn each_member(&self, mut visit: impl FnMut(&NodeId, &PeerRecord)) {
        for (_, peer, who) in self.table.up_links() {
            if !peer.leaf && who.record.role == Role::Browser {
                visit(&who.id, &who.record);
            }
        }
        for who in self.known.iter() {
            if who.record.role == Role::Browser {
                visit(&who.id, &who.record);
            }
        }
        if self.is_member() && self.config.role == Role::Browser {
            visit(&self.id, &self.record);
        }
    }

    /// How many nodes there would be if they lay everywhere as densely as the `sample` nearest to us
    /// that are known; `None` if fewer are.
    pub(crate) fn nodes_around(&self, sample: usize) -> Option<u64> {
        let us = self.id.point();
        let mut nearest = Nearest::new(us, sample);
        self.each_member(|id, _| {
            if *id != self.id {
                nearest.offer(id, *id);
            }
        });
        let ids = nearest.into_items();
        let reach = far(&us, &ids.get(sample - 1)?.point());
        let nodes = (u128::from(u64::MAX) * sample as u128) / u128::from(reach.max(1));
        Some(u64::try_from(nodes).unwrap_or(u64::MAX))
    }

    /// The `count` browsers nearest to `point` outside of crowds and of the group that all the nearest are
    /// in; nobody while there is neither.
    fn nearest_outside(&self, point: &Point, count: usize) -> Vec<NodeId> {
        let mut nearest = Nearest::new(*point, count);
        let alike = self.all_alike(point, count);
        if !self.crowds.crowds.is_empty() || alike.is_some() {
            self.each_member(|id, record| {
                let crowded = self.crowds.crowds.iter().any(|crowd| crowd.holds(id));
                let same = |one: &PeerRecord| self.is_alike(one, record);
                if !crowded && !alike.as_ref().is_some_and(same) {
                    nearest.offer(id, *id);
                }
            });
        }
        nearest.into_items()
    }

    /// Whether browser `id` is to hold records at `point`, as far as we know.
    pub(crate) fn belongs(&self, point: &Point, id: &NodeId) -> bool {
        let replicas = usize::from(self.config.replicas);
        // Whoever lies far away holds nothing in any case.
        self.is_among_nearest(point, id, replicas)
            || (self.is_among_nearest(point, id, MOST_BESIDE)
                && self.nearest_outside(point, replicas).contains(id))
    }

    /// Whether we are to hold records at `point`.
    pub(crate) fn is_holder(&self, point: &Point) -> bool {
        let near = self.may_reach(point, &self.id) || self.is_crowded(point);
        near && self.belongs(point, &self.id)
    }

    /// Everybody who is to hold records at `point`, as far as we know.
    pub(crate) fn holders_of(&self, point: &Point) -> Vec<NodeId> {
        let replicas = usize::from(self.config.replicas);
        let mut holders = self.nearest_browsers(point, replicas);
        for id in self.nearest_outside(point, replicas) {
            if !holders.contains(&id) {
                holders.push(id);
            }
        }
        holders
    }

    /// Whether there is a crowd anywhere.
    pub(crate) const fn sees_crowds(&self) -> bool {
        !self.crowds.crowds.is_empty()
    }

    /// Whether `point` lies at a crowd.
    pub(crate) fn is_crowded(&self, point: &Point) -> bool {
        let near = |crowd: &Crowd| {
            let shared = crowd.at.distance(point).shared_bits();
            shared + AROUND_BITS >= crowd.bits
        };
        self.crowds.crowds.iter().any(near)
    }

    /// Whether we see to it ourselves that what is put at `point` gets to its holders.
    pub(crate) fn guards(&self, point: &Point) -> bool {
        let bridge = self.config.role.is_bridge_here();
        self.is_crowded(point) && (bridge || self.belongs(point, &self.id))
    }
}

#[cfg(test)]
mod tests;
