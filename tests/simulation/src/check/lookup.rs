//! Whether every question found the newest frontier, soon, and nobody was deceived.
//!
//! Broken is: a frontier accepted that was never confirmed (*wrong*); an older one that is shown as
//! seen after the newer one was confirmed (*stale, shown fresh*); a link opened for a question. That a
//! question is not answered, or with an older frontier whose age is told, is counted and judged as a
//! share.

use std::collections::BTreeMap;

use nano_core::{Account, UnixMillis};
use nanonet::{AccountState, AnswerSource, Crypto, Event, RequestId};
use serde::Serialize;

use crate::scenario::percentile;
use crate::world::{Answered, Place, World};

/// What may never happen.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Violations {
    /// Answers with a frontier that was never confirmed.
    pub wrong_accepted: u64,
    /// Answers with an older frontier, said to have been seen after the newer one was confirmed.
    pub stale_shown_fresh: u64,
    /// Links opened for questions.
    pub connections: u64,
}

impl Violations {
    /// All of them.
    #[must_use]
    pub const fn sum(&self) -> u64 {
        self.wrong_accepted + self.stale_shown_fresh + self.connections
    }
}

/// What the answers were.
#[derive(Debug, Clone, Serialize)]
pub struct Found {
    /// Questions of nodes that stayed.
    pub lookups: usize,
    /// Share answered with the newest frontier.
    pub found: f64,
    /// See [`Violations`].
    pub wrong_accepted: u64,
    /// Answers with an older frontier.
    pub stale: u64,
    /// See [`Violations`].
    pub stale_shown_fresh: u64,
    /// Of those found: by whom.
    pub from_own_slice: usize,
    /// By other browsers.
    pub from_browsers: usize,
    /// By bridges.
    pub from_bridges: usize,
    /// Time until the answer, of those found.
    pub p50_ms: u64,
    /// The same at 90 of 100.
    pub p90_ms: u64,
    /// The same at 99 of 100.
    pub p99_ms: u64,
    /// Links an answer of another browser came over.
    pub hops_p50: u64,
    /// The same in the mean.
    pub hops_mean: f64,
}

/// What was counted so far.
#[derive(Debug, Default)]
pub struct Tally {
    times: Vec<u64>,
    hops: Vec<u64>,
    own: usize,
    bridges: usize,
    stale: u64,
    broken: Violations,
}

impl Tally {
    /// Looks at one answer.
    pub fn take<C: Crypto>(
        &mut self,
        world: &World<C>,
        asked: &BTreeMap<(Place, RequestId), (Account, UnixMillis)>,
        answered: &Answered,
    ) {
        let Event::Answer {
            request,
            result: Ok(answer),
        } = &answered.event
        else {
            return;
        };
        let Some((account, since)) = asked.get(&(answered.place, *request)) else {
            return;
        };
        let AccountState::Opened { frontier, .. } = &answer.state else {
            return;
        };
        let blocks = world.ledger.chain(account).blocks();
        let place = blocks
            .iter()
            .position(|block| block.hash() == frontier.hash);
        let Some(place) = place else {
            self.broken.wrong_accepted += 1;
            return;
        };
        if place + 1 < blocks.len() {
            self.stale += 1;
            let newer = world.confirmed_at(account);
            let fresh = answer.fresh || answer.as_of >= newer;
            self.broken.stale_shown_fresh += u64::from(fresh);
            return;
        }
        if !world.runs(answered.place) {
            return;
        }
        self.times.push(answered.at.since(*since));
        match answer.source {
            AnswerSource::OwnSlice => self.own += 1,
            AnswerSource::Peer { hops, .. } => self.hops.push(u64::from(hops)),
            AnswerSource::Bridge { .. } => self.bridges += 1,
        }
    }

    /// The figures, of so many questions; and what was broken.
    #[must_use]
    pub fn verdict(mut self, lookups: usize, connections: u64) -> (Found, Violations) {
        self.broken.connections = connections;
        self.times.sort_unstable();
        self.hops.sort_unstable();
        #[allow(clippy::cast_precision_loss, reason = "figures for people")]
        let per = |part: u64, whole: usize| part as f64 / whole.max(1) as f64;
        let found = Found {
            lookups,
            found: per(self.times.len() as u64, lookups),
            wrong_accepted: self.broken.wrong_accepted,
            stale: self.stale,
            stale_shown_fresh: self.broken.stale_shown_fresh,
            from_own_slice: self.own,
            from_browsers: self.hops.len(),
            from_bridges: self.bridges,
            p50_ms: percentile(&self.times, 50),
            p90_ms: percentile(&self.times, 90),
            p99_ms: percentile(&self.times, 99),
            hops_p50: percentile(&self.hops, 50),
            hops_mean: per(self.hops.iter().sum(), self.hops.len()),
        };
        (found, self.broken)
    }
}
