//! Weight tables beside each other: what they say together, and how far they are apart.

use std::collections::BTreeMap;

use super::WeightTable;
use crate::{Raw, UnixMillis};

impl WeightTable {
    /// The middle of `tables` in every number, the lower one of two; network and minimum are this
    /// table's. Of no tables it is a table of nothing.
    ///
    /// Its weights may sum to more than there is: writing it, [`WeightTable::to_bytes`] tells.
    #[must_use]
    pub fn median(&self, tables: &[&Self]) -> Self {
        let mut weights = BTreeMap::new();
        for who in tables.iter().flat_map(|table| table.weights.keys()) {
            if !weights.contains_key(who) {
                let weight = middle(tables, &|table| table.weight_of(who).number());
                if weight > 0 {
                    weights.insert(*who, Raw::new(weight));
                }
            }
        }
        let as_of = middle(tables, &|table| table.as_of.number().into());
        Self {
            network: self.network,
            as_of: UnixMillis::new(u64::try_from(as_of).unwrap_or(u64::MAX)),
            online_weight: Raw::new(middle(tables, &|table| table.online_weight.number())),
            minimum: self.minimum,
            weights,
        }
    }

    /// What changed hands from this table to the other, in raw: half the sum of all differences.
    #[must_use]
    pub fn moved(&self, other: &Self) -> Raw {
        let gone = self
            .weights
            .iter()
            .map(|(who, weight)| weight.number().abs_diff(other.weight_of(who).number()));
        let come = other.weights.iter();
        let come = come.filter(|(who, _)| !self.weights.contains_key(who));
        let all = gone.chain(come.map(|(_, weight)| weight.number()));
        Raw::new(all.fold(0, |sum: u128, w| sum.saturating_add(w.div_ceil(2))))
    }
}

/// The middle of a number over the tables, by counting: there are few, and a page need not load a
/// sort for them.
fn middle(tables: &[&WeightTable], number: &dyn Fn(&WeightTable) -> u128) -> u128 {
    let values: Vec<u128> = tables.iter().map(|table| number(table)).collect();
    let place = values.len().saturating_sub(1) / 2;
    let is_middle = |value: &&u128| {
        let smaller = values.iter().filter(|other| other < value).count();
        let up_to = values.iter().filter(|other| other <= value).count();
        smaller <= place && place < up_to
    };
    values.iter().find(is_middle).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Account, Network};

    fn table(as_of: u64, weights: &[(u8, u128)]) -> WeightTable {
        WeightTable {
            network: Network::Dev,
            as_of: UnixMillis::new(as_of),
            online_weight: Raw::new(as_of.into()),
            minimum: Raw::new(1),
            weights: weights
                .iter()
                .map(|(who, weight)| (Account::from_bytes([*who; 32]), Raw::new(*weight)))
                .collect(),
        }
    }

    #[test]
    fn the_median_takes_the_middle_of_every_number_and_the_lower_of_two() {
        let held = table(1, &[]);
        let (one, two, three) = (
            table(10, &[(1, 5), (2, 7)]),
            table(30, &[(1, 9), (3, 4)]),
            table(20, &[(1, 6), (2, 8)]),
        );
        let median = held.median(&[&one, &two, &three]);
        assert_eq!(median, table(20, &[(1, 6), (2, 7)]));
        assert_eq!(held.median(&[&one, &two]), table(10, &[(1, 5)]));
        assert_eq!(held.median(&[]), table(0, &[]));
    }

    #[test]
    fn what_moved_is_the_same_both_ways_and_nothing_within_one_table() {
        let (one, other) = (table(1, &[(1, 10), (2, 4)]), table(1, &[(1, 6), (3, 8)]));
        assert_eq!(one.moved(&other), Raw::new(2 + 2 + 4));
        assert_eq!(other.moved(&one), one.moved(&other));
        assert_eq!(one.moved(&one), Raw::ZERO);
    }
}
