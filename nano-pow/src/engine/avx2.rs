//! AVX2: twice four nonces side by side. Four alone leave the processor waiting for its own results;
//! the registers that eight lack are made up for in memory.

use core::arch::x86_64::{
    __m256i, _mm256_add_epi64, _mm256_castsi256_pd, _mm256_cmpgt_epi64, _mm256_movemask_pd,
    _mm256_or_si256, _mm256_set_epi64x, _mm256_set1_epi64x, _mm256_setr_epi8, _mm256_shuffle_epi8,
    _mm256_shuffle_epi32, _mm256_srli_epi64, _mm256_xor_si256,
};
use core::hint::black_box;

use crate::lanes::digests;
use crate::prepared::Prepared;

/// Nonces at a time.
const LANES: u64 = 8;

/// The first of the `count` nonces from `start` on (wrapping) that reaches `threshold`.
#[target_feature(enable = "avx2")]
pub(super) fn first(prepared: &Prepared, threshold: u64, start: u64, count: u64) -> Option<u64> {
    let ops = Ops::new();
    // Comparisons are signed here: with the highest bit turned their order is that of unsigned numbers.
    let sign = ops.splat(1 << 63);
    let limit = ops.xor(ops.splat(threshold), sign);
    let mut nonces = ops.add(
        ops.splat(start),
        Lanes(_mm256_set_epi64x(3, 2, 1, 0), _mm256_set_epi64x(7, 6, 5, 4)),
    );
    let mut done = 0;
    while done < count {
        let digests = ops.xor(digests!(ops, prepared, nonces), sign);
        let below = [
            _mm256_cmpgt_epi64(limit.0, digests.0),
            _mm256_cmpgt_epi64(limit.1, digests.1),
        ]
        .map(|half| _mm256_movemask_pd(_mm256_castsi256_pd(half)));
        let reached = !(below[0] | below[1] << 4) & 0xff;
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

/// One word of each nonce: the first four, then the others.
#[derive(Clone, Copy)]
struct Lanes(__m256i, __m256i);

/// The operations, with the orders of bytes that two of them read.
#[derive(Clone, Copy)]
struct Ops {
    rotated_24: __m256i,
    rotated_16: __m256i,
}

impl Ops {
    /// The compiler is kept from knowing the orders: it would make two instructions of one shuffle.
    #[target_feature(enable = "avx2")]
    fn new() -> Self {
        Self {
            rotated_24: black_box(_mm256_setr_epi8(
                3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10, //
                3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10,
            )),
            rotated_16: black_box(_mm256_setr_epi8(
                2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9, //
                2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9,
            )),
        }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn splat(self, word: u64) -> Lanes {
        let a = _mm256_set1_epi64x(word.cast_signed());
        Lanes(a, a)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn add(self, a: Lanes, b: Lanes) -> Lanes {
        Lanes(_mm256_add_epi64(a.0, b.0), _mm256_add_epi64(a.1, b.1))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn xor(self, a: Lanes, b: Lanes) -> Lanes {
        Lanes(_mm256_xor_si256(a.0, b.0), _mm256_xor_si256(a.1, b.1))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn rotate_32(self, a: Lanes) -> Lanes {
        Lanes(
            _mm256_shuffle_epi32::<0b1011_0001>(a.0),
            _mm256_shuffle_epi32::<0b1011_0001>(a.1),
        )
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn rotate_24(self, a: Lanes) -> Lanes {
        Lanes(
            _mm256_shuffle_epi8(a.0, self.rotated_24),
            _mm256_shuffle_epi8(a.1, self.rotated_24),
        )
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn rotate_16(self, a: Lanes) -> Lanes {
        Lanes(
            _mm256_shuffle_epi8(a.0, self.rotated_16),
            _mm256_shuffle_epi8(a.1, self.rotated_16),
        )
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn rotate_63(self, a: Lanes) -> Lanes {
        Lanes(
            _mm256_or_si256(_mm256_add_epi64(a.0, a.0), _mm256_srli_epi64::<63>(a.0)),
            _mm256_or_si256(_mm256_add_epi64(a.1, a.1), _mm256_srli_epi64::<63>(a.1)),
        )
    }
}
