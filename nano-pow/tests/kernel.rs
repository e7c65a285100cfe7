//! The kernel finds what plain BLAKE2b finds.

use blake2::digest::consts::U8;
use blake2::{Blake2b, Digest};
use nano_pow::Kernel;
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
    assert_eq!(
        kernel.first(kernel.difficulty(best), start, 100),
        Some(best)
    );
}

#[test]
fn an_empty_range_holds_no_work() {
    assert_eq!(Kernel::new(&[0; 32]).first(0, 5, 0), None);
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
        prop_assert_eq!(Kernel::new(&root).first(threshold, start, count), expected);
    }
}
