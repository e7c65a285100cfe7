//! How current a held frontier is.

use nano_core::{Network, UnixMillis};

use super::*;
use crate::slice::Refusal;
use crate::testing::bridge;
use crate::{CLOCK_SKEW_MS, MAX_SIGHTINGS, Sighting, SightingError};

fn sighted(keys: &TestKeys, chain: &TestChain, height: usize, by: u8, at: u64) -> AccountRecord {
    let mut record = keys.record(chain, height, 0);
    record.sightings.push(sighting(chain, height, by, at));
    record
}

fn sighting(chain: &TestChain, height: usize, by: u8, at: u64) -> Sighting {
    Sighting::sign(
        &bridge(by),
        Network::Dev,
        chain.account(),
        Some(chain.blocks()[height].hash()),
        NOW.plus(at),
        nano(90_000_000),
        nano(80_000_000),
    )
}

fn anchored() -> Slice {
    let mut config = config();
    config.anchors = vec![bridge(1).node_key(), bridge(2).node_key()];
    Slice::new(config)
}

fn as_of(slice: &Slice, chain: &TestChain) -> Option<(u64, u8)> {
    slice
        .freshness(NOW, &chain.account())
        .map(|freshness| (freshness.as_of.since(NOW), freshness.anchors))
}

#[test]
fn a_newer_sighting_of_a_held_frontier_is_taken_over() {
    let keys = TestKeys::new();
    let chain = TestChain::open(1, nano(5));
    let mut slice = anchored();
    offer(&mut slice, &keys, &chain, sighted(&keys, &chain, 0, 1, 100));
    assert_eq!(as_of(&slice, &chain), Some((100, 1)));
    let newer = sighted(&keys, &chain, 0, 1, 300);
    assert_eq!(
        offer(&mut slice, &keys, &chain, newer.clone()),
        Outcome::RefreshedSightings
    );
    assert_eq!(as_of(&slice, &chain), Some((300, 1)));
    assert_eq!(
        offer(&mut slice, &keys, &chain, newer),
        Outcome::AlreadyHeld
    );
    let older = sighted(&keys, &chain, 0, 1, 200);
    assert_eq!(
        offer(&mut slice, &keys, &chain, older),
        Outcome::AlreadyHeld
    );
    offer(&mut slice, &keys, &chain, sighted(&keys, &chain, 0, 2, 250));
    assert_eq!(as_of(&slice, &chain), Some((250, 2)));
}

#[test]
fn sightings_of_strangers_never_push_out_an_anchors() {
    let keys = TestKeys::new();
    let chain = TestChain::open(1, nano(5));
    let mut slice = anchored();
    offer(&mut slice, &keys, &chain, sighted(&keys, &chain, 0, 1, 100));
    for stranger in 10..30 {
        offer(
            &mut slice,
            &keys,
            &chain,
            sighted(&keys, &chain, 0, stranger, 1000),
        );
    }
    assert_eq!(as_of(&slice, &chain), Some((100, 1)));
    let held = slice.get(&chain.account()).unwrap().frontier().unwrap();
    assert_eq!(held.record().sightings.len(), MAX_SIGHTINGS);
}

#[test]
fn a_sighting_that_is_forged_or_about_something_else_is_refused() {
    let keys = TestKeys::new();
    let chain = TestChain::of_length(1, nano(5), 2);
    let mut slice = anchored();
    let mut forged = sighted(&keys, &chain, 1, 1, 100);
    forged.sightings[0].at = NOW.plus(200);
    let outcome = offer(&mut slice, &keys, &chain, forged);
    assert!(
        matches!(
            outcome,
            Outcome::Refused(Refusal::Sighting(SightingError::Signature(_)))
        ),
        "{outcome:?}"
    );
    assert_eq!(outcome.reason(), Some("bad-sighting"));
    let mut other = keys.record(&chain, 1, 0);
    other.sightings.push(sighting(&chain, 0, 1, 100));
    assert_eq!(
        offer(&mut slice, &keys, &chain, other),
        Outcome::Refused(Refusal::Sighting(SightingError::Mismatch))
    );
    assert_eq!(slice.account_count(), 0);
}

#[test]
fn a_sighting_from_the_future_is_left_out() {
    let keys = TestKeys::new();
    let chain = TestChain::open(1, nano(5));
    let mut slice = anchored();
    let future = sighted(&keys, &chain, 0, 1, CLOCK_SKEW_MS + 1);
    assert_eq!(offer(&mut slice, &keys, &chain, future), Outcome::Stored);
    assert_eq!(as_of(&slice, &chain), None);
}

#[test]
fn a_sighting_of_little_weight_is_left_out_and_one_of_more_is_taken_later() {
    let keys = TestKeys::new();
    let chain = TestChain::open(1, nano(5));
    let mut slice = anchored();
    let rest = keys.weights().quorum_rest();
    let of_weight = |weight| {
        let mut record = keys.record(&chain, 0, 0);
        let (head, at) = (chain.blocks()[0].hash(), NOW.plus(100));
        record.sightings.push(Sighting::sign(
            &bridge(1),
            Network::Dev,
            chain.account(),
            Some(head),
            at,
            keys.weights().total(),
            weight,
        ));
        record
    };
    offer(&mut slice, &keys, &chain, of_weight(rest));
    assert_eq!(as_of(&slice, &chain), None);
    let more = rest.checked_add(Raw::new(1)).unwrap();
    offer(&mut slice, &keys, &chain, of_weight(more));
    assert_eq!(as_of(&slice, &chain), Some((100, 1)));
}

#[test]
fn a_new_frontier_does_not_inherit_the_sightings_of_the_old_one() {
    let keys = TestKeys::new();
    let chain = TestChain::of_length(1, nano(5), 2);
    let mut slice = anchored();
    offer(&mut slice, &keys, &chain, sighted(&keys, &chain, 0, 1, 100));
    offer(&mut slice, &keys, &chain, keys.record(&chain, 1, 0));
    assert_eq!(as_of(&slice, &chain), None);
}

#[test]
fn of_unlinked_frontiers_the_most_recently_sighted_are_kept_and_shown_first() {
    let keys = TestKeys::new();
    let chain = TestChain::of_length(1, nano(5), 9);
    let mut slice = anchored();
    offer(&mut slice, &keys, &chain, keys.record(&chain, 0, 0));
    offer(&mut slice, &keys, &chain, sighted(&keys, &chain, 4, 1, 100));
    assert_eq!(height(&slice, &chain), 4);
    let outcome = offer(&mut slice, &keys, &chain, sighted(&keys, &chain, 8, 1, 200));
    assert!(
        matches!(outcome, Outcome::OrderUnknown { kept: true, .. }),
        "{outcome:?}"
    );
    assert_eq!(height(&slice, &chain), 8);
    let held = slice.get(&chain.account()).unwrap();
    let hashes: Vec<_> = held
        .frontiers()
        .iter()
        .map(|held| held.proven().hash)
        .collect();
    assert_eq!(hashes, [chain.blocks()[8].hash(), chain.blocks()[4].hash()]);
}

#[test]
fn with_a_single_anchor_its_time_is_as_of() {
    let keys = TestKeys::new();
    let chain = TestChain::open(1, nano(5));
    let mut config = config();
    config.anchors = vec![bridge(1).node_key()];
    let mut slice = Slice::new(config);
    offer(&mut slice, &keys, &chain, sighted(&keys, &chain, 0, 1, 100));
    assert_eq!(
        slice
            .freshness(NOW, &chain.account())
            .map(|freshness| freshness.as_of),
        Some(UnixMillis(NOW.number() + 100))
    );
}
