//! Transactions out: blocks of nanonet nodes brought to the full nodes.
//!
//! A block is in one of these states here: *looked at* (the block it builds on is looked for,
//! `looks`), *pending* (stored and published, and again after growing pauses), or gone (confirmed,
//! refused, superseded, or given up after [`Limits::give_up`]). Rules:
//! - checked first: a state block (so its size is fixed), signed by its account (or an epoch
//!   signer), with work that the network's nodes let in; anything else would only cost the bridge
//!   its standing with them;
//! - a full node never says what it thinks of a block. Whether the block it builds on exists is
//!   looked up before it is published, unless it was met a short while ago or is being relayed
//!   itself, and from that one's balance follows how much work it really needs; confirmation, of it
//!   or of its rival, comes from `live`;
//! - a known fork: when another block of its root is confirmed it is superseded at once; while
//!   others of its root are here both are published, because only votes decide, up to [`RIVALS`];
//! - one entry per hash, and everybody who handed it in is told of each change;
//! - durable before it is published, so that a restart goes on: what is found in storage was let in
//!   once and is not asked about again, and that no full node is connected does not end it;
//! - published to every full node with a principal representative and some others (`outlet`); what
//!   reached nobody goes out when a channel opens. A block handed in while there is none is refused;
//! - one sender brings no more than `limits` says;
//! - at most [`Limits::pending`] blocks and [`ASKERS`] askers per block, and [`LOOKS`] looks at
//!   once. When all places are taken, a block with more work takes the place of the one with the least,
//!   which is given up; one with no more is refused as busy. Of many that are due at once
//!   [`AT_ONCE`] go out, and as many after each [`BREATH`], so that questions find room on the
//!   channels.

pub(crate) mod check;
mod limits;
mod looks;
mod outlet;
mod pending;
#[cfg(test)]
mod tests;

use std::time::Duration;

use nano_core::Network;
use tokio::sync::{broadcast, mpsc};
use tokio::time::{Instant, sleep_until};

use crate::ask::Asker;
use crate::full_node::{FullNodes, LiveSender};
use crate::live::{Confirmation, Decided};
use crate::metrics::Metrics;
use crate::prove::Roots;
use crate::shell::{NodeHandle, RelayJob};
use crate::store::Store;
use crate::weights::Weights;
use pending::Relay;

pub use outlet::FAN_OUT;

/// Who is told about one block.
pub const ASKERS: usize = 16;
/// Blocks of one root being relayed at once.
pub const RIVALS: usize = 4;
/// Blocks whose previous block is looked for at once.
pub const LOOKS: usize = 64;
/// Blocks published at once: half of what may wait for a channel's socket.
pub const AT_ONCE: usize = 32;
/// Pause before more are.
pub const BREATH: Duration = Duration::from_millis(100);
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
    /// Those of the last minutes.
    pub decided: Decided,
    /// Where pending blocks are kept.
    pub store: Store,
    /// The metrics.
    pub metrics: Metrics,
}

/// Serves jobs until their queue ends.
pub async fn run(mut jobs: mpsc::Receiver<RelayJob>, parts: Parts) {
    let mut channels = parts.full_nodes.changes();
    let mut task = Relay::new(parts);
    loop {
        let next = task.due_at();
        let is_unsent = task.is_unsent();
        tokio::select! {
            job = jobs.recv() => match job {
                Some(job) => task.accept(job).await,
                None => return,
            },
            note = task.parts.confirmations.recv() => match note {
                Ok(note) => task.settle(note).await,
                Err(broadcast::error::RecvError::Lagged(_)) => task.catch_up().await,
                Err(broadcast::error::RecvError::Closed) => return,
            },
            Some((hash, previous)) = task.looks.answered() => task.looked(hash, previous).await,
            Ok(()) = channels.changed(), if is_unsent => task.send_unsent(),
            () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {
                task.due().await;
            }
        }
    }
}
