//! Replication is restored in time: no record has fewer honest holders than [`Replicas::least`] for
//! longer than is allowed.

use std::collections::BTreeMap;

use nano_core::{Account, UnixMillis};
use nanonet::Crypto;

use super::Violations;
use crate::world::{Place, World};

/// The checker's name.
pub const NAME: &str = "replicas";

/// Watches holders.
pub struct Replicas {
    /// Fewest honest browsers that must hold the newest frontier of an account.
    pub least: usize,
    /// How long it may be fewer.
    pub allowed_ms: u64,
    /// Accounts with too few, since when, and whether it was told.
    short: BTreeMap<Account, (UnixMillis, bool)>,
    /// The longest that was seen.
    pub longest_ms: u64,
    /// The fewest that were seen.
    pub fewest: usize,
}

impl Replicas {
    /// Of `replicas` holders three quarters have to be there.
    #[must_use]
    pub const fn new(replicas: usize, allowed_ms: u64) -> Self {
        Self {
            least: replicas * 3 / 4,
            allowed_ms,
            short: BTreeMap::new(),
            longest_ms: 0,
            fewest: usize::MAX,
        }
    }

    /// Counts holders.
    pub fn look<C: Crypto>(
        &mut self,
        world: &World<C>,
        honest: &[Place],
        accounts: &[Account],
        broken: &mut Violations,
    ) {
        for account in accounts {
            let newest = world.ledger.chain(account).blocks().last();
            let newest = newest.map(nano_core::StateBlock::hash);
            let holds = |place: &&Place| world.node(**place).held(account) == newest;
            let holders = honest.iter().filter(holds).count();
            self.fewest = self.fewest.min(holders);
            if holders >= self.least {
                self.short.remove(account);
                continue;
            }
            let (since, told) = self.short.entry(*account).or_insert((world.now, false));
            let lasted = world.now.since(*since);
            self.longest_ms = self.longest_ms.max(lasted);
            if lasted > self.allowed_ms && !*told {
                *told = true;
                broken.add(world.now, NAME, || {
                    format!("{account} had only {holders} holders for {lasted} ms")
                });
            }
        }
    }
}
