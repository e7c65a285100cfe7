//! Transactions out: blocks of nanonet nodes brought to the full nodes.
//!
//! A block is in one of these states here: *pending* (published, and again after growing pauses),
//! or gone (confirmed, refused, superseded, or given up after [`Limits::give_up`]). Rules:
//! - checked first: a state block (so its size is fixed), signed by its account (or an epoch
//!   signer), with work that the network's nodes let in; anything else would only cost the bridge
//!   its standing with them;
//! - a known fork: when another block of its root is confirmed it is superseded at once; while
//!   others of its root are pending both are published, because only votes decide, up to [`RIVALS`];
//! - durable before it is published, so that a restart goes on; one entry per hash, and everybody
//!   who handed it in is told of each change;
//! - published to every full node with a principal representative and some others (`outlet`);
//! - a full node never says what it thinks of a block. Whether the block it builds on exists is
//!   looked up before it is published, unless it was met a short while ago; confirmation, of it or
//!   of its rival, comes from `live`;
//! - one sender brings no more than `limits` says;
//! - at most [`Limits::pending`] blocks and [`ASKERS`] askers per block, and [`LOOKS`] look-ups at
//!   once. When all places are taken, a block with more work takes the place of the one with the least,
//!   which is given up; one with no more is refused as busy.

pub(crate) mod check;
mod limits;
mod outlet;

use std::collections::BTreeMap;
use std::time::Duration;

use nano_core::{Block, BlockHash, Network, Root};
use nanonet::{Input, RelayId, RelayRefusal, RelayState};
use tokio::sync::{broadcast, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::ask::Asker;
use crate::clock;
use crate::full_node::{AskError, FullNodes, Live, LiveSender};
use crate::live::Confirmation;
use crate::metrics::{self, Metrics};
use crate::prove::Roots;
use crate::recent::Recent;
use crate::shell::{NodeHandle, RelayJob};
use crate::store::{Store, Write};
use crate::weights::Weights;
use limits::Senders;

pub use outlet::FAN_OUT;

/// Who is told about one block.
pub const ASKERS: usize = 16;
/// Blocks of one root being relayed at once.
pub const RIVALS: usize = 4;
/// Look-ups at once.
pub const LOOKS: usize = 64;
/// Longest pause between two publishes (full nodes: 60 s).
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Confirmations remembered, and for how long in milliseconds: a block handed in late is told at
/// once what became of its root.
const REMEMBERED: (usize, u64) = (8_192, 10 * 60 * 1000);

/// How much is relayed, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Blocks being relayed at once.
    pub pending: usize,
    /// How long a block is published before it is given up.
    pub give_up: Duration,
}

impl Limits {
    /// What a bridge relays unless a test says otherwise.
    pub const DEFAULT: Self = Self {
        pending: 1_024,
        give_up: Duration::from_secs(300),
    };
}

/// What the relay needs.
#[derive(Debug)]
pub struct Parts {
    /// Bounds.
    pub limits: Limits,
    /// Nano network.
    pub network: Network,
    /// The channels.
    pub full_nodes: FullNodes,
    /// Who votes with how much.
    pub weights: Weights,
    /// Asks over them.
    pub asker: Asker,
    /// Where blocks met are remembered.
    pub roots: Roots,
    /// The stream that looks for confirmation; published blocks are put into it.
    pub live: LiveSender,
    /// Told what became of blocks.
    pub node: NodeHandle,
    /// Confirmations of the live stream.
    pub confirmations: broadcast::Receiver<Confirmation>,
    /// Where pending blocks are kept.
    pub store: Store,
    /// The metrics.
    pub metrics: Metrics,
}

struct Pending {
    block: Block,
    askers: Vec<RelayId>,
    full_nodes: u16,
    publish_at: Instant,
    pause: Duration,
    give_up_at: Instant,
}

/// Serves jobs until their queue ends.
pub async fn run(mut jobs: mpsc::Receiver<RelayJob>, parts: Parts) {
    let first_pause = match parts.network {
        Network::Dev => Duration::from_secs(1),
        Network::Live | Network::Beta | Network::Test => Duration::from_secs(3),
    };
    let mut task = Relay {
        parts,
        pending: BTreeMap::new(),
        settled: Recent::new(REMEMBERED.0, REMEMBERED.1),
        senders: Senders::new(),
        looks: JoinSet::new(),
        first_pause,
    };
    loop {
        let next = task
            .pending
            .values()
            .map(|pending| pending.publish_at.min(pending.give_up_at))
            .min();
        tokio::select! {
            job = jobs.recv() => match job {
                Some(job) => task.accept(job).await,
                None => return,
            },
            note = task.parts.confirmations.recv() => match note {
                Ok(note) => task.settle(note).await,
                // Those missed are found again when their blocks are published the next time:
                // representatives answer with what they confirmed at that root.
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return,
            },
            Some(looked) = task.looks.join_next() => match looked {
                Ok((job, true)) => {
                    task.refuse(&job, RelayRefusal::NotOnFrontier).await;
                }
                Ok((job, false)) => task.begin(job).await,
                // Its task was ended with the runtime.
                Err(_) => return,
            },
            () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {
                task.due().await;
            }
        }
    }
}

struct Relay {
    parts: Parts,
    pending: BTreeMap<BlockHash, Pending>,
    settled: Recent<Root, BlockHash>,
    senders: Senders,
    /// Jobs whose block's previous is being looked up, with whether it is missing.
    looks: JoinSet<(RelayJob, bool)>,
    first_pause: Duration,
}

impl Relay {
    async fn accept(&mut self, job: RelayJob) {
        let hash = job.block.hash();
        let askers: Vec<RelayId> = job.request.into_iter().collect();
        if let Some(winner) = self.settled.get(&job.block.root(), clock::now()).copied() {
            let state = outcome(hash, winner);
            self.forget(hash).await;
            return self.tell(&askers, state).await;
        }
        if let Some(pending) = self.pending.get_mut(&hash) {
            let state = RelayState::Accepted {
                full_nodes: pending.full_nodes,
            };
            if pending.askers.len() < ASKERS {
                pending.askers.extend(&askers);
            }
            return self.tell(&askers, state).await;
        }
        let admitted = match check::check(&job.block, self.parts.network) {
            Ok(()) => self.admit(&job.block).await,
            refused => refused,
        };
        match admitted {
            Err(refusal) => self.refuse(&job, refusal).await,
            Ok(()) => self.look(job).await,
        }
    }

    /// Whether there is a place for a checked block.
    async fn admit(&mut self, block: &Block) -> Result<(), RelayRefusal> {
        let root = block.root();
        let rivals = self.pending.values();
        let rivals = rivals
            .filter(|pending| pending.block.root() == root)
            .count();
        if self.looks.len() >= LOOKS || rivals >= RIVALS {
            return Err(RelayRefusal::Busy);
        }
        let needed = self.parts.network.work_thresholds().entry_of(block);
        let reached = block.work().difficulty(&root);
        let sender = block.account().unwrap_or_default();
        if !self.senders.admit(sender, reached, needed, clock::now()) {
            return Err(RelayRefusal::Busy);
        }
        if self.pending.len() < self.parts.limits.pending {
            return Ok(());
        }
        let work = |block: &Block| block.work().difficulty(&block.root());
        let least = self.pending.iter();
        let least = least.min_by_key(|(_, pending)| work(&pending.block));
        match least {
            Some((hash, pending)) if work(&pending.block) < reached => {
                let hash = *hash;
                self.end(hash, RelayState::GivenUp, "displaced").await;
                Ok(())
            }
            _ => Err(RelayRefusal::Busy),
        }
    }

    /// Looks whether the block that this one builds on exists, unless that is known.
    async fn look(&mut self, job: RelayJob) {
        match job.block.previous() {
            Some(previous) if self.parts.roots.get(&previous).is_none() => {
                let asker = self.parts.asker.clone();
                self.looks.spawn(async move {
                    // Only a clear "unknown" refuses; silence says nothing.
                    let found = asker.blocks(previous, 1).await;
                    (job, matches!(found, Err(AskError::Unknown { .. })))
                });
            }
            _ => self.begin(job).await,
        }
    }

    async fn refuse(&mut self, job: &RelayJob, refusal: RelayRefusal) {
        metrics::count(&self.parts.metrics.relayed, refusal.code());
        self.forget(job.block.hash()).await;
        let askers: Vec<RelayId> = job.request.into_iter().collect();
        self.tell(&askers, RelayState::Refused(refusal)).await;
    }

    /// Stores a block and publishes it the first time.
    async fn begin(&mut self, job: RelayJob) {
        let hash = job.block.hash();
        let askers: Vec<RelayId> = job.request.into_iter().collect();
        let pending = Write::PutPending {
            hash: *hash.as_bytes(),
            block: job.block.serialized_typed(),
            since: clock::now(),
        };
        // Refused by a full disk it is published all the same: its owner keeps it, too.
        if let Err(error) = self.parts.store.write(pending).await {
            tracing::error!(%error, %hash, "a pending block was not stored");
        }
        let now = Instant::now();
        self.pending.insert(
            hash,
            Pending {
                block: job.block,
                askers,
                full_nodes: 0,
                publish_at: now,
                pause: self.first_pause,
                give_up_at: now + self.parts.limits.give_up,
            },
        );
        self.publish(hash).await;
    }

    /// Publishes everything whose pause is over, and gives up what is too old.
    async fn due(&mut self) {
        let now = Instant::now();
        let due: Vec<BlockHash> = self
            .pending
            .iter()
            .filter(|(_, pending)| pending.publish_at.min(pending.give_up_at) <= now)
            .map(|(hash, _)| *hash)
            .collect();
        for hash in due {
            let Some(pending) = self.pending.get(&hash) else {
                continue;
            };
            if pending.give_up_at <= now {
                self.end(hash, RelayState::GivenUp, "given-up").await;
            } else {
                self.publish(hash).await;
            }
        }
    }

    async fn publish(&mut self, hash: BlockHash) {
        let Some(pending) = self.pending.get_mut(&hash) else {
            return;
        };
        let block = pending.block;
        let now = Instant::now();
        pending.publish_at = now + pending.pause;
        pending.pause = (pending.pause * 2).min(LONGEST_PAUSE);
        // The live stream watches for its votes and asks for them.
        if self
            .parts
            .live
            .try_send(Live::Block {
                block: Box::new(block),
            })
            .is_err()
        {
            metrics::count(&self.parts.metrics.live_dropped, "stream-behind");
        }
        let weights = self.parts.weights.current();
        let sent = outlet::publish(&self.parts.full_nodes, &weights, block);
        let Some(pending) = self.pending.get_mut(&hash) else {
            return;
        };
        if sent == 0 && pending.full_nodes == 0 {
            // Never out: whoever handed it in can try another bridge.
            let refused = RelayState::Refused(RelayRefusal::NoFullNode);
            return self.end(hash, refused, "no-full-node").await;
        }
        if sent > pending.full_nodes {
            pending.full_nodes = sent;
            let askers = pending.askers.clone();
            self.tell(&askers, RelayState::Accepted { full_nodes: sent })
                .await;
        }
    }

    /// A root is decided: tells who waits for a block of it.
    async fn settle(&mut self, note: Confirmation) {
        self.settled.put(note.root, note.hash, clock::now());
        let decided: Vec<BlockHash> = self
            .pending
            .iter()
            .filter(|(_, pending)| pending.block.root() == note.root)
            .map(|(hash, _)| *hash)
            .collect();
        for hash in decided {
            let won = hash == note.hash;
            let kind = if won { "confirmed" } else { "superseded" };
            self.end(hash, outcome(hash, note.hash), kind).await;
        }
    }

    async fn end(&mut self, hash: BlockHash, state: RelayState, kind: &'static str) {
        metrics::count(&self.parts.metrics.relayed, kind);
        let askers = self
            .pending
            .remove(&hash)
            .map(|pending| pending.askers)
            .unwrap_or_default();
        self.forget(hash).await;
        self.tell(&askers, state).await;
    }

    async fn forget(&self, hash: BlockHash) {
        // A stopping store takes nothing more; the block is looked at again after the restart.
        let _ = self
            .parts
            .store
            .write(Write::RemovePending {
                hash: *hash.as_bytes(),
            })
            .await;
    }

    async fn tell(&self, askers: &[RelayId], state: RelayState) {
        for request in askers {
            self.parts
                .node
                .input(Input::RelayProgress {
                    request: *request,
                    state,
                })
                .await;
        }
    }
}

/// What became of `hash` once `winner` is confirmed at its root.
fn outcome(hash: BlockHash, winner: BlockHash) -> RelayState {
    if winner == hash {
        RelayState::Confirmed
    } else {
        RelayState::Superseded { winner }
    }
}
