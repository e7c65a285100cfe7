//! No wrong balance is ever accepted, nothing is shown as fresher than it is, and questions are
//! answered.
//!
//! A date that rests on one anchor's word is said to be that ([`nanonet::Freshness`]), so it counts as
//! shown too fresh only where two anchors have dated it.
//!
//! A question has one of three demands ([`Demand`]). While faults last, of those that were asked a
//! share has to be answered ([`Answers::settle`]); whoever is the victim of an attack may need a
//! second try, but never gets a wrong answer.

use std::collections::{BTreeMap, BTreeSet};

use nano_core::{Account, BlockHash, UnixMillis};
use nanonet::{AccountState, AnswerSource, Crypto, Event, Order, RequestId};

use super::Violations;
use crate::world::{Place, World};

/// The checker's name.
pub const NAME: &str = "answers";
/// By how much a date may be newer than what it dates: as long as a confirmation takes to get to
/// everyone's eyes.
const SLACK_MS: u64 = 5_000;

/// Time after which, in the end, nobody may show what was.
const OVER_MS: u64 = 60_000;

/// Who has to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// Anyone, or nobody.
    Nothing,
    /// Anyone.
    Answer,
    /// Browsers, or the own slice.
    Browsers,
}

#[derive(Debug)]
struct Asked {
    account: Account,
    demand: Demand,
}

/// What became of questions.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    /// Asked by nodes that were still there for the answer.
    pub asked: u64,
    /// Answered, and rightly.
    pub answered: u64,
    /// By browsers, the own slice included.
    pub by_browsers: u64,
}

/// Watches answers.
#[derive(Default)]
pub struct Answers {
    asked: BTreeMap<(Place, RequestId), Asked>,
    /// When each confirmed block was first seen.
    confirmed: BTreeMap<BlockHash, UnixMillis>,
    /// Accounts with two histories that were both voted for.
    contested: BTreeSet<Account>,
    tally: Tally,
    failed: Vec<(Place, Account)>,
    /// Questions for accounts with two histories that were answered.
    contested_asked: u64,
    /// Those of them whose answer says that the order is not known.
    contested_told: u64,
    /// Whether what is not the newest will not do: when all faults are over.
    pub newest_only: bool,
    /// Wrong balances that were shown.
    pub wrong: u64,
    /// Old ones that were shown with too new a date.
    pub stale_shown_fresh: u64,
}

impl Answers {
    /// A node asks.
    pub fn asked(&mut self, place: Place, request: RequestId, account: Account, demand: Demand) {
        self.asked
            .insert((place, request), Asked { account, demand });
    }

    /// A block was confirmed.
    pub fn confirmed(&mut self, hash: BlockHash, at: UnixMillis) {
        self.confirmed.entry(hash).or_insert(at);
    }

    /// An account has two histories that were both voted for: only an alarm is right.
    pub fn contest(&mut self, account: Account) {
        self.contested.insert(account);
    }

    /// Takes what was answered.
    pub fn look<C: Crypto>(&mut self, world: &mut World<C>, broken: &mut Violations) {
        while let Some(answered) = world.answers.pop_front() {
            let Event::Answer { request, result } = &answered.event else {
                continue;
            };
            let Some(asked) = self.asked.remove(&(answered.place, *request)) else {
                continue;
            };
            let account = asked.account;
            let counted = asked.demand != Demand::Nothing;
            self.tally.asked += u64::from(counted);
            let Ok(answer) = result else {
                if counted {
                    self.failed.push((answered.place, account));
                }
                continue;
            };
            let AccountState::Opened { frontier, record } = &answer.state else {
                continue;
            };
            let (at, place) = (answered.at, answered.place);
            if self.contested.contains(&account) {
                self.contested_asked += 1;
                self.contested_told += u64::from(answer.order != Order::Known);
                continue;
            }
            let blocks = world.ledger.chain(&account).blocks();
            let height = blocks
                .iter()
                .position(|block| block.hash() == frontier.hash);
            let Some(height) = height else {
                self.wrong += 1;
                broken.add(at, NAME, || {
                    format!("node {place} shows a balance of {account} that was never confirmed")
                });
                continue;
            };
            let next = blocks.get(height + 1).map(nano_core::StateBlock::hash);
            let outdated = next.and_then(|next| self.confirmed.get(&next)).copied();
            if let Some(outdated) = outdated.filter(|_| self.newest_only)
                && at.since(outdated) > OVER_MS
            {
                broken.add(at, NAME, || {
                    format!("in the end node {place} shows {account} as it was at height {height}")
                });
            }
            let anchors = world.anchors();
            let by_anchors = record.sightings.iter().map(|said| said.bridge);
            let by_anchors = by_anchors.filter(|bridge| anchors.contains(bridge));
            let dated_by: BTreeSet<_> = by_anchors.collect();
            if let (Some(outdated), Some(as_of)) = (outdated, answer.as_of)
                && dated_by.len() > 1
                && as_of > outdated.plus(SLACK_MS)
                && answer.order == Order::Known
            {
                self.stale_shown_fresh += 1;
                broken.add(at, NAME, || {
                    let late = as_of.since(outdated);
                    format!(
                        "node {place} shows {account} as it was {late} ms before the date it says"
                    )
                });
            }
            let by_browser = !matches!(answer.source, AnswerSource::Bridge { .. });
            let enough = by_browser || asked.demand == Demand::Answer;
            self.tally.answered += u64::from(counted && enough);
            self.tally.by_browsers += u64::from(counted && by_browser);
            if counted && !enough {
                self.failed.push((place, account));
            }
        }
    }

    /// Of those who asked for accounts with two histories, three quarters must have been told: the others
    /// met somebody who had heard of one only.
    pub fn settle_contested(&self, at: UnixMillis, broken: &mut Violations) {
        let (asked, told) = (self.contested_asked, self.contested_told);
        if told * 4 < asked * 3 {
            broken.add(at, NAME, || {
                format!("of {asked} who asked for accounts with two histories {told} were told so")
            });
        }
    }

    /// Those who asked and got no answer that will do, to ask again.
    pub fn take_failed(&mut self) -> Vec<(Place, Account)> {
        std::mem::take(&mut self.failed)
    }

    /// Ends a phase: at least `per_cent` of what was asked must have been answered.
    pub fn settle(
        &mut self,
        at: UnixMillis,
        phase: &str,
        per_cent: u64,
        broken: &mut Violations,
    ) -> Tally {
        let tally = std::mem::take(&mut self.tally);
        self.asked.clear();
        if tally.answered * 100 < tally.asked * per_cent {
            broken.add(at, NAME, || {
                let Tally {
                    asked, answered, ..
                } = tally;
                format!("{phase}: {answered} of {asked} questions were answered as they should be")
            });
        }
        tally
    }
}
