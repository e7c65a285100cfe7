//! Where a node lies in a space in which distances are round trips, so that the round trip to a node
//! nobody has measured can be told from its coordinates: Vivaldi (Dabek, Cox, Kaashoek, Morris, SIGCOMM
//! 2004) in a space with heights, in integers.
//!
//! Each node moves itself a little for every round trip it has measured, and does so for all of them
//! several times over when it learns something new: towards the other node if the round trip was shorter
//! than the coordinates say, away from it if longer, and the less the surer it is of itself.
//! Coordinates are claims: a false one makes a node choose a slow link, whose true round trip it then
//! measures.

use serde::{Deserialize, Serialize};

/// Parts of a millisecond that coordinates count in.
const PARTS: i64 = 16;
/// The least height: a last mile takes something.
const LEAST_HEIGHT: u16 = 16;
/// An error of everything, in 1/256.
const SURE_OF_NOTHING: u8 = 255;
/// The longest round trip that moves anybody, in milliseconds.
const LONGEST_MS: u32 = 1_000;
/// How often all round trips are gone through.
const PASSES: usize = 8;

/// A place in that space; 12 bytes on the wire at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Coordinates {
    /// One dimension more than the surface of the earth has: a place that came to lie on the wrong side
    /// of others finds its way around them.
    at: [i16; 3],
    /// The way to the core of the network, in both directions.
    height: u16,
    /// By how much of a round trip it is wrong, smoothed, in 1/256.
    error: u8,
}

impl Default for Coordinates {
    fn default() -> Self {
        Self {
            at: [0; 3],
            height: 0,
            error: SURE_OF_NOTHING,
        }
    }
}

/// How two places differ.
struct Difference {
    at: [i64; 3],
    /// The length of that.
    apart: i64,
    /// Both heights.
    height: i64,
}

impl Coordinates {
    /// Whether anything was ever measured there.
    pub(crate) const fn is_known(&self) -> bool {
        self.height > 0
    }

    /// The expected round trip to `other` in milliseconds, if both know where they are.
    pub(crate) fn round_trip(&self, other: &Self) -> Option<u32> {
        let known = self.is_known() && other.is_known();
        let difference = self.difference(other);
        let parts = difference.apart + difference.height;
        known.then(|| u32::try_from(parts / PARTS).unwrap_or(u32::MAX))
    }

    fn difference(&self, other: &Self) -> Difference {
        let mut at = [0; 3];
        for ((part, ours), theirs) in at.iter_mut().zip(self.at).zip(other.at) {
            *part = i64::from(ours) - i64::from(theirs);
        }
        Difference {
            at,
            apart: length(&at),
            height: i64::from(self.height) + i64::from(other.height),
        }
    }

    /// Moves as the round trips in `measured`, each in milliseconds to a node at some coordinates, want
    /// it. `chance` says where to, if two are at one place.
    pub(crate) fn relax(&mut self, measured: &[(Self, u32)], chance: u64) {
        for _ in 0..PASSES {
            for (other, round_trip) in measured {
                self.measured(other, *round_trip, chance);
            }
        }
    }

    fn measured(&mut self, other: &Self, measured: u32, chance: u64) {
        if measured == 0 {
            return;
        }
        let measured = i64::from(measured.min(LONGEST_MS)) * PARTS;
        if !self.is_known() {
            self.height = LEAST_HEIGHT;
        }
        let Difference {
            mut at,
            apart,
            height,
        } = self.difference(other);
        let distance = apart + height;
        if apart == 0 {
            let bytes = chance.to_le_bytes();
            for (part, byte) in at.iter_mut().zip(bytes) {
                *part = i64::from(byte) - 128;
            }
        }
        // How much the measurement weighs, in 1/256: much if we are unsure and the other is not.
        let (ours, theirs) = (i64::from(self.error).max(1), i64::from(other.error).max(1));
        let weight = 256 * ours / (ours + theirs);
        let wrong = ((distance - measured).abs() * 256 / measured).min(255);
        let error = ours + (wrong - ours) * weight / 256 / 4;
        // A quarter of the weighted error, along the line between the two.
        let force = (measured - distance) * weight / 256 / 4;
        let all = length(&at).max(1) + height;
        for (ours, part) in self.at.iter_mut().zip(at) {
            let moved = i64::from(*ours) + force * part / all;
            let limits = (i64::from(i16::MIN), i64::from(i16::MAX));
            *ours = i16::try_from(moved.clamp(limits.0, limits.1)).unwrap_or(0);
        }
        let height = i64::from(self.height) + force * height / all;
        let height = height.max(i64::from(LEAST_HEIGHT));
        self.height = u16::try_from(height).unwrap_or(u16::MAX);
        self.error = u8::try_from(error.clamp(1, 255)).unwrap_or(SURE_OF_NOTHING);
    }
}

fn length(at: &[i64; 3]) -> i64 {
    // Each part is at most 2^16, so the squares fit.
    let square: i64 = at.iter().map(|part| part * part).sum();
    i64::try_from(square.unsigned_abs().isqrt()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;
    use proptest::prelude::*;

    #[test]
    fn nodes_that_measure_a_few_others_can_tell_the_round_trip_to_the_rest() {
        let mut rng = Rng::from_seed([7; 32]);
        // A plane 200 ms wide, last miles up to 20 ms each.
        let homes: Vec<(i64, i64, i64)> = (0..100)
            .map(|_| {
                let mut draw = |below| i64::from(rng.below(below));
                (draw(200), draw(100), 2 + draw(20))
            })
            .collect();
        let way = |a: usize, b: usize| {
            let ((ax, ay, al), (bx, by, bl)) = (homes[a], homes[b]);
            let plane = ((ax - bx).pow(2) + (ay - by).pow(2)).unsigned_abs().isqrt();
            u32::try_from(plane).unwrap() + u32::try_from(al + bl).unwrap()
        };
        let mut at = vec![Coordinates::default(); homes.len()];
        let links: Vec<[usize; 12]> = (0..homes.len())
            .map(|us| std::array::from_fn(|link| (us + 1 + link * 7 + us % 5) % homes.len()))
            .collect();
        for _ in 0..6 {
            for us in 0..homes.len() {
                let measured = links[us].map(|other| (at[other], way(us, other)));
                at[us].relax(&measured, rng.next_u64());
            }
        }
        let mut wrong: Vec<u32> = Vec::new();
        for a in 0..homes.len() {
            for b in 0..a {
                let (expected, true_way) = (at[a].round_trip(&at[b]).unwrap(), way(a, b));
                wrong.push(expected.abs_diff(true_way) * 100 / true_way);
            }
        }
        wrong.sort_unstable();
        assert!(wrong[wrong.len() / 2] <= 15, "{} %", wrong[wrong.len() / 2]);
    }

    #[test]
    fn nobody_who_measured_nothing_is_near_anybody() {
        let new = Coordinates::default();
        let mut moved = new;
        moved.relax(&[(new, 40)], 1);
        assert_eq!(new.round_trip(&moved), None);
        assert!(moved.is_known());
    }

    proptest! {
        #[test]
        fn any_claim_moves_us_without_overflow(
            claims in proptest::collection::vec((any::<[i16; 3]>(), any::<u16>(), any::<u8>(), any::<u32>()), 1..30),
            chance: u64,
        ) {
            let mut us = Coordinates::default();
            for (at, height, error, measured) in claims {
                let other = Coordinates { at, height, error };
                us.relax(&[(other, measured)], chance);
                us.round_trip(&other);
            }
        }
    }
}
