//! All running elections.
//!
//! Bound: [`MAX_ELECTIONS`]; beyond it none is started, and a scan over the unconfirmed accounts
//! starts the missing ones when there is room again. An election that does not end within
//! [`LIFETIME`] is dropped, and starts anew by the same scan.

use std::collections::{BTreeMap, BTreeSet};

use nano_core::{Block, BlockHash, Root, UnixMillis};

use super::Election;

/// Most elections at once, as in full nodes.
const MAX_ELECTIONS: usize = 5000;
/// Milliseconds after which an undecided election is dropped, as in full nodes.
const LIFETIME: u64 = 5 * 60 * 1000;

/// Running elections by root.
#[derive(Debug, Default)]
pub(crate) struct Elections {
    by_root: BTreeMap<Root, Election>,
    by_hash: BTreeMap<BlockHash, Root>,
    /// Roots for which local representatives should vote (again).
    due: BTreeSet<Root>,
}

impl Elections {
    /// Starts an election; false when there is one for the root or no room.
    pub(crate) fn start(&mut self, block: Block, now: UnixMillis) -> bool {
        let root = block.root();
        if self.by_root.contains_key(&root) || self.by_root.len() >= MAX_ELECTIONS {
            return false;
        }
        self.by_hash.insert(block.hash(), root);
        self.by_root.insert(root, Election::new(block, now));
        self.due.insert(root);
        true
    }

    /// Adds a competing block to the election of its root; false when there is none, it is known,
    /// or there are too many.
    pub(crate) fn add_candidate(&mut self, block: Block) -> bool {
        let root = block.root();
        let added = self
            .by_root
            .get_mut(&root)
            .is_some_and(|election| election.add_candidate(block));
        if added {
            self.by_hash.insert(block.hash(), root);
        }
        added
    }

    /// Ends an election and gives it back.
    pub(crate) fn stop(&mut self, root: &Root) -> Option<Election> {
        let election = self.by_root.remove(root)?;
        for hash in election.candidates.keys() {
            self.by_hash.remove(hash);
        }
        self.due.remove(root);
        Some(election)
    }

    /// The root of the election in which a block competes.
    pub(crate) fn root_of(&self, hash: &BlockHash) -> Option<Root> {
        self.by_hash.get(hash).copied()
    }

    pub(crate) fn get(&self, root: &Root) -> Option<&Election> {
        self.by_root.get(root)
    }

    pub(crate) fn get_mut(&mut self, root: &Root) -> Option<&mut Election> {
        self.by_root.get_mut(root)
    }

    /// Marks that local representatives should vote on this root.
    pub(crate) fn set_due(&mut self, root: Root) {
        if self.by_root.contains_key(&root) {
            self.due.insert(root);
        }
    }

    /// Takes all roots on which to vote.
    pub(crate) fn take_due(&mut self) -> BTreeSet<Root> {
        std::mem::take(&mut self.due)
    }

    /// Whether there is room for another election.
    pub(crate) fn has_room(&self) -> bool {
        self.by_root.len() < MAX_ELECTIONS
    }

    /// Elections whose block and votes were last sent more than `interval` milliseconds ago.
    pub(crate) fn silent_for(&self, interval: u64, now: UnixMillis) -> Vec<Root> {
        self.by_root
            .iter()
            .filter(|(_, election)| now.since(election.sent) >= interval)
            .map(|(root, _)| *root)
            .collect()
    }

    /// Elections that took too long.
    pub(crate) fn expired(&self, now: UnixMillis) -> Vec<Root> {
        self.by_root
            .iter()
            .filter(|(_, election)| now.since(election.started) > LIFETIME)
            .map(|(root, _)| *root)
            .collect()
    }
}
