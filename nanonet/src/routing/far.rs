//! Seeing to it that no large part of the key space is without a link.
//!
//! Links to far buckets are found by what peers name. When all of a bucket are gone at once that anybody
//! here was linked with, nobody here can name another, and two halves of the key space can go on for
//! ever without each other. So whoever has no link to a bucket where many must be asks a bridge, which
//! knows nodes everywhere, who lies there; with the pauses of its look-ups of its own neighbourhood.

use crate::routing::forward::Own;
use crate::wire::{Ask, Reply, Target};
use crate::{Crypto, LinkId, Node, Role};

/// A bucket that is larger by more than so many bits than what reaches as far as we hold records has two
/// dozen nodes and more.
const LARGER: u16 = 1;

impl<C: Crypto> Node<C> {
    /// The furthest bucket where many must be and no link leads.
    fn bucket_without_link(&self) -> Option<u16> {
        let buckets = self.reach.bits().checked_sub(LARGER)?;
        let us = self.id.point();
        let mut linked = vec![false; usize::from(buckets)];
        for (_, peer, who) in self.table.up_links() {
            let bucket = us.distance(&who.id.point()).shared_bits();
            if let Some(linked) = linked.get_mut(usize::from(bucket))
                && !peer.leaf
                && who.record.role == Role::Browser
            {
                *linked = true;
            }
        }
        let empty = linked.iter().position(|linked| !linked)?;
        u16::try_from(empty).ok()
    }

    /// Asks a bridge who lies in a bucket where we know nobody, if there is one.
    pub(super) fn look_far(&mut self) {
        let bridges = self.table.links_of(Role::Bridge);
        let Some(bucket) = self.bucket_without_link().filter(|_| !bridges.is_empty()) else {
            return;
        };
        let chosen = self.rng.below(u32::try_from(bridges.len()).unwrap_or(1));
        let bridge = bridges[chosen as usize];
        let links = self.table.up_links();
        let avoid: Vec<LinkId> = links
            .map(|(link, ..)| link)
            .filter(|link| *link != bridge)
            .collect();
        let target = Target::Near(self.id.point().flipped(bucket));
        self.ask_over(Own::Far, target, Ask::FindNearest, &avoid);
    }

    /// Who lies there.
    pub(crate) fn on_far(&mut self, body: Reply, via: Option<LinkId>) {
        if let Reply::Nearest(peers) = body {
            self.learn_of(peers, via);
            self.membership_soon();
        }
    }
}
