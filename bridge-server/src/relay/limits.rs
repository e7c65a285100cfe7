//! How much one sender may bring out.
//!
//! A sender is an account: every block is signed by one, and nothing else about where it came from
//! can be relied on. Each has a bucket of [`BURST`] blocks that refills by one per [`REFILL_MS`].
//! When it is empty, work pays: the first block beyond it needs twice the network's work, the next
//! four times, and so on, up to 2^[`MAX_DOUBLINGS`]; less is refused as busy. What the network
//! needs is known only when the block before it is (a send needs 64 times as much as a receive), so
//! a block is let in by what it needs at least, and [`pays`] looks again when that is known.
//!
//! Memory: [`SENDERS`] buckets, forgotten [`KEEP_MS`] after they were begun (a full bucket by
//! then), the oldest first when there are more. Making accounts to get around it costs a block with
//! work for each of them.

use nano_core::{Account, Difficulty, UnixMillis};

use crate::recent::Recent;

/// Blocks a sender may bring at once.
pub(super) const BURST: i64 = 32;
/// Milliseconds until one more is allowed.
pub(super) const REFILL_MS: u64 = 1_000;
/// How often the work may have to be doubled before no work is enough.
pub(super) const MAX_DOUBLINGS: u32 = 8;
/// Senders remembered.
const SENDERS: usize = 4_096;
/// How long, milliseconds: long enough to refill from the deepest debt.
const KEEP_MS: u64 = 10 * 60 * 1000;

/// The buckets.
#[derive(Debug)]
pub(super) struct Senders {
    buckets: Recent<Account, Bucket>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// Blocks left; negative when work was paid for more.
    left: i64,
    /// Refilled up to here.
    at: UnixMillis,
}

impl Senders {
    /// Nobody has sent anything yet.
    pub(super) const fn new() -> Self {
        Self {
            buckets: Recent::new(SENDERS, KEEP_MS),
        }
    }

    /// Takes a block of `account`, whose work reaches `reached` where `needed` is enough; gives back
    /// how often the work has to be doubled, `None` when it brings too much for its work.
    pub(super) fn admit(
        &mut self,
        account: Account,
        reached: Difficulty,
        needed: Difficulty,
        now: UnixMillis,
    ) -> Option<u32> {
        if self.buckets.get(&account, now).is_none() {
            let full = Bucket {
                left: BURST,
                at: now,
            };
            self.buckets.put(account, full, now);
        }
        let bucket = self.buckets.get_mut(&account, now)?;
        let gained = now.since(bucket.at) / REFILL_MS;
        bucket.at = bucket.at.plus(gained * REFILL_MS);
        let gained = i64::try_from(gained).unwrap_or(i64::MAX);
        bucket.left = bucket.left.saturating_add(gained).min(BURST);
        // Not negative, so that it always fits.
        let doublings = u32::try_from((1 - bucket.left).max(0)).unwrap_or(u32::MAX);
        if doublings > MAX_DOUBLINGS || !pays(reached, needed, doublings) {
            return None;
        }
        bucket.left -= 1;
        Some(doublings)
    }
}

/// Whether work that reaches `reached` is so many (at most [`MAX_DOUBLINGS`]) times double of
/// `needed`.
pub(super) const fn pays(reached: Difficulty, needed: Difficulty, doublings: u32) -> bool {
    multiple(reached, needed) >= 1 << doublings
}

/// How many times the needed work was done, rounded down: work is measured by how rare it is.
const fn multiple(reached: Difficulty, needed: Difficulty) -> u128 {
    let all = 1_u128 << 64;
    (all - needed.number() as u128) / (all - reached.number() as u128)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEEDED: Difficulty = Difficulty::new(0xffff_fff8_0000_0000);
    const NOW: UnixMillis = UnixMillis(1_000_000);

    fn account(number: u8) -> Account {
        Account::from_bytes([number; 32])
    }

    /// Work that is `times` as much as needed.
    fn work(times: u64) -> Difficulty {
        Difficulty::new(0_u64.wrapping_sub(0x8_0000_0000 / times))
    }

    fn used_up() -> Senders {
        let mut senders = Senders::new();
        for _ in 0..BURST {
            assert!(senders.admit(account(1), NEEDED, NEEDED, NOW).is_some());
        }
        senders
    }

    #[test]
    fn a_burst_is_let_through_then_one_a_second() {
        let mut senders = used_up();
        assert_eq!(senders.admit(account(1), NEEDED, NEEDED, NOW), None);
        assert!(
            senders
                .admit(account(1), NEEDED, NEEDED, NOW.plus(REFILL_MS - 1))
                .is_none()
        );
        assert!(
            senders
                .admit(account(1), NEEDED, NEEDED, NOW.plus(REFILL_MS))
                .is_some()
        );
        assert!(
            senders
                .admit(account(1), NEEDED, NEEDED, NOW.plus(REFILL_MS))
                .is_none()
        );
    }

    #[test]
    fn one_sender_does_not_use_up_anothers() {
        let mut senders = used_up();
        assert!(senders.admit(account(2), NEEDED, NEEDED, NOW).is_some());
    }

    #[test]
    fn beyond_the_burst_each_block_costs_twice_the_work_of_the_one_before() {
        let mut senders = used_up();
        for doubling in 1..=MAX_DOUBLINGS {
            let enough = 1 << doubling;
            assert!(
                senders
                    .admit(account(1), work(enough / 2), NEEDED, NOW)
                    .is_none()
            );
            assert!(
                senders
                    .admit(account(1), work(enough), NEEDED, NOW)
                    .is_some()
            );
        }
        assert!(
            senders
                .admit(account(1), work(1 << 20), NEEDED, NOW)
                .is_none()
        );
    }

    #[test]
    fn a_pause_never_saves_up_more_than_a_burst() {
        let mut senders = used_up();
        let later = NOW.plus(KEEP_MS - 1);
        for _ in 0..BURST {
            assert!(senders.admit(account(1), NEEDED, NEEDED, later).is_some());
        }
        assert!(senders.admit(account(1), NEEDED, NEEDED, later).is_none());
    }
}
