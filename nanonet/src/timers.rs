//! When the node wants to be woken, and for what.
//!
//! Each purpose has at most one time; setting it again moves it. Memory is one entry per purpose,
//! and purposes belong to things that are bounded elsewhere (links, requests, sessions).

use nano_core::{BlockHash, UnixMillis};

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
    /// A bridge's put: start another path.
    Put(u64),
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
    /// Look after private messages, look-ups of keys and our record.
    Post,
    /// Say that the status changed.
    Status,
}

/// The table of times.
///
/// Timers of links are moved with every message, so the times lie in one piece of memory, and which is
/// the earliest is looked for only when the earliest was moved.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    /// In the order of the timers.
    times: Vec<(Timer, UnixMillis)>,
    first: Option<(UnixMillis, Timer)>,
}

impl Timers {
    fn find(&self, timer: &Timer) -> Result<usize, usize> {
        self.times.binary_search_by(|(other, _)| other.cmp(timer))
    }

    fn look_for_first(&mut self) {
        let times = self.times.iter().map(|(timer, at)| (*at, *timer));
        self.first = times.min();
    }

    /// Sets or moves the time of `timer`.
    pub(crate) fn set(&mut self, timer: Timer, at: UnixMillis) {
        match self.find(&timer) {
            Ok(place) => self.times[place].1 = at,
            Err(place) => self.times.insert(place, (timer, at)),
        }
        match self.first {
            Some(first) if (at, timer) <= first => self.first = Some((at, timer)),
            Some((_, first)) if first == timer => self.look_for_first(),
            Some(_) => {}
            None => self.first = Some((at, timer)),
        }
    }

    /// Sets `timer` unless it is already due at `at` or before.
    pub(crate) fn set_by(&mut self, timer: Timer, at: UnixMillis) {
        let set = self.find(&timer).map(|place| self.times[place].1);
        if set.is_ok_and(|before| before <= at) {
            return;
        }
        self.set(timer, at);
    }

    /// Forgets `timer`.
    pub(crate) fn clear(&mut self, timer: Timer) {
        if let Ok(place) = self.find(&timer) {
            self.times.remove(place);
            if self.first.is_some_and(|(_, first)| first == timer) {
                self.look_for_first();
            }
        }
    }

    /// The earliest time.
    pub(crate) fn next(&self) -> Option<UnixMillis> {
        self.first.map(|(at, _)| at)
    }

    /// Takes out the earliest timer that is due at `now`.
    pub(crate) fn take_due(&mut self, now: UnixMillis) -> Option<Timer> {
        let (at, timer) = self.first?;
        if at > now {
            return None;
        }
        self.clear(timer);
        Some(timer)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

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

    proptest! {
        #[test]
        fn the_earliest_is_next_whatever_was_set_moved_and_cleared(
            steps in prop::collection::vec((0_u64..8, prop::option::of(0_u64..100)), 0..60),
        ) {
            let (mut timers, mut model) = (Timers::default(), BTreeMap::new());
            for (number, at) in steps {
                let timer = Timer::Passing(number);
                if let Some(at) = at {
                    timers.set(timer, UnixMillis(at));
                    model.insert(number, at);
                } else {
                    timers.clear(timer);
                    model.remove(&number);
                }
                let earliest = model.values().min();
                prop_assert_eq!(timers.next(), earliest.map(|at| UnixMillis(*at)));
            }
        }
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
