//! Which configured names are looked up when. No I/O: time and randomness are passed in.
//!
//! A name is looked up at start, and again while less voting weight is reachable than a quorum
//! needs, after pauses that double up to a longest one and are jittered. With a quorum nothing is
//! looked up: the pauses start anew when it is lost. An address counts as the operator's as long as
//! the last look-up that succeeded named it, or the operator gave it as such.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use nano_core::UnixMillis;
use nanonet::Rng;

use super::book::pause;

/// Addresses taken from one name.
pub(super) const ADDRESSES: usize = 32;

/// The configured names.
pub(super) struct Names {
    names: Vec<Name>,
    /// Addresses that the operator gave as such.
    fixed: Vec<SocketAddr>,
    pauses: (u64, u64),
    rng: Rng,
}

struct Name {
    name: String,
    /// When it is due; `None` while it is being looked up.
    next: Option<UnixMillis>,
    lookups: u32,
    /// What the last look-up that succeeded gave.
    addresses: BTreeSet<SocketAddr>,
}

impl Names {
    /// These names, due at once, beside these addresses; pauses from the first to the longest, in
    /// milliseconds.
    pub(super) fn new(
        names: Vec<String>,
        fixed: Vec<SocketAddr>,
        pauses: (u64, u64),
        seed: [u8; 32],
    ) -> Self {
        let fresh = |name| Name {
            name,
            next: Some(UnixMillis(0)),
            lookups: 0,
            addresses: BTreeSet::new(),
        };
        Self {
            names: names.into_iter().map(fresh).collect(),
            fixed,
            pauses,
            rng: Rng::from_seed(seed),
        }
    }

    /// The names to look up now. The caller owes a [`Names::looked_up`] for each.
    pub(super) fn due(&mut self, now: UnixMillis, quorum: bool) -> Vec<String> {
        let mut due = Vec::new();
        for name in &mut self.names {
            if quorum && name.lookups > 0 {
                name.lookups = 1;
                continue;
            }
            if name.next.is_some_and(|next| next <= now) {
                name.next = None;
                name.lookups = name.lookups.saturating_add(1);
                due.push(name.name.clone());
            }
        }
        due
    }

    /// A look-up has ended, well or not.
    pub(super) fn looked_up(&mut self, now: UnixMillis, looked: &str) {
        for name in self.names.iter_mut().filter(|name| name.name == looked) {
            let wait = pause(self.pauses, name.lookups, &mut self.rng);
            name.next = Some(now.plus(wait));
        }
    }

    /// A look-up has given these addresses; gives back those that are the operator's no longer.
    pub(super) fn found(&mut self, looked: &str, addresses: &[SocketAddr]) -> Vec<SocketAddr> {
        let mut before = BTreeSet::new();
        for name in self.names.iter_mut().filter(|name| name.name == looked) {
            before.append(&mut name.addresses);
            name.addresses.extend(addresses);
        }
        before.retain(|address| {
            let mut names = self.names.iter();
            !self.fixed.contains(address) && !names.any(|name| name.addresses.contains(address))
        });
        before.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        Names::new(vec!["a:1".to_owned()], Vec::new(), (1_000, 60_000), [3; 32])
    }

    #[test]
    fn an_address_is_the_operators_until_no_name_and_no_wish_gives_it_any_more() {
        let [one, two, three, four] =
            [1, 2, 3, 4].map(|host| SocketAddr::from(([60, 1, 1, host], 1)));
        let both = vec!["a:1".to_owned(), "b:1".to_owned()];
        let mut names = Names::new(both, vec![three], (1, 1), [3; 32]);
        assert!(names.found("a:1", &[one, two, three, four]).is_empty());
        assert!(names.found("b:1", &[two]).is_empty());
        assert_eq!(names.found("a:1", &[four]), [one]);
        assert_eq!(names.found("b:1", &[one]), [two]);
        assert_eq!(names.found("b:1", &[one]), []);
    }

    #[test]
    fn a_name_is_looked_up_at_start_even_with_a_quorum_and_then_only_without() {
        let mut names = names();
        assert_eq!(names.due(UnixMillis(0), true), ["a:1"]);
        assert!(names.due(UnixMillis(0), true).is_empty(), "one at a time");
        names.looked_up(UnixMillis(0), "a:1");
        assert!(names.due(UnixMillis(900_000), true).is_empty());
        assert_eq!(names.due(UnixMillis(900_000), false), ["a:1"]);
    }

    #[test]
    fn pauses_between_lookups_grow_until_a_quorum_was_there() {
        let mut names = names();
        let mut now = 0;
        let mut last = 0;
        for _ in 0..12 {
            while names.due(UnixMillis(now), false).is_empty() {
                now += 10;
            }
            names.looked_up(UnixMillis(now), "a:1");
            last = now;
        }
        while names.due(UnixMillis(now), false).is_empty() {
            now += 10;
        }
        assert!(now - last >= 30_000, "{}", now - last);
        names.looked_up(UnixMillis(now), "a:1");
        now += 100_000;
        assert!(names.due(UnixMillis(now), true).is_empty());
        assert_eq!(names.due(UnixMillis(now), false), ["a:1"]);
        names.looked_up(UnixMillis(now), "a:1");
        assert_eq!(
            names.due(UnixMillis(now + 2_000), false),
            ["a:1"],
            "short again"
        );
    }
}
