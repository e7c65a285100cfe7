//! What nobody may see of a private message: its content, or both of its ends, but for the ends.
//!
//! Nodes note every cell that was handed to them, by whom and for whom, and what they took their
//! layer off ([`Glimpse`]). A letter's cell changes at every hop; the checker follows it from the node
//! that made it to the one where it ended, and puts together what each node on the way saw: who
//! handed it the cell, whom it is for, who is next. Whoever saw both ends and is neither, and whoever
//! saw the content in any bytes, is a leak.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use nanonet::onion::{Cell, Glimpse};
use nanonet::{Crypto, NodeId};
use serde::Serialize;

use crate::world::{Place, World};

/// What every message of a scenario begins with, and no cell may hold.
pub const MARK: &[u8] = b"nanonet: what only the recipient may read";
/// So much of it is looked for.
const LOOKED_FOR: usize = 16;

/// What was seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Leaks {
    /// Nodes that saw both ends of a letter and were neither.
    pub both_ends: u64,
    /// Cells in which content could be read.
    pub content: u64,
    /// Letters followed from end to end.
    pub followed: u64,
    /// Relays of the shortest route of those.
    pub shortest: u64,
    /// Cells looked at.
    pub cells: u64,
}

impl Leaks {
    /// All that should not have been.
    #[must_use]
    pub const fn sum(&self) -> u64 {
        self.both_ends + self.content
    }
}

/// A cell's bytes as a name.
type Form = Box<[u8]>;

#[derive(Default)]
struct Seen {
    /// By place: nodes that a node saw in connection with this form of a cell.
    by: BTreeMap<Place, BTreeSet<NodeId>>,
    made: Option<Place>,
    after: Option<Form>,
    ended: Option<Place>,
}

/// Watches a world.
#[derive(Default)]
pub struct Checker {
    forms: HashMap<Form, Seen>,
    leaks: Leaks,
}

impl Checker {
    /// Takes what nodes saw since the last look.
    pub fn look<C: Crypto>(&mut self, world: &mut World<C>) {
        for place in 0..world.places() {
            if world.runs(place) {
                for glimpse in world.node_mut(place).take_glimpses() {
                    self.take(place, glimpse);
                }
            }
        }
    }

    fn take(&mut self, place: Place, glimpse: Glimpse) {
        match glimpse {
            Glimpse::Made(cell) => self.seen(&cell).made = Some(place),
            Glimpse::Handed { from, to, cell } => {
                self.search(&cell);
                let by = self.seen(&cell).by.entry(place).or_default();
                by.extend([from, to]);
            }
            Glimpse::Peeled {
                before,
                next,
                after,
            } => {
                self.search(&after);
                let seen = self.seen(&before);
                seen.by.entry(place).or_default().insert(next);
                seen.after = Some(after.as_bytes().into());
            }
            Glimpse::Ended(cell) => self.seen(&cell).ended = Some(place),
        }
    }

    fn seen(&mut self, cell: &Cell) -> &mut Seen {
        self.forms.entry(cell.as_bytes().into()).or_default()
    }

    fn search(&mut self, cell: &Cell) {
        self.leaks.cells += 1;
        let mark = &MARK[..LOOKED_FOR];
        let mut windows = cell.as_bytes().windows(LOOKED_FOR);
        self.leaks.content += u64::from(windows.any(|window| window == mark));
    }

    /// Follows every letter from its maker to its end.
    #[must_use]
    pub fn verdict(mut self, ids: impl Fn(Place) -> Option<NodeId>) -> Leaks {
        self.leaks.shortest = u64::MAX;
        let made = self.forms.iter().filter(|(_, seen)| seen.made.is_some());
        let firsts: Vec<&Form> = made.map(|(form, _)| form).collect();
        for first in firsts {
            let mut saw: BTreeMap<Place, BTreeSet<NodeId>> = BTreeMap::new();
            let (mut form, mut relays) = (first, 0);
            let end = loop {
                let Some(seen) = self.forms.get(form) else {
                    break None;
                };
                for (place, nodes) in &seen.by {
                    saw.entry(*place).or_default().extend(nodes);
                }
                match &seen.after {
                    Some(after) => form = after,
                    None => break seen.ended,
                }
                relays += 1;
            };
            let maker = self.forms.get(first).and_then(|seen| seen.made);
            let (Some(maker), Some(end)) = (maker, end) else {
                continue;
            };
            let (Some(from), Some(to)) = (ids(maker), ids(end)) else {
                continue;
            };
            self.leaks.followed += 1;
            self.leaks.shortest = self.leaks.shortest.min(relays);
            for (place, nodes) in &saw {
                let is_end = *place == maker || *place == end;
                let both = nodes.contains(&from) && nodes.contains(&to);
                self.leaks.both_ends += u64::from(both && !is_end);
            }
        }
        if self.leaks.followed == 0 {
            self.leaks.shortest = 0;
        }
        self.leaks
    }
}
