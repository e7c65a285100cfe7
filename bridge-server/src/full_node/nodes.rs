//! All channels together: questions with retries, representatives, publishing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use nano_core::message::{AccountInfo, AscPullAnswer, AscPullQuestion, PullTarget};
use nano_core::{Account, Block, BlockHash, Network, Raw, Vote};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::channel::{ANSWER, Channel, ChannelId, Setting};
use super::{AskError, LiveSender, peer};
use crate::metrics::Metrics;
use crate::weights::Weights;

/// Full nodes asked one after the other before a question is given up.
const TRIES: usize = 3;

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

    /// A full node's word on an account: a hint, nothing in it is proven. When one says that it
    /// knows no confirmed block, others are asked before that is passed on.
    ///
    /// # Errors
    /// When nobody answered.
    pub async fn account_info(&self, account: Account) -> Result<AccountInfo, AskError> {
        let mut unknown = None;
        let channels = self.some_channels()?;
        let question = AscPullQuestion::AccountInfo {
            target: PullTarget::Account(account),
        };
        for channel in &channels {
            match channel.pull(question, ANSWER).await {
                Ok(AscPullAnswer::AccountInfo(info)) if info.account == account => {
                    if !info.confirmed_frontier.is_zero() {
                        return Ok(info);
                    }
                    unknown.get_or_insert(info);
                }
                // Nothing, or something else than was asked for, which is worth as much.
                _ => {}
            }
        }
        unknown.ok_or_else(|| silence(&channels))
    }

    /// The account of a block, as full nodes say.
    ///
    /// # Errors
    /// When nobody who answered knows the block.
    pub async fn account_of(&self, block: BlockHash) -> Result<Account, AskError> {
        let channels = self.some_channels()?;
        let question = AscPullQuestion::AccountInfo {
            target: PullTarget::Block(block),
        };
        for channel in &channels {
            if let Ok(AscPullAnswer::AccountInfo(info)) = channel.pull(question, ANSWER).await
                && !info.account.is_zero()
            {
                return Ok(info.account);
            }
        }
        Err(silence(&channels))
    }

    /// Up to `count` (1 to 128) blocks upwards from `start`, which is the first of them; each
    /// follows the one before. Not empty.
    ///
    /// # Errors
    /// When nobody who answered knows the block.
    pub async fn blocks(&self, start: BlockHash, count: u8) -> Result<Vec<Block>, AskError> {
        self.chain(PullTarget::Block(start), count, |first| {
            first.hash() == start
        })
        .await
    }

    /// Up to `count` (1 to 128) blocks upwards from the first block of `account`. Not empty.
    ///
    /// # Errors
    /// When nobody who answered knows the account.
    pub async fn first_blocks(&self, account: Account, count: u8) -> Result<Vec<Block>, AskError> {
        self.chain(PullTarget::Account(account), count, |b| {
            b.account() == Some(account)
        })
        .await
    }

    async fn chain(
        &self,
        start: PullTarget,
        count: u8,
        fits: impl Fn(&Block) -> bool,
    ) -> Result<Vec<Block>, AskError> {
        let channels = self.some_channels()?;
        let mut answered = false;
        for channel in &channels {
            let question = AscPullQuestion::Blocks { start, count };
            let Ok(answer) = channel.pull(question, ANSWER).await else {
                continue;
            };
            answered = true;
            let AscPullAnswer::Blocks(mut blocks) = answer else {
                continue;
            };
            if !blocks.first().is_some_and(&fits) {
                continue;
            }
            // The hashes must link; what comes after a gap is of no use.
            let linked = blocks
                .windows(2)
                .take_while(|pair| pair[1].previous() == Some(pair[0].hash()))
                .count();
            blocks.truncate(linked + 1);
            return Ok(blocks);
        }
        Err(if answered {
            AskError::Wrong
        } else {
            silence(&channels)
        })
    }

    /// Publishes a block on all channels; gives back on how many.
    #[must_use]
    pub fn publish(&self, block: Block) -> usize {
        self.channels()
            .iter()
            .filter(|channel| channel.publish(block).is_ok())
            .count()
    }

    fn some_channels(&self) -> Result<Vec<Arc<Channel>>, AskError> {
        let mut channels = self.channels();
        channels.truncate(TRIES);
        if channels.is_empty() {
            Err(AskError::NoFullNode)
        } else {
            Ok(channels)
        }
    }
}

/// Nobody of these gave an answer.
fn silence(channels: &[Arc<Channel>]) -> AskError {
    AskError::TimedOut {
        asked: u8::try_from(channels.len()).unwrap_or(u8::MAX),
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
