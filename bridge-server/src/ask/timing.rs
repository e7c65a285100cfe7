//! How fast and how truthful each channel was lately: whom to ask, and when to ask a second one.
//!
//! For each channel the last [`SAMPLES`] answer times and a count of faults that halves with every
//! good answer. A question that takes longer than nearly all before it on this channel (19 of 20)
//! is asked of a second one as well; at most one question in [`PER_HEDGE`] is, so that full nodes
//! which are all slow at once are not asked everything twice.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::full_node::ChannelId;

/// Answer times remembered of a channel.
const SAMPLES: usize = 64;
/// Fewer answer times than this tell nothing about the rare slow ones.
const ENOUGH: usize = 8;
/// When a second one is asked as long as nothing is known.
const FIRST_HEDGE: Duration = Duration::from_millis(400);
/// The earliest and the latest moment to ask a second one.
const HEDGES: (Duration, Duration) = (Duration::from_millis(25), Duration::from_millis(1_000));
/// Questions that earn one hedge.
const PER_HEDGE: u32 = 20;
/// Hedges that can be saved up.
const MAX_HEDGES: u32 = 8;
/// What is assumed of a channel that has not answered yet.
const GUESS: Duration = Duration::from_millis(100);
/// A fault weighs as if the channel were this many times slower.
const FAULT_FACTOR: u64 = 4;
/// More faults than this do not make it worse.
const MAX_FAULTS: u64 = 64;

/// What is known of all channels.
#[derive(Debug)]
pub(super) struct Timings {
    channels: BTreeMap<ChannelId, Timing>,
    /// In parts of [`PER_HEDGE`].
    saved: u32,
}

#[derive(Debug, Default)]
struct Timing {
    /// The newest at `next - 1`.
    micros: Vec<u64>,
    next: usize,
    faults: u64,
}

impl Default for Timings {
    fn default() -> Self {
        Self {
            channels: BTreeMap::new(),
            saved: MAX_HEDGES * PER_HEDGE,
        }
    }
}

impl Timings {
    /// Notes a good answer.
    pub(super) fn answered(&mut self, channel: ChannelId, after: Duration) {
        let timing = self.channels.entry(channel).or_default();
        let micros = u64::try_from(after.as_micros()).unwrap_or(u64::MAX);
        if timing.micros.len() < SAMPLES {
            timing.micros.push(micros);
        } else if let Some(oldest) = timing.micros.get_mut(timing.next % SAMPLES) {
            *oldest = micros;
        }
        timing.next = timing.next.wrapping_add(1);
        timing.faults /= 2;
    }

    /// Notes silence, or an answer that was wrong.
    pub(super) fn failed(&mut self, channel: ChannelId) {
        let timing = self.channels.entry(channel).or_default();
        timing.faults = (timing.faults + 1).min(MAX_FAULTS);
    }

    /// Forgets channels that are gone.
    pub(super) fn keep_only(&mut self, open: &[ChannelId]) {
        // Numbers are never used again, so this is only about memory.
        if self.channels.len() > 2 * open.len() + SAMPLES {
            self.channels.retain(|channel, _| open.contains(channel));
        }
    }

    /// What an answer of this channel is expected to cost, the less the better: its middle answer
    /// time, times the questions before ours, times its faults.
    pub(super) fn cost(&self, channel: ChannelId, in_flight: usize) -> u64 {
        let (middle, faults) = match self.channels.get(&channel) {
            Some(timing) => (timing.part(1, 2), timing.faults),
            None => (None, 0),
        };
        let middle = middle.unwrap_or(GUESS);
        let micros = u64::try_from(middle.as_micros()).unwrap_or(u64::MAX).max(1);
        let before = u64::try_from(in_flight).unwrap_or(u64::MAX);
        micros
            .saturating_mul(before.saturating_add(1))
            .saturating_mul(1 + faults * FAULT_FACTOR)
    }

    /// After what time a second channel is asked.
    pub(super) fn hedge_after(&self, channel: ChannelId) -> Duration {
        let slow = self
            .channels
            .get(&channel)
            .filter(|timing| timing.micros.len() >= ENOUGH)
            .and_then(|timing| timing.part(19, 20));
        slow.unwrap_or(FIRST_HEDGE).clamp(HEDGES.0, HEDGES.1)
    }

    /// Notes a question, which earns a part of a hedge.
    pub(super) fn asked(&mut self) {
        self.saved = (self.saved + 1).min(MAX_HEDGES * PER_HEDGE);
    }

    /// Whether one more question may be asked twice.
    pub(super) fn take_hedge(&mut self) -> bool {
        let left = self.saved.checked_sub(PER_HEDGE);
        self.saved = left.unwrap_or(self.saved);
        left.is_some()
    }
}

impl Timing {
    /// The answer time that `numerator` of `denominator` answers did not exceed.
    fn part(&self, numerator: usize, denominator: usize) -> Option<Duration> {
        let mut sorted = self.micros.clone();
        sorted.sort_unstable();
        let place = (sorted.len() * numerator / denominator).min(sorted.len().checked_sub(1)?);
        sorted
            .get(place)
            .map(|micros| Duration::from_micros(*micros))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: ChannelId = ChannelId(1);
    const OTHER: ChannelId = ChannelId(2);

    #[test]
    fn a_second_one_is_asked_after_nearly_all_earlier_answers_had_come() {
        let mut timings = Timings::default();
        assert_eq!(timings.hedge_after(ONE), FIRST_HEDGE);
        for millis in 1..=40 {
            timings.answered(ONE, Duration::from_millis(2 * millis));
        }
        let after = timings.hedge_after(ONE);
        assert!((76..=80).contains(&after.as_millis()), "{after:?}");
    }

    #[test]
    fn old_answer_times_are_forgotten() {
        let mut timings = Timings::default();
        for _ in 0..SAMPLES {
            timings.answered(ONE, Duration::from_millis(900));
        }
        for _ in 0..SAMPLES {
            timings.answered(ONE, Duration::from_millis(50));
        }
        assert_eq!(timings.hedge_after(ONE), Duration::from_millis(50));
    }

    #[test]
    fn one_question_in_twenty_may_be_asked_twice() {
        let mut timings = Timings::default();
        while timings.take_hedge() {}
        for _ in 1..PER_HEDGE {
            timings.asked();
            assert!(!timings.take_hedge());
        }
        timings.asked();
        assert!(timings.take_hedge());
    }

    #[test]
    fn the_slow_the_busy_and_the_wrong_are_asked_last() {
        let mut timings = Timings::default();
        timings.answered(ONE, Duration::from_millis(10));
        timings.answered(OTHER, Duration::from_millis(20));
        assert!(timings.cost(ONE, 0) < timings.cost(OTHER, 0));
        assert!(timings.cost(ONE, 2) > timings.cost(OTHER, 0));
        timings.failed(ONE);
        assert!(timings.cost(ONE, 0) > timings.cost(OTHER, 0));
        // Good answers make up for it.
        timings.answered(ONE, Duration::from_millis(10));
        assert!(timings.cost(ONE, 0) < timings.cost(OTHER, 0));
    }
}
