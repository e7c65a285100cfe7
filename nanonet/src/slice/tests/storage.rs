//! What is written to storage and believed when it is read.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::slice::{ChainOrder, LoadReport, MAX_WEIGHTS_AGE_MS};
use crate::testing::account_key;
use crate::{StoreKey, StoreOp, StoredEntry};

/// Applies what the slice wants stored.
fn store(slice: &mut Slice, storage: &mut BTreeMap<StoreKey, Vec<u8>>) {
    while let Some(operation) = slice.poll_store() {
        match operation {
            StoreOp::Put { key, bytes } => {
                storage.insert(key, bytes);
            }
            StoreOp::Remove { key } => {
                storage.remove(&key);
            }
        }
    }
}

fn entries(storage: &BTreeMap<StoreKey, Vec<u8>>) -> Vec<StoredEntry> {
    let entries = storage.iter();
    entries
        .map(|(key, bytes)| StoredEntry {
            key: *key,
            bytes: bytes.clone(),
        })
        .collect()
}

/// A slice with an account of three blocks, one received send and one receivable.
fn filled(keys: &TestKeys) -> (Slice, BTreeMap<StoreKey, Vec<u8>>, TestChain) {
    let mut sender = TestChain::open(900, nano(100));
    let mut chain = TestChain::open(1, nano(5));
    let received = sender.send(&chain.account(), nano(2));
    sender.send(&chain.account(), nano(3));
    chain.send(&account_key(7).account(), nano(1));
    chain.receive(received, nano(2));
    let mut slice = slice();
    for height in 0..3 {
        offer(&mut slice, keys, &chain, keys.record(&chain, height, 0));
    }
    let record = keys.receivable(&sender, 2);
    slice.offer_receivable(NOW, &chain.account(), record, keys.weights());
    let mut storage = BTreeMap::new();
    store(&mut slice, &mut storage);
    (slice, storage, chain)
}

#[test]
fn what_is_stored_is_held_again_after_loading() {
    let keys = TestKeys::new();
    let (before, storage, chain) = filled(&keys);
    let mut after = slice();
    let report = after.load(NOW, entries(&storage), keys.weights());
    let expected = LoadReport {
        accounts: 1,
        receivables: 1,
        ..LoadReport::default()
    };
    assert_eq!(report, expected);
    assert!(after.get(&chain.account()) == before.get(&chain.account()));
    assert_eq!(after.bytes(), before.bytes());
    assert_eq!(after.poll_store(), None, "storage holds just this");
}

#[test]
fn superseded_proofs_and_received_sends_are_refused_after_loading_too() {
    let keys = TestKeys::new();
    let (_, storage, chain) = filled(&keys);
    let mut after = slice();
    after.load(NOW, entries(&storage), keys.weights());
    let outcome = offer(&mut after, &keys, &chain, keys.record(&chain, 0, 0));
    assert_eq!(outcome.reason(), Some("superseded"));
    let received = chain.blocks()[2].link.into();
    assert!(after.get(&chain.account()).unwrap().has_received(&received));
}

#[test]
fn a_damaged_entry_is_kept_out_counted_and_removed() {
    let keys = TestKeys::new();
    let (_, storage, chain) = filled(&keys);
    for place in 0..storage[&StoreKey::Account(chain.account())].len() {
        let mut damaged = storage.clone();
        for bytes in damaged.values_mut() {
            let place = place % bytes.len();
            bytes[place] ^= 1;
        }
        let mut after = slice();
        let report = after.load(NOW, entries(&damaged), keys.weights());
        assert_eq!(report.damaged, 2, "byte {place}");
        assert_eq!((after.account_count(), after.receivable_count()), (0, 0));
        store(&mut after, &mut damaged);
        assert!(damaged.is_empty());
    }
}

#[test]
fn an_entry_under_another_accounts_key_is_kept_out() {
    let keys = TestKeys::new();
    let (_, storage, _) = filled(&keys);
    let other = account_key(3).account();
    let moved = entries(&storage)
        .into_iter()
        .map(|mut entry| {
            entry.key = match entry.key {
                StoreKey::Account(_) => StoreKey::Account(other),
                StoreKey::Receivable { hash, .. } => StoreKey::Receivable {
                    destination: other,
                    hash,
                },
                key @ StoreKey::Pending(_) => key,
            };
            entry
        })
        .collect();
    let mut after = slice();
    assert_eq!(after.load(NOW, moved, keys.weights()).damaged, 2);
    assert_eq!(after.account_count(), 0);
}

#[test]
fn a_newer_frontier_that_arrived_before_loading_stays_and_is_written() {
    let keys = TestKeys::new();
    let (_, mut storage, mut chain) = filled(&keys);
    chain.send(&account_key(7).account(), nano(1));
    let mut after = slice();
    offer(&mut after, &keys, &chain, keys.record(&chain, 3, 0));
    let report = after.load(NOW, entries(&storage), keys.weights());
    assert_eq!((report.accounts, report.outdated), (0, 1));
    assert_eq!(height(&after, &chain), 3);
    store(&mut after, &mut storage);
    let mut again = slice();
    again.load(NOW, entries(&storage), keys.weights());
    assert_eq!(height(&again, &chain), 3);
}

#[test]
fn an_alarm_outlasts_a_restart() {
    let keys = TestKeys::new();
    let left = TestChain::of_length(1, nano(5), 2);
    let mut right = left.fork_after(0);
    right.send(&left.account(), nano(1));
    let mut before = slice();
    for chain in [&left, &right] {
        offer(&mut before, &keys, chain, keys.record(chain, 1, 0));
    }
    let mut storage = BTreeMap::new();
    store(&mut before, &mut storage);
    let mut after = slice();
    after.load(NOW, entries(&storage), keys.weights());
    assert_eq!(
        after.get(&left.account()).unwrap().order(),
        ChainOrder::Diverged
    );
}

#[test]
fn an_evicted_record_is_removed_from_storage() {
    let keys = TestKeys::new();
    let (before, _, _) = filled(&keys);
    let mut config = config();
    config.budget_bytes = before.bytes();
    let mut slice = Slice::new(config);
    let poor = TestChain::open(1, nano(1));
    offer(&mut slice, &keys, &poor, keys.record(&poor, 0, 0));
    let mut storage = BTreeMap::new();
    store(&mut slice, &mut storage);
    assert!(storage.contains_key(&StoreKey::Account(poor.account())));
    for place in 10..20 {
        let rich = TestChain::open(place, nano(1_000));
        offer(&mut slice, &keys, &rich, keys.record(&rich, 0, 0));
    }
    store(&mut slice, &mut storage);
    assert!(!storage.contains_key(&StoreKey::Account(poor.account())));
    assert_eq!(
        storage.len(),
        usize::try_from(slice.account_count()).unwrap()
    );
}

#[test]
fn what_no_longer_fits_the_budget_is_removed_from_storage_when_loading() {
    let keys = TestKeys::new();
    let (_, mut storage, _) = filled(&keys);
    let mut config = config();
    config.budget_bytes = 100;
    let mut after = Slice::new(config);
    let report = after.load(NOW, entries(&storage), keys.weights());
    assert_eq!(
        (report.outdated, report.accounts, report.receivables),
        (2, 0, 0)
    );
    store(&mut after, &mut storage);
    assert!(storage.is_empty());
}

#[test]
fn several_changes_of_one_account_are_written_once() {
    let keys = TestKeys::new();
    let chain = TestChain::of_length(1, nano(5), 5);
    let mut slice = slice();
    for height in 0..5 {
        offer(&mut slice, &keys, &chain, keys.record(&chain, height, 0));
    }
    assert!(matches!(slice.poll_store(), Some(StoreOp::Put { .. })));
    assert_eq!(slice.poll_store(), None);
}

#[test]
fn a_proof_outlives_its_weight_table_in_storage_for_90_days() {
    let keys = TestKeys::new();
    let (_, storage, chain) = filled(&keys);
    let mut table = keys.weights().clone();
    table.as_of = NOW.plus(1000);
    for heavy in &keys.representatives()[..2] {
        table.weights.remove(&heavy.account());
    }
    let mut after = slice();
    let last = NOW.plus(MAX_WEIGHTS_AGE_MS);
    assert_eq!(after.load(last, entries(&storage), &table).damaged, 0);
    let held = after.get(&chain.account()).unwrap().frontier().unwrap();
    assert_eq!(held.weights_as_of(), keys.weights().as_of);
    assert_eq!(held.proven().threshold, keys.weights().threshold());
    assert_eq!(held.proven().weight, nano(100_000_000));
    let mut late = slice();
    assert_eq!(
        late.load(last.plus(1), entries(&storage), &table).damaged,
        2
    );
}

proptest! {
    #[test]
    fn any_stored_bytes_are_read_or_counted_as_damaged(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let keys = TestKeys::new();
        let account = account_key(1).account();
        let entry = StoredEntry { key: StoreKey::Account(account), bytes };
        let mut slice = slice();
        prop_assert_eq!(slice.load(NOW, vec![entry], keys.weights()).damaged, 1);
    }
}
