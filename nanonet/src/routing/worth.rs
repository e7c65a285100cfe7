//! What a link is worth for a request: how far it gets it, how soon, and how surely.
//!
//! - *Closeness* of a node to a place: the bits their ids share, in 1/256 bits, so that of two nodes of
//!   one bucket the nearer one counts more. Beyond a *reach*, at which a node is one of those who hold
//!   what lies at the place, being nearer is worth nothing more.
//! - *Share*: of the requests that a link took, how many it answered, smoothed. A liar acknowledges and
//!   drops; its share falls, and with it its worth.
//! - *Worth*: bits gained × share per expected millisecond.

use crate::Distance;

/// What a hop takes besides its way, in milliseconds.
const HOP_MS: u64 = 8;
/// The round trip of a link nobody has measured, in milliseconds.
const UNMEASURED_MS: u32 = 200;

/// How close a node is to a place, in 1/256 bits shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Closeness(u32);

impl Closeness {
    /// As far as can be.
    pub(crate) const MIN: Self = Self(0);
    /// Closer than anything.
    pub(crate) const MAX: Self = Self(u32::MAX);

    /// Of a distance: its leading zero bits, and what the next eight bits say of the logarithm.
    pub(crate) fn of(distance: &Distance) -> Self {
        let zeros = u32::from(distance.shared_bits());
        let bytes = distance.as_bytes();
        let first = usize::from(distance.shared_bits() / 8);
        let word = (first..first + 3).fold(0_u32, |word, place| {
            (word << 8) | u32::from(bytes.get(place).copied().unwrap_or(0))
        });
        // The bits after the first that differs.
        let after = (word >> (15 - zeros % 8)) & 0xFF;
        Self(zeros * 256 + (255 - after))
    }

    /// Leading bits that are shared.
    pub(crate) fn bits(self) -> u16 {
        u16::try_from(self.0 / 256).unwrap_or(u16::MAX)
    }

    /// Twice as far away.
    pub(crate) const fn one_bit_less(self) -> Self {
        Self(self.0.saturating_sub(256))
    }

    /// By how much `self` is closer than `other`, nothing beyond `reach`; at least 1 if it is closer.
    pub(crate) fn gained(self, other: Self, reach: Self) -> u32 {
        let gained = self.min(reach).0.saturating_sub(other.min(reach).0);
        gained.max(u32::from(self > other))
    }
}

/// Of the requests a link took, how many it answered; in 1/256, smoothed over the last sixteen or so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Share(u8);

impl Default for Share {
    /// A new link is trusted a little less than one that has answered.
    fn default() -> Self {
        Self(192)
    }
}

impl Share {
    /// A request was answered, or not.
    pub(crate) const fn count(&mut self, answered: bool) {
        if answered {
            self.0 += (255 - self.0).div_ceil(16);
        } else {
            self.0 -= self.0.div_ceil(16);
        }
    }

    /// What a link with this share is worth that brings a request `gained` nearer over a round trip of
    /// `rtt_ms`.
    pub(crate) fn worth(self, gained: u32, rtt_ms: Option<u32>) -> u64 {
        let way = u64::from(rtt_ms.unwrap_or(UNMEASURED_MS)) / 2 + HOP_MS;
        // The share twice: an unanswered path is lost, and so is the time until that is noticed.
        let share = u64::from(self.0) + 1;
        u64::from(gained) * share * share / way
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Point;
    use proptest::prelude::*;

    fn close(a: [u8; 32], b: [u8; 32]) -> Closeness {
        Closeness::of(&Point::from_bytes(a).distance(&Point::from_bytes(b)))
    }

    #[test]
    fn a_liar_that_drops_is_soon_worth_less_than_a_slow_honest_link() {
        let (mut liar, mut honest) = (Share::default(), Share::default());
        for _ in 0..8 {
            liar.count(false);
            honest.count(true);
        }
        assert!(liar.worth(512, Some(40)) < honest.worth(512, Some(100)));
        for _ in 0..1000 {
            liar.count(false);
            honest.count(true);
        }
        assert!(liar.worth(512, Some(40)) < honest.worth(512, Some(300)) / 100);
    }

    #[test]
    fn beyond_the_reach_the_quicker_of_two_holders_is_worth_more() {
        let mut a = [0; 32];
        let mut b = [0; 32];
        (a[2], b[2]) = (1, 0x20);
        let place = [0; 32];
        let (near, far) = (close(a, place), close(b, place));
        assert!(near > far);
        let us = close([0xFF; 32], place);
        let reach = Closeness(16 * 256);
        assert_eq!(near.gained(us, reach), far.gained(us, reach));
        assert_eq!(near.gained(far, reach), 1);
    }

    proptest! {
        #[test]
        fn the_nearer_of_two_is_never_less_close(a: [u8; 32], b: [u8; 32]) {
            let (zero, max) = ([0; 32], Closeness(u32::MAX));
            if a < b {
                prop_assert!(close(a, zero) >= close(b, zero));
            }
            prop_assert_eq!(close(a, zero).gained(close(a, zero), max), 0);
        }
    }
}
