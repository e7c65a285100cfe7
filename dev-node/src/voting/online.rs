//! Who voted lately, and what quorum follows from it.

use std::collections::BTreeMap;

use nano_core::{Account, Raw, UnixMillis};

/// How long a vote makes its representative count as online, in milliseconds.
const WINDOW: u64 = 5 * 60 * 1000;
/// Representatives below this weight are not counted (10 XNO).
const LEAST_WEIGHT: Raw = Raw::new(10 * Raw::NANO.number());

/// Representatives by when they were last heard. As large as the list of representatives with
/// weight: others are not entered.
#[derive(Debug, Default)]
pub(crate) struct Online {
    heard: BTreeMap<Account, UnixMillis>,
}

impl Online {
    /// Notes a vote of a representative that has weight.
    pub(crate) fn heard(&mut self, who: Account, now: UnixMillis) {
        self.heard.insert(who, now);
    }

    /// Forgets those who were silent for too long.
    pub(crate) fn forget_silent(&mut self, now: UnixMillis) {
        self.heard.retain(|_, at| now.since(*at) <= WINDOW);
    }

    /// Who counts as online.
    pub(crate) fn representatives<'a>(
        &'a self,
        weights: &'a BTreeMap<Account, Raw>,
    ) -> impl Iterator<Item = (Account, Raw)> + 'a {
        self.heard.keys().filter_map(|who| {
            let weight = *weights.get(who)?;
            (weight >= LEAST_WEIGHT).then_some((*who, weight))
        })
    }

    /// Weight of those online.
    pub(crate) fn weight(&self, weights: &BTreeMap<Account, Raw>) -> Raw {
        total(self.representatives(weights).map(|(_, weight)| weight))
    }

    /// Weight of all representatives that could be online.
    pub(crate) fn trended(weights: &BTreeMap<Account, Raw>) -> Raw {
        total(
            weights
                .values()
                .copied()
                .filter(|weight| *weight >= LEAST_WEIGHT),
        )
    }
}

fn total(weights: impl Iterator<Item = Raw>) -> Raw {
    weights
        .reduce(|left, right| left.checked_add(right).unwrap_or(Raw::MAX))
        .unwrap_or_default()
}
