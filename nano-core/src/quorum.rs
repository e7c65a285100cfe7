//! Quorum arithmetic: how much voting weight confirms a block.
//!
//! All of it is exact integer arithmetic on raw, truncated the way nodes truncate: a light client
//! that rounds differently would call a block confirmed that the network does not.
//!
//! Source: nano-node `nano/node/online_reps.cpp`.

use crate::Raw;

/// Percent of the online weight that confirms.
const QUORUM_PERCENT: u128 = 67;
/// Percent of the online weight a collector of votes aims for, so that a proof still holds after
/// weights have moved a little.
const COLLECT_PERCENT: u128 = 72;

/// The least weight a quorum is computed from on every network: 60,000,000 nano. It keeps a node
/// (or a table) that sees few representatives from calling a few of them a majority.
pub const ONLINE_WEIGHT_MINIMUM: Raw = Raw::new(60_000_000 * Raw::NANO.number());

/// The quorum delta of nodes, in raw: 67 % of the larger of `online` and `minimum`, truncated.
#[must_use]
pub fn quorum_delta(online: Raw, minimum: Raw) -> Raw {
    percent_of(online.max(minimum), QUORUM_PERCENT)
}

/// What a collector of votes aims for, in raw: 72 % of the larger of `online` and `minimum`,
/// truncated. Reaching [`quorum_delta`] is enough to prove; this is the margin above it.
#[must_use]
pub fn collection_target(online: Raw, minimum: Raw) -> Raw {
    percent_of(online.max(minimum), COLLECT_PERCENT)
}

/// The most weight that can be missing from a quorum, in raw: what the larger of `online` and
/// `minimum` is beyond [`quorum_delta`]. Of representatives with more than this at least one is in
/// every quorum.
#[must_use]
pub fn quorum_rest(online: Raw, minimum: Raw) -> Raw {
    let base = online.max(minimum);
    Raw::new(base.number() - quorum_delta(base, base).number())
}

/// `amount * percent / 100`, truncated, for a percent of at most 100. The amount is split at the
/// hundreds first, because genesis weight (2^128 - 1) times 67 does not fit in 128 bits.
fn percent_of(amount: Raw, percent: u128) -> Raw {
    let (hundreds, rest) = (amount.number() / 100, amount.number() % 100);
    Raw::new(hundreds * percent + rest * percent / 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_minimum_holds_when_fewer_are_online() {
        let delta = quorum_delta(Raw::new(5), ONLINE_WEIGHT_MINIMUM);
        assert_eq!(delta, Raw::new(40_200_000 * Raw::NANO.number()));
        assert_eq!(delta, quorum_delta(Raw::ZERO, ONLINE_WEIGHT_MINIMUM));
    }

    #[test]
    fn genesis_weight_does_not_overflow() {
        assert_eq!(
            quorum_delta(Raw::MAX, Raw::ZERO).number(),
            227_989_185_837_028_770_520_460_986_979_284_701_674
        );
    }

    #[test]
    fn the_result_is_truncated_like_nodes_do() {
        assert_eq!(quorum_delta(Raw::new(149), Raw::ZERO), Raw::new(99));
        assert_eq!(quorum_delta(Raw::new(1), Raw::ZERO), Raw::ZERO);
    }

    proptest! {
        #[test]
        fn a_quorum_and_what_may_be_missing_from_it_are_all_there_is(online: u128, minimum: u128) {
            let (online, minimum) = (Raw::new(online), Raw::new(minimum));
            let all = quorum_delta(online, minimum).checked_add(quorum_rest(online, minimum));
            prop_assert_eq!(all, Some(online.max(minimum)));
        }

        #[test]
        fn splitting_gives_what_plain_multiplication_gives(amount in 0..u128::MAX / 100) {
            prop_assert_eq!(percent_of(Raw::new(amount), 67), Raw::new(amount * 67 / 100));
        }
    }
}
