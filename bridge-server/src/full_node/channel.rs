//! One connection to a full node after the handshake: requests out, answers and the live stream in.
//!
//! States: open (from the handshake on), ended (with a [`ChannelError`]; all open requests fail).
//! Rules:
//! - at most [`IN_FLIGHT`] requests are unanswered at once, because a full node drops what exceeds
//!   its queue without a word; a further one waits for a slot within its own time limit;
//! - `asc_pull` answers are matched by id; an answer nobody waits for is dropped and counted;
//! - votes carry no id: every vote goes to all who listen on this channel and to the live stream;
//! - a listener or a live stream that is behind loses votes (counted), never blocks the channel;
//! - a keepalive goes out when nothing else did for [`super::Timing::keepalive`], and now and then
//!   in any case (`cadence`): up to eight endpoints that this bridge has reached, and its own port
//!   if it accepts full nodes; what the full node's keepalives name goes to the book;
//! - requests to us are not answered, because a peer without a ledger owes none; a handshake on an
//!   open channel is ignored;
//! - a vote that the same channel has told already, and what `live` finds to be forged, counts as of
//!   no use to anybody, like what was not asked for; the same vote over several channels does not,
//!   because full nodes pass on each other's;
//! - what ends a channel: hearing nothing for [`super::Timing::silence`], a message or a write that
//!   takes longer than [`super::Timing::message`], anything that does not parse, and a flood. Only a
//!   vote of the zero account is dropped instead, because full nodes drop it, too, and may pass it on.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nano_core::message::{
    AscPullAnswer, AscPullQuestion, AscPullReq, ConfirmReq, Header, Message, MessageError, Publish,
    PullTarget, RequestedBlock,
};
use nano_core::{Account, Block, Network, PublicKey, Vote};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::{interval, timeout};

use super::allowance::Allowance;
use super::cadence::Cadence;
use super::crawl::Hosted;
use super::listening::{Listening, Votes};
use super::repeats::Repeats;
use super::settings::Setting;
use super::shared::Shared;
use super::wire::{Patience, read_message};
use super::{AskError, ChannelError, Live};
use crate::metrics;

/// Requests without an answer on one channel (a full node answers about 64 of 200 sent in one go).
pub const IN_FLIGHT: usize = 16;
/// Messages that may wait for the socket.
const OUTGOING: usize = 64;
/// Votes that may wait for the crawler: more than one round of answers has.
const CRAWLED: usize = 128;
/// How long one answer may take.
pub const ANSWER: Duration = Duration::from_secs(2);

/// A channel's number in this run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChannelId(pub u64);

impl ChannelId {
    /// No channel: they are numbered from one.
    pub const NONE: Self = Self(0);
}

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
    endpoint: Option<SocketAddr>,
    node: PublicKey,
    outgoing: mpsc::Sender<Out>,
    ending: mpsc::Sender<ChannelError>,
    crawled: mpsc::Sender<Arc<Vote>>,
    slots: Semaphore,
    next: AtomicU64,
    /// Messages found to be of no use since the last one was read.
    useless: AtomicU64,
    pulls: Mutex<BTreeMap<u64, oneshot::Sender<AscPullAnswer>>>,
    listening: Listening,
    hosted: Mutex<Hosted>,
}

/// The channel's own end, driven by [`Channel::run`].
pub(super) struct Driver {
    outgoing: mpsc::Receiver<Out>,
    ending: mpsc::Receiver<ChannelError>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing under these locks can be left half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Channel {
    /// A channel with its own end and the votes that the crawler looks at. `endpoint` is where it
    /// was dialled, `None` if it was accepted.
    pub(super) fn new(
        id: ChannelId,
        address: SocketAddr,
        endpoint: Option<SocketAddr>,
        node: PublicKey,
    ) -> (Arc<Self>, Driver, mpsc::Receiver<Arc<Vote>>) {
        let (outgoing, queue) = mpsc::channel(OUTGOING);
        let (ending, ends) = mpsc::channel(1);
        let (crawled, answers) = mpsc::channel(CRAWLED);
        let channel = Self {
            id,
            address,
            endpoint,
            node,
            outgoing,
            ending,
            crawled,
            slots: Semaphore::new(IN_FLIGHT),
            next: AtomicU64::new(1),
            useless: AtomicU64::new(0),
            pulls: Mutex::default(),
            listening: Listening::default(),
            hosted: Mutex::default(),
        };
        let driver = Driver {
            outgoing: queue,
            ending: ends,
        };
        (Arc::new(channel), driver, answers)
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

    /// Where it was dialled; `None` for one that was accepted.
    #[must_use]
    pub const fn endpoint(&self) -> Option<SocketAddr> {
        self.endpoint
    }

    /// Representatives that vote behind this channel, as the crawler found.
    #[must_use]
    pub fn representatives(&self) -> BTreeSet<Account> {
        self.hosted().representatives()
    }

    pub(super) fn hosted(&self) -> MutexGuard<'_, Hosted> {
        lock(&self.hosted)
    }

    /// Ends the channel with this reason, unless it is ending already.
    pub(super) fn end(&self, reason: ChannelError) {
        // The first reason stands; a full queue holds one.
        let _ = self.ending.try_send(reason);
    }

    /// Whether the full node answers a question that every full node can.
    pub(super) async fn answers(&self, network: Network) -> bool {
        let target = PullTarget::Account(network.genesis_account());
        let question = AscPullQuestion::AccountInfo { target };
        self.ask(question, ANSWER, true).await.is_ok()
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
        self.ask(question, limit, false).await
    }

    async fn ask(
        &self,
        question: AscPullQuestion,
        limit: Duration,
        upkeep: bool,
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
            self.send(kind, upkeep, AscPullReq { id, question }.into())?;
            wait.await.map_err(|_| silent)
        })
        .await
        .unwrap_or(Err(silent))
    }

    /// Listens to this channel's votes from now on.
    #[must_use]
    pub fn votes(&self) -> Votes {
        self.listening.listen()
    }

    /// Takes one of the slots, for requests whose answers the caller collects.
    pub async fn slot(&self) -> Option<tokio::sync::SemaphorePermit<'_>> {
        self.slots.acquire().await.ok()
    }

    /// One of the slots, if one is free and nobody waits for it.
    #[must_use]
    pub fn free_slot(&self) -> Option<tokio::sync::SemaphorePermit<'_>> {
        self.slots.try_acquire().ok()
    }

    /// Notes a message that turned out to be of no use when it was looked at; it is charged with
    /// the next one that comes.
    pub(super) fn charge(&self) {
        self.useless.fetch_add(1, Ordering::Relaxed);
    }

    /// Asks for final votes. The caller holds a [`Channel::slot`].
    ///
    /// # Errors
    /// When the channel has ended or takes nothing.
    pub fn confirm(&self, blocks: Vec<RequestedBlock>) -> Result<(), AskError> {
        self.send("confirm_req", false, ConfirmReq { blocks }.into())
    }

    /// Asks for votes on blocks that every representative here should know. The caller holds a
    /// [`Channel::slot`].
    pub(super) fn ask_representatives(&self, blocks: Vec<RequestedBlock>) -> Result<(), AskError> {
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
        shared: &Shared,
    ) -> ChannelError
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let Driver {
            outgoing,
            mut ending,
        } = driver;
        let error = tokio::select! {
            error = self.read(BufReader::new(reader), shared) => error,
            error = self.write(outgoing, writer, shared) => error,
            Some(error) = ending.recv() => error,
        };
        // Whoever waits for an answer learns at once that none will come.
        lock(&self.pulls).clear();
        self.listening.end();
        self.slots.close();
        error
    }

    async fn write<W>(
        &self,
        mut outgoing: mpsc::Receiver<Out>,
        mut writer: W,
        shared: &Shared,
    ) -> ChannelError
    where
        W: AsyncWrite + Unpin,
    {
        let setting = &shared.setting;
        let mut keepalive = interval(setting.timing.keepalive);
        let mut cadence = Cadence::default();
        loop {
            let out = tokio::select! {
                out = outgoing.recv() => match out {
                    Some(out) => {
                        cadence.wrote();
                        out
                    }
                    // Nobody holds the channel any more.
                    None => return ChannelError::Closed("serving"),
                },
                _ = keepalive.tick() => {
                    if !cadence.is_due() {
                        continue;
                    }
                    Out {
                        kind: "keepalive",
                        upkeep: true,
                        message: shared.keepalive(self.address).into(),
                    }
                }
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
            match timeout(setting.timing.message, writer.write_all(&bytes)).await {
                Ok(Ok(())) => metrics::count(setting.family(out.upkeep), out.kind),
                Ok(Err(error)) => return ChannelError::Broken(error),
                Err(_) => return ChannelError::TimedOut("writing"),
            }
        }
    }

    async fn read<R>(&self, mut reader: R, shared: &Shared) -> ChannelError
    where
        R: AsyncRead + Unpin,
    {
        let setting = &shared.setting;
        let patience = Patience {
            first: setting.timing.silence,
            rest: setting.timing.message,
        };
        let mut allowance = Allowance::new(shared.now());
        let mut told = Repeats::new();
        loop {
            let read = read_message(&mut reader, setting.network, patience, "serving").await;
            let (message, bytes) = match read {
                Ok(read) => read,
                Err(ChannelError::Malformed(MessageError::ZeroVoter)) => {
                    metrics::count(&setting.metrics.live_dropped, "zero-voter");
                    match allowance.charge(shared.now(), Header::SIZE, 1) {
                        Ok(()) => continue,
                        Err(flood) => return flood,
                    }
                }
                Err(error) => return error,
            };
            let wanted = self.take(message, shared, &mut told);
            let useless = self.useless.swap(0, Ordering::Relaxed) + u64::from(!wanted);
            if let Err(flood) = allowance.charge(shared.now(), bytes, useless) {
                return flood;
            }
        }
    }

    /// Takes a message; whether it was of use.
    fn take(&self, message: Message, shared: &Shared, told: &mut Repeats) -> bool {
        let setting = &shared.setting;
        let name = message.message_type().name();
        metrics::count(&setting.metrics.full_node_messages, name);
        match message {
            Message::AscPullAck(answer) => {
                let waiting = lock(&self.pulls).remove(&answer.id);
                // The asker may have given up in this instant.
                let wanted = waiting.is_some_and(|asker| asker.send(answer.answer).is_ok());
                if !wanted {
                    metrics::count(&setting.metrics.live_dropped, "late-answer");
                }
                wanted
            }
            Message::ConfirmAck(ack) => {
                let repeated = told.is_repeated(&ack.vote, shared.now());
                self.vote(Arc::new(ack.vote), !ack.rebroadcast, setting);
                !repeated
            }
            Message::Publish(publish) => {
                setting.tell(Live::Block {
                    channel: self.id,
                    block: Box::new(publish.block),
                });
                true
            }
            Message::Keepalive(keepalive) => {
                shared.hear(self, &keepalive);
                false
            }
            // A ledger-less peer owes no answer to any request, and needs nothing from the rest.
            _ => false,
        }
    }

    fn vote(&self, vote: Arc<Vote>, own: bool, setting: &Setting) {
        for _ in 0..self.listening.tell(&vote) {
            metrics::count(&setting.metrics.live_dropped, "listener-behind");
        }
        if own
            && self.hosted().is_answer(&vote)
            && self.crawled.try_send(Arc::clone(&vote)).is_err()
        {
            metrics::count(&setting.metrics.live_dropped, "crawler-behind");
        }
        setting.tell(Live::Vote {
            channel: self.id,
            vote,
            own,
        });
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
