//! The hash, written once for every width: whoever expands [`digests`] has in scope a `Copy` type of
//! several nonces side by side and the operations `splat`, `add`, `xor`, `rotate_32`, `rotate_24`,
//! `rotate_16` and `rotate_63` (to the right, per 64-bit lane).
//!
//! A macro and not a generic function, because operations that only some processors have may be called
//! without `unsafe` from functions that are compiled for the same processors, and a trait's methods
//! are not.
//!
//! - Message words 5 to 15 are zero, so their additions vanish.
//! - The first round goes on from what [`crate::prepared`] knows.
//! - The digest is one word out of eight, so the compiler drops the operations of the last round that
//!   only the other words need.

/// Digests of `$nonces` over `$prepared`, one a lane, as a value of the caller's type.
macro_rules! digests {
    ($ops:expr, $prepared:expr, $nonces:expr) => {{
        let prepared: &$crate::prepared::Prepared = $prepared;
        let ops = $ops;
        let nonces = $nonces;
        let m = [
            nonces,
            ops.splat(prepared.root[0]),
            ops.splat(prepared.root[1]),
            ops.splat(prepared.root[2]),
            ops.splat(prepared.root[3]),
        ];
        let mut v = prepared.v.map(|word| ops.splat(word));
        v[0] = ops.add(ops.splat(prepared.column_0), nonces);
        v[12] = ops.rotate_32(ops.xor(v[12], v[0]));
        $crate::lanes::half!(ops, v, m, 0, 1, 0, 4, 8, 12);
        $crate::lanes::mix!(ops, v, m, 0, 8, 0, 5, 10, 15);
        v[1] = ops.splat(prepared.diagonal_1);
        v[12] = ops.rotate_32(ops.xor(v[12], v[1]));
        $crate::lanes::half!(ops, v, m, 0, 11, 1, 6, 11, 12);
        v[2] = ops.splat(prepared.diagonal_2);
        v[13] = ops.splat(prepared.rotated_13);
        $crate::lanes::half!(ops, v, m, 0, 13, 2, 7, 8, 13);
        $crate::lanes::mix!(ops, v, m, 0, 14, 3, 4, 9, 14);
        $crate::lanes::round!(ops, v, m, 1);
        $crate::lanes::round!(ops, v, m, 2);
        $crate::lanes::round!(ops, v, m, 3);
        $crate::lanes::round!(ops, v, m, 4);
        $crate::lanes::round!(ops, v, m, 5);
        $crate::lanes::round!(ops, v, m, 6);
        $crate::lanes::round!(ops, v, m, 7);
        $crate::lanes::round!(ops, v, m, 8);
        $crate::lanes::round!(ops, v, m, 9);
        $crate::lanes::round!(ops, v, m, 10);
        $crate::lanes::round!(ops, v, m, 11);
        ops.xor(ops.splat($crate::blake2b::H0), ops.xor(v[0], v[8]))
    }};
}

/// One whole round of the compression function.
macro_rules! round {
    ($ops:ident, $v:ident, $m:ident, $round:literal) => {
        $crate::lanes::mix!($ops, $v, $m, $round, 0, 0, 4, 8, 12);
        $crate::lanes::mix!($ops, $v, $m, $round, 2, 1, 5, 9, 13);
        $crate::lanes::mix!($ops, $v, $m, $round, 4, 2, 6, 10, 14);
        $crate::lanes::mix!($ops, $v, $m, $round, 6, 3, 7, 11, 15);
        $crate::lanes::mix!($ops, $v, $m, $round, 8, 0, 5, 10, 15);
        $crate::lanes::mix!($ops, $v, $m, $round, 10, 1, 6, 11, 12);
        $crate::lanes::mix!($ops, $v, $m, $round, 12, 2, 7, 8, 13);
        $crate::lanes::mix!($ops, $v, $m, $round, 14, 3, 4, 9, 14);
    };
}

/// The mixing function G (RFC 7693, section 3.1) with the two message words at `$at` and after it.
macro_rules! mix {
    ($ops:ident, $v:ident, $m:ident, $round:literal, $at:literal, $a:literal, $b:literal, $c:literal, $d:literal) => {
        $v[$a] = $ops.add($v[$a], $v[$b]);
        $crate::lanes::add_word!($ops, $v, $m, $round, $at, $a);
        $v[$d] = $ops.rotate_32($ops.xor($v[$d], $v[$a]));
        $crate::lanes::half!($ops, $v, $m, $round, ($at + 1), $a, $b, $c, $d);
    };
}

/// G from its third step on.
macro_rules! half {
    ($ops:ident, $v:ident, $m:ident, $round:literal, $at:expr, $a:literal, $b:literal, $c:literal, $d:literal) => {
        $v[$c] = $ops.add($v[$c], $v[$d]);
        $v[$b] = $ops.rotate_24($ops.xor($v[$b], $v[$c]));
        $v[$a] = $ops.add($v[$a], $v[$b]);
        $crate::lanes::add_word!($ops, $v, $m, $round, $at, $a);
        $v[$d] = $ops.rotate_16($ops.xor($v[$d], $v[$a]));
        $v[$c] = $ops.add($v[$c], $v[$d]);
        $v[$b] = $ops.rotate_63($ops.xor($v[$b], $v[$c]));
    };
}

/// Adds the message word that the round reads in this place, unless it is one of those always zero.
macro_rules! add_word {
    ($ops:ident, $v:ident, $m:ident, $round:literal, $at:expr, $a:literal) => {
        if const { $crate::blake2b::SIGMA[$round][$at] < $crate::blake2b::WORDS } {
            $v[$a] = $ops.add(
                $v[$a],
                $m[const { $crate::blake2b::SIGMA[$round][$at] % $crate::blake2b::WORDS }],
            );
        }
    };
}

pub(crate) use {add_word, digests, half, mix, round};
