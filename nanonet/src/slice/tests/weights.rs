//! What a new weight table changes.

use nano_core::WeightTable;

use super::*;

/// A later table in which the two heaviest representatives, 43 of 100 million, lost everything.
fn shifted(keys: &TestKeys) -> WeightTable {
    let mut table = keys.weights().clone();
    table.as_of = NOW.plus(1000);
    for heavy in &keys.representatives()[..2] {
        table.weights.remove(&heavy.account());
    }
    table
}

#[test]
fn what_was_proven_under_the_old_table_stays_and_says_so() {
    let keys = TestKeys::new();
    let chain = TestChain::open(1, nano(5));
    let mut slice = slice();
    offer(&mut slice, &keys, &chain, keys.record(&chain, 0, 0));
    let outcome = slice.offer_account(
        NOW,
        &chain.account(),
        keys.record(&chain, 0, 0),
        &shifted(&keys),
    );
    assert_eq!(outcome.reason(), Some("too-little-weight"));
    let held = slice.get(&chain.account()).unwrap().frontier().unwrap();
    assert_eq!(held.weights_as_of(), keys.weights().as_of);
}

#[test]
fn a_new_offer_is_judged_by_the_new_table_and_its_sender_may_have_the_old_one() {
    let keys = TestKeys::new();
    let chain = TestChain::open(1, nano(5));
    let mut slice = slice();
    let record = keys.record(&chain, 0, 0);
    let outcome = slice.offer_account(NOW, &chain.account(), record, &shifted(&keys));
    assert_eq!(outcome.reason(), Some("too-little-weight"));
    assert!(!outcome.is_fault() && !outcome.holds());
    assert_eq!(slice.account_count(), 0);
}

#[test]
fn the_same_frontier_offered_again_is_proven_anew_under_a_newer_table() {
    let keys = TestKeys::new();
    let chain = TestChain::open(1, nano(5));
    let mut slice = slice();
    offer(&mut slice, &keys, &chain, keys.record(&chain, 0, 0));
    let mut table = keys.weights().clone();
    table.as_of = NOW.plus(1000);
    let record = keys.record(&chain, 0, 0);
    let outcome = slice.offer_account(NOW, &chain.account(), record, &table);
    assert_eq!(outcome, Outcome::Renewed);
    let held = slice.get(&chain.account()).unwrap().frontier().unwrap();
    assert_eq!(held.weights_as_of(), table.as_of);
}
