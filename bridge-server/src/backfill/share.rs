//! Which part of the account key space a bridge walks.
//!
//! The space of public keys is cut into [`PARTS`] equal ranges by a key's first byte. Each range
//! belongs to the bridge for which BLAKE2b(`nanonet backfill` ‖ node key ‖ range) is largest, over
//! the bridges known now (rendezvous hashing). So bridges that know each other agree without a
//! word, the ranges spread evenly, and a bridge that comes or goes moves only its own: what one
//! leaves behind the others' walk is gone through in their next round. Bridges that do not know of
//! each other walk the same range twice, which costs requests and loses nothing.

use blake2::digest::consts::U8;
use blake2::{Blake2b, Digest};
use nano_core::Account;
use nanonet::NodeKey;

/// Ranges of the key space.
pub const PARTS: usize = 256;

/// A set of ranges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    owned: Vec<bool>,
}

impl Share {
    /// What `own` walks beside `others`, which may name it, too.
    #[must_use]
    pub fn of(own: &NodeKey, others: &[NodeKey]) -> Self {
        let owned = (0..=u8::MAX).map(|part| {
            let mine = claim(own, part);
            others
                .iter()
                .all(|other| other == own || claim(other, part) < mine)
        });
        Self {
            owned: owned.collect(),
        }
    }

    /// Whether an account lies in it.
    #[must_use]
    pub fn contains(&self, account: &Account) -> bool {
        self.owns(part(account))
    }

    /// How many of the [`PARTS`] ranges it has.
    #[must_use]
    pub fn parts(&self) -> usize {
        self.owned.iter().filter(|owned| **owned).count()
    }

    /// The first key of it that is not below `from`.
    #[must_use]
    pub fn next_from(&self, from: Account) -> Option<Account> {
        let first = part(&from);
        if self.owns(first) {
            return Some(from);
        }
        let next =
            (usize::from(first) + 1..PARTS).find(|part| self.owned.get(*part) == Some(&true));
        let mut key = [0; 32];
        *key.first_mut()? = u8::try_from(next?).ok()?;
        Some(Account::from_bytes(key))
    }

    /// Parts per million of it that lie below `from`; `None` = behind the last key.
    #[must_use]
    pub fn passed_ppm(&self, from: Option<Account>) -> u64 {
        /// Resolution inside a range: the key's second byte.
        const STEPS: usize = 256;
        let all = (self.parts() * STEPS).max(1);
        let Some(from) = from else {
            return 1_000_000;
        };
        let first = usize::from(part(&from));
        let below = self
            .owned
            .iter()
            .take(first)
            .filter(|owned| **owned)
            .count();
        let inside = match self.owned.get(first) {
            Some(true) => usize::from(from.as_bytes().get(1).copied().unwrap_or(0)),
            _ => 0,
        };
        ((below * STEPS + inside) as u64).saturating_mul(1_000_000) / all as u64
    }

    fn owns(&self, part: u8) -> bool {
        self.owned.get(usize::from(part)) == Some(&true)
    }
}

fn part(account: &Account) -> u8 {
    account.as_bytes().first().copied().unwrap_or(0)
}

/// A bridge's claim to a range; equal ones, which nobody will see, go to both.
fn claim(bridge: &NodeKey, part: u8) -> [u8; 8] {
    Blake2b::<U8>::new()
        .chain_update(b"nanonet backfill")
        .chain_update(bridge.as_bytes())
        .chain_update([part])
        .finalize()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use nanonet::{Identity, Rng};

    fn keys(count: u8) -> Vec<NodeKey> {
        (0..count)
            .map(|seed| Identity::generate(&mut Rng::from_seed([seed; 32])).node_key())
            .collect()
    }

    fn owners(keys: &[NodeKey]) -> Vec<Vec<usize>> {
        let shares: Vec<Share> = keys.iter().map(|key| Share::of(key, keys)).collect();
        (0..PARTS)
            .map(|part| {
                (0..keys.len())
                    .filter(|who| shares[*who].owned[part])
                    .collect()
            })
            .collect()
    }

    #[test]
    fn every_range_belongs_to_exactly_one_of_the_bridges_that_know_each_other() {
        for count in 1..=5 {
            let owners = owners(&keys(count));
            assert!(owners.iter().all(|owners| owners.len() == 1));
            for who in 0..usize::from(count) {
                let parts = owners.iter().filter(|owners| owners[0] == who).count();
                let fair = PARTS / usize::from(count);
                assert!(parts * 2 >= fair && parts <= fair * 2, "{parts} of {fair}");
            }
        }
    }

    #[test]
    fn a_bridge_that_goes_leaves_the_others_ranges_alone() {
        let all = keys(4);
        let (before, after) = (owners(&all), owners(&all[..3]));
        for (before, after) in before.iter().zip(after) {
            if before[0] != 3 {
                assert_eq!(before, &after);
            }
        }
    }

    #[test]
    fn the_walk_leaps_over_ranges_of_others() {
        let share = Share {
            owned: (0..PARTS).map(|part| part == 3 || part == 9).collect(),
        };
        let at = |first, second| {
            let mut key = [0; 32];
            (key[0], key[1]) = (first, second);
            Account::from_bytes(key)
        };
        assert_eq!(share.next_from(at(0, 0)), Some(at(3, 0)));
        assert_eq!(share.next_from(at(3, 7)), Some(at(3, 7)));
        assert_eq!(share.next_from(at(4, 7)), Some(at(9, 0)));
        assert_eq!(share.next_from(at(10, 0)), None);
        assert_eq!(share.passed_ppm(Some(at(3, 128))), 250_000);
        assert_eq!(share.passed_ppm(Some(at(5, 128))), 500_000);
        assert_eq!(share.passed_ppm(None), 1_000_000);
    }
}
