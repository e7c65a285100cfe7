//! BLAKE2b (RFC 7693) with an eight-byte digest, for messages of exactly a nonce and a root.
//!
//! What is known of the message is computed once for a root instead of once for a nonce:
//! - message words 5 to 15 are zero, so their additions vanish;
//! - only the first column of the first round reads the nonce, so the other three columns, and the
//!   parts of that round's diagonals that follow from them alone, belong to the root;
//! - the digest is one word out of eight, so the compiler drops the operations of the last round
//!   that only the other words need.

/// The initialisation vector (RFC 7693, section 2.6).
const IV: [u64; 8] = [
    0x6a09_e667_f3bc_c908,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];

/// The first word of the chaining value: digest of eight bytes, no key, sequential mode.
const H0: u64 = IV[0] ^ 0x0101_0008;

/// Length of the message: eight bytes of nonce, 32 of root.
const MESSAGE_LENGTH: u64 = 40;

/// Order of the message words in each round (RFC 7693, section 2.7).
const SIGMA: [[usize; 16]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
    [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
    [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
    [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
    [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
    [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
    [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
    [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];

/// The search for work over one root, with everything computed that does not need the nonce.
///
/// ```
/// let kernel = nano_pow::Kernel::new(&[0; 32]);
/// let nonce = kernel.first(0xfff0_0000_0000_0000, 0, 100_000);
/// assert!(nonce.is_some_and(|nonce| kernel.difficulty(nonce) >= 0xfff0_0000_0000_0000));
/// ```
#[derive(Clone, Debug)]
pub struct Kernel {
    /// Message words 1 to 4: the root.
    root: [u64; 4],
    /// The working vector after columns 1 to 3 of the first round; column 0 is as it started.
    v: [u64; 16],
    /// First addition of column 0, before the nonce is added.
    column_0: u64,
    /// First addition of the diagonal that starts at word 1.
    diagonal_1: u64,
    /// First addition of the diagonal that starts at word 2.
    diagonal_2: u64,
    /// What that addition makes of word 13.
    rotated_13: u64,
}

impl Kernel {
    /// Prepares the search for `root`: the previous block's hash, or the account's public key for
    /// its first block.
    #[must_use]
    pub fn new(root: &[u8; 32]) -> Self {
        let mut words = [0; 4];
        for (word, bytes) in words.iter_mut().zip(root.as_chunks().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        Self::from_words(words)
    }

    /// The same from the root's four little-endian words.
    #[must_use]
    pub fn from_words(root: [u64; 4]) -> Self {
        let mut v = [0; 16];
        v[..8].copy_from_slice(&IV);
        v[0] = H0;
        v[8..].copy_from_slice(&IV);
        v[12] ^= MESSAGE_LENGTH;
        v[14] = !v[14];
        mix(&mut v, [1, 5, 9, 13], root[1], root[2]);
        mix(&mut v, [2, 6, 10, 14], root[3], 0);
        mix(&mut v, [3, 7, 11, 15], 0, 0);
        let diagonal_2 = v[2].wrapping_add(v[7]);
        Self {
            root,
            v,
            column_0: v[0].wrapping_add(v[4]),
            diagonal_1: v[1].wrapping_add(v[6]),
            diagonal_2,
            rotated_13: (v[13] ^ diagonal_2).rotate_right(32),
        }
    }

    /// Difficulty of `nonce` over this root.
    #[must_use]
    #[inline]
    pub fn difficulty(&self, nonce: u64) -> u64 {
        let m = &[
            nonce,
            self.root[0],
            self.root[1],
            self.root[2],
            self.root[3],
        ];
        let mut v = self.first_round(nonce);
        round::<1>(&mut v, m);
        round::<2>(&mut v, m);
        round::<3>(&mut v, m);
        round::<4>(&mut v, m);
        round::<5>(&mut v, m);
        round::<6>(&mut v, m);
        round::<7>(&mut v, m);
        round::<8>(&mut v, m);
        round::<9>(&mut v, m);
        round::<10>(&mut v, m);
        round::<11>(&mut v, m);
        H0 ^ v[0] ^ v[8]
    }

    /// The first of the `count` nonces from `start` on (wrapping) whose difficulty is at least
    /// `threshold`.
    #[must_use]
    pub fn first(&self, threshold: u64, start: u64, count: u32) -> Option<u64> {
        (0..u64::from(count))
            .map(|offset| start.wrapping_add(offset))
            .find(|nonce| self.difficulty(*nonce) >= threshold)
    }

    /// The rest of the first round: its zero words are left out, its known parts taken over.
    #[inline(always)]
    fn first_round(&self, nonce: u64) -> [u64; 16] {
        let mut v = self.v;
        v[0] = self.column_0.wrapping_add(nonce);
        v[12] = (v[12] ^ v[0]).rotate_right(32);
        half(&mut v, [0, 4, 8, 12], self.root[0]);
        mix(&mut v, [0, 5, 10, 15], 0, 0);
        v[1] = self.diagonal_1;
        v[12] = (v[12] ^ v[1]).rotate_right(32);
        half(&mut v, [1, 6, 11, 12], 0);
        v[2] = self.diagonal_2;
        v[13] = self.rotated_13;
        half(&mut v, [2, 7, 8, 13], 0);
        mix(&mut v, [3, 4, 9, 14], 0, 0);
        v
    }
}

/// One whole round of the compression function.
#[inline(always)]
fn round<const R: usize>(v: &mut [u64; 16], m: &[u64; 5]) {
    mix(v, [0, 4, 8, 12], word::<R, 0>(m), word::<R, 1>(m));
    mix(v, [1, 5, 9, 13], word::<R, 2>(m), word::<R, 3>(m));
    mix(v, [2, 6, 10, 14], word::<R, 4>(m), word::<R, 5>(m));
    mix(v, [3, 7, 11, 15], word::<R, 6>(m), word::<R, 7>(m));
    mix(v, [0, 5, 10, 15], word::<R, 8>(m), word::<R, 9>(m));
    mix(v, [1, 6, 11, 12], word::<R, 10>(m), word::<R, 11>(m));
    mix(v, [2, 7, 8, 13], word::<R, 12>(m), word::<R, 13>(m));
    mix(v, [3, 4, 9, 14], word::<R, 14>(m), word::<R, 15>(m));
}

/// The message word that round `R` reads in place `I`; a constant zero where the message has ended.
#[inline(always)]
fn word<const R: usize, const I: usize>(m: &[u64; 5]) -> u64 {
    let index = const { SIGMA[R % 10][I] };
    if index < m.len() { m[index] } else { 0 }
}

/// The mixing function G (RFC 7693, section 3.1).
#[inline(always)]
fn mix(v: &mut [u64; 16], [a, b, c, d]: [usize; 4], x: u64, y: u64) {
    v[a] = v[a].wrapping_add(v[b]).wrapping_add(x);
    v[d] = (v[d] ^ v[a]).rotate_right(32);
    half(v, [a, b, c, d], y);
}

/// G from its third step on.
#[inline(always)]
fn half(v: &mut [u64; 16], [a, b, c, d]: [usize; 4], y: u64) {
    v[c] = v[c].wrapping_add(v[d]);
    v[b] = (v[b] ^ v[c]).rotate_right(24);
    v[a] = v[a].wrapping_add(v[b]).wrapping_add(y);
    v[d] = (v[d] ^ v[a]).rotate_right(16);
    v[c] = v[c].wrapping_add(v[d]);
    v[b] = (v[b] ^ v[c]).rotate_right(63);
}
