//! Cells that come back to us, by which we learn who relays.

use nano_core::UnixMillis;

use super::letter::Parcel;
use super::post::{ENOUGH, GUARDS, LOOP_MS, MAX_LOOPS, Post, TRY_AGAIN_MS};
use super::route::{Circuit, Hop};
use crate::{Crypto, Node, NodeId};

/// A loop under way.
pub(super) struct Loop {
    pub(super) relays: Vec<NodeId>,
    /// Whom it is about.
    pub(super) about: NodeId,
    pub(super) sent: UnixMillis,
}

impl<C: Crypto> Node<C> {
    pub(super) fn look_at_loops(&mut self) {
        let late: Vec<u64> = self
            .post
            .loops
            .iter()
            .filter(|(_, way)| self.now.since(way.sent) >= LOOP_MS)
            .map(|(number, _)| *number)
            .collect();
        for number in late {
            self.loop_failed(number);
        }
        let under_way = |post: &Post, id: &NodeId| post.loops.values().any(|way| way.about == *id);
        let mut contacts = self.contacts();
        contacts.truncate(4 * GUARDS);
        for (_, hop) in contacts {
            let rank = self.post.ranks.of(&hop.id);
            let relied_on = self.post.guards.contains(&hop.id) || self.post.doors.contains(&hop.id);
            let due = !rank.proven && rank.at == UnixMillis(0)
                || (self.now.since(rank.at) >= TRY_AGAIN_MS && (relied_on || !rank.proven));
            if due && !under_way(&self.post, &hop.id) {
                self.send_loop(vec![hop], hop.id);
            }
        }
        if self.post.ranks.proven() < ENOUGH
            && let Some(guard) = self.post.guards.first().and_then(|id| self.linked_hop(id))
            && let Some(door) = self
                .own_doors()
                .into_iter()
                .find(|door| door.id != guard.id)
            && let Some(middle) = self.middle(&[guard.id, door.id])
            && !self.post.ranks.of(&middle.id).proven
            && !under_way(&self.post, &middle.id)
        {
            self.send_loop(vec![guard, middle, door.into()], middle.id);
        }
    }

    fn send_loop(&mut self, mut route: Vec<Hop>, about: NodeId) {
        if self.post.loops.len() >= MAX_LOOPS {
            return;
        }
        let relays = route.iter().map(|hop| hop.id).collect();
        route.push(self.ourselves());
        let Ok(mut circuit) = Circuit::new(&route, &mut self.rng) else {
            return;
        };
        let number = circuit.end().0;
        let payload = Parcel::Loop(number).to_bytes();
        let Ok(cell) = circuit.cell(self.now, &payload) else {
            return;
        };
        let sent = self.now;
        let way = Loop {
            relays,
            about,
            sent,
        };
        self.post.loops.insert(number, way);
        self.hand_on(circuit.first(), cell, number);
    }

    pub(super) fn loop_failed(&mut self, number: u64) {
        if let Some(way) = self.post.loops.remove(&number) {
            self.post.ranks.bad(self.now, &[way.about]);
        }
    }
}
