//! One question to as many full nodes as it takes.
//!
//! States: waiting for one channel, waiting for two (a *hedge*: the first took longer than nearly
//! always), answered, given up after [`TRIES`] channels. Rules:
//! - the first answer that fits is taken; one that is wrong counts as a fault of its channel, and
//!   so does silence; both lead to the next channel at once;
//! - "I do not know" is believed only of two, or when everybody asked says so, and then kept for
//!   [`UNKNOWN_MS`], because a crowd may ask for the same thing that does not exist. One that says
//!   so beside others' silence has shown nothing;
//! - equal questions at the same time are one question, per priority: who waits is not made to
//!   wait for what the background has put at the end of its own queue;
//! - in the background at most [`BACKGROUND`] questions are open on a channel, so that most of
//!   its places are free for those who wait.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use nano_core::Network;
use nano_core::message::AscPullAnswer;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until};

use super::question::{Question, Reply, Verdict};
use super::{Inner, Priority, lock};
use crate::clock;
use crate::full_node::{ANSWER, AskError, Channel, ChannelId, IN_FLIGHT};
use crate::metrics;

/// Full nodes asked before a question is given up.
pub(super) const TRIES: usize = 3;
/// Questions of the background open on one channel.
const BACKGROUND: usize = IN_FLIGHT / 4;
/// How long it is remembered that nobody knew, milliseconds.
pub(super) const UNKNOWN_MS: u64 = 500;
/// Things nobody knew that are remembered.
pub(super) const UNKNOWN: usize = 4_096;
/// Different questions at once.
pub(super) const OPEN: usize = 1_024;

/// An answer, and who gave it.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) reply: Reply,
    pub(super) by: ChannelId,
}

/// The places of the background on each channel.
#[derive(Debug, Default)]
pub(super) struct Background {
    channels: BTreeMap<ChannelId, Arc<Semaphore>>,
}

impl Background {
    fn of(&mut self, channel: ChannelId, open: &[ChannelId]) -> Arc<Semaphore> {
        if self.channels.len() > 2 * open.len() + IN_FLIGHT {
            self.channels.retain(|channel, _| open.contains(channel));
        }
        let places = self.channels.entry(channel);
        Arc::clone(places.or_insert_with(|| Arc::new(Semaphore::new(BACKGROUND))))
    }
}

impl Inner {
    /// Asks, unless the same is being asked or nobody knew it just now.
    pub(super) async fn ask(
        self: &Arc<Self>,
        question: Question,
        priority: Priority,
    ) -> Result<Told, AskError> {
        if let Some(error) = lock(&self.unknown).get(&question, clock::now()) {
            metrics::count(&self.metrics.full_node_asks, "known-unknown");
            return Err(*error);
        }
        let inner = Arc::clone(self);
        let asking = async move {
            let told = inner.ask_others(question, priority, &BTreeSet::new()).await;
            if let Err(error @ AskError::Unknown { .. }) = told {
                lock(&inner.unknown).put(question, error, clock::now());
            }
            told
        };
        let told = self.running.ask((priority.waits(), question), asking).await;
        told.unwrap_or(Err(AskError::Busy))
    }

    /// Asks full nodes that are not among `known`.
    pub(super) async fn ask_others(
        &self,
        question: Question,
        priority: Priority,
        known: &BTreeSet<ChannelId>,
    ) -> Result<Told, AskError> {
        let mut all = self.best_first();
        let open: Vec<_> = all.iter().map(|channel| channel.id()).collect();
        all.retain(|channel| !known.contains(&channel.id()));
        let mut next = all.into_iter().take(TRIES);
        let mut running = FuturesUnordered::new();
        let mut counts = Counts::default();
        let mut hedge_at = None;
        lock(&self.timings).asked();
        loop {
            if running.is_empty() {
                let Some(channel) = next.next() else { break };
                counts.asked += 1;
                let after = lock(&self.timings).hedge_after(channel.id());
                hedge_at = Some(Instant::now() + after);
                running.push(self.one(channel, question, priority, &open));
            }
            let hedge = hedge_at.unwrap_or_else(Instant::now);
            tokio::select! {
                Some((channel, verdict)) = running.next() => match verdict {
                    Some(Verdict::Fits(reply)) => return Ok(Told { reply, by: channel }),
                    Some(Verdict::Unknown) => counts.unknown += 1,
                    Some(Verdict::Wrong) => counts.wrong += 1,
                    None => {}
                },
                () = sleep_until(hedge), if hedge_at.is_some() => {
                    hedge_at = None;
                    if lock(&self.timings).take_hedge() && let Some(channel) = next.next() {
                        metrics::count(&self.metrics.full_node_asks, "hedged");
                        counts.asked += 1;
                        running.push(self.one(channel, question, priority, &open));
                    }
                }
            }
        }
        Err(counts.error())
    }

    /// Asks one; `None` for silence.
    async fn one(
        &self,
        channel: Arc<Channel>,
        question: Question,
        priority: Priority,
        open: &[ChannelId],
    ) -> (ChannelId, Option<Verdict>) {
        let id = channel.id();
        let answer = self.pull(&channel, question.pull(), priority, open).await;
        let verdict = answer.map(|answer| question.judge(answer, self.network()));
        if verdict == Some(Verdict::Wrong) {
            metrics::count(&self.metrics.full_node_asks, "wrong");
            lock(&self.timings).failed(id);
        }
        (id, verdict)
    }

    /// Any question to this channel, in its turn and with its time noted; `None` for silence.
    pub(super) async fn pull(
        &self,
        channel: &Channel,
        question: nano_core::message::AscPullQuestion,
        priority: Priority,
        open: &[ChannelId],
    ) -> Option<AscPullAnswer> {
        let places = lock(&self.background).of(channel.id(), open);
        let _place = match priority.waits() {
            true => None,
            false => Some(places.acquire_owned().await.ok()?),
        };
        let began = Instant::now();
        let answer = channel.pull(question, ANSWER).await;
        let mut timings = lock(&self.timings);
        match &answer {
            Ok(_) => timings.answered(channel.id(), began.elapsed()),
            Err(_) => {
                metrics::count(&self.metrics.full_node_asks, "silent");
                timings.failed(channel.id());
            }
        }
        answer.ok()
    }

    /// The open channels, the one that promises the quickest answer first.
    pub(super) fn best_first(&self) -> Vec<Arc<Channel>> {
        let mut channels = self.full_nodes.channels();
        let open: Vec<_> = channels.iter().map(|channel| channel.id()).collect();
        let mut timings = lock(&self.timings);
        timings.keep_only(&open);
        channels.sort_by_cached_key(|channel| {
            let in_flight = IN_FLIGHT.saturating_sub(channel.free_slots());
            timings.cost(channel.id(), in_flight)
        });
        channels
    }

    fn network(&self) -> Network {
        self.weights.current().network
    }
}

/// What those who did not give an answer that fits said.
#[derive(Default)]
struct Counts {
    asked: u8,
    unknown: u8,
    wrong: u8,
}

impl Counts {
    const fn error(&self) -> AskError {
        let asked = self.asked;
        if asked == 0 {
            AskError::NoFullNode
        } else if self.unknown == asked || self.unknown >= 2 {
            AskError::Unknown { asked }
        } else if self.wrong > 0 {
            AskError::Wrong
        } else {
            AskError::TimedOut { asked }
        }
    }
}
