//! Backfill: the bridge walks through all accounts of the full nodes in the background, proves
//! them and puts the proofs into the nanonet, so that accounts nobody ever asked for are found
//! there, too, even while no full node answers.
//!
//! | module | what it is |
//! |---|---|
//! | `share` | which part of the key space this bridge walks, beside the others that walk |
//! | `others` | which linked bridges say that they walk, too |
//! | `walk` | the order, the pace and the tries, without clock and network |
//! | `progress` | what is kept over a restart |
//!
//! Rules:
//! - nobody who waits is held back: one batch at a time is asked for, at the operator's pace, and
//!   [`Prover::prove_many`] gives way to people;
//! - accounts whose listed head is held already cost nothing;
//! - after a restart the walk goes on where it was; a batch may be proven twice, none is skipped;
//! - what was proven counts as kept only if the node says afterwards that it holds it: the slice
//!   may have no room;
//! - coverage is told at `/v1/info` and `/metrics`.

#[cfg(feature = "decoders")]
pub(crate) mod decoders;
mod others;
mod progress;
mod share;
mod walk;

pub use others::{Others, ask_all};
pub use progress::Progress;
pub use share::{PARTS, Share};
pub use walk::{Candidate, Outcome, PAGE, Step, TRIES, Walk};

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nano_core::BlockHash;
use nanonet::{AccountRecord, Input, NodeKey, ResolveFailure, Role};
use serde::Serialize;

use crate::ask::Asker;
use crate::clock;
use crate::metrics::Metrics;
use crate::prove::{Proven, Prover, Wanted};
use crate::shell::NodeHandle;
use crate::store::{Store, Write};

/// Longest sleep without looking at the bridges linked and the clock.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// How far the backfill is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// Accounts per second at most; 0 = off.
    pub pace: u32,
    /// Ranges of the key space that this bridge walks, of [`PARTS`].
    pub parts: usize,
    /// Whole rounds done.
    pub rounds: u64,
    /// Parts per million of its keys that this round has passed.
    pub passed_ppm: u64,
    /// Parts per million of its accounts that are kept; of the last whole round, or as far as the
    /// first one is.
    pub coverage_ppm: u64,
    /// Accounts found in the round under way, or else the last one.
    pub listed: u64,
    /// Of these, proven and kept.
    pub kept: u64,
    /// Of these, given up in this round, for whatever reason.
    pub missing: u64,
    /// Of the missing, proven, but not kept by this bridge, which has no room for them.
    pub no_room: u64,
}

/// Where the coverage is told; cloning shares it.
#[derive(Clone, Debug, Default)]
pub struct Told(Arc<Mutex<Coverage>>);

impl Told {
    /// The newest.
    #[must_use]
    pub fn get(&self) -> Coverage {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, coverage: Coverage) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = coverage;
    }
}

/// What a backfill needs.
#[derive(Debug)]
pub struct Parts {
    /// Accounts per second at most, not 0.
    pub pace: u32,
    /// This bridge.
    pub own: NodeKey,
    /// Bridges that walk, too.
    pub others: Others,
    /// Where an earlier run stopped.
    pub progress: Progress,
    /// Asks for lists of accounts.
    pub asker: Asker,
    /// Makes the proofs.
    pub prover: Prover,
    /// Takes them.
    pub node: NodeHandle,
    /// Keeps the progress.
    pub store: Store,
    /// Where the coverage is told.
    pub told: Told,
    /// And counted.
    pub metrics: Metrics,
}

/// Walks until the node stops.
pub async fn run(parts: Parts) {
    let share = Share::of(&parts.own, &[]);
    let progress = parts.progress.clone();
    let mut walk = Walk::new(share, parts.pace, progress, clock::now());
    loop {
        let Some(mut bridges) = linked_bridges(&parts.node).await else {
            return;
        };
        let now = tokio::time::Instant::now();
        bridges.retain(|bridge| parts.others.contains(bridge, now));
        walk.set_share(Share::of(&parts.own, &bridges));
        let step = walk.next(clock::now());
        parts.tell(&walk);
        match step {
            Step::List(start) => {
                let listing = parts.asker.frontiers(start, PAGE, walk.distrusted());
                match listing.await {
                    Ok(listing) => walk.listed(start, &listing, clock::now()),
                    Err(reason) => {
                        tracing::debug!(%reason, "no list of accounts for the backfill");
                        walk.not_listed(clock::now());
                    }
                }
            }
            Step::Prove(candidates) => {
                // As if this batch were not tried: its records may not be on disk yet.
                let before = walk.progress();
                let Some(outcomes) = parts.prove(candidates).await else {
                    return;
                };
                for liar in walk.tried(&outcomes, clock::now()) {
                    tracing::warn!(?liar, "a full node lists accounts that do not exist");
                    parts.asker.blame(liar);
                }
                parts.keep(&before).await;
            }
            Step::Wait(until) => {
                parts.keep(&walk.progress()).await;
                let pause = Duration::from_millis(until.since(clock::now()));
                tokio::time::sleep(pause.min(LONGEST_SLEEP)).await;
            }
        }
    }
}

/// The keys of the bridges linked now; `None` when the node has stopped.
async fn linked_bridges(node: &NodeHandle) -> Option<Vec<NodeKey>> {
    let status = node.status().await?;
    let bridges = status.links.iter().filter(|link| link.role == Role::Bridge);
    Some(bridges.map(|link| link.key).collect())
}

impl Parts {
    /// Proves what is not held yet and puts it into the nanonet; `None` when the node has stopped.
    async fn prove(&self, candidates: Vec<Candidate>) -> Option<Vec<(Candidate, Outcome)>> {
        let accounts = candidates.iter().map(|one| one.account).collect();
        let held = self.node.held(accounts).await?;
        let mut outcomes = Vec::with_capacity(candidates.len());
        let mut open = Vec::new();
        let mut wanted = Vec::new();
        for (candidate, held) in candidates.into_iter().zip(held) {
            if held == Some(candidate.head) {
                outcomes.push((candidate, Outcome::Kept));
                continue;
            }
            let known = candidate.head != BlockHash::ZERO;
            wanted.push(Wanted {
                account: candidate.account,
                head: known.then_some(candidate.head),
                held,
            });
            open.push(candidate);
        }
        let answers = self.prover.prove_many(wanted).await;
        let mut given = Vec::new();
        for (candidate, (_, answer)) in open.into_iter().zip(answers) {
            let outcome = match answer {
                Ok(Proven::Opened(record)) => {
                    self.give([*record]).await?;
                    given.push(candidate);
                    continue;
                }
                Ok(Proven::Diverged(both)) => {
                    // The overlay keeps both and raises the alarm.
                    self.give(*both).await?;
                    given.push(candidate);
                    continue;
                }
                Ok(Proven::Unopened(_)) => Outcome::Absent,
                Err(ResolveFailure::Unprovable) => Outcome::Unprovable,
                Err(ResolveFailure::NoFullNode | ResolveFailure::Busy) => Outcome::Unasked,
                Err(_) => Outcome::Failed,
            };
            outcomes.push((candidate, outcome));
        }
        let accounts = given.iter().map(|one| one.account).collect();
        let held = self.node.held(accounts).await?;
        for (candidate, held) in given.into_iter().zip(held) {
            let outcome = match held {
                Some(_) => Outcome::Kept,
                None => Outcome::NoRoom,
            };
            outcomes.push((candidate, outcome));
        }
        Some(outcomes)
    }

    /// Hands records to the overlay; `None` when it has stopped.
    async fn give<const N: usize>(&self, records: [AccountRecord; N]) -> Option<()> {
        for record in records {
            let (record, receivable) = (Box::new(record), None);
            let input = Input::Confirmed { record, receivable };
            if !self.node.input(input).await {
                return None;
            }
        }
        Some(())
    }

    async fn keep(&self, progress: &Progress) {
        let value = progress.to_bytes();
        let name = Store::BACKFILL;
        if let Err(error) = self.store.write(Write::Meta { name, value }).await {
            tracing::debug!(%error, "the backfill's progress was not kept");
        }
    }

    fn tell(&self, walk: &Walk) {
        let progress = walk.progress();
        let coverage = Coverage {
            pace: self.pace,
            parts: walk.share().parts(),
            rounds: progress.round,
            passed_ppm: walk.passed_ppm(),
            coverage_ppm: walk.coverage_ppm(),
            listed: progress.listed,
            kept: progress.kept,
            missing: progress.missing,
            no_room: progress.no_room,
        };
        self.told.set(coverage);
        let ppm = |value| i64::try_from(value).unwrap_or(i64::MAX);
        let metrics = &self.metrics;
        metrics
            .backfill_coverage_ppm
            .set(ppm(coverage.coverage_ppm));
        metrics.backfill_passed_ppm.set(ppm(coverage.passed_ppm));
        metrics.backfill_kept.set(ppm(coverage.kept));
    }
}
