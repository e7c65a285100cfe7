//! How many different nodes asked for an account lately, in 24 bytes.
//!
//! Two maps of 64 bits, one for the current day and one for the day before; an asker sets the bit
//! that its id picks. The count is the number of bits set in either: exact for a few askers,
//! saturating at 64. It decides only what is evicted first, so a rough number is enough, and
//! whoever forges many ids to keep a record alive gains at most the factor 64.

use nano_core::UnixMillis;

use crate::NodeId;

/// Milliseconds of one counting period.
const DAY: u64 = 24 * 60 * 60 * 1000;

/// The counting period that `now` lies in.
pub(crate) const fn day(now: UnixMillis) -> u64 {
    now.number() / DAY
}

/// Distinct askers of the current and the last day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Askers {
    day: u64,
    today: u64,
    yesterday: u64,
}

impl Askers {
    /// Counts `asker` at `now`. Returns whether the count changed.
    pub(crate) fn note(&mut self, now: UnixMillis, asker: &NodeId) -> bool {
        let before = self.count();
        self.turn(now);
        let bits: u8 = asker
            .as_bytes()
            .iter()
            .fold(0, |bits, byte| bits.wrapping_add(*byte));
        self.today |= 1 << (bits % 64);
        self.count() != before
    }

    /// Lets the day pass. Returns whether the count changed.
    pub(crate) fn turn(&mut self, now: UnixMillis) -> bool {
        let day = day(now);
        if day <= self.day {
            return false;
        }
        let before = self.count();
        self.yesterday = if day == self.day + 1 { self.today } else { 0 };
        self.today = 0;
        self.day = day;
        self.count() != before
    }

    /// Distinct askers, 0 to 64.
    pub(crate) const fn count(&self) -> u32 {
        (self.today | self.yesterday).count_ones()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(id: u8) -> NodeId {
        let mut bytes = [0; 32];
        bytes[5] = id;
        NodeId::from_bytes(bytes)
    }

    #[test]
    fn one_asker_counts_once_however_often_it_asks() {
        let mut askers = Askers::default();
        assert!(askers.note(UnixMillis(5), &node(1)));
        assert!(!askers.note(UnixMillis(6), &node(1)));
        assert!(askers.note(UnixMillis(7), &node(2)));
        assert_eq!(askers.count(), 2);
    }

    #[test]
    fn askers_are_forgotten_after_the_second_midnight() {
        let mut askers = Askers::default();
        askers.note(UnixMillis(DAY + 5), &node(1));
        assert!(!askers.turn(UnixMillis(2 * DAY)));
        askers.note(UnixMillis(2 * DAY), &node(2));
        assert_eq!(askers.count(), 2);
        assert!(askers.turn(UnixMillis(3 * DAY)));
        assert_eq!(askers.count(), 1);
        askers.turn(UnixMillis(9 * DAY));
        assert_eq!(askers.count(), 0);
    }

    #[test]
    fn the_count_never_exceeds_64() {
        let mut askers = Askers::default();
        for id in 0..=255 {
            askers.note(UnixMillis(DAY), &node(id));
        }
        assert_eq!(askers.count(), 64);
    }

    #[test]
    fn a_clock_that_steps_back_forgets_nothing() {
        let mut askers = Askers::default();
        askers.note(UnixMillis(3 * DAY), &node(1));
        askers.note(UnixMillis(DAY), &node(2));
        assert_eq!(askers.count(), 2);
    }
}
