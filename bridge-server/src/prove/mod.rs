//! Proofs out of full nodes' answers: an account's confirmed frontier with the votes that confirm
//! it, from peers alone.
//!
//! The way of one account: a full node's word on its confirmed frontier (a hint), the block's
//! bytes (hash checked), final votes of all reachable representatives (signatures checked), a
//! [`nano_core::proof::BalanceProof`] out of both (verified as any receiver will), the blocks
//! between what the asker holds and the frontier, and a [`Sighting`] that dates it.
//!
//! | part | what it is |
//! |---|---|
//! | `resolve` | the way of one account, and what happens when a full node's word is no good |
//! | `live` | the same for a block that the live stream saw confirmed |
//! | `renew` | dating and strengthening proofs when there is time |
//! | `make` | putting together: proofs, receivables, sightings, alarms |
//! | `chain` | the blocks that a proof carries besides the frontier |
//!
//! Rules:
//! - nothing is handed out that does not verify under the weight table in force;
//! - equal questions at the same time are one question; at most [`OPEN`] run at once;
//! - [`Prover::resolve`] is for those who wait; [`Prover::prove_many`] is for the background: its
//!   requests for votes wait for company (32 accounts share one), and never stand in the way of
//!   the first. **Backfill builds on `prove_many`** with the list that
//!   [`crate::ask::Asker::frontiers`] gives;
//! - a frontier is dated, and an account stated as `unopened`, only by silence of more weight than
//!   can be missing from a quorum ([`nano_core::WeightTable::quorum_rest`]): of representatives who
//!   answered the same request, for an account never opened for the genesis block, and did not name
//!   a later block. Readers hold sightings to the same rule;
//! - `unopened` is kept for [`UNOPENED_MS`]. Other failures are kept for [`FAILED_MS`], so that a
//!   crowd asking for the same unprovable account costs one attempt;
//! - two blocks of one root that are both proven are an [`Alarm`]: both records are kept and given
//!   out ([`Proven::Diverged`]), neither wins.

mod chain;
mod live;
mod make;
mod renew;
mod resolve;
mod roots;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::{StreamExt, stream};
use nano_core::proof::VoteCache;
use nano_core::{Account, Block, BlockHash, Network, Root, Vote};
use nanonet::{AccountRecord, Identity, ReceivableRecord, ResolveFailure, Sighting};
use tokio::sync::OnceCell;

use renew::Renewals;
pub use renew::renew_all;
pub use roots::Roots;

use crate::ask::{Asker, Priority};
use crate::clock;
use crate::coalesce::Coalesce;
use crate::full_node::{AskError, FullNodes};
use crate::metrics::{self, Metrics};
use crate::recent::Recent;
use crate::weights::Weights;

/// Questions that run at once, of those who wait and of the background each.
pub const OPEN: usize = 128;
/// Accounts of one [`Prover::prove_many`] that are worked on at once: several full batches, so
/// that one is being filled while others are under way.
const MANY: usize = 128;
/// How long "never opened" is kept, milliseconds.
pub const UNOPENED_MS: u64 = 60_000;
/// How long a failure is kept, milliseconds.
pub const FAILED_MS: u64 = 2_000;
/// Accounts whose failure or absence is kept.
const REMEMBERED: usize = 16_384;
/// Roots whose proven block is remembered, to notice a second one: about 16 MB of records.
const PROVEN: usize = 4_096;
/// For how long, milliseconds.
const PROVEN_MS: u64 = 24 * 60 * 60 * 1000;
/// Votes whose signatures were found to hold.
const VOTES: usize = 8_192;

/// What was found.
#[derive(Clone, Debug)]
pub enum Proven {
    /// A proof of the confirmed frontier.
    Opened(Box<AccountRecord>),
    /// The full nodes' representatives know no block of the account.
    Unopened(Sighting),
    /// Two blocks of one root, both proven: representatives have voted for both.
    Diverged(Box<[AccountRecord; 2]>),
}

/// What is found about one account, or why nothing can be stated now.
pub type Answer = Result<Proven, ResolveFailure>;

/// Two quorum certificates for one root: more than a third of the voting weight has signed two
/// final votes where it may sign one. No honest network does this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "two blocks are proven for the root {root}: {first} and {second}; both are kept and shown, \
     neither is to be trusted; compare with a full node"
)]
pub struct Alarm {
    /// The root.
    pub root: Root,
    /// The block proven first.
    pub first: BlockHash,
    /// The other.
    pub second: BlockHash,
}

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
    proven: Mutex<Recent<Root, AccountRecord>>,
    votes: Mutex<VoteCache>,
    marked: OnceCell<()>,
    renewals: Renewals,
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
            proven: Mutex::new(Recent::new(PROVEN, PROVEN_MS)),
            votes: Mutex::new(VoteCache::new(VOTES)),
            marked: OnceCell::new(),
            renewals: Renewals::default(),
            metrics,
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// The state of an account, for somebody who waits. With `held`, the blocks between that
    /// frontier and the proven one are carried along where they are few enough.
    ///
    /// # Errors
    /// Why no statement can be made now.
    pub async fn resolve(&self, account: Account, held: Option<BlockHash>) -> Answer {
        if let Some(answer) = self.inner.remembered(account) {
            return answer;
        }
        let wanted = Wanted {
            account,
            head: None,
            held,
        };
        let inner = Arc::clone(&self.inner);
        let question = async move { inner.resolve(wanted, Priority::Waiting).await };
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
            .map(|one| async move {
                let answer = match self.inner.remembered(one.account) {
                    Some(answer) => answer,
                    None => self.inner.resolve(one, Priority::Background).await,
                };
                (one.account, answer)
            })
            .buffered(MANY)
            .collect()
            .await
    }

    /// Records of a block that the live stream saw confirmed by `votes`: the account's, and for a
    /// send its destination's. Where the votes suffice full nodes are not asked for more; the
    /// record's date then follows by [`renew_all`].
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
    /// What was found a short while ago and is not worth asking again.
    fn remembered(&self, account: Account) -> Option<Answer> {
        let now = clock::now();
        if let Some(sighting) = lock(&self.unopened).get(&account, now) {
            return Some(Ok(Proven::Unopened(sighting.clone())));
        }
        let failed = lock(&self.failed).get(&account, now).copied();
        failed.map(Err)
    }

    async fn resolve(&self, wanted: Wanted, priority: Priority) -> Answer {
        let account = wanted.account;
        let answer = self.find(wanted, &self.asker.at(priority)).await;
        let outcome = match &answer {
            Ok(Proven::Opened(_)) => "proven",
            Ok(Proven::Diverged(_)) => "diverged",
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
}

/// How a question without an answer is told to the overlay.
const fn failure(error: AskError) -> ResolveFailure {
    match error {
        AskError::NoFullNode => ResolveFailure::NoFullNode,
        AskError::TimedOut { .. } | AskError::Unknown { .. } | AskError::Wrong => {
            ResolveFailure::TimedOut
        }
        AskError::Busy => ResolveFailure::Busy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::full_node::Settings;
    use nano_core::{Raw, UnixMillis, WeightTable};
    use nanonet::Rng;
    use tokio::sync::mpsc;
    use tokio::task::JoinSet;

    #[tokio::test]
    async fn that_an_account_was_never_opened_is_kept_for_a_minute_and_no_longer() {
        let network = Network::Dev;
        let table = WeightTable {
            network,
            ..WeightTable::live_snapshot()
        };
        let (weights, metrics) = (Weights::new(table, "a test"), Metrics::default());
        let (live, _) = mpsc::channel(1);
        let settings = Settings {
            network,
            peers: Vec::new(),
            weights: weights.clone(),
            live,
            metrics: metrics.clone(),
        };
        let full_nodes = FullNodes::start(settings, &mut JoinSet::new());
        let (roots, own) = (
            Roots::default(),
            Identity::generate(&mut Rng::from_seed([1; 32])),
        );
        let asker = Asker::new(
            full_nodes.clone(),
            weights.clone(),
            roots.clone(),
            metrics.clone(),
        );
        let account = Account::from_bytes([7; 32]);
        let (now, raw) = (clock::now(), Raw::new(1));
        let sighting = Sighting::sign(&own, network, account, None, now, raw, raw);
        let own = Arc::new(own);
        let prover = Prover::new(network, full_nodes, asker, weights, own, roots, metrics);
        let inner = &prover.inner;
        let stated = |ago| {
            let then = UnixMillis(now.0 - ago);
            lock(&inner.unopened).put(account, sighting.clone(), then);
        };
        stated(UNOPENED_MS / 2);
        let kept = inner.remembered(account);
        assert!(matches!(kept, Some(Ok(Proven::Unopened(kept))) if kept == sighting));
        stated(UNOPENED_MS);
        assert!(inner.remembered(account).is_none());
    }
}
