//! Questions for votes that did not come by themselves.
//!
//! One list of blocks goes to every voting channel, in the same order, so that the votes on it
//! serve every proof made of it; a channel whose representatives have voted for all of it is left
//! out. These lists are not put together with those of [`crate::ask`]: a block that nobody confirms
//! would keep everything else of its list waiting until the time for an answer is over.
//!
//! A list is *open* on a channel until a vote for something of it has come, [`ANSWER`] at most,
//! which is what an unconfirmed block takes. Limits: [`PER_CHANNEL`] lists are open on a channel,
//! and each takes one of its places only if one is free at that moment, so nobody who waits stands
//! behind them; a channel without a place is left out (counted) and asked after the blocks' next
//! pause.

use std::collections::BTreeMap;
use std::sync::Arc;

use nano_core::message::RequestedBlock;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::full_node::{ANSWER, Channel, ChannelId};
use crate::metrics::{self, Metrics};

/// Lists open on one channel.
const PER_CHANNEL: usize = 2;

/// The open lists.
#[derive(Debug, Default)]
pub(super) struct Asking {
    open: BTreeMap<ChannelId, usize>,
    running: JoinSet<ChannelId>,
}

impl Asking {
    /// Whether the channel may be asked now.
    pub(super) fn has_place(&self, channel: ChannelId) -> bool {
        self.open
            .get(&channel)
            .is_none_or(|open| *open < PER_CHANNEL)
    }

    /// Puts the list to a channel, unless it has no place left.
    pub(super) fn ask(
        &mut self,
        channel: Arc<Channel>,
        list: Vec<RequestedBlock>,
        metrics: &Metrics,
    ) {
        if !self.has_place(channel.id()) || channel.free_slots() == 0 {
            metrics::count(&metrics.live_dropped, "busy");
            return;
        }
        *self.open.entry(channel.id()).or_default() += 1;
        self.running.spawn(async move {
            ask(&channel, list).await;
            channel.id()
        });
    }

    /// Waits for a list to be done with; `None` when there is none.
    pub(super) async fn ended(&mut self) -> Option<()> {
        // A task that failed ended with the runtime.
        let channel = self.running.join_next().await?.ok()?;
        if let Some(open) = self.open.get_mut(&channel) {
            *open -= 1;
            if *open == 0 {
                self.open.remove(&channel);
            }
        }
        Some(())
    }
}

/// Asks one channel and holds its slot until it has answered; the votes arrive by the stream.
async fn ask(channel: &Arc<Channel>, list: Vec<RequestedBlock>) {
    let Some(_slot) = channel.free_slot() else {
        return;
    };
    let deadline = Instant::now() + ANSWER;
    let mut votes = channel.votes();
    if channel.confirm(list.clone()).is_ok() {
        while let Some(vote) = votes.next(deadline).await {
            if list.iter().any(|block| vote.hashes.contains(&block.hash)) {
                break;
            }
        }
    }
}
