//! Thresholds and both forms of weight tables. That the shipped table is the recorded one is
//! checked in the `vectors` crate.

use std::collections::BTreeMap;

use nano_core::{
    Account, Network, ONLINE_WEIGHT_MINIMUM, Raw, UnixMillis, WeightTable, WeightTableError,
};
use proptest::prelude::*;

fn small_table() -> WeightTable {
    WeightTable {
        network: Network::Dev,
        as_of: UnixMillis::new(1_700_000_000_000),
        online_weight: Raw::new(90),
        minimum: Raw::new(10),
        weights: (1..=4)
            .map(|n| (Account::from_bytes([n; 32]), Raw::new(20 * u128::from(n))))
            .collect(),
    }
}

#[test]
fn the_live_snapshot_asks_for_more_than_half_of_its_total() {
    let table = WeightTable::live_snapshot();
    let half = table.total().number() / 2;
    assert_eq!(table.threshold().number(), half + 1);
    assert!(table.threshold() > nano_core::quorum_delta(Raw::ZERO, ONLINE_WEIGHT_MINIMUM));
    assert!(table.collection_target() >= table.threshold());
}

#[test]
fn the_threshold_follows_the_online_weight_once_it_is_the_larger() {
    let mut table = small_table();
    assert_eq!(table.total(), Raw::new(200));
    assert_eq!(table.threshold(), Raw::new(101));
    table.online_weight = Raw::new(180);
    assert_eq!(table.threshold(), Raw::new(120));
    table.minimum = Raw::new(200);
    assert_eq!(table.threshold(), Raw::new(134));
    assert_eq!(table.collection_target(), Raw::new(144));
}

#[test]
fn a_table_of_no_representatives_proves_nothing() {
    let mut table = small_table();
    table.weights.clear();
    table.online_weight = Raw::ZERO;
    table.minimum = Raw::ZERO;
    assert!(table.threshold() > table.total());
}

#[test]
fn damaged_bytes_are_refused_with_the_reason() {
    let bytes = small_table().to_bytes().unwrap();
    assert_eq!(
        WeightTable::from_bytes(&[2]),
        Err(WeightTableError::UnknownVersion(2))
    );
    let mut other = bytes.clone();
    other[2] = b'Q';
    assert_eq!(
        WeightTable::from_bytes(&other),
        Err(WeightTableError::UnknownNetwork(*b"RQ"))
    );
    for length in [0, 10, 44, 45, bytes.len() - 1] {
        let found = WeightTable::from_bytes(&bytes[..length]);
        assert!(
            matches!(found, Err(WeightTableError::Length { .. })),
            "{length}"
        );
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(matches!(
        WeightTable::from_bytes(&longer),
        Err(WeightTableError::Length { .. })
    ));
    let mut twice = bytes.clone();
    twice.copy_within(45..93, 93);
    assert_eq!(
        WeightTable::from_bytes(&twice),
        Err(WeightTableError::Order(Account::from_bytes([1; 32])))
    );
    let mut heavy = bytes;
    heavy[77..93].fill(0xff);
    assert_eq!(
        WeightTable::from_bytes(&heavy),
        Err(WeightTableError::TotalTooLarge)
    );
}

#[test]
fn more_entries_than_allowed_are_neither_read_nor_written() {
    let mut table = small_table();
    table.weights = (0..=4096_u128)
        .map(|number| {
            let mut key = [0; 32];
            key[16..].copy_from_slice(&number.to_be_bytes());
            (Account::from_bytes(key), Raw::new(1))
        })
        .collect();
    assert_eq!(table.to_bytes(), Err(WeightTableError::TooManyEntries));
    assert_eq!(table.to_json(), Err(WeightTableError::TooManyEntries));
    table.weights.pop_first();
    let bytes = table.to_bytes().unwrap();
    assert_eq!(WeightTable::from_bytes(&bytes), Ok(table.clone()));
    assert_eq!(WeightTable::from_json(&table.to_json().unwrap()), Ok(table));
}

#[test]
fn json_that_hides_something_is_refused() {
    let json = small_table().to_json().unwrap();
    assert_eq!(WeightTable::from_json(&json), Ok(small_table()));
    let first = Account::from_bytes([1; 32]);
    for (from, to) in [
        ("\"minimum\"", "\"extra\": 1, \"minimum\""),
        (
            "\"weights\": {",
            &format!("\"weights\": {{\"{first}\": \"1\","),
        ),
        ("\"dev\"", "\"main\""),
        ("\"20\"", "20"),
    ] {
        assert!(json.contains(from));
        let damaged = json.replace(from, to);
        assert!(
            matches!(
                WeightTable::from_json(&damaged),
                Err(WeightTableError::Json(_))
            ),
            "{damaged}"
        );
    }
}

prop_compose! {
    fn tables()(
        network in prop::sample::select(&Network::ALL[..]),
        as_of: u64,
        online: u128,
        minimum: u128,
        weights in prop::collection::btree_map(any::<[u8; 32]>(), 0..u128::MAX / 64, 0..48),
    ) -> WeightTable {
        let weights: BTreeMap<_, _> = weights
            .into_iter()
            .map(|(key, weight)| (Account::from_bytes(key), Raw::new(weight)))
            .collect();
        WeightTable {
            network,
            as_of: UnixMillis::new(as_of),
            online_weight: Raw::new(online),
            minimum: Raw::new(minimum),
            weights,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn both_forms_give_the_table_back(table in tables()) {
        let bytes = table.to_bytes().unwrap();
        prop_assert_eq!(WeightTable::from_bytes(&bytes), Ok(table.clone()));
        let json = table.to_json().unwrap();
        prop_assert_eq!(WeightTable::from_json(&json), Ok(table.clone()));
        let inside = postcard::to_allocvec(&table).unwrap();
        prop_assert_eq!(&postcard::from_bytes::<WeightTable>(&inside).unwrap(), &table);
        let inside = serde_json::to_string(&table).unwrap();
        prop_assert_eq!(serde_json::from_str::<WeightTable>(&inside).unwrap(), table);
    }

    #[test]
    fn accepted_bytes_are_written_again_as_they_were(
        table in tables(),
        position: prop::sample::Index,
        bit in 0..8_u8,
    ) {
        let mut bytes = table.to_bytes().unwrap();
        let position = position.index(bytes.len());
        bytes[position] ^= 1 << bit;
        if let Ok(read) = WeightTable::from_bytes(&bytes) {
            prop_assert_eq!(read.to_bytes(), Ok(bytes));
        }
    }

    #[test]
    fn arbitrary_input_is_answered_not_panicked_on(bytes: Vec<u8>, text: String) {
        let _ = WeightTable::from_bytes(&bytes);
        let _ = WeightTable::from_json(&text);
    }

    #[test]
    fn the_threshold_is_above_half_of_the_table(table in tables()) {
        prop_assert!(table.threshold().number() > table.total().number() / 2);
    }
}
