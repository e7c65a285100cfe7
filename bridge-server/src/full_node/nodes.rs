//! All channels together: who is open, which representatives are behind them, publishing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use nano_core::{Block, Network, Raw, Vote};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::channel::{Channel, ChannelId, Setting};
use super::{LiveSender, peer};
use crate::metrics::Metrics;
use crate::weights::Weights;

/// What full nodes are reached with.
#[derive(Debug)]
pub struct Settings {
    /// Nano network.
    pub network: Network,
    /// Addresses, `host:port`.
    pub peers: Vec<String>,
    /// The weight table.
    pub weights: Weights,
    /// Where the live stream goes.
    pub live: LiveSender,
    /// The metrics.
    pub metrics: Metrics,
}

/// The open channels; cloning shares them.
#[derive(Clone, Debug)]
pub struct FullNodes {
    shared: Arc<Shared>,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) setting: Setting,
    weights: Weights,
    channels: RwLock<BTreeMap<ChannelId, Arc<Channel>>>,
    /// Counts openings, ends and learned representatives, for those who wait for one.
    changes: watch::Sender<u64>,
}

impl FullNodes {
    /// Starts a task per address in `tasks`.
    #[must_use]
    pub fn start(settings: Settings, tasks: &mut JoinSet<()>) -> Self {
        // A dev network's nodes drop what is silent for 15 s, the others after 120 s.
        let keepalive = match settings.network {
            Network::Dev => Duration::from_secs(5),
            Network::Live | Network::Beta | Network::Test => Duration::from_secs(15),
        };
        let setting = Setting {
            network: settings.network,
            metrics: settings.metrics,
            live: settings.live,
            keepalive,
        };
        let shared = Arc::new(Shared {
            setting,
            weights: settings.weights,
            channels: RwLock::default(),
            changes: watch::Sender::new(0),
        });
        for address in settings.peers {
            tasks.spawn(peer::keep(address, Arc::clone(&shared)));
        }
        Self { shared }
    }

    /// The open channels, least busy first.
    #[must_use]
    pub fn channels(&self) -> Vec<Arc<Channel>> {
        let open = self
            .shared
            .channels
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let mut channels: Vec<_> = open.values().cloned().collect();
        channels.sort_by_key(|channel| std::cmp::Reverse(channel.free_slots()));
        channels
    }

    /// The open channels behind which representatives vote.
    #[must_use]
    pub fn voting_channels(&self) -> Vec<Arc<Channel>> {
        let mut channels = self.channels();
        channels.retain(|channel| !channel.representatives().is_empty());
        channels
    }

    /// Weight of all representatives behind open channels.
    #[must_use]
    pub fn reachable_weight(&self) -> Raw {
        self.shared.reachable_weight()
    }

    /// Waits until enough weight for a proof is reachable, `limit` at most: after a start or a
    /// reconnection the representatives need a moment to show themselves.
    pub async fn reachable(&self, limit: Duration) {
        let mut changes = self.changes();
        let enough = || self.reachable_weight() >= self.shared.weights.current().threshold();
        // Time out or a stopped bridge: the question is asked all the same and says what is wrong.
        let _ = timeout(limit, async {
            while !enough() && changes.changed().await.is_ok() {}
        })
        .await;
    }

    /// Tells of every opened or ended channel and every representative found.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    /// Notes a vote on a channel: one for the genesis block tells who votes there.
    pub fn heard(&self, channel: ChannelId, vote: &Vote) {
        if !vote
            .hashes
            .contains(&self.shared.setting.network.genesis_hash())
            || vote.verify().is_err()
        {
            return;
        }
        let open = self
            .shared
            .channels
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let learned = open
            .get(&channel)
            .is_some_and(|c| c.learn(vote.representative));
        drop(open);
        if learned {
            self.shared.changed();
        }
    }

    /// Publishes a block on all channels; gives back on how many.
    #[must_use]
    pub fn publish(&self, block: Block) -> usize {
        self.channels()
            .iter()
            .filter(|channel| channel.publish(block).is_ok())
            .count()
    }
}

impl Shared {
    pub(super) fn opened(&self, channel: Arc<Channel>) {
        let mut open = self
            .channels
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        open.insert(channel.id(), channel);
        drop(open);
        self.setting.metrics.full_node_channels.inc();
        self.changed();
    }

    pub(super) fn ended(&self, channel: ChannelId) {
        let mut open = self
            .channels
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if open.remove(&channel).is_some() {
            self.setting.metrics.full_node_channels.dec();
        }
        drop(open);
        self.changed();
    }

    fn changed(&self) {
        let table = self.weights.current();
        let part = self.reachable_weight().number() / 1_000_000;
        let whole = (table.total().number() / 1_000_000).max(1);
        let ppm = part.saturating_mul(1_000_000) / whole;
        self.setting
            .metrics
            .weight_reachable_ppm
            .set(i64::try_from(ppm).unwrap_or(i64::MAX));
        self.changes.send_modify(|count| *count += 1);
    }

    fn reachable_weight(&self) -> Raw {
        let open = self.channels.read().unwrap_or_else(PoisonError::into_inner);
        let mut all = BTreeSet::new();
        for channel in open.values() {
            all.extend(channel.representatives());
        }
        let table = self.weights.current();
        let sum = all.iter().map(|who| table.weight_of(who).number());
        Raw::new(sum.fold(0, u128::saturating_add))
    }
}
