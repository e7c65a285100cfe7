//! WebAssembly's SIMD128: two nonces side by side. More at a time win nothing: there are sixteen
//! registers, which the state of these two fills.

use core::arch::wasm32::{
    i8x16_shuffle, i64x2_add, i64x2_shl, u64x2, u64x2_extract_lane, u64x2_shr, u64x2_splat, v128,
    v128_or, v128_xor,
};

use crate::lanes::digests;
use crate::prepared::Prepared;

/// Nonces at a time.
const LANES: u64 = 2;

/// The first of the `count` nonces from `start` on (wrapping) that reaches `threshold`.
#[target_feature(enable = "simd128")]
pub(super) fn first(prepared: &Prepared, threshold: u64, start: u64, count: u64) -> Option<u64> {
    let ops = Ops;
    let mut nonces = u64x2(start, start.wrapping_add(1));
    let mut done = 0;
    while done < count {
        let digests = digests!(ops, prepared, nonces);
        if u64x2_extract_lane::<0>(digests) >= threshold {
            return Some(start.wrapping_add(done));
        }
        if u64x2_extract_lane::<1>(digests) >= threshold {
            // The last pair may reach beyond the range.
            return (done + 1 < count).then(|| start.wrapping_add(done + 1));
        }
        nonces = ops.add(nonces, ops.splat(LANES));
        done += LANES;
    }
    None
}

/// The operations.
#[derive(Clone, Copy)]
struct Ops;

impl Ops {
    #[inline]
    #[target_feature(enable = "simd128")]
    fn splat(self, word: u64) -> v128 {
        u64x2_splat(word)
    }

    #[inline]
    #[target_feature(enable = "simd128")]
    fn add(self, a: v128, b: v128) -> v128 {
        i64x2_add(a, b)
    }

    #[inline]
    #[target_feature(enable = "simd128")]
    fn xor(self, a: v128, b: v128) -> v128 {
        v128_xor(a, b)
    }

    #[inline]
    #[target_feature(enable = "simd128")]
    fn rotate_32(self, a: v128) -> v128 {
        i8x16_shuffle::<4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11>(a, a)
    }

    #[inline]
    #[target_feature(enable = "simd128")]
    fn rotate_24(self, a: v128) -> v128 {
        i8x16_shuffle::<3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10>(a, a)
    }

    #[inline]
    #[target_feature(enable = "simd128")]
    fn rotate_16(self, a: v128) -> v128 {
        i8x16_shuffle::<2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9>(a, a)
    }

    #[inline]
    #[target_feature(enable = "simd128")]
    fn rotate_63(self, a: v128) -> v128 {
        v128_or(i64x2_shl(a, 1), u64x2_shr(a, 63))
    }
}
