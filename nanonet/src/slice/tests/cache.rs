//! What is kept for a short time only.

use super::*;
use crate::slice::MAX_CACHED_MS;

fn cache(slice: &mut Slice, keys: &TestKeys, place: u64, until: u64) -> bool {
    let chain = TestChain::open(place, nano(5));
    let (account, record) = (chain.account(), keys.record(&chain, 0, 0));
    let until = NOW.plus(until);
    slice
        .cache(NOW, &account, record, keys.weights(), until)
        .unwrap()
}

fn account(place: u64) -> nano_core::Account {
    TestChain::open(place, nano(5)).account()
}

#[test]
fn what_is_cached_is_there_until_its_time_and_never_stored() {
    let (keys, mut slice) = (TestKeys::new(), slice());
    assert!(cache(&mut slice, &keys, 1, 5_000));
    assert!(slice.get(&account(1)).is_some() && slice.is_cached(&account(1)));
    assert_eq!(slice.poll_store(), None);
    slice.drop_stale(NOW.plus(4_999));
    assert!(slice.get(&account(1)).is_some());
    slice.drop_stale(NOW.plus(5_000));
    assert!(slice.get(&account(1)).is_none());
    assert_eq!((slice.bytes(), slice.account_count()), (0, 0));
}

#[test]
fn nothing_is_cached_for_longer_than_a_minute() {
    let (keys, mut slice) = (TestKeys::new(), slice());
    assert!(cache(&mut slice, &keys, 1, u64::MAX / 2));
    slice.drop_stale(NOW.plus(MAX_CACHED_MS));
    assert!(slice.get(&account(1)).is_none());
}

#[test]
fn what_is_offered_in_the_usual_way_is_no_longer_cached() {
    let (keys, mut slice) = (TestKeys::new(), slice());
    assert!(cache(&mut slice, &keys, 1, 5_000));
    let chain = TestChain::open(1, nano(5));
    offer(&mut slice, &keys, &chain, keys.record(&chain, 0, 0));
    assert!(!slice.is_cached(&account(1)));
    assert!(slice.poll_store().is_some());
    slice.drop_stale(NOW.plus(MAX_CACHED_MS));
    assert!(slice.get(&account(1)).is_some());
    assert!(!cache(&mut slice, &keys, 1, 5_000), "it is held");
}

#[test]
fn cached_records_take_an_eighth_of_the_budget_and_go_first() {
    let keys = TestKeys::new();
    let mut config = config();
    config.budget_bytes = 80_000;
    let mut slice = Slice::new(config);
    let cached = (0..100).filter(|place| cache(&mut slice, &keys, *place, 5_000));
    let cached = cached.count() as u64;
    assert!(cached > 1 && slice.bytes() <= 20_000, "{cached}");
    for place in 200..300 {
        let chain = TestChain::open(place, nano(1));
        offer(&mut slice, &keys, &chain, keys.record(&chain, 0, 0));
    }
    assert!((0..100).all(|place| slice.get(&account(place)).is_none()));
    assert!(slice.get(&account(200)).is_some());
}

#[test]
fn a_false_record_is_not_cached() {
    let (keys, mut slice) = (TestKeys::new(), slice());
    let chain = TestChain::open(1, nano(5));
    let mut record = keys.record(&chain, 0, 0);
    record.proof.certificate = Default::default();
    let until = NOW.plus(1_000);
    let result = slice.cache(NOW, &chain.account(), record, keys.weights(), until);
    assert!(result.is_err());
    assert!(slice.get(&chain.account()).is_none());
}
