//! Which frontier is kept when several are offered.

use proptest::prelude::*;

use super::*;
use crate::slice::{ChainOrder, Refusal};

#[test]
fn the_first_frontier_of_an_account_is_stored() {
    let keys = TestKeys::new();
    let chain = TestChain::open(1, nano(5));
    let mut slice = slice();
    assert_eq!(
        offer(&mut slice, &keys, &chain, keys.record(&chain, 0, 0)),
        Outcome::Stored
    );
    let held = slice.get(&chain.account()).unwrap();
    assert_eq!(held.order(), ChainOrder::Known);
    assert_eq!(held.frontier().unwrap().proven().balance, nano(5));
    assert_eq!(slice.account_count(), 1);
}

#[test]
fn a_frontier_that_names_the_held_one_as_previous_replaces_it() {
    let keys = TestKeys::new();
    let chain = TestChain::of_length(1, nano(5), 2);
    let mut slice = slice();
    offer(&mut slice, &keys, &chain, keys.record(&chain, 0, 0));
    let superseded = chain.blocks()[0].hash();
    assert_eq!(
        offer(&mut slice, &keys, &chain, keys.record(&chain, 1, 0)),
        Outcome::Replaced { superseded }
    );
    assert_eq!(height(&slice, &chain), 1);
    assert_eq!(slice.account_count(), 1);
}

#[test]
fn a_lineage_of_64_blocks_links_to_the_held_frontier() {
    let keys = TestKeys::new();
    let chain = TestChain::of_length(1, nano(5), 66);
    let mut slice = slice();
    offer(&mut slice, &keys, &chain, keys.record(&chain, 0, 0));
    let outcome = offer(&mut slice, &keys, &chain, keys.record(&chain, 65, 64));
    assert!(matches!(outcome, Outcome::Replaced { .. }), "{outcome:?}");
    assert_eq!(height(&slice, &chain), 65);
}

#[test]
fn an_older_valid_proof_after_a_newer_one_is_refused_as_superseded() {
    let keys = TestKeys::new();
    let chain = TestChain::of_length(1, nano(5), 3);
    let mut slice = slice();
    for height in 0..3 {
        offer(&mut slice, &keys, &chain, keys.record(&chain, height, 0));
    }
    let by = chain.blocks()[2].hash();
    for older in 0..2 {
        let outcome = offer(&mut slice, &keys, &chain, keys.record(&chain, older, 0));
        assert_eq!(outcome, Outcome::Superseded { by });
        assert_eq!(outcome.reason(), Some("superseded"));
        assert!(!outcome.is_fault(), "its sender may not know better");
    }
    assert_eq!(height(&slice, &chain), 2);
}

#[test]
fn the_same_block_again_is_held_already() {
    let keys = TestKeys::new();
    let chain = TestChain::open(1, nano(5));
    let mut slice = slice();
    offer(&mut slice, &keys, &chain, keys.record(&chain, 0, 0));
    let bytes = slice.bytes();
    assert_eq!(
        offer(&mut slice, &keys, &chain, keys.record(&chain, 0, 0)),
        Outcome::AlreadyHeld
    );
    assert_eq!(slice.bytes(), bytes);
}

#[test]
fn two_unlinked_frontiers_are_both_kept_until_blocks_between_them_are_seen() {
    let keys = TestKeys::new();
    let chain = TestChain::of_length(1, nano(5), 6);
    let mut slice = slice();
    offer(&mut slice, &keys, &chain, keys.record(&chain, 1, 0));
    assert_eq!(
        offer(&mut slice, &keys, &chain, keys.record(&chain, 4, 0)),
        Outcome::OrderUnknown {
            held: chain.blocks()[1].hash(),
            kept: true
        }
    );
    let held = slice.get(&chain.account()).unwrap();
    assert_eq!(
        (held.order(), held.frontiers().len()),
        (ChainOrder::Unknown, 2)
    );
    // The confirmed child of the held frontier settles it step by step.
    let child = offer(&mut slice, &keys, &chain, keys.record(&chain, 2, 0));
    assert!(matches!(child, Outcome::Replaced { .. }), "{child:?}");
    let child = offer(&mut slice, &keys, &chain, keys.record(&chain, 3, 0));
    assert!(matches!(child, Outcome::Superseded { .. }), "{child:?}");
    assert_eq!(
        slice.get(&chain.account()).unwrap().order(),
        ChainOrder::Known
    );
    assert_eq!(height(&slice, &chain), 4);
}

#[test]
fn of_three_unlinked_frontiers_at_most_two_are_kept() {
    let keys = TestKeys::new();
    let chain = TestChain::of_length(1, nano(5), 9);
    let mut slice = slice();
    for height in [0, 4] {
        offer(&mut slice, &keys, &chain, keys.record(&chain, height, 0));
    }
    let outcome = offer(&mut slice, &keys, &chain, keys.record(&chain, 8, 0));
    assert!(
        matches!(outcome, Outcome::OrderUnknown { kept: false, .. }),
        "{outcome:?}"
    );
    assert_eq!(slice.get(&chain.account()).unwrap().frontiers().len(), 2);
}

#[test]
fn two_proven_children_of_one_block_are_an_alarm_and_neither_wins() {
    let keys = TestKeys::new();
    let left = TestChain::of_length(1, nano(5), 3);
    let mut right = left.fork_after(0);
    right.send(&left.account(), nano(1));
    let mut slice = slice();
    offer(&mut slice, &keys, &left, keys.record(&left, 1, 0));
    let outcome = offer(&mut slice, &keys, &right, keys.record(&right, 1, 0));
    let (held, offered) = (left.blocks()[1].hash(), right.blocks()[1].hash());
    assert_eq!(outcome, Outcome::Conflict { held, offered });
    assert_eq!(slice.get(&left.account()).unwrap().frontiers().len(), 2);
    // A block on one of the branches does not end the alarm.
    offer(&mut slice, &keys, &left, keys.record(&left, 2, 0));
    let held = slice.get(&left.account()).unwrap();
    assert_eq!(
        (held.order(), held.frontiers().len()),
        (ChainOrder::Diverged, 2)
    );
}

#[test]
fn a_lineage_with_a_gap_or_a_foreign_block_is_refused() {
    let keys = TestKeys::new();
    let chain = TestChain::of_length(1, nano(5), 5);
    let stranger = TestChain::of_length(2, nano(5), 5);
    let mut slice = slice();
    let mut gap = keys.record(&chain, 4, 3);
    gap.lineage.remove(1);
    let mut foreign = keys.record(&chain, 4, 1);
    foreign.lineage[0] = nano_core::Block::State(stranger.blocks()[3]);
    let mut reversed = keys.record(&chain, 4, 3);
    reversed.lineage.reverse();
    for record in [gap, foreign, reversed] {
        let outcome = offer(&mut slice, &keys, &chain, record);
        assert_eq!(outcome, Outcome::Refused(Refusal::LineageBroken));
        assert!(outcome.is_fault());
    }
    assert_eq!(slice.account_count(), 0);
}

#[test]
fn more_lineage_or_sightings_than_allowed_are_refused() {
    let keys = TestKeys::new();
    let chain = TestChain::of_length(1, nano(5), 67);
    let mut slice = slice();
    let outcome = offer(&mut slice, &keys, &chain, keys.record(&chain, 66, 65));
    assert_eq!(outcome, Outcome::Refused(Refusal::TooLarge));
}

#[test]
fn the_lineage_of_replaced_records_is_passed_on() {
    let keys = TestKeys::new();
    let chain = TestChain::of_length(1, nano(5), 30);
    let mut behind = slice();
    let mut current = slice();
    offer(&mut behind, &keys, &chain, keys.record(&chain, 14, 0));
    for height in 0..30 {
        offer(&mut current, &keys, &chain, keys.record(&chain, height, 0));
    }
    let held = current.get(&chain.account()).unwrap().frontier().unwrap();
    assert_eq!(
        held.record().lineage.len(),
        usize::from(config().lineage_kept)
    );
    let outcome = offer(&mut behind, &keys, &chain, held.record().clone());
    assert!(matches!(outcome, Outcome::Replaced { .. }), "{outcome:?}");
}

#[test]
fn an_account_is_walked_in_the_order_of_the_key_space() {
    let keys = TestKeys::new();
    let mut slice = slice();
    for place in 0..20 {
        let chain = TestChain::open(place, nano(5));
        offer(&mut slice, &keys, &chain, keys.record(&chain, 0, 0));
    }
    let all: Vec<_> = slice.accounts_after(None).map(|(key, _)| *key).collect();
    assert_eq!(all.len(), 20);
    assert!(all.is_sorted());
    let rest: Vec<_> = slice
        .accounts_after(Some(&all[7]))
        .map(|(key, _)| *key)
        .collect();
    assert_eq!(rest, all[8..]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_delivery_order_of_a_chain_ends_with_the_newest_and_never_goes_back(
        length in 1_usize..20,
        order in proptest::collection::vec(any::<prop::sample::Index>(), 1..30),
    ) {
        let keys = TestKeys::new();
        let chain = TestChain::of_length(1, nano(5), length);
        let mut slice = slice();
        let mut reached = 0;
        let mut heights: Vec<usize> = order.iter().map(|index| index.index(length)).collect();
        heights.push(length - 1);
        let newest = *heights.iter().max().unwrap();
        for next in heights {
            offer(&mut slice, &keys, &chain, keys.record(&chain, next, next));
            let now = height(&slice, &chain);
            prop_assert!(now >= reached);
            prop_assert_eq!(now, reached.max(next));
            prop_assert_eq!(slice.get(&chain.account()).unwrap().frontiers().len(), 1);
            reached = now;
        }
        prop_assert_eq!(reached, newest);
    }

    #[test]
    fn repeated_delivery_without_any_lineage_ends_with_the_newest(
        length in 2_usize..10,
        orders in proptest::collection::vec(any::<u64>(), 12),
    ) {
        let keys = TestKeys::new();
        let chain = TestChain::of_length(1, nano(5), length);
        let mut slice = slice();
        let mut reached = 0;
        for seed in orders {
            // Every record once per round, in another order each time.
            let mut heights: Vec<usize> = (0..length).collect();
            let mut rng = crate::Rng::from_seed([u8::try_from(seed % 251).unwrap(); 32]);
            heights.sort_by_cached_key(|_| rng.next_u64());
            for next in heights {
                offer(&mut slice, &keys, &chain, keys.record(&chain, next, 0));
                let now = height(&slice, &chain);
                prop_assert!(now >= reached, "went back from {} to {}", reached, now);
                reached = now;
                prop_assert_ne!(
                    slice.get(&chain.account()).unwrap().order(),
                    ChainOrder::Diverged
                );
            }
        }
        prop_assert_eq!(reached, length - 1);
        prop_assert_eq!(slice.get(&chain.account()).unwrap().order(), ChainOrder::Known);
    }
}
