//! Blocks whose previous block is being looked for before they are published.
//!
//! A look is in one of these states: *asking* (full nodes are asked for the previous block),
//! *waiting* (the previous block was handed in itself and is being looked at: what becomes of it
//! decides), or gone (taken out with [`Looks::take`] or [`Looks::after`]). A hash has one look, and
//! everybody who hands it in meanwhile joins it.

use std::collections::BTreeMap;

use nano_core::{Block, BlockHash, Root};
use nanonet::RelayId;
use tokio::task::JoinSet;

use crate::ask::Asker;
use crate::full_node::AskError;

use super::{ASKERS, LOOKS};

/// What was found of a previous block.
#[derive(Clone, Debug)]
pub(super) enum Previous {
    /// The block itself.
    Found(Box<Block>),
    /// Everybody who answered said that it is unknown.
    Missing,
    /// Nobody gave an answer, which says nothing.
    Unsaid,
}

/// A block that is not published yet.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) block: Block,
    /// Who is told.
    pub(super) askers: Vec<RelayId>,
    /// How often its work has to be doubled; see `limits`.
    pub(super) doublings: u32,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Looks {
    /// With whether it waits for its previous block.
    open: BTreeMap<BlockHash, (Look, bool)>,
    /// Questions; a look that was taken out leaves its own running to its end.
    asking: JoinSet<(BlockHash, Previous)>,
}

impl Looks {
    /// Whether there is no place for another one.
    pub(super) fn is_full(&self) -> bool {
        self.open.len() >= LOOKS || self.asking.len() >= LOOKS
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    pub(super) fn contains(&self, hash: &BlockHash) -> bool {
        self.open.contains_key(hash)
    }

    /// How many blocks of this root there are.
    pub(super) fn at(&self, root: &Root) -> usize {
        let blocks = self.open.values().map(|(look, _)| &look.block);
        blocks.filter(|block| block.root() == *root).count()
    }

    /// Lets `asker` join the look of this block; false when there is none.
    pub(super) fn join(&mut self, hash: &BlockHash, asker: RelayId) -> bool {
        let Some((look, _)) = self.open.get_mut(hash) else {
            return false;
        };
        if look.askers.len() < ASKERS {
            look.askers.push(asker);
        }
        true
    }

    /// Asks for the previous block. One that was met a short while ago is there, whoever may not
    /// know it; then only its bytes are of interest.
    pub(super) fn ask(&mut self, look: Look, previous: BlockHash, was_met: bool, asker: Asker) {
        let hash = look.block.hash();
        self.open.insert(hash, (look, false));
        self.asking.spawn(async move {
            let found = match asker.block(previous).await {
                Ok(block) => Previous::Found(Box::new(block)),
                // Only a clear "unknown" refuses.
                Err(AskError::Unknown { .. }) if !was_met => Previous::Missing,
                Err(_) => Previous::Unsaid,
            };
            (hash, found)
        });
    }

    /// Waits for the look of its previous block.
    pub(super) fn wait(&mut self, look: Look) {
        self.open.insert(look.block.hash(), (look, true));
    }

    /// The next answered question; `None` while none is open. The look may have gone.
    pub(super) async fn answered(&mut self) -> Option<(BlockHash, Previous)> {
        loop {
            // One that did not end by itself was ended with the runtime.
            if let Ok(answered) = self.asking.join_next().await? {
                return Some(answered);
            }
        }
    }

    /// Takes the look of this block out.
    pub(super) fn take(&mut self, hash: &BlockHash) -> Option<Look> {
        self.open.remove(hash).map(|(look, _)| look)
    }

    /// Takes out what waits for this block.
    pub(super) fn after(&mut self, hash: &BlockHash) -> Vec<Look> {
        let open = self.open.iter();
        let waiting =
            open.filter(|(_, (look, waits))| *waits && look.block.previous() == Some(*hash));
        let waiting: Vec<BlockHash> = waiting.map(|(hash, _)| *hash).collect();
        let taken = waiting.iter().filter_map(|hash| self.take(hash));
        taken.collect()
    }
}
