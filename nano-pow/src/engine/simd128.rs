//! WebAssembly's SIMD128: two nonces side by side. More at a time win nothing: there are sixteen
//! registers, which the state of these two fills.
//!
//! With the feature `relaxed` two rotations use the swizzle of the relaxed vector instructions, which
//! leaves open what an order beyond the vector gives; none here is.

#[cfg(feature = "relaxed")]
use core::arch::wasm32::u8x16_relaxed_swizzle as swizzle;
#[cfg(not(feature = "relaxed"))]
use core::arch::wasm32::u8x16_swizzle as swizzle;
use core::arch::wasm32::{
    i8x16_shuffle, i64x2_add, i64x2_shl, u8x16, u64x2, u64x2_extract_lane, u64x2_shr, u64x2_splat,
    v128, v128_or, v128_xor,
};
use core::hint::black_box;

use crate::lanes::digests;
use crate::prepared::Prepared;

/// Nonces at a time.
const LANES: u64 = 2;

/// The first of the `count` nonces from `start` on (wrapping) that reaches `threshold`.
#[cfg_attr(feature = "relaxed", target_feature(enable = "relaxed-simd"))]
#[target_feature(enable = "simd128")]
pub(super) fn first(prepared: &Prepared, threshold: u64, start: u64, count: u64) -> Option<u64> {
    let ops = Ops::new();
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

/// The operations, with the orders of bytes that two of them read.
#[derive(Clone, Copy)]
struct Ops {
    rotated_24: v128,
    rotated_16: v128,
}

impl Ops {
    /// The compiler is kept from knowing the orders: it would write each into its instruction, and
    /// browsers then build it anew every time.
    #[cfg_attr(feature = "relaxed", target_feature(enable = "relaxed-simd"))]
    #[target_feature(enable = "simd128")]
    fn new() -> Self {
        Self {
            rotated_24: black_box(u8x16(3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10)),
            rotated_16: black_box(u8x16(2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9)),
        }
    }

    #[inline]
    #[cfg_attr(feature = "relaxed", target_feature(enable = "relaxed-simd"))]
    #[target_feature(enable = "simd128")]
    fn splat(self, word: u64) -> v128 {
        u64x2_splat(word)
    }

    #[inline]
    #[cfg_attr(feature = "relaxed", target_feature(enable = "relaxed-simd"))]
    #[target_feature(enable = "simd128")]
    fn add(self, a: v128, b: v128) -> v128 {
        i64x2_add(a, b)
    }

    #[inline]
    #[cfg_attr(feature = "relaxed", target_feature(enable = "relaxed-simd"))]
    #[target_feature(enable = "simd128")]
    fn xor(self, a: v128, b: v128) -> v128 {
        v128_xor(a, b)
    }

    #[inline]
    #[cfg_attr(feature = "relaxed", target_feature(enable = "relaxed-simd"))]
    #[target_feature(enable = "simd128")]
    fn rotate_32(self, a: v128) -> v128 {
        i8x16_shuffle::<4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11>(a, a)
    }

    #[inline]
    #[cfg_attr(feature = "relaxed", target_feature(enable = "relaxed-simd"))]
    #[target_feature(enable = "simd128")]
    fn rotate_24(self, a: v128) -> v128 {
        swizzle(a, self.rotated_24)
    }

    #[inline]
    #[cfg_attr(feature = "relaxed", target_feature(enable = "relaxed-simd"))]
    #[target_feature(enable = "simd128")]
    fn rotate_16(self, a: v128) -> v128 {
        swizzle(a, self.rotated_16)
    }

    #[inline]
    #[cfg_attr(feature = "relaxed", target_feature(enable = "relaxed-simd"))]
    #[target_feature(enable = "simd128")]
    fn rotate_63(self, a: v128) -> v128 {
        v128_or(i64x2_shl(a, 1), u64x2_shr(a, 63))
    }
}
