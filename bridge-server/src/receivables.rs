//! What an account can receive, found by a full node's RPC and proven by votes.
//!
//! Full nodes' peer protocol cannot list receivables. Without `--rpc` the bridge knows those that
//! came by the live stream or lie in the nanonet; with it, a resolve also asks the node for them.
//! Rules:
//! - the node's list is a hint: every send is proven by final votes, or left out;
//! - at most [`MOST`] per question, the largest first, [`AT_ONCE`] proven at a time, and only for
//!   [`PATIENCE`]: the balance never waits longer for them. What was not proven in time is proven at
//!   the next question;
//! - proven ones are remembered ([`REMEMBERED`], one hour), so that asking again costs one RPC.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use nano_core::{Account, BlockHash};
use nanonet::ReceivableRecord;
use tokio::time::{Instant, timeout_at};

use crate::ask::Asker;
use crate::clock;
use crate::prove::Prover;
use crate::recent::Recent;
use crate::rpc::Rpc;

/// Sends proven for one question.
pub const MOST: usize = 32;
/// Proofs at a time for one question.
pub const AT_ONCE: usize = 4;
/// How long one question's receivables may take.
pub const PATIENCE: Duration = Duration::from_secs(4);
/// Proofs remembered.
pub const REMEMBERED: usize = 4_096;
const REMEMBERED_MS: u64 = 60 * 60 * 1000;

/// Finds receivables; cloning shares what is remembered.
#[derive(Clone, Debug)]
pub struct Receivables {
    rpc: Option<Rpc>,
    asker: Asker,
    prover: Prover,
    proven: Arc<Mutex<Recent<BlockHash, ReceivableRecord>>>,
}

impl Receivables {
    /// Without `rpc` it finds none.
    #[must_use]
    pub fn new(rpc: Option<Rpc>, asker: Asker, prover: Prover) -> Self {
        Self {
            rpc,
            asker,
            prover,
            proven: Arc::new(Mutex::new(Recent::new(REMEMBERED, REMEMBERED_MS))),
        }
    }

    /// Proven sends to `account` that it has not received as far as the full node knows, largest
    /// first.
    pub async fn of(&self, account: Account) -> Vec<ReceivableRecord> {
        let Some(rpc) = &self.rpc else {
            return Vec::new();
        };
        let deadline = Instant::now() + PATIENCE;
        let sends = match timeout_at(deadline, rpc.receivable(account, MOST)).await {
            Ok(Ok(sends)) => sends,
            Ok(Err(error)) => {
                tracing::debug!(%error, "receivables were not looked up");
                return Vec::new();
            }
            Err(_) => return Vec::new(),
        };
        let proofs = stream::iter(sends).map(|send| async move {
            let proven = timeout_at(deadline, self.proof(send)).await;
            proven.ok().flatten()
        });
        let proven: Vec<_> = proofs.buffered(AT_ONCE).collect().await;
        // A node may list what another account can receive.
        let proven = proven.into_iter().flatten();
        proven
            .filter(|record| record.destination() == account)
            .collect()
    }

    async fn proof(&self, send: BlockHash) -> Option<ReceivableRecord> {
        let remembered = || self.proven.lock().unwrap_or_else(PoisonError::into_inner);
        let known = remembered().get(&send, clock::now()).cloned();
        if known.is_some() {
            return known;
        }
        let blocks = self.asker.blocks(send, 1).await.ok()?;
        let block = *blocks.first()?;
        let (_, record) = self.prover.confirmed(block, Vec::new()).await.ok()?;
        let record = record?;
        remembered().put(send, record.clone(), clock::now());
        Some(record)
    }
}
