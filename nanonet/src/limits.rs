//! What a peer may ask of us, and what happens to one that asks too much or answers falsely.
//!
//! - Every message costs tokens ([`TokenBucket`]); a link refills [`REFILL_PER_S`] a second up to
//!   [`CAPACITY`]. Without tokens a request is answered `busy`; a peer that goes on until it owes
//!   [`DEBT`] more is dropped for flooding.
//! - A question that is passed on and finds nothing costs its link what it was passed on besides
//!   ([`Wasted`]), so that nobody gets work out of all by asking for what does not exist: beyond
//!   [`WASTE_PER_S`] passes a second questions of that link are answered `busy`. That alone never drops
//!   it: who hands a question on is not to blame for it.
//! - Every record or answer that does not verify is a fault ([`Faults`]); a fault is forgiven
//!   after [`FORGIVE_MS`], the third unforgiven one drops the peer.
//! - A dropped peer at fault is banned ([`Bans`]) by its key, so under every id that a nonce gives it,
//!   for [`BAN_MS`] the first time and longer each time ([`crate::reputation`]). A new key costs the
//!   work of a new id ([`crate::join`]), so a ban slows a liar down and does not stop it. The ban that
//!   ends first goes when [`MAX_BANS`] are held.

use nano_core::UnixMillis;

use crate::NodeKey;
use crate::sorted::SortedMap;

/// Most tokens a link saves up.
pub(crate) const CAPACITY: u32 = 600;
/// Tokens a link gains per second.
pub(crate) const REFILL_PER_S: u32 = 300;
/// How many tokens a peer may owe before it is dropped.
pub(crate) const DEBT: u32 = 600;
/// Unforgiven faults that drop a peer.
pub(crate) const MAX_FAULTS: u32 = 3;
/// How long one fault counts: five minutes.
pub(crate) const FORGIVE_MS: u64 = 300_000;
/// How long a first ban lasts: ten minutes.
pub(crate) const BAN_MS: u64 = 600_000;
/// Most bans held.
pub(crate) const MAX_BANS: usize = 256;

/// Times a second that questions of one link may be passed on for nothing.
const WASTE_PER_S: i64 = 20;
/// How many such times are saved up.
const WASTE_SAVED: i64 = 640;
/// Most such times that are owed: a minute's.
const WASTE_OWED: i64 = 60 * WASTE_PER_S;

/// What a peer may still ask.
#[derive(Debug)]
pub(crate) struct TokenBucket {
    /// Thousandths of a token, so that every millisecond counts; may be negative (debt).
    milli: i64,
    at: UnixMillis,
}

/// Whether a message is to be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spend {
    /// Serve it.
    Served,
    /// No tokens left: refuse it with `busy`.
    Busy,
    /// Deep in debt: drop the peer.
    Flood,
}

impl TokenBucket {
    /// A full bucket.
    pub(crate) fn new(now: UnixMillis) -> Self {
        Self {
            milli: i64::from(CAPACITY) * 1000,
            at: now,
        }
    }

    /// Takes `cost` tokens.
    pub(crate) fn spend(&mut self, now: UnixMillis, cost: u32) -> Spend {
        let passed = now.0.saturating_sub(self.at.0).min(60_000);
        self.at = self.at.max(now);
        let gained = i64::try_from(passed).unwrap_or(0) * i64::from(REFILL_PER_S);
        self.milli = (self.milli + gained).min(i64::from(CAPACITY) * 1000);
        let had = self.milli;
        self.milli -= i64::from(cost) * 1000;
        if self.milli < -i64::from(DEBT) * 1000 {
            Spend::Flood
        } else if had <= 0 {
            Spend::Busy
        } else {
            Spend::Served
        }
    }
}

/// How often questions of a link were passed on for nothing.
#[derive(Debug, Default)]
pub(crate) struct Wasted {
    /// Thousandths of times beyond what is allowed; negative as long as some are saved.
    milli: i64,
    at: UnixMillis,
}

impl Wasted {
    /// A question was passed on `times` times and found nothing.
    pub(crate) fn add(&mut self, now: UnixMillis, times: u8) {
        self.settle(now);
        self.milli = (self.milli + i64::from(times) * 1000).min(WASTE_OWED * 1000);
    }

    /// Whether more was wasted than is allowed.
    pub(crate) fn is_too_much(&mut self, now: UnixMillis) -> bool {
        self.settle(now);
        self.milli > 0
    }

    fn settle(&mut self, now: UnixMillis) {
        let passed = i64::try_from(now.since(self.at).min(60_000)).unwrap_or(0);
        self.at = self.at.max(now);
        self.milli = (self.milli - passed * WASTE_PER_S).max(-WASTE_SAVED * 1000);
    }
}

/// Recent faults of a peer.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    count: u32,
    since: UnixMillis,
}

impl Faults {
    /// Counts one; true when it was one too many.
    pub(crate) fn add(&mut self, now: UnixMillis) -> bool {
        let forgiven = now.0.saturating_sub(self.since.0) / FORGIVE_MS;
        self.count = self
            .count
            .saturating_sub(u32::try_from(forgiven).unwrap_or(u32::MAX));
        if forgiven > 0 || self.count == 0 {
            self.since = now;
        }
        self.count += 1;
        self.count >= MAX_FAULTS
    }
}

/// Who is kept away, until when.
#[derive(Debug, Default)]
pub(crate) struct Bans {
    until: SortedMap<NodeKey, UnixMillis>,
}

impl Bans {
    /// Bans `peer` from `now` on for `length` milliseconds.
    pub(crate) fn add(&mut self, peer: NodeKey, now: UnixMillis, length: u64) {
        self.until.retain(|_, until| *until > now);
        if self.until.len() >= MAX_BANS {
            let oldest = self.until.iter().min_by_key(|(_, until)| **until);
            if let Some(oldest) = oldest.map(|(peer, _)| *peer) {
                self.until.remove(&oldest);
            }
        }
        self.until.insert(peer, now.plus(length));
    }

    /// How many are held.
    #[cfg(any(test, feature = "adversary"))]
    pub(crate) const fn len(&self) -> usize {
        self.until.len()
    }

    /// Whether `peer` is banned at `now`.
    pub(crate) fn holds(&self, peer: &NodeKey, now: UnixMillis) -> bool {
        self.until.get(peer).is_some_and(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_served_then_busy_then_a_flood() {
        let mut bucket = TokenBucket::new(UnixMillis(0));
        let spent: Vec<Spend> = (0..=CAPACITY + DEBT)
            .map(|_| bucket.spend(UnixMillis(0), 1))
            .collect();
        assert_eq!(spent[0], Spend::Served);
        assert_eq!(spent[CAPACITY as usize - 1], Spend::Served);
        assert_eq!(spent[CAPACITY as usize], Spend::Busy);
        assert_eq!(spent.last(), Some(&Spend::Flood));
    }

    #[test]
    fn whoever_asks_for_nothing_again_and_again_has_to_wait() {
        let mut wasted = Wasted::default();
        let mut served = 0;
        for second in 1..=60 {
            for _ in 0..50 {
                let now = UnixMillis(second * 1000);
                if !wasted.is_too_much(now) {
                    served += 1;
                    wasted.add(now, 32);
                }
            }
        }
        // What was saved, and two in three seconds.
        assert!((30..=60).contains(&served), "{served}");
        assert!(!wasted.is_too_much(UnixMillis(10_000_000)));
    }

    #[test]
    fn a_patient_peer_is_always_served() {
        let mut bucket = TokenBucket::new(UnixMillis(0));
        for second in 0..1000 {
            let spend = bucket.spend(UnixMillis(second * 1000), REFILL_PER_S);
            assert_eq!(spend, Spend::Served);
        }
    }

    #[test]
    fn a_clock_that_steps_back_gives_nothing_away() {
        let mut bucket = TokenBucket::new(UnixMillis(1_000_000));
        for _ in 0..CAPACITY {
            bucket.spend(UnixMillis(1_000_000), 1);
        }
        bucket.spend(UnixMillis(0), 1);
        assert_eq!(bucket.spend(UnixMillis(1_000_000), 1), Spend::Busy);
    }

    #[test]
    fn the_third_fault_within_five_minutes_is_one_too_many() {
        let mut faults = Faults::default();
        assert!(!faults.add(UnixMillis(1_000_000)));
        assert!(!faults.add(UnixMillis(1_000_001)));
        assert!(faults.add(UnixMillis(1_000_002)));
        let mut slow = Faults::default();
        for n in 1..20 {
            assert!(
                !slow.add(UnixMillis(n * FORGIVE_MS)),
                "one fault per five minutes is forgiven"
            );
        }
    }

    #[test]
    fn a_ban_ends_and_the_one_that_ends_first_gives_way() {
        let mut bans = Bans::default();
        let peer = |n: u16| {
            let mut bytes = [0; 32];
            bytes[..2].copy_from_slice(&n.to_be_bytes());
            NodeKey::from_bytes(bytes)
        };
        bans.add(peer(0), UnixMillis(0), BAN_MS);
        assert!(bans.holds(&peer(0), UnixMillis(BAN_MS - 1)));
        assert!(!bans.holds(&peer(0), UnixMillis(BAN_MS)));
        for n in 1..=u16::try_from(MAX_BANS).unwrap() {
            bans.add(peer(n), UnixMillis(u64::from(n)), BAN_MS);
        }
        assert!(!bans.holds(&peer(0), UnixMillis(300)));
        assert!(bans.holds(&peer(1), UnixMillis(300)));
    }
}
