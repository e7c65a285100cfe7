//! One connection to a full node after the handshake: requests out, answers and the live stream in.
//!
//! States: open (from the handshake on), ended (with a [`ChannelError`]; all open requests fail).
//! Rules:
//! - at most [`IN_FLIGHT`] requests are unanswered at once, because a full node drops what exceeds
//!   its queue without a word; a further one waits for a slot within its own time limit;
//! - `asc_pull` answers are matched by id; an answer nobody waits for is dropped and counted;
//! - votes carry no id: every vote goes to all who listen on this channel and to the live stream;
//! - a listener or a live stream that is behind loses votes (counted), never blocks the channel;
//! - a keepalive without addresses goes out regularly; hearing nothing for [`SILENCE`] ends it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nano_core::message::{
    AscPullAnswer, AscPullQuestion, AscPullReq, ConfirmReq, Keepalive, Message, Publish,
    RequestedBlock,
};
use nano_core::{Account, Block, Network, PublicKey, Vote};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::{Instant, interval, timeout, timeout_at};

use super::wire::read_message;
use super::{AskError, ChannelError, Live, LiveSender};
use crate::metrics::{self, ByKind, Metrics};

/// Requests without an answer on one channel (a full node answers about 64 of 200 sent in one go).
pub const IN_FLIGHT: usize = 16;
/// Messages that may wait for the socket.
const OUTGOING: usize = 64;
/// Votes that may wait for one listener: several answers of every representative of a big node.
const HEARD: usize = 512;
/// Representatives remembered for one channel.
const MAX_REPRESENTATIVES: usize = 64;
/// The longest silence of a full node: it sends a keepalive every 15 s and telemetry every 60 s.
pub const SILENCE: Duration = Duration::from_secs(120);
/// How long one answer may take.
pub const ANSWER: Duration = Duration::from_secs(2);

/// A channel's number in this run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChannelId(pub u64);

/// Something to write, with the metric it counts in.
struct Out {
    kind: &'static str,
    upkeep: bool,
    message: Message,
}

/// An open channel.
#[derive(Debug)]
pub struct Channel {
    id: ChannelId,
    address: SocketAddr,
    node: PublicKey,
    outgoing: mpsc::Sender<Out>,
    slots: Semaphore,
    next: AtomicU64,
    pulls: Mutex<BTreeMap<u64, oneshot::Sender<AscPullAnswer>>>,
    listeners: Mutex<BTreeMap<u64, Listener>>,
    representatives: Mutex<BTreeSet<Account>>,
}

/// The channel's own end, driven by [`Channel::run`].
pub(super) struct Driver {
    outgoing: mpsc::Receiver<Out>,
}

/// Somebody who hears this channel's votes.
#[derive(Debug)]
struct Listener {
    votes: mpsc::Sender<Arc<Vote>>,
    lost: Arc<AtomicBool>,
}

/// Votes of one channel, from the moment of asking on.
#[derive(Debug)]
pub struct Votes {
    number: u64,
    channel: Arc<Channel>,
    votes: mpsc::Receiver<Arc<Vote>>,
    lost: Arc<AtomicBool>,
}

impl Votes {
    /// The next vote; `None` at the deadline or when the channel has ended.
    pub async fn next(&mut self, deadline: Instant) -> Option<Arc<Vote>> {
        timeout_at(deadline, self.votes.recv()).await.ok().flatten()
    }

    /// Whether a vote did not fit the queue: what was not heard is then no silence.
    #[must_use]
    pub fn has_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }
}

impl Drop for Votes {
    fn drop(&mut self) {
        lock(&self.channel.listeners).remove(&self.number);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing under these locks can be left half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Channel {
    pub(super) fn new(id: ChannelId, address: SocketAddr, node: PublicKey) -> (Arc<Self>, Driver) {
        let (outgoing, queue) = mpsc::channel(OUTGOING);
        let channel = Self {
            id,
            address,
            node,
            outgoing,
            slots: Semaphore::new(IN_FLIGHT),
            next: AtomicU64::new(1),
            pulls: Mutex::default(),
            listeners: Mutex::default(),
            representatives: Mutex::default(),
        };
        (Arc::new(channel), Driver { outgoing: queue })
    }

    /// Its number.
    #[must_use]
    pub const fn id(&self) -> ChannelId {
        self.id
    }

    /// Where the full node is.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The full node's id, proven by the handshake.
    #[must_use]
    pub const fn node(&self) -> PublicKey {
        self.node
    }

    /// Representatives that voted for the genesis block on this channel.
    #[must_use]
    pub fn representatives(&self) -> BTreeSet<Account> {
        lock(&self.representatives).clone()
    }

    /// Remembers a representative of this channel; false if it was known or there are too many.
    pub(super) fn learn(&self, representative: Account) -> bool {
        let mut known = lock(&self.representatives);
        known.len() < MAX_REPRESENTATIVES && known.insert(representative)
    }

    /// Requests that could be sent at once now.
    #[must_use]
    pub fn free_slots(&self) -> usize {
        self.slots.available_permits()
    }

    /// Asks and waits for the answer, `limit` at most, waiting for a slot included.
    ///
    /// # Errors
    /// [`AskError::TimedOut`] also when the channel has ended.
    pub async fn pull(
        &self,
        question: AscPullQuestion,
        limit: Duration,
    ) -> Result<AscPullAnswer, AskError> {
        let silent = AskError::TimedOut { asked: 1 };
        timeout(limit, async {
            let _slot = self.slots.acquire().await.map_err(|_| silent)?;
            let id = self.next.fetch_add(1, Ordering::Relaxed);
            let (answer, wait) = oneshot::channel();
            lock(&self.pulls).insert(id, answer);
            let _forget = Forget { channel: self, id };
            let kind = match question {
                AscPullQuestion::AccountInfo { .. } => "account_info",
                AscPullQuestion::Blocks { .. } => "blocks",
                AscPullQuestion::Frontiers { .. } => "frontiers",
            };
            self.send(kind, false, AscPullReq { id, question }.into())?;
            wait.await.map_err(|_| silent)
        })
        .await
        .unwrap_or(Err(silent))
    }

    /// Listens to this channel's votes from now on.
    #[must_use]
    pub fn votes(self: &Arc<Self>) -> Votes {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, votes) = mpsc::channel(HEARD);
        let lost = Arc::new(AtomicBool::new(false));
        let listener = Listener {
            votes: sender,
            lost: Arc::clone(&lost),
        };
        lock(&self.listeners).insert(number, listener);
        Votes {
            number,
            channel: Arc::clone(self),
            votes,
            lost,
        }
    }

    /// Takes one of the slots, for requests whose answers the caller collects.
    pub async fn slot(&self) -> Option<tokio::sync::SemaphorePermit<'_>> {
        self.slots.acquire().await.ok()
    }

    /// Asks for final votes. The caller holds a [`Channel::slot`].
    ///
    /// # Errors
    /// When the channel has ended or takes nothing.
    pub fn confirm(&self, blocks: Vec<RequestedBlock>) -> Result<(), AskError> {
        self.send("confirm_req", false, ConfirmReq { blocks }.into())
    }

    /// Asks for votes on the genesis block: every representative here answers.
    pub(super) fn ask_representatives(&self, network: Network) -> Result<(), AskError> {
        let hash = network.genesis_hash();
        let root = network.genesis_account().into();
        let blocks = vec![RequestedBlock { hash, root }];
        self.send("confirm_req", true, ConfirmReq { blocks }.into())
    }

    /// Publishes a block as its first publisher.
    ///
    /// # Errors
    /// When the channel has ended or takes nothing.
    pub fn publish(&self, block: Block) -> Result<(), AskError> {
        self.send(
            "publish",
            false,
            Publish {
                block,
                originator: true,
            }
            .into(),
        )
    }

    /// Queues a message. A full queue means that the full node takes nothing: as good as gone.
    fn send(&self, kind: &'static str, upkeep: bool, message: Message) -> Result<(), AskError> {
        let out = Out {
            kind,
            upkeep,
            message,
        };
        self.outgoing
            .try_send(out)
            .map_err(|_| AskError::TimedOut { asked: 1 })
    }

    /// Serves the connection until it ends.
    pub(super) async fn run<R, W>(
        &self,
        driver: Driver,
        reader: R,
        writer: W,
        setting: &Setting,
    ) -> ChannelError
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let error = tokio::select! {
            error = self.read(BufReader::new(reader), setting) => error,
            error = Self::write(driver, writer, setting) => error,
        };
        // Whoever waits for an answer learns at once that none will come.
        lock(&self.pulls).clear();
        lock(&self.listeners).clear();
        self.slots.close();
        error
    }

    async fn write<W>(mut driver: Driver, mut writer: W, setting: &Setting) -> ChannelError
    where
        W: AsyncWrite + Unpin,
    {
        let mut keepalive = interval(setting.keepalive);
        loop {
            let out = tokio::select! {
                out = driver.outgoing.recv() => match out {
                    Some(out) => out,
                    // Nobody holds the channel any more.
                    None => return ChannelError::Closed("serving"),
                },
                _ = keepalive.tick() => Out {
                    kind: "keepalive",
                    upkeep: true,
                    message: Keepalive::EMPTY.into(),
                },
            };
            let bytes = match out.message.encode(setting.network) {
                Ok(bytes) => bytes,
                // A question that the format cannot say, such as about the zero account, is
                // dropped; its asker times out.
                Err(error) => {
                    tracing::warn!(%error, kind = out.kind, "not sent");
                    continue;
                }
            };
            match timeout(SILENCE, writer.write_all(&bytes)).await {
                Ok(Ok(())) => metrics::count(setting.family(out.upkeep), out.kind),
                Ok(Err(error)) => return ChannelError::Broken(error),
                Err(_) => return ChannelError::TimedOut("writing"),
            }
        }
    }

    async fn read<R>(&self, mut reader: R, setting: &Setting) -> ChannelError
    where
        R: AsyncRead + Unpin,
    {
        loop {
            let read = read_message(&mut reader, setting.network, "serving");
            match timeout(SILENCE, read).await {
                Ok(Ok(message)) => self.take(message, setting),
                Ok(Err(error)) => return error,
                Err(_) => return ChannelError::Silent(SILENCE.as_secs()),
            }
        }
    }

    fn take(&self, message: Message, setting: &Setting) {
        metrics::count(
            &setting.metrics.full_node_messages,
            message.message_type().name(),
        );
        match message {
            Message::AscPullAck(answer) => {
                let waiting = lock(&self.pulls).remove(&answer.id);
                // The asker may have given up in this instant.
                if waiting.is_none_or(|asker| asker.send(answer.answer).is_err()) {
                    metrics::count(&setting.metrics.live_dropped, "late-answer");
                }
            }
            Message::ConfirmAck(ack) => {
                let own = !ack.rebroadcast;
                let vote = Arc::new(ack.vote);
                for listener in lock(&self.listeners).values() {
                    if listener.votes.try_send(Arc::clone(&vote)).is_err() {
                        listener.lost.store(true, Ordering::Relaxed);
                        metrics::count(&setting.metrics.live_dropped, "listener-behind");
                    }
                }
                setting.tell(Live::Vote {
                    channel: self.id,
                    vote,
                    own,
                });
            }
            Message::Publish(publish) => {
                setting.tell(Live::Block {
                    block: Box::new(publish.block),
                });
            }
            // A ledger-less peer owes no answer to any request, and needs nothing from the rest.
            _ => {}
        }
    }
}

/// Forgets an open pull however its asker ends.
struct Forget<'a> {
    channel: &'a Channel,
    id: u64,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        lock(&self.channel.pulls).remove(&self.id);
    }
}

/// What all channels share.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub(super) network: Network,
    pub(super) metrics: Metrics,
    pub(super) live: LiveSender,
    pub(super) keepalive: Duration,
}

impl Setting {
    const fn family(&self, upkeep: bool) -> &ByKind {
        if upkeep {
            &self.metrics.full_node_upkeep
        } else {
            &self.metrics.full_node_requests
        }
    }

    fn tell(&self, live: Live) {
        if self.live.try_send(live).is_err() {
            metrics::count(&self.metrics.live_dropped, "stream-behind");
        }
    }
}
