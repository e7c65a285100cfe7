//! Questions for accounts that nobody asked for before, by nodes anywhere, while others come and
//! go.
//!
//! How it goes: the world is built, then [`CHURN_MS`] pass in which browsers leave without a word
//! and new ones come ([`crate::churn`]); bridges put the accounts into the nanonet; then, churn going
//! on, browsers chosen by chance ask for one account each. An answer counts as found if it is
//! proven and its frontier is the one confirmed; one with any other frontier is wrong.

use std::collections::BTreeMap;

use nano_core::{Account, UnixMillis};
use nanonet::{AccountState, AnswerSource, Event, GetOptions, RequestId, Rng};
use serde::Serialize;

use super::{Common, Options, Reported, build, percentile, pick, wide};
use crate::churn::Churn;
use crate::world::{Answered, Place, World};

/// Churn before the questions.
pub const CHURN_MS: u64 = 600_000;
/// Time between the last account's confirmation and the first question.
const SPREAD_MS: u64 = 30_000;
/// Questions per second and thousand nodes.
const PACE: u64 = 20;
/// Time until the last question has been answered or given up.
const PATIENCE_MS: u64 = 30_000;

/// What it shows.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Of every scenario.
    #[serde(flatten)]
    pub common: Common,
    /// Questions.
    pub lookups: usize,
    /// Share answered with the confirmed frontier.
    pub found: f64,
    /// Answers with another frontier than the confirmed one.
    pub wrong_accepted: usize,
    /// Of those found: by whom.
    pub from_own_slice: usize,
    /// By other browsers.
    pub from_browsers: usize,
    /// By bridges.
    pub from_bridges: usize,
    /// Questions that reached full nodes.
    pub reached_full_node: u64,
    /// Time until the answer, of those found.
    pub p50_ms: u64,
    /// The same at 99 of 100.
    pub p99_ms: u64,
    /// Links an answer of another browser came over.
    pub hops_p50: u64,
    /// Browsers that left, and as many that came.
    pub left: usize,
}

/// Plays it with `lookups` questions and `churn_ms` of churn before.
#[must_use]
pub fn play<C: Reported>(options: Options, lookups: usize, churn_ms: u64) -> Report {
    let mut world: World<C> = build(options, wide::<C>());
    let mut churn = Churn::new(&world, options.seed);
    churn.run(&mut world, churn_ms);
    let accounts = world.confirmed_accounts(0..lookups as u64);
    churn.run(&mut world, SPREAD_MS);
    let resolved = world.resolves;
    world.answers.clear();

    let mut rng = Rng::from_seed([b'l'; 32]);
    let mut asked: BTreeMap<(Place, RequestId), (Account, UnixMillis)> = BTreeMap::new();
    let gap = (1_000_000 / (PACE * (options.nodes as u64).max(1))).max(1);
    for account in accounts {
        let asker = pick(&mut rng, &world.browsers());
        let request = world.ask(asker, account, GetOptions::default());
        asked.insert((asker, request), (account, world.now));
        churn.run(&mut world, gap);
    }
    churn.run(&mut world, PATIENCE_MS);

    let mut tally = Tally::default();
    for answered in std::mem::take(&mut world.answers) {
        tally.take(&world, &asked, &answered);
    }
    tally.times.sort_unstable();
    tally.hops.sort_unstable();
    // Whoever left cannot be answered any more.
    let lookups = asked.keys().filter(|(place, _)| world.runs(*place)).count();
    Report {
        lookups,
        #[allow(clippy::cast_precision_loss, reason = "a figure for people")]
        found: tally.times.len() as f64 / lookups.max(1) as f64,
        wrong_accepted: tally.wrong,
        from_own_slice: tally.own,
        from_browsers: tally.hops.len(),
        from_bridges: tally.bridges,
        reached_full_node: world.resolves - resolved,
        p50_ms: percentile(&tally.times, 50),
        p99_ms: percentile(&tally.times, 99),
        hops_p50: percentile(&tally.hops, 50),
        left: churn.left(),
        common: Common::of("lookup", options, &world),
    }
}

#[derive(Default)]
struct Tally {
    times: Vec<u64>,
    hops: Vec<u64>,
    own: usize,
    bridges: usize,
    wrong: usize,
}

impl Tally {
    fn take<C: Reported>(
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
        if !world.runs(answered.place) {
            return;
        }
        let confirmed = world.ledger.chain(account).blocks().last();
        let AccountState::Opened { frontier, .. } = &answer.state else {
            return;
        };
        if confirmed.is_none_or(|block| block.hash() != frontier.hash) {
            self.wrong += 1;
            return;
        }
        self.times.push(answered.at.since(*since));
        match answer.source {
            AnswerSource::OwnSlice => self.own += 1,
            AnswerSource::Peer { hops, .. } => self.hops.push(u64::from(hops)),
            AnswerSource::Bridge { .. } => self.bridges += 1,
        }
    }
}
