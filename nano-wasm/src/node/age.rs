//! How far an old weight table is still to be believed.
//!
//! Weights move as people choose other representatives, so a quorum by an old table may be none
//! today. States of a table: *current*, for [`STALE_MS`] after its date; then *old*: what it proves
//! is still shown as proven, with the age said, for amounts below [`HIGH_VALUE`] only. To forge a
//! proof by an old table takes the keys of representatives who once held two thirds of the weight:
//! the bound keeps what a lie could earn far below what such keys are worth.

use nano_core::{Raw, UnixMillis};
use nanonet::weights::STALE_MS;

/// The smallest amount that an old table no longer proves: 1,000 nano, in raw.
pub(super) const HIGH_VALUE: Raw = Raw::new(1_000 * Raw::NANO.number());

/// Whether a table of this date is old at `now`. One without a date is.
pub(super) fn is_stale(weights_as_of: UnixMillis, now: UnixMillis) -> bool {
    now.since(weights_as_of) > STALE_MS
}

/// Below which amount a table of this date proves at `now`; `None` if there is no such bound.
pub(super) fn proven_below(weights_as_of: UnixMillis, now: UnixMillis) -> Option<Raw> {
    is_stale(weights_as_of, now).then_some(HIGH_VALUE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nano_core::WeightTable;

    /// 2026-01-01, months after the date of the table that is shipped.
    const NEW_YEAR: UnixMillis = UnixMillis(1_767_225_600_000);

    #[test]
    fn the_shipped_live_table_no_longer_proves_high_values() {
        let shipped = WeightTable::live_snapshot().as_of;
        assert!(is_stale(shipped, NEW_YEAR));
        assert_eq!(proven_below(shipped, NEW_YEAR), Some(HIGH_VALUE));
    }

    #[test]
    fn a_table_is_current_for_90_days_to_the_millisecond() {
        let made = UnixMillis(1_000);
        let last = made.plus(STALE_MS);
        assert_eq!(proven_below(made, last), None);
        assert_eq!(proven_below(made, last.plus(1)), Some(HIGH_VALUE));
        assert_eq!(proven_below(last, made), None, "a clock that runs behind");
    }
}
