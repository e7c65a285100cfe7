//! The live stream of the full nodes turned into proofs.
//!
//! Blocks (`publish`) and votes (`confirm_ack`) of all channels, and what a full node's WebSocket
//! tells, meet in a [`Tally`]. When a block's final votes reach the threshold it is confirmed once:
//! a proof is made and given to the overlay, then whoever waits is told ([`Confirmation`]), so that
//! an author hears of his block, or of its rival, when the proof is there. A full node sends a
//! random part of the votes only, so votes that stay away are asked for. Unconfirmed blocks go
//! nowhere; of a root both sides are kept while they are voted on. Blocks whose signature or work
//! no full node would let in are dropped before they are counted.
//!
//! Limits: the tables of [`tally`]; at most [`JOBS`] proofs, look-ups and questions run at once,
//! beyond it a confirmed block is only told of and its proof is made when somebody asks.

mod decided;
pub mod tally;

use std::sync::Arc;
use std::time::Duration;

use nano_core::message::RequestedBlock;
use nano_core::{Block, BlockHash, Network, Root};
use nanonet::Input;
use tokio::sync::{broadcast, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

pub use decided::Decided;
use tally::{Confirmed, Tally, Verdict};

use crate::ask::Asker;
use crate::clock;
use crate::full_node::{ANSWER, Channel, FullNodes, Live};
use crate::metrics::{self, Metrics};
use crate::prove::{Prover, Roots};
use crate::relay::check;
use crate::shell::NodeHandle;
use crate::weights::Weights;

/// Entries of the stream that may wait.
pub const STREAM: usize = 4_096;
/// Proofs, look-ups and questions at once.
pub const JOBS: usize = 64;
/// Confirmations kept for slow listeners.
pub const CONFIRMATIONS: usize = 1_024;
/// How often missing votes are looked for.
const TICK: Duration = Duration::from_millis(100);
/// Blocks asked for in one request: the vote's list goes into every proof made of it.
const BATCH: usize = 32;

/// A block that was seen confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confirmation {
    /// The block.
    pub hash: BlockHash,
    /// Its root: every other block of this root has lost.
    pub root: Root,
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
    /// The metrics.
    pub metrics: Metrics,
}

/// Serves the stream until it ends.
pub async fn run(mut stream: mpsc::Receiver<Live>, parts: Parts) {
    let ask_after = match parts.network {
        Network::Dev => 250,
        Network::Live | Network::Beta | Network::Test => 2_000,
    };
    let mut task = Task {
        tally: Tally::new(ask_after),
        jobs: JoinSet::new(),
        parts,
    };
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            live = stream.recv() => match live {
                Some(Live::Block { block }) => task.published(*block),
                Some(Live::Vote { vote, .. }) => task.vote(&vote),
                None => return,
            },
            Some(done) = task.jobs.join_next() => {
                if let Ok(Some(block)) = done {
                    task.block(*block);
                }
            }
            _ = tick.tick() => task.ask(),
        }
    }
}

struct Task {
    tally: Tally,
    /// A finished job may bring a block that was looked up.
    jobs: JoinSet<Option<Box<Block>>>,
    parts: Parts,
}

impl Task {
    /// A block that somebody says is being voted on.
    fn published(&mut self, block: Block) {
        match check::seen(&block, self.parts.network) {
            Ok(()) => self.block(block),
            // The hash does not cover signature and work: a spoiled copy must not take the place
            // of the real one.
            Err(refusal) => metrics::count(&self.parts.metrics.live_dropped, refusal.code()),
        }
    }

    fn block(&mut self, block: Block) {
        self.parts.roots.learn(&block);
        let verdict = self
            .tally
            .block(block, &self.parts.weights.current(), clock::now());
        self.follow(verdict);
    }

    fn vote(&mut self, vote: &nano_core::Vote) {
        let table = self.parts.weights.current();
        let now = clock::now();
        // Votes for the genesis block only tell who votes where.
        if vote.hashes == [self.parts.network.genesis_hash()]
            || !self.tally.cares(vote, &table, now)
        {
            return;
        }
        if vote.verify().is_err() {
            metrics::count(&self.parts.metrics.live_dropped, "bad-vote-signature");
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
                metrics::count(&self.parts.metrics.live_forks, "open");
                tracing::info!(%root, "two blocks of one root are voted on");
            }
            Verdict::DoubleVote(representative, root) => {
                metrics::count(&self.parts.metrics.live_forks, "double-vote");
                tracing::warn!(%representative, %root, "final votes for two blocks of one root");
            }
            Verdict::Wanted(hash) => self.fetch(hash),
            Verdict::Confirmed(confirmed) => {
                self.parts.metrics.live_confirmed.inc();
                let note = Confirmation {
                    hash: confirmed.block.hash(),
                    root: confirmed.block.root(),
                };
                self.prove(*confirmed, Some(note));
            }
            Verdict::Conflict(confirmed) => {
                metrics::count(&self.parts.metrics.live_forks, "conflict");
                let root = confirmed.block.root();
                tracing::error!(%root, "two blocks of one root were confirmed; both are passed on");
                self.prove(*confirmed, None);
            }
        }
    }

    /// Gets the bytes of a block that only votes were heard of.
    fn fetch(&mut self, hash: BlockHash) {
        // Votes that we asked for ourselves come by here, too: their blocks are not news, unless
        // they are rivals of one that is being voted on.
        if self
            .parts
            .roots
            .get(&hash)
            .is_some_and(|root| !self.tally.is_contested(&root, clock::now()))
        {
            return;
        }
        if self.is_busy() {
            return;
        }
        let asker = self.parts.asker.clone();
        self.jobs.spawn(async move {
            let blocks = asker.blocks(hash, 1).await.ok();
            blocks
                .and_then(|blocks| blocks.first().copied())
                .map(Box::new)
        });
    }

    /// Makes the proof of a confirmed block and gives it to the overlay, then tells of it.
    fn prove(&mut self, confirmed: Confirmed, note: Option<Confirmation>) {
        let hash = confirmed.block.hash();
        tracing::debug!(%hash, "confirmed");
        let confirmations = self.parts.confirmations.clone();
        let decided = self.parts.decided.clone();
        let tell = move || {
            if let Some(note) = note {
                decided.put(note);
                // Nobody may be waiting.
                let _ = confirmations.send(note);
            }
        };
        if self.is_busy() {
            return tell();
        }
        let (prover, node) = (self.parts.prover.clone(), self.parts.node.clone());
        self.jobs.spawn(async move {
            match prover.confirmed(confirmed.block, confirmed.votes).await {
                Ok((record, receivable)) => {
                    let receivable = receivable.map(Box::new);
                    node.input(Input::Confirmed {
                        record: Box::new(record),
                        receivable,
                    })
                    .await;
                }
                Err(failure) => {
                    tracing::info!(%hash, reason = failure.code(), "not proven");
                }
            }
            tell();
            None
        });
    }

    /// Asks for votes that have not come by themselves, each channel for those of its
    /// representatives.
    fn ask(&mut self) {
        let now = clock::now();
        let due = self.tally.due(BATCH, now);
        let open = i64::try_from(self.tally.open()).unwrap_or(i64::MAX);
        self.parts.metrics.live_open.set(open);
        if due.is_empty() || self.is_busy() {
            return;
        }
        let table = self.parts.weights.current();
        for channel in self.parts.full_nodes.voting_channels() {
            let mut who = channel.representatives();
            who.retain(|who| !table.weight_of(who).is_zero());
            let missing = self.tally.missing(&due, &who, now);
            let blocks: Vec<_> = missing
                .into_iter()
                .map(|(hash, root)| RequestedBlock { hash, root })
                .collect();
            if !blocks.is_empty() {
                self.jobs.spawn(ask(channel, blocks));
            }
        }
    }

    fn is_busy(&self) -> bool {
        let busy = self.jobs.len() >= JOBS;
        if busy {
            metrics::count(&self.parts.metrics.live_dropped, "busy");
        }
        busy
    }
}

/// Asks one channel and holds its slot until it has answered; the votes arrive by the stream.
async fn ask(channel: Arc<Channel>, blocks: Vec<RequestedBlock>) -> Option<Box<Block>> {
    let _slot = channel.slot().await?;
    let deadline = Instant::now() + ANSWER;
    let mut votes = channel.votes();
    if channel.confirm(blocks.clone()).is_ok() {
        while let Some(vote) = votes.next(deadline).await {
            if blocks.iter().any(|block| vote.hashes.contains(&block.hash)) {
                break;
            }
        }
    }
    None
}
