//! Cells for neighbours that are not there: held until they come back, at most
//! [`HOLD_MS`](super::HOLD_MS).
//!
//! Only first cells of circuits are held, which carry a small message whole, and only for nodes that were
//! linked with us. Memory: [`MAX_HELD`] cells, [`PER_NODE`] for one node, the oldest of its own giving way;
//! [`MAX_PARTED`] nodes remembered, the one gone longest forgotten first.

use nano_core::UnixMillis;

use super::{Cell, HOLD_MS};
use crate::NodeId;
use crate::sorted::SortedMap;

const MAX_HELD: usize = 256;
const PER_NODE: usize = 16;
const MAX_PARTED: usize = 128;

/// What is held.
#[derive(Debug, Default)]
pub(crate) struct Held {
    parted: SortedMap<NodeId, UnixMillis>,
    cells: Vec<(NodeId, UnixMillis, Cell)>,
}

impl Held {
    /// A node that was linked is gone.
    #[cfg_attr(target_family = "wasm", inline(never))]
    pub(crate) fn parted(&mut self, id: NodeId, now: UnixMillis) {
        self.parted.insert(id, now);
        if self.parted.len() > MAX_PARTED {
            let longest = self.parted.iter().min_by_key(|(_, at)| **at);
            if let Some(longest) = longest.map(|(id, _)| *id) {
                self.parted.remove(&longest);
            }
        }
    }

    /// Takes a cell for a node that was linked and is gone; false if there is no such node. A cell that is
    /// not the first of its circuit is dropped: its sender sends what was in it again.
    pub(crate) fn hold(&mut self, to: NodeId, now: UnixMillis, cell: &Cell) -> bool {
        self.expire(now);
        if cell.number() != 0 || !self.parted.contains_key(&to) {
            return self.parted.contains_key(&to);
        }
        let mut theirs = self
            .cells
            .iter()
            .enumerate()
            .filter(|(_, held)| held.0 == to);
        let first = theirs.next().map(|(place, _)| place);
        if let Some(first) = first.filter(|_| theirs.count() + 1 >= PER_NODE) {
            self.cells.remove(first);
        }
        if self.cells.len() < MAX_HELD {
            self.cells.push((to, now, cell.clone()));
        }
        true
    }

    /// A node is back: what was held for it.
    pub(crate) fn release(&mut self, id: &NodeId, now: UnixMillis) -> Vec<Cell> {
        self.parted.remove(id);
        self.expire(now);
        let mut released = Vec::new();
        self.cells.retain(|(to, _, cell)| {
            let theirs = to == id;
            if theirs {
                released.push(cell.clone());
            }
            !theirs
        });
        released
    }

    fn expire(&mut self, now: UnixMillis) {
        self.cells.retain(|(_, at, _)| now.since(*at) < HOLD_MS);
        self.parted.retain(|_, at| now.since(*at) < HOLD_MS);
    }
}
