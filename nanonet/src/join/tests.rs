use super::*;
use crate::{Identity, Rng};
use nano_core::Network;
use proptest::prelude::*;

/// Sixteen hashes.
const EASY: Difficulty = Difficulty::new(0xf000_0000_0000_0000);

fn key(seed: u8) -> NodeKey {
    Identity::generate(&mut Rng::from_seed([seed; 32])).node_key()
}

fn find(key: &NodeKey, period: u64) -> u64 {
    let root = join_root(key, period);
    (0..)
        .find(|nonce| WorkNonce::new(*nonce).difficulty(&root) >= EASY)
        .unwrap()
}

/// A time in the middle of a period.
fn middle(key: &NodeKey, period: u64) -> UnixMillis {
    begins(key, period).plus(PERIOD_MS / 2)
}

#[test]
fn work_counts_in_its_period_and_the_next_and_a_moment_before() {
    let key = key(1);
    let period = 700;
    // Work of a neighbouring period by chance would prove nothing.
    let root = |period| join_root(&key, period);
    let nonce = (0..)
        .find(|nonce| {
            let reaches = |period| WorkNonce::new(*nonce).difficulty(&root(period)) >= EASY;
            reaches(period) && !(period - 3..period + 4).any(|near| near != period && reaches(near))
        })
        .unwrap();
    let counts = |at| joined(&key, nonce, EASY, at);
    let (first, last) = (begins(&key, period), begins(&key, period + 2));
    assert_eq!(counts(first), Some(period));
    assert_eq!(counts(middle(&key, period)), Some(period));
    assert_eq!(counts(middle(&key, period + 1)), Some(period));
    assert_eq!(counts(UnixMillis(last.0 - 1)), Some(period));
    assert_eq!(counts(last), None);
    assert_eq!(counts(UnixMillis(first.0 - CLOCK_SKEW_MS)), Some(period));
    assert_eq!(counts(UnixMillis(first.0 - CLOCK_SKEW_MS - 1)), None);
}

#[test]
fn work_of_one_key_is_worth_nothing_for_another() {
    let (ours, theirs) = (key(1), key(2));
    let at = middle(&ours, 700);
    let period = join_period(&theirs, at);
    let root = |key| join_root(key, period);
    let nonce = (0..)
        .map(WorkNonce::new)
        .find(|nonce| {
            let near = period - 1..=period + 1;
            nonce.difficulty(&root(&theirs)) >= EASY
                && !near
                    .into_iter()
                    .any(|near| nonce.difficulty(&join_root(&ours, near)) >= EASY)
        })
        .unwrap();
    assert!(joined(&theirs, nonce.number(), EASY, at).is_some());
    assert_eq!(joined(&ours, nonce.number(), EASY, at), None);
}

#[test]
fn not_all_nodes_move_at_once() {
    let mut turns: Vec<u64> = (0..32).map(|seed| begins(&key(seed), 700).0).collect();
    turns.sort_unstable();
    let widest = turns.windows(2).map(|pair| pair[1] - pair[0]).max();
    assert!(turns[31] - turns[0] > PERIOD_MS / 2);
    assert!(widest < Some(PERIOD_MS / 4), "{widest:?}");
}

#[test]
fn an_id_costs_half_of_what_a_send_costs_and_nothing_to_developers() {
    let send = Network::Live.work_thresholds().epoch_2_send;
    let ids = join_threshold(Network::Live);
    assert!((send.multiplier(ids) - 2.0).abs() < 1e-9);
    assert_eq!(ids, join_threshold(Network::Beta));
    assert!(join_threshold(Network::Test) < ids);
    let nobody = joined(&key(1), 5, join_threshold(Network::Dev), UnixMillis(0));
    assert!(nobody.is_some());
}

proptest! {
    #[test]
    fn a_nonce_that_was_found_is_accepted_by_everyone_until_its_time_is_over(
        seed: u8,
        at in 1_700_000_000_000_u64..2_000_000_000_000,
        later in 0..2 * PERIOD_MS,
    ) {
        let key = key(seed);
        let at = UnixMillis(at);
        let period = join_period(&key, at);
        let nonce = find(&key, period);
        let then = at.plus(later);
        let good = then < begins(&key, period + 2);
        if good {
            prop_assert!(joined(&key, nonce, EASY, then) >= Some(period));
        }
        prop_assert!(begins(&key, period) <= at && at < begins(&key, period + 1));
    }
}
