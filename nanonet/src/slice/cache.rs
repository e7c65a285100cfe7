//! Records kept for a short time because many ask for them.
//!
//! A node on the way to a hot account's holders may answer in their place. What it keeps for that is
//! *cached*: it belongs to nobody's replicas, is named to nobody, and goes at a stated time, or before
//! anything else when there is no room. Rules:
//! - only what is not held otherwise is cached; offered in the usual way later, it is held;
//! - the time is short ([`MAX_CACHED_MS`]), because nobody brings it newer frontiers;
//! - it is not written to storage;
//! - all cached items together take at most about an eighth of the budget, and nothing is cached
//!   while the last eighth of the budget is in use.
//!
//! Memory: within the budget, and the order of times.

use nano_core::{Account, UnixMillis, WeightTable};

use super::{Outcome, Refusal, Slice};
use crate::sorted::SortedSet;
use crate::{AccountKey, AccountRecord, StoreKey};

/// The longest time for which a record is cached: one minute.
pub const MAX_CACHED_MS: u64 = 60_000;

/// Part of the budget that cached items may take, as a divisor.
const SHARE: u64 = 8;

/// What is cached.
#[derive(Debug)]
pub(super) struct Cached {
    until: SortedSet<(UnixMillis, AccountKey)>,
    bytes: u64,
}

impl Cached {
    /// Nothing.
    pub(super) const fn new() -> Self {
        Self {
            until: SortedSet::new(),
            bytes: 0,
        }
    }
}

impl Slice {
    /// Keeps a record of `account` until `until`, at most [`MAX_CACHED_MS`] from `now`, if nothing is
    /// held of it; see [`Slice::offer_account`] for what is checked. Whether it is cached now.
    pub fn cache(
        &mut self,
        now: UnixMillis,
        account: &Account,
        record: AccountRecord,
        weights: &WeightTable,
        until: UnixMillis,
    ) -> Result<bool, Refusal> {
        self.drop_stale(now);
        let key = AccountKey::new(account);
        let part = self.config.budget_bytes / SHARE;
        let used = self.budget.used();
        let full = self.cached.bytes >= part || used > self.config.budget_bytes - part;
        if full || self.places.get(&key).is_some() || self.watched.contains(&key) {
            return Ok(false);
        }
        let outcome = self.offer_account(now, account, record, weights);
        if let Outcome::Refused(refusal) = outcome {
            return Err(refusal);
        }
        let until = until.min(now.plus(MAX_CACHED_MS));
        let Some(place) = self.places.get_mut(&key) else {
            return Ok(false);
        };
        place.cached_until = Some(until);
        place.cached_bytes = self.budget.used().saturating_sub(used);
        self.cached.bytes += place.cached_bytes;
        self.cached.until.insert((until, key));
        self.dirty.remove(&StoreKey::Account(*account));
        self.weigh_place(&key);
        Ok(true)
    }

    /// Whether what is held of an account is only cached.
    #[must_use]
    pub fn is_cached(&self, account: &Account) -> bool {
        let place = self.places.get(&AccountKey::new(account));
        place.is_some_and(|place| place.cached_until.is_some())
    }

    /// Gives up what was cached until `now`.
    pub fn drop_stale(&mut self, now: UnixMillis) {
        while let Some((until, key)) = self.cached.until.first().copied() {
            if until > now {
                return;
            }
            self.hold(&key);
            self.drop_account(&key);
        }
    }

    /// What was cached is held from now on like anything else, or is to go.
    pub(super) fn hold(&mut self, key: &AccountKey) {
        let Some(place) = self.places.get_mut(key) else {
            return;
        };
        if let Some(until) = place.cached_until.take() {
            self.cached.bytes = self.cached.bytes.saturating_sub(place.cached_bytes);
            self.cached.until.remove(&(until, *key));
            self.dirty.insert(StoreKey::Account(place.account), ());
            self.weigh_place(key);
        }
    }
}
