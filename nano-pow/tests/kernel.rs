//! The kernel finds what plain BLAKE2b finds.

use blake2::digest::consts::U8;
use blake2::{Blake2b, Digest};
use nano_pow::{Engine, Kernel};
use proptest::prelude::*;

/// Difficulty by the `blake2` crate.
fn reference(root: &[u8; 32], nonce: u64) -> u64 {
    let digest = Blake2b::<U8>::new()
        .chain_update(nonce.to_le_bytes())
        .chain_update(root)
        .finalize();
    u64::from_le_bytes(digest.into())
}

#[test]
fn every_recorded_work_value_has_its_recorded_difficulty() {
    let number = |value: &serde_json::Value| u64::from_str_radix(value.as_str().unwrap(), 16);
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("../../tests/vectors/data/work/work.json")).unwrap();
    let values = vectors["values"].as_array().unwrap();
    assert!(!values.is_empty());
    for value in values {
        let mut root = [0; 32];
        hex::decode_to_slice(value["root"].as_str().unwrap(), &mut root).unwrap();
        let difficulty = Kernel::new(&root).difficulty(number(&value["work"]).unwrap());
        assert_eq!(difficulty, number(&value["difficulty"]).unwrap(), "{value}");
        // Every engine, in every lane, finds that nonce and not the one before.
        let work = number(&value["work"]).unwrap();
        for engine in Engine::available() {
            let kernel = Kernel::new(&root);
            for before in 0..16 {
                let start = work.wrapping_sub(before);
                let expected = (0..=before)
                    .map(|offset| start.wrapping_add(offset))
                    .find(|nonce| reference(&root, *nonce) >= difficulty);
                assert_eq!(
                    kernel.first_with(engine, difficulty, start, 16),
                    expected,
                    "{engine:?}"
                );
            }
        }
    }
}

#[test]
fn a_range_that_passes_the_last_nonce_goes_on_at_zero() {
    let kernel = Kernel::new(&[7; 32]);
    let start = u64::MAX - 10;
    let best = (0..100)
        .map(|i| start.wrapping_add(i))
        .max_by_key(|n| kernel.difficulty(*n))
        .unwrap();
    for engine in Engine::available() {
        let found = kernel.first_with(engine, kernel.difficulty(best), start, 100);
        assert_eq!(found, Some(best), "{engine:?}");
    }
}

#[test]
fn an_empty_range_holds_no_work() {
    for engine in Engine::available() {
        assert_eq!(Kernel::new(&[0; 32]).first_with(engine, 0, 5, 0), None);
    }
}

#[test]
fn every_nonce_reaches_the_least_threshold_and_the_first_is_taken() {
    for engine in Engine::available() {
        let found = Kernel::new(&[3; 32]).first_with(engine, 0, 77, 1);
        assert_eq!(found, Some(77), "{engine:?}");
    }
}

#[test]
fn engines_are_named_and_the_best_is_one_that_is_there() {
    let names: Vec<_> = Engine::available().map(Engine::name).collect();
    assert_eq!(names[0], "scalar");
    assert_eq!(names.last(), Some(&Engine::best().name()));
}

proptest! {
    #[test]
    fn difficulty_is_the_digest_of_nonce_and_root(root: [u8; 32], nonce: u64) {
        prop_assert_eq!(Kernel::new(&root).difficulty(nonce), reference(&root, nonce));
    }

    #[test]
    fn the_first_nonce_is_the_first_that_plain_hashing_finds(root: [u8; 32], start: u64, count in 0..400_u32) {
        let threshold = 0xff00_0000_0000_0000;
        let expected = (0..u64::from(count))
            .map(|offset| start.wrapping_add(offset))
            .find(|nonce| reference(&root, *nonce) >= threshold);
        let kernel = Kernel::new(&root);
        prop_assert_eq!(kernel.first(threshold, start, count), expected);
        for engine in Engine::available() {
            prop_assert_eq!(kernel.first_with(engine, threshold, start, count), expected, "{:?}", engine);
        }
    }

    #[test]
    fn nothing_beyond_the_range_is_found(root: [u8; 32], start: u64, count in 0..40_u32) {
        // One in sixteen nonces: some lie just beyond the range, in the group that it ends in.
        let threshold = 0xf000_0000_0000_0000;
        let expected = (0..u64::from(count))
            .map(|offset| start.wrapping_add(offset))
            .find(|nonce| reference(&root, *nonce) >= threshold);
        for engine in Engine::available() {
            let found = Kernel::new(&root).first_with(engine, threshold, start, count);
            prop_assert_eq!(found, expected, "{:?}", engine);
        }
    }
}
