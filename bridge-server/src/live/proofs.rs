//! Confirmed blocks being proven.
//!
//! States of one: *waiting*, *running* ([`AT_ONCE`] of them), gone. Nothing is dropped: when
//! [`WAITING`] wait there is no room ([`Proofs::has_room`]), and the live task takes nothing from
//! the stream until there is again; what the stream then loses is counted, and asked for later.

use std::collections::VecDeque;
use std::sync::Arc;

use nano_core::Vote;
use nanonet::Input;
use tokio::sync::broadcast;
use tokio::task::JoinSet;

use super::tally::Confirmed;
use super::{Confirmation, Decided};
use crate::prove::Prover;
use crate::shell::NodeHandle;

/// Proofs being made.
const AT_ONCE: usize = 64;
/// Confirmed blocks that wait; the one message that fills it may bring some more, 255 at most.
const WAITING: usize = 1_024;

/// A confirmed block, and what to tell when its proof is there.
type Job = (Confirmed, Option<Confirmation>);

/// The queue.
#[derive(Debug)]
pub(super) struct Proofs {
    waiting: VecDeque<Job>,
    running: JoinSet<()>,
    prover: Prover,
    node: NodeHandle,
    confirmations: broadcast::Sender<Confirmation>,
    decided: Decided,
}

impl Proofs {
    /// An empty queue; records go to `node`, then their roots into `decided`, then
    /// `confirmations` are told.
    pub(super) fn new(
        prover: Prover,
        node: NodeHandle,
        confirmations: broadcast::Sender<Confirmation>,
        decided: Decided,
    ) -> Self {
        Self {
            waiting: VecDeque::new(),
            running: JoinSet::new(),
            prover,
            node,
            confirmations,
            decided,
        }
    }

    /// Whether another block may be put.
    pub(super) fn has_room(&self) -> bool {
        self.waiting.len() < WAITING
    }

    /// Puts a confirmed block at the end.
    pub(super) fn put(&mut self, confirmed: Confirmed, note: Option<Confirmation>) {
        self.waiting.push_back((confirmed, note));
        self.start();
    }

    /// Waits for a proof to be over and starts the next; `None` when none is being made.
    pub(super) async fn ended(&mut self) -> Option<()> {
        // A task that failed ended with the runtime.
        self.running.join_next().await?.ok()?;
        self.start();
        Some(())
    }

    fn start(&mut self) {
        while self.running.len() < AT_ONCE
            && let Some((confirmed, note)) = self.waiting.pop_front()
        {
            let (prover, node) = (self.prover.clone(), self.node.clone());
            let (confirmations, decided) = (self.confirmations.clone(), self.decided.clone());
            self.running.spawn(async move {
                prove(&prover, &node, confirmed).await;
                if let Some(note) = note {
                    decided.put(note);
                    // Nobody may be waiting.
                    let _ = confirmations.send(note);
                }
            });
        }
    }
}

/// Makes the proof of a confirmed block and gives it to the overlay.
async fn prove(prover: &Prover, node: &NodeHandle, confirmed: Confirmed) {
    let hash = confirmed.block.hash();
    tracing::debug!(%hash, "confirmed");
    let votes = confirmed.votes.iter().map(Arc::as_ref).map(Vote::clone);
    match prover.confirmed(confirmed.block, votes.collect()).await {
        Ok((record, receivable)) => {
            node.input(Input::Confirmed {
                record: Box::new(record),
                receivable: receivable.map(Box::new),
            })
            .await;
        }
        Err(failure) => {
            tracing::info!(%hash, reason = failure.code(), "not proven");
        }
    }
}
