//! The seeded generator behind every random choice of the overlay.
//!
//! The shell gives 32 bytes of entropy once; from then on one seed replays one run exactly, in the
//! simulator, in the browser and in the bridge. Concerns that draw independently of each other
//! take a [`Rng::fork`], so that one drawing more does not shift the choices of another.

use chacha20::cipher::{KeyIvInit as _, StreamCipher as _};
use chacha20::{ChaCha20, Nonce};
use zeroize::Zeroizing;

/// A cryptographically secure generator with a fixed, portable sequence per seed.
///
/// Every draw is the ChaCha20 key stream of a key whose first 32 bytes become the next key: what
/// was drawn before cannot be found out from a generator. Keys and handshakes draw from it, so the
/// seed must be secret and fresh for every start of a real node.
pub struct Rng(Zeroizing<[u8; 32]>);

impl Rng {
    /// Starts the sequence of `seed`.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(Zeroizing::new(seed))
    }

    /// A generator of its own, seeded from this one.
    pub fn fork(&mut self) -> Self {
        Self::from_seed(self.array())
    }

    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// A number in `0..bound`; 0 where `bound` is 0.
    ///
    /// By multiplication of 64 random bits: the bias is below 2^-32 for every 32-bit bound.
    pub fn below(&mut self, bound: u32) -> u32 {
        let scaled = (u128::from(self.next_u64()) * u128::from(bound)) >> 64;
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
        // It ends after 256 GiB, more than anyone draws at once.
        let mut stream = ChaCha20::new(&(*self.0).into(), &Nonce::default());
        self.0.fill(0);
        stream.apply_keystream(&mut *self.0);
        bytes.fill(0);
        stream.apply_keystream(bytes);
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
    fn no_draw_tells_what_was_drawn_before_or_comes_next() {
        let mut rng = Rng::from_seed([7; 32]);
        let mut bytes = [0; 96];
        rng.fill(&mut bytes);
        let mut known: Vec<[u8; 32]> = vec![[7; 32], *rng.0];
        for _ in 0..100 {
            known.push(rng.array());
            known.push(*rng.0);
        }
        known.extend(bytes.as_chunks().0);
        let count = known.len();
        known.sort_unstable();
        known.dedup();
        assert_eq!(known.len(), count);
    }

    #[test]
    fn draws_are_the_stream_of_a_key_after_the_next_key() {
        // RFC 8439, A.1, test vector 1: the first block of the key of zeros.
        let mut rng = Rng::from_seed([0; 32]);
        let drawn = rng.array();
        assert_eq!(rng.0[..4], [0x76, 0xb8, 0xe0, 0xad]);
        assert_eq!(drawn[..4], [0xda, 0x41, 0x59, 0x7c]);
        assert_eq!(drawn[28..], [0xb2, 0xee, 0x65, 0x86]);
        let mut over_others = [1; 32];
        Rng::from_seed([0; 32]).fill(&mut over_others);
        assert_eq!(over_others, drawn);
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
