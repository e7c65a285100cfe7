//! How much bulk may lie at the transport, from how fast the transport takes bytes.
//!
//! What the transport holds already, nothing more urgent overtakes. So bulk gets no more of it than
//! drains in a quarter of the round trip: a question waits for that much on its way and its
//! answer for that much on the way back, which together is half of what the way takes anyway.
//!
//! Rules:
//! - the rate is measured while there is always something to send, over [`SAMPLE_MS`] or more;
//!   before the first measurement bulk has the least share, [`MIN_BULK_SHARE`];
//! - the round trip is the shortest seen, so that a queue does not justify itself;
//! - a transport that ran dry was held back by the share, which doubles then.

use nano_core::UnixMillis;

use super::class::{Class, MIN_BULK_SHARE};

/// Least time a rate is measured over.
const SAMPLE_MS: u64 = 10;
/// Round trip assumed before the first is known, milliseconds.
const FIRST_TRIP_MS: u32 = 20;
/// Least draining time: shells tell what was written in steps of some milliseconds.
const LEAST_DRAIN_MS: u64 = 3;

pub(super) struct Pace {
    /// Since when bytes are counted; `None` while there is nothing to send.
    since: Option<UnixMillis>,
    /// Bytes taken since then.
    taken: u32,
    /// Whether the transport held nothing in between.
    dry: bool,
    /// Bytes of bulk that may lie at the transport.
    share: u32,
}

impl Pace {
    pub(super) const fn new() -> Self {
        Self {
            since: None,
            taken: 0,
            dry: false,
            share: MIN_BULK_SHARE,
        }
    }

    /// There is nothing to send, so what comes next says nothing about the transport.
    pub(super) const fn idle(&mut self) {
        self.since = None;
    }

    /// The transport has taken `bytes` and holds `left`; gives the new share of bulk, if it is
    /// time for one.
    pub(super) fn taken(
        &mut self,
        now: UnixMillis,
        bytes: u32,
        left: u32,
        nearest_ms: Option<u32>,
    ) -> Option<u32> {
        let Some(since) = self.since else {
            self.start(now);
            return None;
        };
        self.taken = self.taken.saturating_add(bytes);
        self.dry |= left == 0;
        let passed = now.since(since);
        if passed < SAMPLE_MS {
            return None;
        }
        let trip = u64::from(nearest_ms.unwrap_or(FIRST_TRIP_MS));
        // Twice as much if more would have drained.
        let drain = (trip / 4).max(LEAST_DRAIN_MS) << u32::from(self.dry);
        let drained = u64::from(self.taken) * drain / passed;
        let share = u32::try_from(drained).unwrap_or(u32::MAX);
        self.share = share.clamp(MIN_BULK_SHARE, Class::Bulk.transport_share());
        self.start(now);
        Some(self.share)
    }

    /// The share in force.
    pub(super) const fn share(&self) -> u32 {
        self.share
    }

    const fn start(&mut self, now: UnixMillis) {
        self.since = Some(now);
        self.taken = 0;
        self.dry = false;
    }
}
