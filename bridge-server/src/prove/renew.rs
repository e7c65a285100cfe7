//! Dating and strengthening proofs when there is time.
//!
//! A proof from the live stream has no date yet, and one with less than 69 % of the online weight
//! may not outlive the next weight table. Both wait here for a ballot of the lowest priority, which
//! leaves with up to 31 others or when it has lingered ([`Priority::SPARE_LINGER`]); its votes share
//! one list and may make the proof smaller, too. Limits: [`WAITING`] records; what comes beyond
//! stays as it is (counted). The same account is renewed for its weight once in [`AGAIN_MS`]. A
//! record whose account has moved on meanwhile is dropped: the newer block has its own, and where
//! that comes here while the older one still lingers, nobody is asked about the older one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use nano_core::proof::Frontier;
use nano_core::{Account, BlockHash, Raw, Vote, WeightTable};
use nanonet::{AccountRecord, Input, ResolveFailure};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::{AbortHandle, JoinSet};

use super::chain::counted_sends;
use super::{Inner, Prover, lock};
use crate::ask::Priority;
use crate::clock;
use crate::metrics::{self, Metrics};
use crate::recent::Recent;
use crate::shell::NodeHandle;

/// Records that may wait.
const WAITING: usize = 1_024;
/// Records whose ballots linger or are under way: several full requests.
const AT_ONCE: usize = 256;
/// How long an account is not renewed for its weight again, milliseconds.
const AGAIN_MS: u64 = 10 * 60 * 1000;
/// Accounts of which that is remembered.
const REMEMBERED: usize = 16_384;
/// Weight below which a proof is renewed, percent of the online weight.
const WEAK_PERCENT: u128 = 69;

/// The queue.
#[derive(Debug)]
pub(super) struct Renewals {
    sender: mpsc::Sender<AccountRecord>,
    /// Taken by the one task that serves it.
    receiver: Mutex<Option<mpsc::Receiver<AccountRecord>>>,
    weak: Mutex<Recent<Account, ()>>,
}

impl Default for Renewals {
    fn default() -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        Self {
            sender,
            receiver: Mutex::new(Some(receiver)),
            weak: Mutex::new(Recent::new(REMEMBERED, AGAIN_MS)),
        }
    }
}

impl Renewals {
    pub(super) fn put(&self, record: &AccountRecord, metrics: &Metrics) {
        let outcome = match self.sender.try_send(record.clone()) {
            Ok(()) => "queued",
            Err(_) => "dropped",
        };
        metrics::count(&metrics.renewals, outcome);
    }
}

/// Serves the queue and gives each renewed record to the overlay. Ends at once when it is served
/// already.
pub async fn renew_all(prover: Prover, node: NodeHandle) {
    let Some(mut queue) = lock(&prover.inner.renewals.receiver).take() else {
        return;
    };
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    let mut under_way = UnderWay::default();
    while let Some(record) = queue.recv().await {
        while let Some(ended) = running.try_join_next() {
            if let Ok(hash) = ended {
                under_way.remove(&hash);
            }
        }
        let hash = record.hash();
        let previous = record
            .proof
            .frontier
            .block()
            .and_then(|block| block.previous());
        if previous.is_some_and(|previous| under_way.overtake(&previous)) {
            metrics::count(&prover.inner.metrics.renewals, "overtaken");
        }
        if under_way.is_overtaken(&hash) {
            metrics::count(&prover.inner.metrics.renewals, "overtaken");
            continue;
        }
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let (prover, node) = (prover.clone(), node.clone());
        let renewal = running.spawn(async move {
            let renewed = prover.renewed(record).await;
            let outcome = match &renewed {
                Ok(Some(record)) if record.sightings.is_empty() => "undated",
                Ok(Some(_)) => "renewed",
                Ok(None) => "moved-on",
                Err(failure) => failure.code(),
            };
            metrics::count(&prover.inner.metrics.renewals, outcome);
            if let Ok(Some(record)) = renewed {
                node.input(Input::Confirmed {
                    record: Box::new(record),
                    receivable: None,
                })
                .await;
            }
            drop(place);
            hash
        });
        under_way.insert(hash, previous, renewal);
    }
}

/// The renewals that linger or are asked about: block, the one before it, and the task.
#[derive(Debug, Default)]
struct UnderWay(BTreeMap<BlockHash, (Option<BlockHash>, AbortHandle)>);

impl UnderWay {
    fn insert(&mut self, hash: BlockHash, previous: Option<BlockHash>, task: AbortHandle) {
        self.0.insert(hash, (previous, task));
    }

    fn remove(&mut self, hash: &BlockHash) {
        self.0.remove(hash);
    }

    /// Lets go of the renewal of the block before a new one; whether there was one.
    fn overtake(&mut self, before: &BlockHash) -> bool {
        let task = self.0.remove(before).map(|(_, task)| task);
        task.is_some_and(|task| {
            let was_over = task.is_finished();
            task.abort();
            !was_over
        })
    }

    /// Whether a block after this one is here: confirmed blocks may come in any order.
    fn is_overtaken(&self, hash: &BlockHash) -> bool {
        let mut all = self.0.values();
        all.any(|(previous, _)| previous.as_ref() == Some(hash))
    }
}

impl Prover {
    /// The same record dated now, with the better certificate of the old and a new one; `None`
    /// when a later block was voted for. It has time: see the module's documentation.
    ///
    /// # Errors
    /// Why full nodes could not be asked.
    pub async fn renewed(
        &self,
        record: AccountRecord,
    ) -> Result<Option<AccountRecord>, ResolveFailure> {
        let inner = &self.inner;
        let asker = inner.asker.at(Priority::Spare);
        let frontier: Frontier = record.proof.frontier.clone();
        let block = frontier.block().ok_or(ResolveFailure::Unprovable)?;
        let account = record.account();
        let needed = std::iter::once(block).chain(counted_sends(&frontier));
        let ballot = inner.ballot(account, block, needed, &asker).await?;
        if !ballot.later.is_empty() {
            return Ok(None);
        }
        let table = inner.weights.current();
        let mut votes: Vec<Vote> = ballot
            .votes
            .values()
            .map(|vote| vote.as_ref().clone())
            .collect();
        votes.extend(record.proof.certificate.to_votes());
        let mut renewed = record;
        // The old one stays where nothing better came.
        if let Ok(proof) = inner.proof(account, frontier, &votes, &table) {
            renewed.proof = proof;
        }
        let sighting = inner.sighting(account, Some(block.hash()), &ballot, &table);
        renewed.sightings = sighting.into_iter().collect();
        Ok(Some(renewed))
    }
}

impl Inner {
    /// Queues a renewal of a proof that has little weight to spare.
    pub(super) fn renew_if_weak(&self, record: &AccountRecord, table: &WeightTable) {
        let weight = record.proof.certificate.weight(&record.hash(), table);
        let account = record.account();
        let now = clock::now();
        if weight >= weak(table) {
            return;
        }
        let mut known = lock(&self.renewals.weak);
        if known.get(&account, now).is_none() {
            known.put(account, (), now);
            self.renewals.put(record, &self.metrics);
        }
    }
}

/// Below this weight a proof is renewed.
fn weak(table: &WeightTable) -> Raw {
    let online = table.online_weight.max(table.minimum).number();
    let part = Raw::new(online / 100 * WEAK_PERCENT);
    // Where more than half of the table is more than that, only what is above the threshold helps.
    part.max(table.threshold())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(number: u8) -> BlockHash {
        BlockHash::from_bytes([number; 32])
    }

    #[tokio::test]
    async fn a_renewal_is_let_go_when_the_block_after_it_comes_in_whatever_order() {
        let mut under_way = UnderWay::default();
        let mut tasks = JoinSet::new();
        let mut begin = |under_way: &mut UnderWay, number: u8| {
            let task = tasks.spawn(std::future::pending::<()>());
            under_way.insert(hash(number), Some(hash(number - 1)), task);
        };
        begin(&mut under_way, 1);
        begin(&mut under_way, 3);
        assert!(!under_way.is_overtaken(&hash(1)) && !under_way.is_overtaken(&hash(3)));
        // The second block comes late: the third is here already, the first is let go.
        assert!(under_way.is_overtaken(&hash(2)));
        assert!(under_way.overtake(&hash(1)));
        assert!(!under_way.overtake(&hash(1)), "once");
        assert!(tasks.join_next().await.unwrap().unwrap_err().is_cancelled());
        assert_eq!(tasks.len(), 1, "the third goes on");
    }
}
