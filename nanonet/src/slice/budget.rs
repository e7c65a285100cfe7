//! How many bytes the slice holds, and what goes first when they are too many.
//!
//! Every item (the entry of an account, or one receivable) is in one of three states: *ordinary*,
//! with a score, *pinned* (it belongs to one of the person's own accounts), or *cached* (kept for a
//! short time only; it goes before all others). Rules:
//!
//! - the score is balance class × (1 + distinct askers), see [`score`];
//! - the ordinary item with the least score goes first; of equal ones the one that was placed
//!   first goes first;
//! - pinned items are counted but never go.
//!
//! Memory is proportional to the number of items held, each of which has bytes in the budget.

use nano_core::{BlockHash, Raw};

use crate::AccountKey;
use crate::chunked::ChunkedMap;

/// Something that is kept or evicted as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Item {
    /// The frontier records of an account with what is remembered of it.
    Account(AccountKey),
    /// One proven send to an account.
    Receivable(AccountKey, BlockHash),
}

/// What an item is worth keeping: ordinary items go in this order, lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Worth {
    /// Only cached.
    Cached,
    /// Its score.
    Ordinary(u32),
    /// Of the person's own.
    Pinned,
}

/// Score of an amount that `askers` different nodes asked for: the balance class is the number of
/// decimal digits of the amount in raw (1 for 0, at most 39), so ten times the money is one class
/// more, and twice the askers are worth about twice the score.
pub(crate) fn score(amount: Raw, askers: u32) -> u32 {
    let class = amount.number().checked_ilog10().map_or(1, |log| log + 1);
    class.saturating_mul(askers.saturating_add(1))
}

#[derive(Debug, Clone, Copy)]
struct Weighed {
    worth: Worth,
    placed: u64,
    bytes: u64,
}

/// The account of bytes.
#[derive(Debug)]
pub(crate) struct Budget {
    limit: u64,
    used: u64,
    pinned: u64,
    next: u64,
    items: ChunkedMap<Item, Weighed>,
    order: ChunkedMap<(Worth, u64, Item), ()>,
}

impl Budget {
    /// Nothing held yet, at most `limit` bytes of ordinary items.
    pub(crate) const fn new(limit: u64) -> Self {
        Self {
            limit,
            used: 0,
            pinned: 0,
            next: 0,
            items: ChunkedMap::new(),
            order: ChunkedMap::new(),
        }
    }

    /// Bytes held, pinned ones included.
    pub(crate) const fn used(&self) -> u64 {
        self.used
    }

    /// Whether a new item of this worth would stay: there is room, or there are bytes of lesser
    /// worth to give up. An answer to save work before a proof is checked; [`Budget::surplus`]
    /// decides.
    pub(crate) fn would_keep(&self, worth: Worth, bytes: u64) -> bool {
        if self.used.saturating_add(bytes) <= self.limit {
            return true;
        }
        match worth {
            Worth::Pinned => self.pinned.saturating_add(bytes) <= self.limit,
            Worth::Cached => false,
            Worth::Ordinary(_) => {
                self.order
                    .first_key()
                    .is_some_and(|(least, _, _)| *least < worth)
                    && self.pinned.saturating_add(bytes) <= self.limit
            }
        }
    }

    /// Enters an item, or its new size and worth.
    pub(crate) fn set(&mut self, item: Item, worth: Worth, bytes: u64) {
        let placed = match self.remove(&item) {
            Some(before) => before.placed,
            None => {
                self.next += 1;
                self.next
            }
        };
        self.used = self.used.saturating_add(bytes);
        match worth {
            Worth::Pinned => self.pinned = self.pinned.saturating_add(bytes),
            Worth::Cached | Worth::Ordinary(_) => {
                self.order.insert((worth, placed, item), ());
            }
        }
        self.items.insert(
            item,
            Weighed {
                worth,
                placed,
                bytes,
            },
        );
    }

    /// Changes the worth of an item, if it is held.
    pub(crate) fn weigh(&mut self, item: Item, worth: Worth) {
        if let Some(Weighed { bytes, .. }) = self.items.get(&item).copied() {
            self.set(item, worth, bytes);
        }
    }

    /// Takes an item out.
    pub(crate) fn forget(&mut self, item: &Item) {
        self.remove(item);
    }

    fn remove(&mut self, item: &Item) -> Option<Weighed> {
        let weighed = self.items.remove(item)?;
        self.used = self.used.saturating_sub(weighed.bytes);
        match weighed.worth {
            Worth::Pinned => self.pinned = self.pinned.saturating_sub(weighed.bytes),
            Worth::Cached | Worth::Ordinary(_) => {
                self.order.remove(&(weighed.worth, weighed.placed, *item));
            }
        }
        Some(weighed)
    }

    /// The item to give up next, while there are more bytes than allowed; `None` when there are
    /// not, or only pinned items are left.
    pub(crate) fn surplus(&self) -> Option<Item> {
        if self.used <= self.limit {
            return None;
        }
        self.order.first_key().map(|(_, _, item)| *item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nano_core::Account;

    fn item(id: u8) -> Item {
        Item::Account(AccountKey::new(&Account::from_bytes([id; 32])))
    }

    #[test]
    fn more_digits_and_more_askers_are_worth_more() {
        assert_eq!(score(Raw::new(0), 0), 1);
        assert_eq!(score(Raw::new(9), 0), 1);
        assert_eq!(score(Raw::new(10), 0), 2);
        assert_eq!(score(Raw::MAX, 0), 39);
        assert_eq!(score(Raw::MAX, 64), 39 * 65);
        assert_eq!(score(Raw::new(0), 3), 4);
    }

    #[test]
    fn the_least_score_goes_first_and_of_equals_the_oldest() {
        let mut budget = Budget::new(25);
        budget.set(item(1), Worth::Ordinary(5), 10);
        budget.set(item(2), Worth::Ordinary(3), 10);
        assert_eq!(budget.surplus(), None);
        budget.set(item(3), Worth::Ordinary(3), 10);
        assert_eq!(budget.surplus(), Some(item(2)));
        budget.weigh(item(2), Worth::Ordinary(9));
        assert_eq!(budget.surplus(), Some(item(3)));
        budget.forget(&item(3));
        assert_eq!(budget.surplus(), None);
        assert_eq!(budget.used(), 20);
    }

    #[test]
    fn pinned_items_never_go() {
        let mut budget = Budget::new(15);
        budget.set(item(1), Worth::Pinned, 10);
        budget.set(item(2), Worth::Pinned, 10);
        assert_eq!(budget.surplus(), None);
        budget.weigh(item(1), Worth::Ordinary(1));
        assert_eq!(budget.surplus(), Some(item(1)));
    }

    #[test]
    fn a_new_size_replaces_the_old_one() {
        let mut budget = Budget::new(100);
        budget.set(item(1), Worth::Ordinary(1), 10);
        budget.set(item(1), Worth::Ordinary(1), 30);
        assert_eq!(budget.used(), 30);
        budget.forget(&item(1));
        budget.forget(&item(1));
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn what_is_worth_least_is_turned_away_before_its_proof_is_checked() {
        let mut budget = Budget::new(20);
        budget.set(item(1), Worth::Ordinary(5), 20);
        assert!(!budget.would_keep(Worth::Ordinary(5), 10));
        assert!(budget.would_keep(Worth::Ordinary(6), 10));
        assert!(!budget.would_keep(Worth::Ordinary(6), 21));
        assert!(budget.would_keep(Worth::Pinned, 20));
        assert!(!budget.would_keep(Worth::Pinned, 21));
    }
}
