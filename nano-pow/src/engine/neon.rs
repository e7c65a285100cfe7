//! NEON, which every 64-bit Arm processor has: two nonces side by side.

use core::arch::aarch64::{
    uint64x2_t, vaddq_u64, vdupq_n_u64, veorq_u64, vgetq_lane_u64, vreinterpretq_u32_u64,
    vreinterpretq_u64_u32, vrev64q_u32, vsetq_lane_u64, vshlq_n_u64, vsriq_n_u64,
};

use crate::lanes::digests;
use crate::prepared::Prepared;

/// Nonces at a time.
const LANES: u64 = 2;

/// The first of the `count` nonces from `start` on (wrapping) that reaches `threshold`.
#[target_feature(enable = "neon")]
pub(super) fn first(prepared: &Prepared, threshold: u64, start: u64, count: u64) -> Option<u64> {
    let ops = Ops;
    let mut nonces = vsetq_lane_u64::<1>(start.wrapping_add(1), ops.splat(start));
    let mut done = 0;
    while done < count {
        let digests = digests!(ops, prepared, nonces);
        if vgetq_lane_u64::<0>(digests) >= threshold {
            return Some(start.wrapping_add(done));
        }
        if vgetq_lane_u64::<1>(digests) >= threshold {
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
    #[target_feature(enable = "neon")]
    fn splat(self, word: u64) -> uint64x2_t {
        vdupq_n_u64(word)
    }

    #[inline]
    #[target_feature(enable = "neon")]
    fn add(self, a: uint64x2_t, b: uint64x2_t) -> uint64x2_t {
        vaddq_u64(a, b)
    }

    #[inline]
    #[target_feature(enable = "neon")]
    fn xor(self, a: uint64x2_t, b: uint64x2_t) -> uint64x2_t {
        veorq_u64(a, b)
    }

    #[inline]
    #[target_feature(enable = "neon")]
    fn rotate_32(self, a: uint64x2_t) -> uint64x2_t {
        vreinterpretq_u64_u32(vrev64q_u32(vreinterpretq_u32_u64(a)))
    }

    #[inline]
    #[target_feature(enable = "neon")]
    fn rotate_24(self, a: uint64x2_t) -> uint64x2_t {
        vsriq_n_u64::<24>(vshlq_n_u64::<40>(a), a)
    }

    #[inline]
    #[target_feature(enable = "neon")]
    fn rotate_16(self, a: uint64x2_t) -> uint64x2_t {
        vsriq_n_u64::<16>(vshlq_n_u64::<48>(a), a)
    }

    #[inline]
    #[target_feature(enable = "neon")]
    fn rotate_63(self, a: uint64x2_t) -> uint64x2_t {
        vsriq_n_u64::<63>(vaddq_u64(a, a), a)
    }
}
