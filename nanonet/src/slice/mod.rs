//! The slice: the verified records this node holds for itself and for others.
//!
//! [`Slice`] is a state machine without I/O. Records are offered ([`Slice::offer`]), each is
//! verified before it is kept, and what should be durable comes out as a list of operations
//! ([`Slice::poll_store`]). Readers take frontiers ([`Slice::get`]), receivables
//! ([`Slice::receivables`]) and walk everything in order of [`AccountKey`]
//! ([`Slice::accounts_after`]), which is the order of the key space that nodes share out.
//!
//! # States
//!
//! A *place* exists for each account of which anything is held: its frontiers
//! ([`HeldAccount`], with the states known, unknown and diverged), receivables of which it is the
//! destination, and how many nodes asked for it. A place is *watched* if the account is one of the
//! person's own.
//!
//! # Rules
//!
//! - Nothing is kept before its proof was checked under the weight table handed in with the offer.
//!   Two checks come first because they are cheap and need no proof: a block that is known to come
//!   before a held frontier is refused (`superseded`), and so is what the budget would give up
//!   first (`no-room`).
//! - A record's identity is its block's hash: the same block again is `AlreadyHeld`, whatever its
//!   votes, signature or work bytes, and only its sightings are looked at. One proof is kept per
//!   frontier.
//! - Order among frontiers of one account: see [`HeldAccount`]. A valid older
//!   proof never takes the place of a newer one.
//! - A receivable is kept under its destination if its amount reaches the minimum (for watched
//!   accounts there is none), it is among the 256 largest, and the destination is not known to
//!   have received it. A proven receive removes the receivable and leaves a tombstone.
//! - When the weight table changes, what was proven before stays and says under which table
//!   ([`HeldFrontier::weights_as_of`]); new offers are judged by the new one. The same block
//!   offered again is proven anew then (`Renewed`).
//! - Over the byte budget, the item with the least balance class × (1 + distinct askers) goes
//!   first (an item is an account's frontiers, or one receivable). Items of watched accounts never
//!   go. What is only cached ([`Slice::cache`]) goes before all others.
//!
//! # Memory
//!
//! Every item's bytes are counted with an allowance for its bookkeeping ([`ITEM_OVERHEAD`]).
//! Ordinary items and watched receivables stay within the budget. On top of it come at most
//! [`MAX_WATCHED`] watched accounts' frontiers, each at most two records with
//! [`REMEMBERED_ANCESTORS`] ancestors and [`MAX_TOMBSTONES`] tombstones, so the slice never holds
//! more than budget + 64 × 140 KB, and 400 KB of remembered votes. The list of store operations
//! names keys only, each once.

mod askers;
mod budget;
mod cache;
#[cfg(any(test, feature = "adversary"))]
pub(crate) mod decoders;
mod held;
mod load;
mod offer;
mod order;
mod outcome;
mod receivables;
mod stored;
#[cfg(test)]
mod tests;
#[cfg(any(test, feature = "adversary"))]
mod weakened;

use nano_core::proof::VoteCache;
use nano_core::{Account, BlockHash, Network, Raw, UnixMillis};

use self::askers::Askers;
use self::budget::{Budget, Item, Worth, score};
use self::cache::Cached;
use self::receivables::Receivables;
use self::stored::{StoredAccount, StoredReceivable};
use crate::chunked::ChunkedMap;
use crate::sorted::SortedSet;
use crate::{AccountKey, Freshness, NodeId, NodeKey, StoreKey, StoreOp};

pub use self::cache::MAX_CACHED_MS;
pub use self::held::{ChainOrder, HeldAccount, HeldFrontier, MAX_TOMBSTONES};
pub use self::load::{LoadReport, MAX_WEIGHTS_AGE_MS};
pub use self::order::REMEMBERED_ANCESTORS;
pub use self::outcome::{Outcome, Refusal};
pub use self::receivables::{HeldReceivable, MAX_RECEIVABLES};

/// Most watched accounts.
pub const MAX_WATCHED: usize = 64;

/// Bytes counted for each item besides its stored form: maps, sets and decoded blocks.
pub const ITEM_OVERHEAD: u64 = 1024;

/// Checked votes remembered, about 100 bytes each.
const VOTES_REMEMBERED: usize = 4096;

/// Settings of a slice.
#[derive(Debug, Clone, PartialEq)]
pub struct SliceConfig {
    /// Which Nano network; proofs of others are refused.
    pub network: Network,
    /// Bridges whose sightings count.
    pub anchors: Vec<NodeKey>,
    /// Most bytes of ordinary records, bookkeeping included.
    pub budget_bytes: u64,
    /// Smallest receivable kept for accounts that are not watched, in raw.
    pub minimum_receivable: Raw,
    /// Most blocks of lineage that a kept record is given from the ones it replaces, 0 to
    /// [`MAX_LINEAGE`](crate::MAX_LINEAGE). More lets holders link up that are further behind and
    /// costs 217 bytes a block in storage and in each answer.
    pub lineage_kept: u8,
    /// Whether what is held is written for storage. If not, changes are still named
    /// ([`Slice::poll_store`]), without bytes.
    pub durable: bool,
}

impl SliceConfig {
    /// Defaults: receivables from 0.000001 nano (10^24 raw), 16 blocks of lineage.
    #[must_use]
    pub const fn new(network: Network, anchors: Vec<NodeKey>, budget_bytes: u64) -> Self {
        Self {
            network,
            anchors,
            budget_bytes,
            minimum_receivable: Raw::new(1_000_000_000_000_000_000_000_000),
            lineage_kept: 16,
            durable: true,
        }
    }
}

/// Everything held of one account.
#[derive(Debug)]
struct Place {
    account: Account,
    held: Option<HeldAccount>,
    sends: Receivables,
    askers: Askers,
    /// Until when it is cached, if it is not held otherwise.
    cached_until: Option<UnixMillis>,
    cached_bytes: u64,
}

impl Place {
    fn new(account: Account) -> Self {
        Self {
            account,
            held: None,
            sends: Receivables::default(),
            askers: Askers::default(),
            cached_until: None,
            cached_bytes: 0,
        }
    }

    fn is_empty(&self) -> bool {
        self.held.is_none() && self.sends.is_empty()
    }

    /// The most its frontiers say it owns; what its place in the budget goes by.
    fn balance(&self) -> Raw {
        let frontiers = self.held.iter().flat_map(HeldAccount::frontiers);
        frontiers
            .map(|frontier| frontier.proven.balance)
            .max()
            .unwrap_or(Raw::ZERO)
    }
}

/// The verified records held by this node.
#[derive(Debug)]
pub struct Slice {
    config: SliceConfig,
    places: ChunkedMap<AccountKey, Place>,
    watched: SortedSet<AccountKey>,
    budget: Budget,
    /// Votes that were checked: neighbouring records share them.
    votes: VoteCache,
    /// Entries whose stored form differs from what is held.
    dirty: ChunkedMap<StoreKey, ()>,
    cached: Cached,
    receivables: u32,
    accounts: u32,
    day: u64,
}

impl Slice {
    /// An empty slice.
    #[must_use]
    pub const fn new(config: SliceConfig) -> Self {
        let budget = Budget::new(config.budget_bytes);
        Self {
            config,
            places: ChunkedMap::new(),
            watched: SortedSet::new(),
            budget,
            votes: VoteCache::new(VOTES_REMEMBERED),
            dirty: ChunkedMap::new(),
            cached: Cached::new(),
            receivables: 0,
            accounts: 0,
            day: 0,
        }
    }

    /// Its settings.
    #[must_use]
    pub const fn config(&self) -> &SliceConfig {
        &self.config
    }

    /// Bridges whose sightings count from now on.
    pub fn set_anchors(&mut self, anchors: &[NodeKey]) {
        self.config.anchors = anchors.to_vec();
        for (_, place) in self.places.iter_mut() {
            if let Some(held) = &mut place.held {
                held.prefer(anchors);
            }
        }
    }

    /// What is held of an account's chain.
    #[must_use]
    pub fn get(&self, account: &Account) -> Option<&HeldAccount> {
        self.places.get(&AccountKey::new(account))?.held.as_ref()
    }

    /// Proven sends to an account that it is not known to have received, largest first, at most
    /// [`MAX_RECEIVABLES`].
    pub fn receivables(&self, account: &Account) -> impl Iterator<Item = &HeldReceivable> {
        let place = self.places.get(&AccountKey::new(account));
        place.into_iter().flat_map(|place| place.sends.iter())
    }

    /// How current the frontier shown first is, by the configured anchors' sightings.
    #[must_use]
    pub fn freshness(&self, now: UnixMillis, account: &Account) -> Option<Freshness> {
        let frontier = self.get(account)?.frontier()?;
        frontier.freshness(now, &self.config.anchors)
    }

    /// Accounts of which a frontier or a receivable is held, in order of their keys, from the
    /// first after `after` on; from the start for `None`.
    pub fn accounts_after(
        &self,
        after: Option<&AccountKey>,
    ) -> impl Iterator<Item = (&AccountKey, &Account)> {
        self.places
            .iter_after(after)
            .map(|(key, place)| (key, &place.account))
    }

    /// The same for accounts whose keys begin with 64 bits from `first` to `last`.
    pub(crate) fn accounts_in(
        &self,
        first: u64,
        last: u64,
    ) -> impl Iterator<Item = (&AccountKey, &Account)> {
        let before = first.checked_sub(1).map(AccountKey::last_with);
        self.places
            .iter_after(before.as_ref())
            .map(|(key, place)| (key, &place.account))
            .take_while(move |(key, _)| key.first_bits() <= last)
    }

    /// Accounts with a frontier.
    #[must_use]
    pub const fn account_count(&self) -> u32 {
        self.accounts
    }

    /// Receivables of all destinations.
    #[must_use]
    pub const fn receivable_count(&self) -> u32 {
        self.receivables
    }

    /// Bytes of all items, as counted against the budget.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.budget.used()
    }

    /// Notes that `asker` asked for `account`; nothing happens if nothing is held of it.
    pub fn note_asker(&mut self, now: UnixMillis, account: &Account, asker: &NodeId) {
        self.turn_day(now);
        let key = AccountKey::new(account);
        if let Some(place) = self.places.get_mut(&key)
            && place.askers.note(now, asker)
        {
            self.weigh_place(&key);
        }
    }

    /// Treats an account as the person's own: its records are never evicted and its receivables
    /// kept whatever their amount. False if [`MAX_WATCHED`] are watched already.
    pub fn watch(&mut self, account: &Account) -> bool {
        let key = AccountKey::new(account);
        if self.watched.len() >= MAX_WATCHED && !self.watched.contains(&key) {
            return false;
        }
        self.watched.insert(key);
        self.weigh_place(&key);
        true
    }

    /// Ends [`Slice::watch`]; what is held becomes ordinary.
    pub fn unwatch(&mut self, account: &Account) {
        let key = AccountKey::new(account);
        if self.watched.remove(&key) {
            self.weigh_place(&key);
            self.evict();
        }
    }

    /// Whether an account is watched.
    #[must_use]
    pub fn is_watched(&self, account: &Account) -> bool {
        self.watched.contains(&AccountKey::new(account))
    }

    /// The next change to make durable, until `None`. Each entry that changed since it was last
    /// given out comes once, in its newest form.
    pub fn poll_store(&mut self) -> Option<StoreOp> {
        let (key, ()) = self.dirty.pop_first()?;
        let durable = self.config.durable;
        let bytes = match &key {
            StoreKey::Account(account) => self.get(account).map(|held| {
                if durable {
                    StoredAccount::of(held).to_bytes()
                } else {
                    Vec::new()
                }
            }),
            StoreKey::Receivable { destination, hash } => self
                .places
                .get(&AccountKey::new(destination))
                .and_then(|place| place.sends.get(hash))
                .map(|send| StoredReceivable::of(send).to_bytes()),
            // Pending blocks are not the slice's and never marked by it.
            StoreKey::Pending(_) => None,
        };
        Some(match bytes {
            Some(bytes) => StoreOp::Put { key, bytes },
            None => StoreOp::Remove { key },
        })
    }

    /// Once a day every count of askers falls, so scores are taken anew.
    fn turn_day(&mut self, now: UnixMillis) {
        let day = askers::day(now);
        if day <= self.day {
            return;
        }
        self.day = day;
        let keys: Vec<AccountKey> = self
            .places
            .iter_mut()
            .filter_map(|(key, place)| place.askers.turn(now).then_some(*key))
            .collect();
        for key in keys {
            self.weigh_place(&key);
        }
    }

    fn worth(&self, key: &AccountKey, amount: Raw) -> Worth {
        if self.watched.contains(key) {
            return Worth::Pinned;
        }
        let place = self.places.get(key);
        if place.is_some_and(|place| place.cached_until.is_some()) {
            return Worth::Cached;
        }
        let askers = place.map_or(0, |place| place.askers.count());
        Worth::Ordinary(score(amount, askers))
    }

    /// Takes the worth of everything at a place anew.
    fn weigh_place(&mut self, key: &AccountKey) {
        let Some(place) = self.places.get(key) else {
            return;
        };
        let account = (Item::Account(*key), self.worth(key, place.balance()));
        let sends = place
            .sends
            .amounts()
            .map(|(hash, amount)| (Item::Receivable(*key, hash), self.worth(key, amount)));
        let items: Vec<_> = sends.chain([account]).collect();
        for (item, worth) in items {
            self.budget.weigh(item, worth);
        }
    }

    /// Enters the frontiers of a place with their size, and marks them for storage.
    fn account_changed(&mut self, key: &AccountKey) {
        let Some(place) = self.places.get(key) else {
            return;
        };
        let Some(held) = &place.held else {
            return;
        };
        let bytes = counted(held.stored_bytes());
        let worth = self.worth(key, place.balance());
        self.dirty.insert(StoreKey::Account(place.account), ());
        self.budget.set(Item::Account(*key), worth, bytes);
    }

    /// Gives up what is worth least until the budget is kept.
    fn evict(&mut self) {
        while let Some(item) = self.budget.surplus() {
            match item {
                Item::Account(key) => self.drop_account(&key),
                Item::Receivable(key, hash) => self.drop_receivable(&key, &hash),
            }
            // Also when there was nothing to drop: the loop must end.
            self.budget.forget(&item);
        }
    }

    fn drop_account(&mut self, key: &AccountKey) {
        self.hold(key);
        let Some(place) = self.places.get_mut(key) else {
            return;
        };
        if place.held.take().is_some() {
            self.accounts -= 1;
            self.dirty.insert(StoreKey::Account(place.account), ());
            self.budget.forget(&Item::Account(*key));
        }
        if place.is_empty() {
            self.places.remove(key);
        }
    }

    fn drop_receivable(&mut self, key: &AccountKey, hash: &BlockHash) {
        let Some(place) = self.places.get_mut(key) else {
            return;
        };
        let account = place.account;
        if place.sends.remove(hash) {
            self.receivables -= 1;
            self.receivable_gone(key, account, *hash);
        }
        if self.places.get(key).is_some_and(Place::is_empty) {
            self.places.remove(key);
        }
    }

    /// A receivable was taken out of its place: out of budget and storage, too.
    fn receivable_gone(&mut self, key: &AccountKey, destination: Account, hash: BlockHash) {
        self.budget.forget(&Item::Receivable(*key, hash));
        self.dirty
            .insert(StoreKey::Receivable { destination, hash }, ());
    }
}

/// Bytes that an item with so many stored bytes counts for.
fn counted(stored: usize) -> u64 {
    u64::try_from(stored)
        .unwrap_or(u64::MAX)
        .saturating_add(ITEM_OVERHEAD)
}
