//! Proofs out of full nodes' answers: an account's confirmed frontier with the votes that confirm
//! it, from peers alone.
//!
//! The way of one account: a full node's word on its confirmed frontier (a hint), the block's
//! bytes (hash checked), final votes of all reachable representatives (signatures checked), a
//! [`BalanceProof`] out of both (verified as any receiver will), the blocks between what the asker
//! holds and the frontier, and a [`Sighting`] that dates it. Rules:
//! - nothing is handed out that does not verify under the weight table in force;
//! - equal questions at the same time are one question; at most [`OPEN`] run at once;
//! - an account nobody knows is stated as `unopened` only if representatives were silent about
//!   its first block while they answered for the genesis block; that is kept for
//!   [`UNOPENED_MS`]. Other failures are kept for [`FAILED_MS`], so that a crowd asking for the
//!   same unprovable account costs one attempt.

mod chain;
mod roots;
mod survey;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nano_core::proof::{BalanceProof, Frontier, History, ProofError, ReceivableProof};
use nano_core::{Account, Block, BlockHash, Network, Raw, UnixMillis, Vote, WeightTable};
use nanonet::{AccountRecord, Identity, ReceivableRecord, ResolveFailure, Sighting};

use chain::Chains;
use futures_util::{StreamExt, stream};
pub use roots::Roots;
use survey::{Question, Survey, survey};
use tokio::sync::OnceCell;

use crate::ask::Asker;
use crate::clock;
use crate::coalesce::Coalesce;
use crate::full_node::{AskError, FullNodes};
use crate::metrics::{self, Metrics};
use crate::recent::Recent;
use crate::weights::Weights;

/// Questions that run at once.
pub const OPEN: usize = 128;
/// Accounts of one [`Prover::prove_many`] that are worked on at once.
const MANY: usize = 64;
/// How long "never opened" is kept, milliseconds.
pub const UNOPENED_MS: u64 = 60_000;
/// How long a failure is kept, milliseconds.
pub const FAILED_MS: u64 = 2_000;
/// How long a question waits for enough representatives to be reachable.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// Accounts whose failure or absence is kept.
const REMEMBERED: usize = 16_384;
/// Attempts before an account that keeps moving, or votes that do not suffice, are given up.
const ATTEMPTS: usize = 3;

/// What was found.
#[derive(Clone, Debug)]
pub enum Proven {
    /// A proof of the confirmed frontier.
    Opened(Box<AccountRecord>),
    /// The full nodes' representatives know no block of the account.
    Unopened(Sighting),
}

/// What is found about one account, or why nothing can be stated now.
pub type Answer = Result<Proven, ResolveFailure>;

/// An account whose state is wanted in the background.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The account.
    pub account: Account,
    /// Its newest block as a walk over the full nodes' frontiers named it, confirmed or not; it
    /// saves a question where it holds. Nothing is believed of it.
    pub head: Option<BlockHash>,
    /// The frontier that is held already; the blocks after it are carried where they are few.
    pub held: Option<BlockHash>,
}

impl From<Account> for Wanted {
    fn from(account: Account) -> Self {
        Self {
            account,
            head: None,
            held: None,
        }
    }
}

/// Makes proofs; cloning shares caches and running questions.
#[derive(Clone, Debug)]
pub struct Prover {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    network: Network,
    full_nodes: FullNodes,
    asker: Asker,
    weights: Weights,
    signer: Signer,
    roots: Roots,
    unopened: Mutex<Recent<Account, Sighting>>,
    failed: Mutex<Recent<Account, ResolveFailure>>,
    running: Coalesce<(Account, Option<BlockHash>), Answer>,
    marker: OnceCell<Block>,
    metrics: Metrics,
}

/// The bridge's key; printed as its public half.
struct Signer(Arc<Identity>);

impl std::fmt::Debug for Signer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Signer({})", self.0.node_key())
    }
}

impl Prover {
    /// A prover that signs sightings with `identity`.
    #[must_use]
    pub fn new(
        network: Network,
        full_nodes: FullNodes,
        asker: Asker,
        weights: Weights,
        identity: Arc<Identity>,
        roots: Roots,
        metrics: Metrics,
    ) -> Self {
        let inner = Inner {
            network,
            full_nodes,
            asker,
            weights,
            signer: Signer(identity),
            roots,
            unopened: Mutex::new(Recent::new(REMEMBERED, UNOPENED_MS)),
            failed: Mutex::new(Recent::new(REMEMBERED, FAILED_MS)),
            running: Coalesce::new(OPEN),
            marker: OnceCell::new(),
            metrics,
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// The state of an account. With `held`, the blocks between that frontier and the proven one
    /// are carried along where they are few enough.
    ///
    /// # Errors
    /// Why no statement can be made now.
    pub async fn resolve(&self, account: Account, held: Option<BlockHash>) -> Answer {
        let now = clock::now();
        if let Some(sighting) = lock(&self.inner.unopened).get(&account, now) {
            return Ok(Proven::Unopened(sighting.clone()));
        }
        if let Some(failure) = lock(&self.inner.failed).get(&account, now) {
            return Err(*failure);
        }
        let inner = Arc::clone(&self.inner);
        let question = async move { inner.resolve(account, held).await };
        self.inner
            .running
            .ask((account, held), question)
            .await
            .unwrap_or(Err(ResolveFailure::Busy))
    }

    /// The states of many accounts, for which nobody is waiting: they are proven in batches, so
    /// that one request for votes serves about 32 of them, and give way to [`Prover::resolve`].
    /// The answers come in the order of `wanted`, all at once; a caller that hands in some hundred
    /// at a time bounds its memory and keeps the batches full. Accounts with neighbouring keys
    /// should be handed in together.
    pub async fn prove_many(&self, wanted: Vec<Wanted>) -> Vec<(Account, Answer)> {
        stream::iter(wanted)
            .map(|one| async move { (one.account, self.resolve(one.account, one.held).await) })
            .buffered(MANY)
            .collect()
            .await
    }

    /// Records of a block that the live stream saw confirmed by `votes`: the account's, and for a
    /// send its destination's.
    ///
    /// # Errors
    /// Why no proof could be made of it.
    pub async fn confirmed(
        &self,
        block: Block,
        votes: Vec<Vote>,
    ) -> Result<(AccountRecord, Option<ReceivableRecord>), ResolveFailure> {
        let result = self.inner.confirmed(block, votes).await;
        metrics::count(
            &self.inner.metrics.proofs,
            match &result {
                Ok(_) => "live",
                Err(failure) => failure.code(),
            },
        );
        result
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing under these locks can be left half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inner {
    async fn resolve(&self, account: Account, held: Option<BlockHash>) -> Answer {
        let answer = self.find(account, held).await;
        let outcome = match &answer {
            Ok(Proven::Opened(_)) => "proven",
            Ok(Proven::Unopened(sighting)) => {
                lock(&self.unopened).put(account, sighting.clone(), clock::now());
                "unopened"
            }
            Err(failure) => {
                if !matches!(failure, ResolveFailure::NoFullNode | ResolveFailure::Busy) {
                    lock(&self.failed).put(account, *failure, clock::now());
                }
                failure.code()
            }
        };
        metrics::count(&self.metrics.proofs, outcome);
        answer
    }

    async fn find(&self, account: Account, held: Option<BlockHash>) -> Answer {
        self.full_nodes.reachable(PATIENCE).await;
        let mut last = ResolveFailure::TooFewVotes;
        for _ in 0..ATTEMPTS {
            let info = self.asker.account_info(account).await.map_err(failure)?;
            let found = if info.confirmed_frontier.is_zero() {
                self.unopened(account).await
            } else {
                self.frontier(account, info.confirmed_frontier, held).await
            };
            match found {
                Ok(Some(proven)) => return Ok(proven),
                // It moved while we asked: look again.
                Ok(None) => {}
                Err(ResolveFailure::TooFewVotes) => last = ResolveFailure::TooFewVotes,
                Err(other) => return Err(other),
            }
        }
        Err(last)
    }

    /// Proves that `hash` is confirmed and the newest; `None` when a newer one was voted for.
    async fn frontier(
        &self,
        account: Account,
        hash: BlockHash,
        held: Option<BlockHash>,
    ) -> Result<Option<Proven>, ResolveFailure> {
        let chains = self.chains();
        let block = chains.block(hash).await?;
        let frontier = chains.frontier(account, block).await?;
        let table = self.weights.current();
        let asked_at = clock::now();
        let survey = self.ask(block, &frontier, &table).await;
        let votes: Vec<Vote> = survey.votes.values().cloned().collect();
        let proof = self.proof(account, frontier, &votes, &table)?;
        if survey.successor.is_some() {
            return Ok(None);
        }
        let lineage = match held {
            Some(held) if held != hash => self.lineage(held, hash).await,
            _ => Vec::new(),
        };
        let sighting = self.sighting(account, Some(hash), asked_at, &survey, &table);
        let sightings = sighting.into_iter().collect();
        Ok(Some(Proven::Opened(Box::new(AccountRecord {
            proof,
            lineage,
            sightings,
        }))))
    }

    /// States that the account was never opened; `None` when a first block was voted for.
    async fn unopened(&self, account: Account) -> Result<Option<Proven>, ResolveFailure> {
        let table = self.weights.current();
        let asked_at = clock::now();
        let question = Question::about(
            account.into(),
            [self.network.genesis_block()],
            self.marker().await,
        );
        let survey = survey(
            &self.full_nodes,
            &self.asker,
            &table,
            &self.roots,
            &question,
        )
        .await;
        if survey.successor.is_some() {
            return Ok(None);
        }
        match self.sighting(account, None, asked_at, &survey, &table) {
            Some(sighting) => Ok(Some(Proven::Unopened(sighting))),
            None => Err(ResolveFailure::TooFewVotes),
        }
    }

    async fn confirmed(
        &self,
        block: Block,
        votes: Vec<Vote>,
    ) -> Result<(AccountRecord, Option<ReceivableRecord>), ResolveFailure> {
        self.roots.learn(&block);
        let hash = block.hash();
        let account = match block.account() {
            Some(account) => account,
            None => self.asker.account_of(hash).await.map_err(failure)?,
        };
        lock(&self.unopened).remove(&account);
        lock(&self.failed).remove(&account);
        let chains = self.chains();
        let frontier = chains.frontier(account, block).await?;
        let history = chains.before_send(account, block).await?;
        let table = self.weights.current();
        let asked_at = clock::now();
        // The survey dates the block, and brings the votes that the stream did not.
        let survey = self.ask(block, &frontier, &table).await;
        let mut all = survey.votes.clone();
        for vote in votes {
            all.entry(vote.representative).or_insert(vote);
        }
        let votes: Vec<Vote> = all.into_values().collect();
        let proof = self.proof(account, frontier, &votes, &table)?;
        let sightings = match survey.successor {
            // A newer block is being confirmed and will have its own record.
            Some(_) => Vec::new(),
            None => {
                let seen = self.sighting(account, Some(hash), asked_at, &survey, &table);
                seen.into_iter().collect()
            }
        };
        let receivable =
            history.and_then(
                |history| match self.receivable(block, history, &votes, &table) {
                    Ok(record) => Some(record),
                    Err(error) => {
                        tracing::debug!(%error, %hash, "no receivable proof");
                        None
                    }
                },
            );
        Ok((
            AccountRecord {
                proof,
                lineage: Vec::new(),
                sightings,
            },
            receivable,
        ))
    }

    fn chains(&self) -> Chains<'_> {
        Chains {
            asker: &self.asker,
            roots: &self.roots,
            network: self.network,
        }
    }

    /// Asks for votes on a frontier, and for what comes after it.
    async fn ask(&self, block: Block, frontier: &Frontier, table: &WeightTable) -> Survey {
        let needed = std::iter::once(block).chain(chain::counted_sends(frontier));
        let question = Question::about(block.hash().into(), needed, self.marker().await);
        survey(&self.full_nodes, &self.asker, table, &self.roots, &question).await
    }

    /// A block that is proven confirmed, the genesis account's newest when first needed: every
    /// representative can vote for it. `None` while it cannot be proven.
    async fn marker(&self) -> Option<Block> {
        let found = self.marker.get_or_try_init(|| async {
            let genesis = self.network.genesis_account();
            let info = self.asker.account_info(genesis).await.map_err(failure)?;
            let chains = self.chains();
            let block = chains.block(info.confirmed_frontier).await?;
            let frontier = chains.frontier(genesis, block).await?;
            let needed = std::iter::once(block).chain(chain::counted_sends(&frontier));
            let question = Question::about(block.hash().into(), needed, None);
            let table = self.weights.current();
            let survey = survey(
                &self.full_nodes,
                &self.asker,
                &table,
                &self.roots,
                &question,
            )
            .await;
            let votes: Vec<Vote> = survey.votes.into_values().collect();
            self.proof(genesis, frontier, &votes, &table)?;
            Ok::<Block, ResolveFailure>(block)
        });
        found.await.ok().copied()
    }

    /// The proof of a send for its destination.
    fn receivable(
        &self,
        send: Block,
        history: History,
        votes: &[Vote],
        table: &WeightTable,
    ) -> Result<ReceivableRecord, ProofError> {
        let proof = ReceivableProof::from_votes(self.network, send, history, votes, table)?.proof;
        let destination = proof
            .destination()
            .ok_or(ProofError::NotASend(send.hash()))?;
        proof.verify(&destination, self.network, table)?;
        Ok(ReceivableRecord { proof })
    }

    /// A proof that verifies.
    fn proof(
        &self,
        account: Account,
        frontier: Frontier,
        votes: &[Vote],
        table: &WeightTable,
    ) -> Result<BalanceProof, ResolveFailure> {
        let made =
            BalanceProof::from_votes(self.network, frontier, votes, table).and_then(|made| {
                made.proof
                    .verify(&account, self.network, table)
                    .map(|_| made.proof)
            });
        made.map_err(|error| {
            tracing::debug!(%error, %account, votes = votes.len(), "no proof");
            match error {
                ProofError::TooLittleWeight { .. } => ResolveFailure::TooFewVotes,
                _ => ResolveFailure::Unprovable,
            }
        })
    }

    /// The blocks between `held` and `frontier`, both excluded; empty when they are too many or
    /// `held` is not before it.
    async fn lineage(&self, held: BlockHash, frontier: BlockHash) -> Vec<Block> {
        let count = u8::try_from(nanonet::MAX_LINEAGE + 2).unwrap_or(u8::MAX);
        let Ok(blocks) = self.asker.blocks(held, count).await else {
            return Vec::new();
        };
        match blocks.iter().position(|block| block.hash() == frontier) {
            Some(end) if end > 1 => blocks[1..end].to_vec(),
            _ => Vec::new(),
        }
    }

    /// Dates what the survey saw; `None` when nobody's silence counts.
    fn sighting(
        &self,
        account: Account,
        frontier: Option<BlockHash>,
        at: UnixMillis,
        survey: &Survey,
        table: &WeightTable,
    ) -> Option<Sighting> {
        let answered = weight(&survey.silent, table);
        if answered.is_zero() {
            return None;
        }
        let asked = weight(&survey.asked, table);
        Some(Sighting::sign(
            &self.signer.0,
            self.network,
            account,
            frontier,
            at,
            asked,
            answered,
        ))
    }
}

/// Weight of several representatives together.
fn weight(representatives: &BTreeSet<Account>, table: &WeightTable) -> Raw {
    let sum = representatives
        .iter()
        .map(|who| table.weight_of(who).number());
    Raw::new(sum.fold(0, u128::saturating_add))
}

/// How a question without an answer is told to the overlay.
const fn failure(error: AskError) -> ResolveFailure {
    match error {
        AskError::NoFullNode => ResolveFailure::NoFullNode,
        AskError::TimedOut { .. } | AskError::Wrong => ResolveFailure::TimedOut,
        AskError::Busy => ResolveFailure::Busy,
    }
}
