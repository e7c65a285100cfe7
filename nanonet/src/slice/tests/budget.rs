//! What is given up when there is too much.

use super::*;
use crate::NodeId;
use crate::slice::Refusal;
use crate::testing::account_key;

/// Bytes that one account of these tests takes.
fn account_bytes(keys: &TestKeys) -> u64 {
    let chain = TestChain::open(1, nano(5));
    let mut slice = slice();
    offer(&mut slice, keys, &chain, keys.record(&chain, 0, 0));
    slice.bytes()
}

/// A slice with room for `accounts` accounts.
fn small(keys: &TestKeys, accounts: u64) -> Slice {
    let mut config = config();
    config.budget_bytes = account_bytes(keys) * accounts;
    Slice::new(config)
}

fn put(slice: &mut Slice, keys: &TestKeys, place: u64, balance: Raw) -> Outcome {
    let chain = TestChain::open(place, balance);
    offer(slice, keys, &chain, keys.record(&chain, 0, 0))
}

fn holds(slice: &Slice, place: u64) -> bool {
    slice.get(&account_key(place).account()).is_some()
}

#[test]
fn the_smallest_balance_goes_first() {
    let keys = TestKeys::new();
    let mut slice = small(&keys, 2);
    put(&mut slice, &keys, 1, nano(100));
    put(&mut slice, &keys, 2, nano(1));
    assert_eq!(put(&mut slice, &keys, 3, nano(10)), Outcome::Stored);
    assert!(holds(&slice, 1) && !holds(&slice, 2) && holds(&slice, 3));
    assert_eq!(slice.account_count(), 2);
    assert!(slice.bytes() <= slice.config().budget_bytes);
}

#[test]
fn a_record_worth_less_than_all_held_is_refused_for_want_of_room() {
    let keys = TestKeys::new();
    let mut slice = small(&keys, 2);
    put(&mut slice, &keys, 1, nano(100));
    put(&mut slice, &keys, 2, nano(100));
    let outcome = put(&mut slice, &keys, 3, nano(1));
    assert_eq!(outcome, Outcome::Refused(Refusal::NoRoom));
    assert!(!outcome.is_fault());
    assert!(holds(&slice, 1) && holds(&slice, 2));
}

#[test]
fn what_many_ask_for_outlives_a_larger_balance() {
    let keys = TestKeys::new();
    let mut slice = small(&keys, 2);
    put(&mut slice, &keys, 1, nano(1));
    put(&mut slice, &keys, 2, nano(1000));
    for asker in 0..3 {
        let asker = NodeId::from_bytes([asker; 32]);
        slice.note_asker(NOW, &account_key(1).account(), &asker);
    }
    assert_eq!(put(&mut slice, &keys, 3, nano(10_000)), Outcome::Stored);
    assert!(holds(&slice, 1) && !holds(&slice, 2));
}

#[test]
fn askers_of_the_day_before_yesterday_no_longer_protect() {
    let keys = TestKeys::new();
    let mut slice = small(&keys, 2);
    put(&mut slice, &keys, 1, nano(1));
    put(&mut slice, &keys, 2, nano(1000));
    slice.note_asker(NOW, &account_key(1).account(), &NodeId::from_bytes([1; 32]));
    let chain = TestChain::open(3, nano(10_000));
    let later = NOW.plus(3 * 24 * 60 * 60 * 1000);
    let record = keys.record(&chain, 0, 0);
    slice.offer_account(later, &chain.account(), record, keys.weights());
    assert!(!holds(&slice, 1) && holds(&slice, 2) && holds(&slice, 3));
}

#[test]
fn watched_accounts_are_never_given_up() {
    let keys = TestKeys::new();
    let mut slice = small(&keys, 1);
    assert!(slice.watch(&account_key(1).account()));
    assert!(slice.watch(&account_key(2).account()));
    put(&mut slice, &keys, 1, Raw::new(1));
    put(&mut slice, &keys, 2, Raw::new(1));
    assert!(
        holds(&slice, 1) && holds(&slice, 2),
        "also beyond the budget"
    );
    let outcome = put(&mut slice, &keys, 3, nano(1_000_000));
    assert_eq!(outcome, Outcome::Refused(Refusal::NoRoom));
    slice.unwatch(&account_key(1).account());
    assert!(!holds(&slice, 1) && holds(&slice, 2));
}

#[test]
fn at_most_64_accounts_are_watched() {
    let mut slice = slice();
    for place in 0..64 {
        assert!(slice.watch(&account_key(place).account()));
    }
    assert!(!slice.watch(&account_key(64).account()));
    assert!(slice.watch(&account_key(0).account()), "watched already");
    slice.unwatch(&account_key(0).account());
    assert!(slice.watch(&account_key(64).account()));
}

#[test]
fn receivables_of_watched_accounts_stay_within_the_budget() {
    let keys = TestKeys::new();
    let owner = account_key(1).account();
    let mut sender = TestChain::open(900, nano(100_000));
    for _ in 0..10 {
        sender.send(&owner, nano(1));
    }
    let mut slice = small(&keys, 3);
    slice.watch(&owner);
    let refused = (1..=10)
        .map(|height| keys.receivable(&sender, height))
        .map(|record| slice.offer_receivable(NOW, &owner, record, keys.weights()))
        .filter(|outcome| *outcome == Outcome::Refused(Refusal::NoRoom))
        .count();
    assert!(refused > 0);
    assert!(slice.receivable_count() > 0);
    assert!(slice.bytes() <= slice.config().budget_bytes);
}

#[test]
fn a_flood_of_accounts_never_exceeds_the_budget() {
    let keys = TestKeys::new();
    let mut slice = small(&keys, 4);
    for place in 0..40 {
        put(
            &mut slice,
            &keys,
            place,
            nano(u128::from(place % 7) * 50 + 1),
        );
        assert!(slice.bytes() <= slice.config().budget_bytes);
        assert!(slice.account_count() <= 4);
        assert_eq!(
            slice.accounts_after(None).count(),
            usize::try_from(slice.account_count()).unwrap()
        );
    }
}

#[test]
fn a_newer_frontier_of_a_held_account_is_taken_however_full_the_slice_is() {
    let keys = TestKeys::new();
    let mut slice = small(&keys, 2);
    put(&mut slice, &keys, 1, nano(1_000));
    let mut chain = TestChain::open(2, nano(1_000));
    offer(&mut slice, &keys, &chain, keys.record(&chain, 0, 0));
    chain.send(&account_key(1).account(), nano(999));
    let outcome = offer(&mut slice, &keys, &chain, keys.record(&chain, 1, 0));
    // Now worth least, it may have to go, but the outdated frontier does not stay.
    assert!(
        matches!(
            outcome,
            Outcome::Replaced { .. } | Outcome::Refused(Refusal::NoRoom)
        ),
        "{outcome:?}"
    );
    let held = slice.get(&chain.account()).and_then(|held| held.frontier());
    assert!(held.is_none_or(|held| held.proven().balance == nano(1)));
    assert!(holds(&slice, 1));
}
