//! Cells in a node: handed to the next, and worked off when they come.

use super::CellError;
use super::relay::Peeled;
use crate::routing::forward::{Own, Upstream};
use crate::wire::{Ask, Failure, Reply, Target};
use crate::{Crypto, Node, NodeId};

impl<C: Crypto> Node<C> {
    /// Hands a cell to a node: over its own link if it is linked, else as a request to it. `number`: the
    /// circuit, if it is ours.
    pub(crate) fn hand_on(&mut self, to: NodeId, cell: super::Cell, number: u64) {
        let (own, body) = (Own::Leg(number), Ask::Cell(cell));
        match self.table.link_to(&to) {
            Some(link) => self.ask_direct(own, link, to, body),
            None => self.ask(own, Target::Exactly(to), body),
        }
    }

    /// Hands on a letter's cell, where it begins its way.
    #[cfg_attr(
        not(any(test, feature = "adversary", feature = "bridge")),
        allow(unused_variables, reason = "not looked at in browsers")
    )]
    pub(super) fn hand_first(
        &mut self,
        to: NodeId,
        cell: super::Cell,
        number: u64,
        payload: &[u8],
    ) {
        #[cfg(any(test, feature = "adversary", feature = "bridge"))]
        self.glimpse_made(&cell, payload);
        self.hand_on(to, cell, number);
    }

    /// The next hop has a cell, or cannot be reached.
    #[cfg_attr(target_family = "wasm", inline(never))]
    pub(crate) fn on_leg_reply(&mut self, number: u64, body: &Reply) {
        if matches!(body, Reply::Delivered) {
            return;
        }
        self.counters.refuse("leg-failed");
        if self.post.loops.contains_key(&number) {
            return self.loop_failed(number);
        }
        let now = self.now;
        for (_, talk) in self.post.talks.iter_mut() {
            let place = talk
                .paths
                .iter()
                .position(|path| path.circuit.end().0 == number);
            if let Some(place) = place {
                let path = talk.paths.remove(place);
                self.post.ranks.bad(now, &path.relays[..1]);
                talk.send_again();
                break;
            }
        }
        self.post_soon();
    }

    /// Whether passing a cell on would show us to a relay of a circuit whose end we are: it is of a
    /// circuit that we made, or goes to a node through which we are reached.
    #[cfg_attr(target_family = "wasm", inline(never))]
    pub(crate) fn would_tell(&self, cell: &super::Cell, to: &NodeId) -> bool {
        self.post.made.contains_key(&cell.circuit()) || self.post.doors.contains(to)
    }

    /// A cell came here.
    #[cfg_attr(target_family = "wasm", inline(never))]
    pub(crate) fn serve_cell(&mut self, upstream: Upstream, id: u64, cell: super::Cell) {
        #[cfg(any(test, feature = "adversary"))]
        if self.swallows_cells() {
            return self.reply(upstream, id, Reply::Delivered);
        }
        #[cfg(any(test, feature = "adversary", feature = "bridge"))]
        let before = cell.clone();
        let peeled = self.post.relays.peel(&self.identity, self.now, cell);
        #[cfg(any(test, feature = "adversary", feature = "bridge"))]
        self.glimpse_peeled(&before, &peeled);
        match peeled {
            Ok(Peeled::Onward { next, cell, linked }) => {
                self.reply(upstream, id, Reply::Delivered);
                if self.table.link_to(&next).is_some() {
                    self.hand_on(next, cell, 0);
                } else if !self.post.held.hold(next, self.now, &cell) {
                    if linked {
                        self.counters.refuse("cell-no-link");
                    } else {
                        self.hand_on(next, cell, 0);
                    }
                }
            }
            Ok(Peeled::Here(payload)) => {
                self.reply(upstream, id, Reply::Delivered);
                self.on_payload(payload);
            }
            Err(error) => {
                self.counters.refuse(error.code());
                // A copy of what is here is no reason to send it again.
                let reply = match error {
                    CellError::Replayed => Reply::Delivered,
                    _ => Reply::Failed {
                        why: Failure::Refused,
                        budget: 0,
                    },
                };
                self.reply(upstream, id, reply);
            }
        }
    }

    /// A node is linked: it gets what was held for it.
    #[cfg_attr(target_family = "wasm", inline(never))]
    pub(crate) fn release_cells(&mut self, id: &NodeId) {
        for cell in self.post.held.release(id, self.now) {
            self.hand_on(*id, cell, 0);
        }
    }
}
