//! What of a hash depends on the root alone, computed once for a root instead of once for a nonce.
//!
//! Only the first column of the first round reads the nonce, so the other three columns, and the parts
//! of that round's diagonals that follow from them alone, belong to the root.

use crate::blake2b::{H0, IV, MESSAGE_LENGTH};

/// A root and what follows from it.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    /// Message words 1 to 4: the root.
    pub(crate) root: [u64; 4],
    /// The working vector after columns 1 to 3 of the first round; column 0 is as it started.
    pub(crate) v: [u64; 16],
    /// First addition of column 0, before the nonce is added.
    pub(crate) column_0: u64,
    /// First addition of the diagonal that starts at word 1.
    pub(crate) diagonal_1: u64,
    /// First addition of the diagonal that starts at word 2.
    pub(crate) diagonal_2: u64,
    /// What that addition makes of word 13.
    pub(crate) rotated_13: u64,
}

impl Prepared {
    /// From the root's four little-endian words.
    pub(crate) fn new(root: [u64; 4]) -> Self {
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
}

/// The mixing function G (RFC 7693, section 3.1). Always inlined: with its places known nothing can
/// be out of bounds, and the wasm needs no code to say so.
#[inline(always)]
fn mix(v: &mut [u64; 16], [a, b, c, d]: [usize; 4], x: u64, y: u64) {
    v[a] = v[a].wrapping_add(v[b]).wrapping_add(x);
    v[d] = (v[d] ^ v[a]).rotate_right(32);
    v[c] = v[c].wrapping_add(v[d]);
    v[b] = (v[b] ^ v[c]).rotate_right(24);
    v[a] = v[a].wrapping_add(v[b]).wrapping_add(y);
    v[d] = (v[d] ^ v[a]).rotate_right(16);
    v[c] = v[c].wrapping_add(v[d]);
    v[b] = (v[b] ^ v[c]).rotate_right(63);
}
