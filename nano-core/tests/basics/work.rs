use nano_core::{
    Account, Block, BlockHash, BlockKind, Difficulty, Epoch, Link, Network, Raw, Root, StateBlock,
    WorkNonce,
};
use proptest::prelude::*;

#[test]
fn thresholds_depend_on_epoch_and_kind() {
    let live = Network::Live.work_thresholds();
    let epoch = Some(Epoch::Two);
    assert_eq!(live.required(None, BlockKind::Send), live.epoch_1);
    assert_eq!(
        live.required(Some(Epoch::One), BlockKind::Open),
        live.epoch_1
    );
    assert_eq!(live.required(epoch, BlockKind::Send), live.epoch_2_send);
    assert_eq!(live.required(epoch, BlockKind::Change), live.epoch_2_send);
    for kind in [
        BlockKind::Receive,
        BlockKind::Open,
        BlockKind::Epoch(Epoch::Two),
    ] {
        assert_eq!(live.required(epoch, kind), live.epoch_2_receive);
    }
}

#[test]
fn legacy_blocks_are_held_to_epoch_1_on_entry() {
    let state = Block::State(StateBlock::unsigned(
        Account::ZERO,
        BlockHash::ZERO,
        Account::ZERO,
        Raw::ZERO,
        Link::ZERO,
    ));
    for network in Network::ALL {
        let thresholds = network.work_thresholds();
        let legacy = network.genesis_block();
        assert_eq!(thresholds.entry_of(&legacy), thresholds.epoch_1);
        assert_eq!(thresholds.entry_of(&state), thresholds.entry());
        assert_eq!(thresholds.entry(), thresholds.epoch_2_receive);
    }
}

#[test]
fn ample_work_is_enough_for_every_block() {
    for network in Network::ALL {
        let thresholds = network.work_thresholds();
        for epoch in [None, Some(Epoch::One), Some(Epoch::Two)] {
            for kind in [BlockKind::Send, BlockKind::Receive] {
                assert!(thresholds.ample() >= thresholds.required(epoch, kind));
            }
        }
    }
}

#[test]
fn a_multiplier_that_makes_no_difficulty_is_refused() {
    let base = Difficulty::new(0xffff_fff8_0000_0000);
    for multiplier in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e30, 1e-30] {
        assert_eq!(base.multiplied(multiplier), None, "{multiplier}");
    }
    assert_eq!(base.multiplied(1.0), Some(base));
    assert_eq!(
        base.multiplied(1.0 / 64.0),
        Some(Difficulty::new(0xffff_fe00_0000_0000))
    );
}

#[test]
fn the_ends_of_the_range_have_multipliers() {
    let (lowest, highest) = (Difficulty::new(0), Difficulty::new(u64::MAX));
    assert_eq!(highest.multiplier(lowest), 18_446_744_073_709_551_616.0);
    assert_eq!(lowest.multiplier(lowest), 1.0);
    assert_eq!(highest.multiplied(1.0), Some(highest));
    assert_eq!(lowest.multiplied(1.0), Some(lowest));
}

proptest! {
    #[test]
    fn texts_of_work_read_back(number: u64) {
        let nonce = WorkNonce::new(number);
        prop_assert_eq!(nonce.to_string(), format!("{number:016x}"));
        prop_assert_eq!(nonce.to_string().parse(), Ok(nonce));
        prop_assert_eq!(nonce.to_string().to_uppercase().parse(), Ok(nonce));
        let difficulty = Difficulty::new(number);
        prop_assert_eq!(difficulty.to_string().parse(), Ok(difficulty));
    }

    #[test]
    fn a_multiplied_difficulty_has_that_multiplier(exponent in 1_u32..40, multiplier in 0.001_f64..1000.0) {
        let base = Difficulty::new(u64::MAX << exponent);
        if let Some(difficulty) = base.multiplied(multiplier) {
            // One step of the difficulty is the finest a multiplier can be told apart.
            let steps = (u64::MAX - difficulty.number()) as f64 + 1.0;
            let got = difficulty.multiplier(base);
            prop_assert!((got - multiplier).abs() <= multiplier * (1.1 / steps + 1e-12));
        }
    }

    #[test]
    fn harder_difficulties_have_larger_multipliers(base: u64, one: u64, other: u64) {
        let base = Difficulty::new(base);
        let (low, high) = (one.min(other), one.max(other));
        prop_assert!(Difficulty::new(low).multiplier(base) <= Difficulty::new(high).multiplier(base));
    }

    #[test]
    fn work_depends_on_its_root(nonce: u64, one: [u8; 32], other: [u8; 32]) {
        prop_assume!(one != other);
        let nonce = WorkNonce::new(nonce);
        prop_assert_ne!(
            nonce.difficulty(&Root::from_bytes(one)),
            nonce.difficulty(&Root::from_bytes(other))
        );
    }
}
