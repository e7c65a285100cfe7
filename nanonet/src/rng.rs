//! The seeded generator behind every random choice of the overlay.
//!
//! The shell gives 32 bytes of entropy once; from then on one seed replays one run exactly, in the
//! simulator, in the browser and in the bridge. Concerns that draw independently of each other
//! take a [`Rng::fork`], so that one drawing more does not shift the choices of another.

use chacha20::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};

/// A cryptographically secure generator (ChaCha20) with a fixed, portable sequence per seed.
///
/// Keys and handshakes draw from it, so the seed must be secret and fresh for every start of a
/// real node.
pub struct Rng(ChaCha20Rng);

impl Rng {
    /// Starts the sequence of `seed`.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(ChaCha20Rng::from_seed(seed))
    }

    /// A generator of its own, seeded from this one.
    pub fn fork(&mut self) -> Self {
        Self::from_seed(self.array())
    }

    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number in `0..bound`; 0 where `bound` is 0.
    ///
    /// By multiplication of 64 random bits: the bias is below 2^-32 for every 32-bit bound.
    pub fn below(&mut self, bound: u32) -> u32 {
        let scaled = (u128::from(self.0.next_u64()) * u128::from(bound)) >> 64;
        u32::try_from(scaled).unwrap_or(u32::MAX)
    }

    /// 32 random bytes.
    pub fn array(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.fill(&mut bytes);
        bytes
    }

    /// Fills `bytes` with random bytes.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_sequence() {
        let (mut a, mut b) = (Rng::from_seed([7; 32]), Rng::from_seed([7; 32]));
        assert_eq!(a.array(), b.array());
        assert_eq!(a.fork().next_u64(), b.fork().next_u64());
        assert_ne!(
            Rng::from_seed([8; 32]).array(),
            Rng::from_seed([7; 32]).array()
        );
    }

    #[test]
    fn a_bounded_number_stays_below_its_bound_and_reaches_all_of_it() {
        let mut rng = Rng::from_seed([1; 32]);
        let mut seen = [false; 5];
        for _ in 0..200 {
            seen[rng.below(5) as usize] = true;
        }
        assert_eq!(seen, [true; 5]);
        assert_eq!(rng.below(0), 0);
    }
}
