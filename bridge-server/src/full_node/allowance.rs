//! How much a full node may send: token buckets that no full node of default settings empties.

use nano_core::UnixMillis;

use super::ChannelError;

/// Bytes per second of everything: the whole upload of a full node with default settings.
const BYTES: Rate = Rate {
    per_second: 10 << 20,
    burst: 30 << 20,
};
/// Messages per second that were not asked for and are of no use: keepalives beyond the cadence,
/// requests to a peer without a ledger, answers to nothing, handshakes on an open channel, votes
/// told again, forged votes and blocks. A full node sends a few each second, and bursts of questions while it catches up.
const UNASKED: Rate = Rate {
    per_second: 64,
    burst: 1_024,
};

#[derive(Clone, Copy, Debug)]
struct Rate {
    per_second: u64,
    burst: u64,
}

/// One bucket, in thousandths.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    rate: Rate,
    left: u64,
    at: UnixMillis,
}

impl Bucket {
    const fn full(rate: Rate, now: UnixMillis) -> Self {
        Self {
            rate,
            left: rate.burst * 1_000,
            at: now,
        }
    }

    fn take(&mut self, now: UnixMillis, amount: u64) -> bool {
        let grown = now.since(self.at).saturating_mul(self.rate.per_second);
        self.left = self.left.saturating_add(grown).min(self.rate.burst * 1_000);
        self.at = now;
        match self.left.checked_sub(amount.saturating_mul(1_000)) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }
}

/// What one channel may still send.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    bytes: Bucket,
    unasked: Bucket,
}

impl Allowance {
    /// A full one.
    pub(super) const fn new(now: UnixMillis) -> Self {
        Self {
            bytes: Bucket::full(BYTES, now),
            unasked: Bucket::full(UNASKED, now),
        }
    }

    /// Charges a message of `bytes`, and `unasked` messages, it or earlier ones, as of no use.
    ///
    /// # Errors
    /// [`ChannelError::Flood`] when more bytes came than are allowed, [`ChannelError::Unasked`]
    /// when more messages did that are of no use.
    pub(super) fn charge(
        &mut self,
        now: UnixMillis,
        bytes: usize,
        unasked: u64,
    ) -> Result<(), ChannelError> {
        if !self.bytes.take(now, bytes as u64) {
            return Err(ChannelError::Flood);
        }
        if !self.unasked.take(now, unasked) {
            return Err(ChannelError::Unasked);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_full_node_sends_at_most_passes_for_hours() {
        let mut allowance = Allowance::new(UnixMillis(0));
        for second in 0..3_600 {
            for _ in 0..64 {
                let now = UnixMillis(second * 1_000);
                allowance.charge(now, (10 << 20) / 64, 1).unwrap();
            }
        }
    }

    #[test]
    fn twice_as_much_ends_soon_and_a_burst_is_forgiven_with_time() {
        let mut allowance = Allowance::new(UnixMillis(0));
        let mut sent = 0;
        while allowance.charge(UnixMillis(0), 100, 1).is_ok() {
            sent += 1;
        }
        assert_eq!(sent, UNASKED.burst);
        assert!(allowance.charge(UnixMillis(1_000), 100, 1).is_ok());
        let mut bytes = 0_u64;
        while allowance.charge(UnixMillis(1_000), 1 << 16, 0).is_ok() {
            bytes += 1 << 16;
        }
        assert!(bytes <= BYTES.burst && bytes > BYTES.burst / 2, "{bytes}");
    }
}
