//! How long the way to the peer and back takes, from whatever tells it: the handshake, pongs and
//! acknowledgements of what was sent once.

use nano_core::UnixMillis;

/// The round trip, in milliseconds.
#[derive(Debug, Clone, Copy, Default)]
pub struct RoundTrip {
    /// Smoothed, in eighths of a millisecond.
    smoothed: Option<u32>,
    /// The shortest seen.
    nearest: Option<u32>,
}

impl RoundTrip {
    /// Something sent at `sent` was answered now.
    pub fn sample(&mut self, sent: UnixMillis, now: UnixMillis) {
        let sample = u32::try_from(now.since(sent))
            .unwrap_or(u32::MAX)
            .min(u32::MAX / 16);
        self.nearest = Some(self.nearest.map_or(sample, |nearest| nearest.min(sample)));
        self.smoothed = Some(match self.smoothed {
            None => sample * 8,
            Some(smoothed) => smoothed - smoothed / 8 + sample,
        });
    }

    /// Smoothed as in RFC 6298; `None` before the first sample.
    #[must_use]
    pub fn smoothed_ms(&self) -> Option<u32> {
        self.smoothed.map(|eighths| eighths / 8)
    }

    /// The shortest seen: what the way takes when nothing waits.
    #[must_use]
    pub const fn nearest_ms(&self) -> Option<u32> {
        self.nearest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_round_trip_is_smoothed_over_samples() {
        let mut trip = RoundTrip::default();
        assert_eq!(trip.smoothed_ms(), None);
        trip.sample(UnixMillis(1_000), UnixMillis(1_080));
        assert_eq!(trip.smoothed_ms(), Some(80));
        trip.sample(UnixMillis(1_000), UnixMillis(1_160));
        assert_eq!(trip.smoothed_ms(), Some(90));
        assert_eq!(trip.nearest_ms(), Some(80));
        trip.sample(UnixMillis(0), UnixMillis(u64::MAX));
        assert!(trip.smoothed_ms() > Some(90));
    }
}
