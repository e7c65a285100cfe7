//! What a node saw of private messages: for tests that look for what nobody should have seen, and for
//! operators of bridges who want to see what they can see.
//!
//! Not in the browser's product build. At most [`MAX_GLIMPSES`] are kept; further ones are not.

use super::{Cell, CellError, Peeled};
use crate::wire::Target;
use crate::{Bug, Crypto, LinkId, Node, NodeId};

/// Most that is kept until it is taken.
const MAX_GLIMPSES: usize = 4_096;

/// Something that a node saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Glimpse {
    /// It made this cell of a letter, as it goes out first.
    Made(Cell),
    /// It was handed this cell.
    Handed {
        /// By whom.
        from: NodeId,
        /// For whom.
        to: NodeId,
        /// The cell.
        cell: Cell,
    },
    /// It took its layer off a cell.
    Peeled {
        /// The cell before.
        before: Cell,
        /// Who is next, and the cell as it is handed to it.
        next: NodeId,
        /// All that could be read or is handed on.
        after: Cell,
    },
    /// A cell ended here.
    Ended(Cell),
}

impl<C: Crypto> Node<C> {
    /// Remembers from now on what it sees of cells.
    pub fn watch_cells(&mut self) {
        self.post.glimpses = Some(Vec::new());
    }

    /// What it saw since this was asked last.
    pub fn take_glimpses(&mut self) -> Vec<Glimpse> {
        match &mut self.post.glimpses {
            Some(glimpses) => std::mem::take(glimpses),
            None => Vec::new(),
        }
    }

    fn glimpse(&mut self, what: impl FnOnce() -> Glimpse) {
        if let Some(glimpses) = &mut self.post.glimpses
            && glimpses.len() < MAX_GLIMPSES
        {
            glimpses.push(what());
        }
    }

    pub(super) fn glimpse_made(&mut self, cell: &Cell, payload: &[u8]) {
        self.glimpse(|| Glimpse::Made(cell.clone()));
        if self.has_bug(Bug::WritesOpenly) {
            // As if encrypting had been forgotten.
            let mut bytes = payload.to_vec();
            bytes.resize(super::CELL_BYTES, 0);
            let guard = self.table.up_links().map(|(_, _, who)| who.id).next();
            if let (Some(open), Some(guard)) = (Cell::from_bytes(&bytes), guard) {
                self.hand_on(guard, open, 0);
            }
        }
    }

    /// A cell was handed to it for some node.
    pub(crate) fn glimpse_handed(&mut self, link: LinkId, target: &Target, cell: &Cell) {
        if let (Some(from), Target::Exactly(to)) = (self.peer_id(link), *target) {
            let cell = cell.clone();
            self.glimpse(|| Glimpse::Handed { from, to, cell });
        }
    }

    pub(super) fn glimpse_peeled(&mut self, before: &Cell, peeled: &Result<Peeled, CellError>) {
        let before = before.clone();
        match peeled {
            Ok(Peeled::Onward { next, cell, .. }) => {
                let (next, after) = (*next, cell.clone());
                self.glimpse(|| Glimpse::Peeled {
                    before,
                    next,
                    after,
                });
            }
            Ok(Peeled::Here(_)) => self.glimpse(|| Glimpse::Ended(before)),
            Err(_) => {}
        }
    }
}
