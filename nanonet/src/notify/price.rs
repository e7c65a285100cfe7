//! What a relay asks for a notification: work, more of it the busier and the fuller it is.
//!
//! The *base* is what one costs on an idle, empty relay: [`base_difficulty`]. It is multiplied by
//! - the *load*: how many times more than [`Limits::per_minute`] arrived in the last minute. It rises at
//!   once and falls by half in ten minutes, so that a flood that pauses gains nothing;
//! - the *fill*: doubled for every twentieth of the room above one half;
//! - the *tag*: doubled for every eighth of its places that is taken.
//!
//! The larger of load and fill counts, times the tag's. Work is not part of the hash, so a sender who is
//! asked for more goes on with the same notification. Among those that wait more work comes first, as
//! Nano itself ranks.
//!
//! All reckoning is in whole thousandths of the base: the same on every machine.

use std::collections::VecDeque;

use nano_core::{Difficulty, Network, UnixMillis};

/// Bounds of one relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of notifications kept.
    pub bytes: u64,
    /// Notifications under one tag.
    pub per_tag: u32,
    /// New ones of a tag in an hour.
    pub per_hour: u32,
    /// New ones of all tags in a minute at the base price.
    pub per_minute: u32,
}

impl Limits {
    /// A bridge's usual ones: 256 MiB, 1000 under a tag, 60 an hour of them new, one a second at the base.
    pub const BRIDGE: Self = Self {
        bytes: 256 << 20,
        per_tag: 1_000,
        per_hour: 60,
        per_minute: 60,
    };
}

/// What a notification costs where nothing else is to do: 2^22 hashes on average on live and beta, one to two
/// seconds of one thread that does 2 to 4 million hashes per second, as a phone or a tab without SIMD; 2^14 on
/// the test network, 2^8 on the development network.
#[must_use]
pub const fn base_difficulty(network: Network) -> Difficulty {
    Difficulty::new(match network {
        Network::Live | Network::Beta => 0xffff_fc00_0000_0000,
        Network::Test => 0xfffc_0000_0000_0000,
        Network::Dev => 0xff00_0000_0000_0000,
    })
}

/// How many times the base, in thousandths; never less than once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Multiple(u64);

impl Multiple {
    /// Once.
    pub const ONE: Self = Self(1_000);
    /// More is not asked: 2^30 times.
    const MOST: u64 = 1_000 << 30;

    /// So many thousandths, brought into range.
    #[must_use]
    pub const fn from_thousandths(thousandths: u64) -> Self {
        if thousandths < 1_000 {
            Self::ONE
        } else if thousandths > Self::MOST {
            Self(Self::MOST)
        } else {
            Self(thousandths)
        }
    }

    /// In thousandths.
    #[must_use]
    pub const fn thousandths(self) -> u64 {
        self.0
    }

    /// Both together.
    #[must_use]
    pub const fn times(self, other: Self) -> Self {
        Self::from_thousandths(self.0.saturating_mul(other.0) / 1_000)
    }

    /// The difficulty that is so many times harder than `base`.
    #[must_use]
    pub fn over(self, base: Difficulty) -> Difficulty {
        let distance = ((1_u128 << 64) - u128::from(base.number())) * 1_000 / u128::from(self.0);
        let number = (1_u128 << 64) - distance.max(1);
        Difficulty::new(u64::try_from(number).unwrap_or(u64::MAX))
    }
}

/// Length of one of the parts of a minute that arrivals are counted in.
const PART_MS: u64 = 5_000;
/// How many of them are a minute.
const PARTS: u64 = 12;
/// By how much the load's price falls in one part: half in ten minutes.
const FALL: u64 = 173;

/// How busy a relay is.
#[derive(Debug, Default)]
pub(super) struct Load {
    /// Arrivals of the parts of the last minute, newest first.
    parts: VecDeque<u32>,
    /// The number of the newest part.
    newest: u64,
    /// The load's multiple in thousandths, as it has fallen.
    held: u64,
}

impl Load {
    /// One more was accepted.
    pub(super) fn arrived(&mut self, now: UnixMillis, limits: &Limits) {
        self.pass(now);
        if let Some(first) = self.parts.front_mut() {
            *first += 1;
        }
        let all: u64 = self.parts.iter().map(|part| u64::from(*part)).sum();
        let present = all * 1_000 / u64::from(limits.per_minute.max(1));
        self.held = self.held.max(present);
    }

    /// What it asks.
    pub(super) fn multiple(&mut self, now: UnixMillis) -> Multiple {
        self.pass(now);
        Multiple::from_thousandths(self.held)
    }

    fn pass(&mut self, now: UnixMillis) {
        let part = now.number() / PART_MS;
        let passed = part.saturating_sub(self.newest);
        self.newest = self.newest.max(part);
        for _ in 0..passed.min(PARTS) {
            self.parts.push_front(0);
        }
        if self.parts.is_empty() {
            self.parts.push_front(0);
        }
        self.parts.truncate(PARTS as usize);
        // After a day nothing is left of any load.
        for _ in 0..passed.min(17_280) {
            self.held -= self.held.div_ceil(FALL);
            if self.held == 0 {
                break;
            }
        }
    }
}

/// What a store of which `used` of `room` bytes are taken asks.
pub(super) fn of_fill(used: u64, room: u64) -> Multiple {
    let twentieths = used.saturating_mul(20) / room.max(1);
    let above = u32::try_from(twentieths.saturating_sub(10)).unwrap_or(u32::MAX);
    Multiple::from_thousandths(1_000 << above.min(20))
}

/// What a tag under which `held` of `most` lie asks.
pub(super) fn of_tag(held: u32, most: u32) -> Multiple {
    let eighths = u64::from(held) * 8 / u64::from(most.max(1));
    Multiple::from_thousandths(1_000 << eighths.min(20))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_idle_relay_asks_the_base_and_a_busy_one_in_proportion() {
        let base = base_difficulty(Network::Live);
        let mut load = Load::default();
        let limits = Limits::BRIDGE;
        assert_eq!(load.multiple(UnixMillis(0)).over(base), base);
        for second in 0..60 {
            for _ in 0..10 {
                load.arrived(UnixMillis(second * 1_000), &limits);
            }
        }
        let asked = load.multiple(UnixMillis(60_000)).thousandths();
        assert!((8_000..=10_000).contains(&asked), "{asked}");
    }

    #[test]
    fn the_price_falls_by_half_in_ten_minutes_and_not_at_once() {
        let mut load = Load::default();
        for _ in 0..6_000 {
            load.arrived(UnixMillis(0), &Limits::BRIDGE);
        }
        assert_eq!(load.multiple(UnixMillis(0)).thousandths(), 100_000);
        let later = load.multiple(UnixMillis(600_000)).thousandths();
        assert!((45_000..=55_000).contains(&later), "{later}");
        assert_eq!(load.multiple(UnixMillis(86_400_000)), Multiple::ONE);
    }

    #[test]
    fn the_last_place_under_a_tag_costs_128_times_the_first() {
        assert_eq!(of_tag(0, 1_000), Multiple::ONE);
        assert_eq!(of_tag(999, 1_000).thousandths(), 128_000);
        assert_eq!(of_fill(50, 100), Multiple::ONE);
        assert_eq!(of_fill(100, 100).thousandths(), 1_024_000);
    }

    proptest! {
        #[test]
        fn a_higher_multiple_is_never_easier(base: u64, a in 1_000_u64.., b in 1_000_u64..) {
            let base = Difficulty::new(base);
            let (a, b) = (Multiple::from_thousandths(a), Multiple::from_thousandths(b));
            prop_assert_eq!(a.min(b).over(base).min(a.max(b).over(base)), a.min(b).over(base));
            prop_assert_eq!(Multiple::ONE.over(base), base);
        }
    }
}
