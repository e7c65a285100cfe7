//! The live stream of the full nodes turned into proofs.
//!
//! Blocks (`publish`) and votes (`confirm_ack`) of all channels, and what a full node's WebSocket
//! tells, meet in a [`Tally`]. When a block's final votes reach the threshold it is confirmed once:
//! a proof is made and given to the overlay, then whoever waits is told ([`Confirmation`]), so that
//! an author hears of his block, or of its rival, when the proof is there. A full node sends a
//! random part of the votes only, so votes that stay away are asked for. Unconfirmed blocks go
//! nowhere; of a root both sides are kept while they are voted on. Blocks whose signature or work
//! no full node would let in are dropped before they are counted, and so are votes that are not
//! signed by whom they name; both are charged to the channel they came by.
//!
//! | part | what it is |
//! |---|---|
//! | [`tally`] | the elections |
//! | `asking` | questions for votes that did not come |
//! | `fetches` | look-ups of blocks that only votes were heard of |
//! | `proofs` | confirmed blocks being proven |
//!
//! Each part has its own bounds, stated there; none takes a place of another's.

mod asking;
mod decided;
mod fetches;
mod proofs;
pub mod tally;

use std::sync::Arc;
use std::time::Duration;

use nano_core::message::RequestedBlock;
use nano_core::{Block, BlockHash, Network, Root, Vote};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::time::{MissedTickBehavior, interval};

use asking::Asking;
pub use decided::Decided;
use fetches::{Fetched, Fetches};
use proofs::Proofs;
use tally::view::Overview;
use tally::{Tally, Verdict};

use crate::ask::{Asker, Priority};
use crate::clock;
use crate::full_node::{Channel, ChannelId, FullNodes, Live};
use crate::metrics::{self, Metrics};
use crate::prove::{Prover, Roots};
use crate::relay::check;
use crate::shell::NodeHandle;
use crate::weights::Weights;

/// Entries of the stream that may wait.
pub const STREAM: usize = 4_096;
/// Confirmations kept for slow listeners.
pub const CONFIRMATIONS: usize = 1_024;
/// Elections shown at once.
pub const SHOWN: usize = 100;
/// People who may wait to be shown the elections.
const QUESTIONS: usize = 16;
/// How often missing votes are looked for.
const TICK: Duration = Duration::from_millis(100);
/// Blocks asked for in one request: the vote's list goes into every proof made of it.
const BATCH: usize = 32;
/// How long a block that was met, but not in the stream, is given to be proven by whoever asked for
/// the votes that were heard: longer than one request for votes takes.
const OTHERS: Duration = Duration::from_secs(3);

/// A block that was seen confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confirmation {
    /// The block.
    pub hash: BlockHash,
    /// Its root: every other block of this root has lost.
    pub root: Root,
}

/// Shows how elections stand; cloning shares it.
#[derive(Clone, Debug)]
pub struct Elections {
    questions: mpsc::Sender<oneshot::Sender<Overview>>,
}

/// The live task's end of [`Elections`].
#[derive(Debug)]
pub struct Shown(mpsc::Receiver<oneshot::Sender<Overview>>);

impl Elections {
    /// Both ends.
    #[must_use]
    pub fn new() -> (Self, Shown) {
        let (questions, shown) = mpsc::channel(QUESTIONS);
        (Self { questions }, Shown(shown))
    }

    /// How they stand now, [`SHOWN`] at most; waits while [`QUESTIONS`] others wait. `None` when the
    /// bridge stops.
    pub async fn overview(&self) -> Option<Overview> {
        let (answer, wait) = oneshot::channel();
        self.questions.send(answer).await.ok()?;
        wait.await.ok()
    }
}

/// What the live task needs.
#[derive(Debug)]
pub struct Parts {
    /// Nano network.
    pub network: Network,
    /// The channels.
    pub full_nodes: FullNodes,
    /// Asks over them.
    pub asker: Asker,
    /// The weight table.
    pub weights: Weights,
    /// Makes the proofs.
    pub prover: Prover,
    /// Where blocks met are remembered.
    pub roots: Roots,
    /// Where records go.
    pub node: NodeHandle,
    /// Who waits for confirmations.
    pub confirmations: broadcast::Sender<Confirmation>,
    /// Where confirmations are remembered.
    pub decided: Decided,
    /// Who wants to be shown the elections.
    pub shown: Shown,
    /// The metrics.
    pub metrics: Metrics,
}

/// Serves the stream until it ends.
pub async fn run(mut stream: mpsc::Receiver<Live>, parts: Parts) {
    let ask_after = match parts.network {
        Network::Dev => 250,
        Network::Live | Network::Beta | Network::Test => 2_000,
    };
    let proofs = Proofs::new(parts.prover, parts.node, parts.confirmations, parts.decided);
    let mut shown = parts.shown.0;
    let mut task = Task {
        tally: Tally::new(ask_after),
        asking: Asking::default(),
        fetches: Fetches::new(parts.asker.at(Priority::Background)),
        proofs,
        network: parts.network,
        full_nodes: parts.full_nodes,
        weights: parts.weights,
        roots: parts.roots,
        metrics: parts.metrics,
    };
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            live = stream.recv(), if task.proofs.has_room() => match live {
                Some(Live::Block { channel, block }) => task.published(channel, *block),
                Some(Live::Vote { channel, vote, .. }) => task.vote(channel, &vote),
                None => return,
            },
            Some(()) = task.proofs.ended() => {}
            Some(()) = task.asking.ended() => {}
            Some(fetched) = task.fetches.ended() => task.fetched(fetched),
            Some(answer) = shown.recv() => {
                let table = task.weights.current();
                // Who asked may have left.
                let _ = answer.send(task.tally.overview(SHOWN, &table, clock::now()));
            }
            _ = tick.tick() => {
                task.ask();
                task.fetch();
            }
        }
    }
}

struct Task {
    tally: Tally,
    asking: Asking,
    fetches: Fetches,
    proofs: Proofs,
    network: Network,
    full_nodes: FullNodes,
    weights: Weights,
    roots: Roots,
    metrics: Metrics,
}

impl Task {
    /// A block that somebody says is being voted on.
    fn published(&mut self, channel: ChannelId, block: Block) {
        if self.tally.knows(&block, clock::now()) {
            return;
        }
        match check::seen(&block, self.network) {
            Ok(()) => self.block(block),
            // The hash does not cover signature and work: a spoiled copy must not take the place
            // of the real one.
            Err(refusal) => {
                metrics::count(&self.metrics.live_dropped, refusal.code());
                self.full_nodes.charge(channel);
            }
        }
    }

    fn block(&mut self, block: Block) {
        self.roots.learn(&block);
        let table = self.weights.current();
        let verdict = self.tally.block(block, &table, clock::now());
        self.follow(verdict);
    }

    fn vote(&mut self, channel: ChannelId, vote: &Arc<Vote>) {
        let table = self.weights.current();
        let now = clock::now();
        // Votes for the genesis block only tell who votes where.
        if vote.hashes == [self.network.genesis_hash()] || !self.tally.cares(vote, &table, now) {
            return;
        }
        if vote.verify().is_err() {
            metrics::count(&self.metrics.live_dropped, "bad-vote-signature");
            self.full_nodes.charge(channel);
            return;
        }
        for verdict in self.tally.vote(vote, &table, now) {
            self.follow(verdict);
        }
    }

    fn follow(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Nothing | Verdict::Counted => {}
            Verdict::Fork(root) => {
                metrics::count(&self.metrics.live_forks, "open");
                tracing::info!(%root, "two blocks of one root are voted on");
            }
            Verdict::DoubleVote(representative, root) => {
                metrics::count(&self.metrics.live_forks, "double-vote");
                tracing::warn!(%representative, %root, "final votes for two blocks of one root");
            }
            Verdict::Wanted(hash) => self.want(hash),
            Verdict::Confirmed(confirmed) => {
                self.metrics.live_confirmed.inc();
                let note = Confirmation {
                    hash: confirmed.block.hash(),
                    root: confirmed.block.root(),
                };
                self.proofs.put(*confirmed, Some(note));
            }
            Verdict::Conflict(confirmed) => {
                metrics::count(&self.metrics.live_forks, "conflict");
                let root = confirmed.block.root();
                tracing::error!(%root, "two blocks of one root were confirmed; both are passed on");
                self.proofs.put(*confirmed, None);
            }
        }
    }

    /// Has the bytes looked up of a block that only votes were heard of.
    fn want(&mut self, hash: BlockHash) {
        let pause = match self.roots.get(&hash) {
            Some(root) if !self.tally.is_contested(&root, clock::now()) => OTHERS,
            _ => Duration::ZERO,
        };
        if !self.fetches.put(hash, pause) {
            self.lose(&hash);
        }
        self.fetch();
    }

    /// Starts the look-ups that are due. Votes that this bridge asked for to prove something come
    /// by the stream, too: what was proven of them meanwhile is not news, unless it is a rival of
    /// what is being voted on. What was merely met is.
    fn fetch(&mut self) {
        let (roots, tally, now) = (&self.roots, &self.tally, clock::now());
        self.fetches.start(|hash| {
            let root = roots.get(hash);
            let is_contested = root.is_some_and(|root| tally.is_contested(&root, now));
            is_contested || !roots.is_proven(hash)
        });
    }

    fn fetched(&mut self, fetched: Fetched) {
        match fetched {
            Fetched::Block(block) => self.block(*block),
            Fetched::Later => {}
            Fetched::Lost(hash) => self.lose(&hash),
        }
        self.fetch();
    }

    fn lose(&mut self, hash: &BlockHash) {
        metrics::count(&self.metrics.live_dropped, "not-fetched");
        self.tally.unwanted(hash, clock::now());
    }

    /// Asks for votes that have not come by themselves.
    fn ask(&mut self) {
        let now = clock::now();
        let open = i64::try_from(self.tally.open()).unwrap_or(i64::MAX);
        self.metrics.live_open.set(open);
        let channels = self.full_nodes.voting_channels();
        let has_place = |channel: &Arc<Channel>| self.asking.has_place(channel.id());
        // Nothing is taken from the tally that nobody could be asked for.
        let due = match channels.iter().any(has_place) {
            true => self.tally.due(BATCH, now),
            false => return,
        };
        let list: Vec<_> = due
            .iter()
            .map(|(hash, root)| RequestedBlock {
                hash: *hash,
                root: *root,
            })
            .collect();
        let table = self.weights.current();
        for channel in channels {
            let mut who = channel.representatives();
            who.retain(|who| !table.weight_of(who).is_zero());
            if !self.tally.missing(&due, &who, now).is_empty() {
                self.asking.ask(channel, list.clone(), &self.metrics);
            }
        }
    }
}
