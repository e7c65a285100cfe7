//! No confirmed block is lost, and what became of every own block is told to its author.
//!
//! A confirmed frontier counts as lost when no honest node that runs holds it, browser or bridge,
//! a while ([`KEPT_AFTER_MS`]) after it was confirmed. An own block must end: confirmed, or
//! superseded and handed back, never both, and never silently.

use std::collections::{BTreeMap, BTreeSet};

use nano_core::{Account, BlockHash, UnixMillis};
use nanonet::{Crypto, PublishState};

use super::Violations;
use crate::world::{Place, World};

/// The checker's name.
pub const NAME: &str = "blocks";
/// How long after its confirmation a block must be held by browsers.
pub const KEPT_AFTER_MS: u64 = 20_000;

/// Watches blocks.
#[derive(Default)]
pub struct Blocks {
    /// How many blocks of each account were seen, and since when that many.
    heights: BTreeMap<Account, (usize, UnixMillis)>,
    /// Accounts whose newest block was lost: told once.
    lost: BTreeSet<BlockHash>,
    /// Own blocks by author: what was told last.
    own: BTreeMap<(Place, BlockHash), PublishState>,
}

impl Blocks {
    /// A node publishes a block of its own.
    pub fn published(&mut self, place: Place, hash: BlockHash) {
        self.own.insert((place, hash), PublishState::Waiting);
    }

    /// A node told its shell what became of an own block.
    pub fn told(
        &mut self,
        at: UnixMillis,
        place: Place,
        hash: BlockHash,
        state: PublishState,
        broken: &mut Violations,
    ) {
        let Some(last) = self.own.get_mut(&(place, hash)) else {
            return;
        };
        let over = |state| {
            matches!(
                state,
                PublishState::Confirmed | PublishState::Superseded { .. }
            )
        };
        if over(*last)
            && over(state)
            && std::mem::discriminant(last) != std::mem::discriminant(&state)
        {
            let before = *last;
            broken.add(at, NAME, || {
                format!("node {place} was told {before:?} and then {state:?} of one block")
            });
        }
        if !over(*last) {
            *last = state;
        }
    }

    /// Looks for new blocks in the ledger; each new one goes to `found`.
    pub fn scan<C: Crypto>(&mut self, world: &World<C>, mut found: impl FnMut(BlockHash)) {
        for account in world.ledger.accounts() {
            let blocks = world.ledger.chain(account).blocks();
            let entry = self.heights.entry(*account).or_insert((0, world.now));
            if blocks.len() > entry.0 {
                for block in &blocks[entry.0..] {
                    found(block.hash());
                }
                *entry = (blocks.len(), world.now);
            }
        }
    }

    /// Looks whether anything is lost.
    pub fn look<C: Crypto>(
        &mut self,
        world: &World<C>,
        honest: &[Place],
        accounts: &[Account],
        broken: &mut Violations,
    ) {
        for account in accounts {
            let Some((_, since)) = self.heights.get(account) else {
                continue;
            };
            if world.now.since(*since) < KEPT_AFTER_MS {
                continue;
            }
            let Some(newest) = world.ledger.chain(account).blocks().last() else {
                continue;
            };
            let hash = newest.hash();
            let holds = |place: &Place| world.node(*place).held(account) == Some(hash);
            if !honest.iter().any(holds) && self.lost.insert(hash) {
                broken.add(world.now, NAME, || {
                    format!("nobody holds the newest block of {account} any more")
                });
            }
        }
    }

    /// Every own block of a node that runs must be decided by now.
    pub fn finish<C: Crypto>(&self, world: &World<C>, broken: &mut Violations) {
        for ((place, hash), state) in &self.own {
            let over = matches!(
                state,
                PublishState::Confirmed | PublishState::Superseded { .. }
            );
            if !over && world.runs(*place) {
                broken.add(world.now, NAME, || {
                    format!("what became of block {hash} of node {place} was never told: {state:?}")
                });
            }
        }
    }

    /// How many own blocks ended so: confirmed, superseded.
    #[must_use]
    pub fn ended(&self) -> (u64, u64) {
        let count = |wanted: fn(&PublishState) -> bool| {
            self.own.values().filter(|state| wanted(state)).count() as u64
        };
        (
            count(|state| matches!(state, PublishState::Confirmed)),
            count(|state| matches!(state, PublishState::Superseded { .. })),
        )
    }
}
