//! Who is near, and who of them shall hold what.
//!
//! Only nodes of whom it is certain that they are there are reckoned with ([`crate::routing::known`]):
//! who is gone and still thought to hold something would be a copy less.
//!
//! Ids and keys are told apart by their first 64 bits here: whoever makes two of them collide gains a
//! record held by one node more or less.

use crate::routing::nearest::Nearest;
use crate::wire::{Holder, KeyRange};
use crate::{AccountKey, Crypto, Node, NodeId, Role};

/// Nodes near us that are told apart: of a record we are the nearest holder of, all holders are among
/// them, and some who would be next.
pub(super) const CIRCLE: usize = 32;

/// The browsers known, we included, to reckon who is nearest to many keys.
pub(super) struct Around {
    ids: Vec<u64>,
    holders: usize,
}

impl Around {
    pub(super) fn new(mut ids: Vec<u64>, holders: u8) -> Self {
        ids.sort_unstable();
        ids.dedup();
        Self {
            ids,
            holders: usize::from(holders),
        }
    }

    /// How many lie nearer to `key` than `id`.
    pub(super) fn nearer(&self, key: u64, id: u64) -> usize {
        let limit = key ^ id;
        self.ids
            .iter()
            .filter(|other| key ^ **other < limit)
            .count()
    }

    /// Whether `id` is one of the holders of `key`.
    pub(super) fn holds(&self, key: u64, id: u64) -> bool {
        self.nearer(key, id) < self.holders
    }

    /// Whether `id` is one of the `few` nearest to `key`: ends early.
    pub(super) fn is_first(&self, key: u64, id: u64, few: usize) -> bool {
        let limit = key ^ id;
        let nearer = self.ids.iter().filter(|other| key ^ **other < limit);
        nearer.take(few).count() < few
    }
}

impl<C: Crypto> Node<C> {
    /// The browsers nearest to us, nearest first.
    pub(super) fn circle(&self) -> Vec<NodeId> {
        let mut nearest = Nearest::new(self.id.point(), CIRCLE);
        self.each_near(|id| {
            nearest.offer(id, *id);
        });
        nearest.into_items()
    }

    /// Those of `before` who are gone: neither linked nor known any more. Of whom it is only no longer
    /// certain that he is there, nothing happened to him.
    pub(super) fn gone_of(&self, before: &[NodeId]) -> Vec<NodeId> {
        let is_gone = |id: &&NodeId| self.table.link_to(id).is_none() && !self.known.has(id);
        before.iter().filter(is_gone).copied().collect()
    }

    /// We, and who is near us as far as we know.
    pub(super) fn as_holder(&self) -> Holder {
        let near = self.replication.circle.iter();
        Holder {
            id: self.id,
            near: near.map(|id| id.point().first_bits()).collect(),
        }
    }

    /// Who is to be reckoned with where `holder` asks about `keys`: in this range whom we know, who lie
    /// there or near it, elsewhere whom it knows.
    pub(super) fn around_holder(&self, holder: &Holder, keys: KeyRange) -> Around {
        let inside = |id: &u64| (keys.first..=keys.last).contains(id);
        let mut ids = self.around().ids;
        ids.retain(inside);
        ids.extend(holder.near.iter().filter(|id| !inside(id)));
        ids.push(holder.id.point().first_bits());
        Around::new(ids, self.config.replicas)
    }

    /// Everyone known who may hold records, we included.
    pub(super) fn around(&self) -> Around {
        let mut ids = Vec::with_capacity(64);
        self.each_near(|id| ids.push(id.point().first_bits()));
        if self.is_member() {
            ids.push(self.id.point().first_bits());
        }
        Around::new(ids, self.config.replicas)
    }

    /// Every other browser with a place, linked or known; some twice.
    fn each_near(&self, mut visit: impl FnMut(&NodeId)) {
        for (_, peer, who) in self.table.up_links() {
            if !peer.leaf && who.record.role == Role::Browser {
                visit(&who.id);
            }
        }
        for who in self.known.certain(self.now) {
            if who.record.role == Role::Browser {
                visit(&who.id);
            }
        }
    }

    /// Whether `holder` is to hold the records of `key`, by what it knows itself.
    pub(super) fn shall_hold(&self, around: &Around, key: &AccountKey, holder: &NodeId) -> bool {
        around.holds(key.first_bits(), holder.point().first_bits())
            || (self.sees_crowds() && self.belongs(&key.point(), holder))
    }
}
