//! One nonce at a time, in the ordinary registers that every processor has.

use crate::lanes::digests;
use crate::prepared::Prepared;

/// Difficulty of `nonce`. Not inlined: in a loop the compiler keeps the root's words in registers, of which there are
/// too few already; that costs a third of the speed.
#[inline(never)]
pub(crate) fn difficulty(prepared: &Prepared, nonce: u64) -> u64 {
    digests!(Ops, prepared, nonce)
}

/// The first of the `count` nonces from `start` on (wrapping) that reaches `threshold`.
#[inline]
pub(crate) fn first(prepared: &Prepared, threshold: u64, start: u64, count: u64) -> Option<u64> {
    (0..count)
        .map(|offset| start.wrapping_add(offset))
        .find(|nonce| difficulty(prepared, *nonce) >= threshold)
}

/// The operations.
#[derive(Clone, Copy)]
pub(super) struct Ops;

impl Ops {
    #[inline]
    pub(super) const fn splat(self, word: u64) -> u64 {
        word
    }

    #[inline]
    pub(super) const fn add(self, a: u64, b: u64) -> u64 {
        a.wrapping_add(b)
    }

    #[inline]
    pub(super) const fn xor(self, a: u64, b: u64) -> u64 {
        a ^ b
    }

    #[inline]
    pub(super) const fn rotate_32(self, a: u64) -> u64 {
        a.rotate_right(32)
    }

    #[inline]
    pub(super) const fn rotate_24(self, a: u64) -> u64 {
        a.rotate_right(24)
    }

    #[inline]
    pub(super) const fn rotate_16(self, a: u64) -> u64 {
        a.rotate_right(16)
    }

    #[inline]
    pub(super) const fn rotate_63(self, a: u64) -> u64 {
        a.rotate_right(63)
    }
}
