//! When a keepalive is worth a message, looked at once each [`super::Timing::keepalive`].
//!
//! Any message shows that we live, so full nodes send a keepalive only where nothing else went out
//! since the last look, and so do we. It also names endpoints, which shall go round: of
//! [`AT_LEAST`] looks one is used in any case.

/// Of so many looks at least one is used.
const AT_LEAST: u32 = 4;

/// One channel's.
#[derive(Debug, Default)]
pub(super) struct Cadence {
    has_written: bool,
    left_out: u32,
}

impl Cadence {
    /// Notes that something else was written.
    pub(super) const fn wrote(&mut self) {
        self.has_written = true;
    }

    /// One look: whether a keepalive goes out now.
    pub(super) const fn is_due(&mut self) -> bool {
        let is_due = !self.has_written || self.left_out + 1 >= AT_LEAST;
        self.has_written = false;
        self.left_out = if is_due { 0 } else { self.left_out + 1 };
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quiet_channel_gets_one_at_each_look() {
        let mut cadence = Cadence::default();
        assert!((0..10).all(|_| cadence.is_due()));
    }

    #[test]
    fn a_busy_channel_gets_one_in_four_and_a_quiet_moment_one_at_once() {
        let mut cadence = Cadence::default();
        let busy = |cadence: &mut Cadence| {
            cadence.wrote();
            cadence.is_due()
        };
        let looks: Vec<bool> = (0..8).map(|_| busy(&mut cadence)).collect();
        assert_eq!(
            looks,
            [false, false, false, true, false, false, false, true]
        );
        assert!(!busy(&mut cadence));
        assert!(cadence.is_due(), "nothing else went out");
    }
}
