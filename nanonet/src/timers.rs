//! When the node wants to be woken, and for what.
//!
//! Each purpose has at most one time; setting it again moves it. Memory is one entry per purpose,
//! and purposes belong to things that are bounded elsewhere (links, requests, sessions).

use nano_core::{BlockHash, UnixMillis};

use crate::sorted::{SortedMap, SortedSet};
use crate::{LinkId, ResolveId, SessionId};

/// What is to be done at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// The link's own state machine wants to run.
    Link(LinkId),
    /// A request on its way waits too long at the next hop, or its reverse path expires.
    Passing(u64),
    /// The next step of a question of our own.
    Question(u64),
    /// Signaling: send gathered candidates or give the session up.
    Session(SessionId),
    /// Look after links: neighbours to be told, places to be filled.
    Membership,
    /// Look after replicas.
    Replication,
    /// Send a pending block again.
    Publish(BlockHash),
    /// Bridge: the full nodes did not answer in time.
    Resolve(ResolveId),
    /// Look at our join work.
    Join,
    /// Announce, pull or serve news.
    Gossip,
    /// Say that the status changed.
    Status,
}

/// The table of times.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    times: SortedMap<Timer, UnixMillis>,
    order: SortedSet<(UnixMillis, Timer)>,
}

impl Timers {
    /// Sets or moves the time of `timer`.
    pub(crate) fn set(&mut self, timer: Timer, at: UnixMillis) {
        match self.times.insert(timer, at) {
            Some(before) if before == at => return,
            Some(before) => {
                self.order.remove(&(before, timer));
            }
            None => {}
        }
        self.order.insert((at, timer));
    }

    /// Sets `timer` unless it is already due at `at` or before.
    pub(crate) fn set_by(&mut self, timer: Timer, at: UnixMillis) {
        if self.times.get(&timer).is_none_or(|before| *before > at) {
            self.set(timer, at);
        }
    }

    /// Forgets `timer`.
    pub(crate) fn clear(&mut self, timer: Timer) {
        if let Some(before) = self.times.remove(&timer) {
            self.order.remove(&(before, timer));
        }
    }

    /// The earliest time.
    pub(crate) fn next(&self) -> Option<UnixMillis> {
        self.order.first().map(|(at, _)| *at)
    }

    /// Takes out the earliest timer that is due at `now`.
    pub(crate) fn take_due(&mut self, now: UnixMillis) -> Option<Timer> {
        let (at, timer) = *self.order.first()?;
        if at > now {
            return None;
        }
        self.clear(timer);
        Some(timer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_fire_in_order_once_and_not_early() {
        let mut timers = Timers::default();
        timers.set(Timer::Membership, UnixMillis(20));
        timers.set(Timer::Status, UnixMillis(10));
        timers.set(Timer::Status, UnixMillis(30));
        timers.set_by(Timer::Membership, UnixMillis(25));
        assert_eq!(timers.next(), Some(UnixMillis(20)));
        assert_eq!(timers.take_due(UnixMillis(19)), None);
        assert_eq!(timers.take_due(UnixMillis(40)), Some(Timer::Membership));
        assert_eq!(timers.take_due(UnixMillis(40)), Some(Timer::Status));
        assert_eq!(timers.take_due(UnixMillis(40)), None);
    }

    #[test]
    fn a_cleared_timer_does_not_fire() {
        let mut timers = Timers::default();
        timers.set(Timer::Status, UnixMillis(10));
        timers.clear(Timer::Status);
        assert_eq!(timers.next(), None);
        assert_eq!(timers.take_due(UnixMillis(99)), None);
    }
}
