//! AVX-512: eight nonces side by side, and rotations of one instruction.

use core::arch::x86_64::{
    __m512i, _mm512_add_epi64, _mm512_cmpge_epu64_mask, _mm512_ror_epi64, _mm512_set_epi64,
    _mm512_set1_epi64, _mm512_xor_si512,
};

use crate::lanes::digests;
use crate::prepared::Prepared;

/// Nonces at a time.
const LANES: u64 = 8;

/// The first of the `count` nonces from `start` on (wrapping) that reaches `threshold`.
#[target_feature(enable = "avx512f")]
pub(super) fn first(prepared: &Prepared, threshold: u64, start: u64, count: u64) -> Option<u64> {
    let ops = Ops;
    let limit = ops.splat(threshold);
    let mut nonces = ops.add(ops.splat(start), _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0));
    let mut done = 0;
    while done < count {
        let digests = digests!(ops, prepared, nonces);
        let reached = _mm512_cmpge_epu64_mask(digests, limit);
        if reached != 0 {
            let lane = u64::from(reached.trailing_zeros());
            let place = done + lane;
            // The last group may reach beyond the range.
            return (place < count).then(|| start.wrapping_add(place));
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
    #[target_feature(enable = "avx512f")]
    fn splat(self, word: u64) -> __m512i {
        _mm512_set1_epi64(word.cast_signed())
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn add(self, a: __m512i, b: __m512i) -> __m512i {
        _mm512_add_epi64(a, b)
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn xor(self, a: __m512i, b: __m512i) -> __m512i {
        _mm512_xor_si512(a, b)
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn rotate_32(self, a: __m512i) -> __m512i {
        _mm512_ror_epi64::<32>(a)
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn rotate_24(self, a: __m512i) -> __m512i {
        _mm512_ror_epi64::<24>(a)
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn rotate_16(self, a: __m512i) -> __m512i {
        _mm512_ror_epi64::<16>(a)
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn rotate_63(self, a: __m512i) -> __m512i {
        _mm512_ror_epi64::<63>(a)
    }
}
