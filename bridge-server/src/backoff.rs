//! Pauses between attempts: doubling, capped, with jitter.

use std::time::Duration;

use crate::clock;

/// The next pause is between half of the current step and all of it, at random, so that many
/// bridges that lost the same peer do not return in the same instant; then the step doubles up to
/// the cap.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    cap: Duration,
    step: Duration,
}

impl Backoff {
    /// Pauses from `first` to `cap`.
    #[must_use]
    pub const fn new(first: Duration, cap: Duration) -> Self {
        Self {
            first,
            cap,
            step: first,
        }
    }

    /// The pause to make now.
    pub fn pause(&mut self) -> Duration {
        let step = self.step;
        self.step = (step * 2).min(self.cap);
        // Without randomness the full step is as good: jitter is a courtesy.
        let share = clock::random::<2>().map_or(u16::MAX, u16::from_le_bytes);
        step / 2 + step.mul_f64(f64::from(share) / f64::from(u16::MAX) / 2.0)
    }

    /// After a success: start from the first pause again.
    pub const fn reset(&mut self) {
        self.step = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_cap_and_never_fall_below_half_a_step() {
        let first = Duration::from_millis(100);
        let mut backoff = Backoff::new(first, Duration::from_millis(800));
        for factor in [1, 2, 4, 8, 8, 8] {
            let pause = backoff.pause();
            assert!(
                pause >= first * factor / 2 && pause <= first * factor,
                "{pause:?}"
            );
        }
        backoff.reset();
        assert!(backoff.pause() <= first);
    }
}
