//! A full node's RPC at the bridge: programs that speak to a full node speak to this instead.
//!
//! What is asked and answered, and in which words, is [`nano_core::rpc`]'s; this does the I/O of its plans: proven
//! states from the overlay's node, a full node where the bridge has one ([`crate::rpc`]), work on one thread
//! ([`work`]), blocks to the relay. Rules:
//! - proofs first: a full node is asked for what no proof covers, and instead of a proof that cannot be had;
//! - without a full node those fields are left out, and what it alone knows is refused with the reason;
//! - at most [`PLACES`] requests at once, of which each asks for [`AT_ONCE`] accounts at once.

mod work;

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use nano_core::rpc::{self, About, Head, Plan, Proven, Quorum, Refusal, Request, States, Waiting};
use nano_core::{Account, Block, Network};
use nanonet::{AccountAnswer, AccountState, GetError, GetOptions};
use serde_json::Value;
use tokio::sync::{Semaphore, mpsc};

use crate::full_node::FullNodes;
use crate::metrics::{self, Metrics};
use crate::rpc::{Rpc, RpcError};
use crate::shell::{NodeHandle, RelayJob};
use crate::weights::Weights;
use work::Desk;

/// Requests at once.
pub const PLACES: usize = 64;
/// Accounts that one request asks for at once.
pub const AT_ONCE: usize = 16;
/// Longest wait for one account, milliseconds.
const PATIENCE_MS: u32 = 8_000;

/// What the facade needs.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Nano network.
    pub network: Network,
    /// The overlay's node.
    pub node: NodeHandle,
    /// A full node's RPC, if there is one.
    pub rpc: Option<Rpc>,
    /// The weight table in force.
    pub weights: Weights,
    /// The channels to full nodes.
    pub full_nodes: FullNodes,
    /// Where blocks to be published go.
    pub relays: mpsc::Sender<RelayJob>,
    /// The metrics.
    pub metrics: Metrics,
}

/// The facade; cloning shares it.
#[derive(Clone, Debug)]
pub struct Facade {
    parts: Parts,
    places: Arc<Semaphore>,
    work: Desk,
}

/// More requests than the bridge answers at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{PLACES} requests are being answered, which is this bridge's limit; ask again")]
pub struct Busy;

impl Facade {
    /// A facade of these parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self {
            parts,
            places: Arc::new(Semaphore::new(PLACES)),
            work: Desk::default(),
        }
    }

    /// Answers one request: an object with the answer, or with `error`.
    ///
    /// # Errors
    /// [`Busy`].
    pub async fn answer(&self, body: &[u8]) -> Result<Value, Busy> {
        let _place = self.places.try_acquire().map_err(|_| Busy)?;
        let answer = match Request::parse(body) {
            Ok(request) => self.carry_out(&request).await,
            Err(refusal) => Err(refusal),
        };
        let outcome = if answer.is_ok() {
            "answered"
        } else {
            "refused"
        };
        metrics::count(&self.parts.metrics.facade_requests, outcome);
        Ok(answer.unwrap_or_else(|refusal| refusal.answer()))
    }

    async fn carry_out(&self, request: &Request) -> Result<Value, Refusal> {
        let network = self.parts.network;
        match rpc::plan(network, request)? {
            Plan::Answer(answer) => Ok(answer),
            Plan::Accounts {
                accounts,
                more,
                instead,
            } => {
                let (states, more) = tokio::join!(self.states(request, accounts), self.more(more));
                match states {
                    Some(states) => rpc::accounts(request, &states, more.as_ref()),
                    None => rpc::from_full_node(request, &self.full_node(&instead).await?),
                }
            }
            Plan::FullNode(question) => {
                rpc::from_full_node(request, &self.full_node(&question).await?)
            }
            Plan::Process { block, question } => self.process(request, *block, &question).await,
            Plan::Work(wanted) => {
                let found = self.work.search(wanted).await?;
                Ok(rpc::work_found(network, wanted, found))
            }
            Plan::CancelWork(root) => {
                self.work.cancel(root);
                Ok(rpc::cancelled())
            }
            Plan::Quorum => Ok(rpc::confirmation_quorum(request, &self.quorum())),
            Plan::Online => rpc::representatives_online(request, &self.parts.weights.current()),
            Plan::Version => Ok(rpc::version(network, &about())),
        }
    }

    /// The proven states of all accounts, or nothing if one of them has none.
    async fn states(&self, request: &Request, accounts: Vec<Account>) -> Option<States> {
        let options = GetOptions {
            fresh: request.wants_fresh(),
            deadline_ms: PATIENCE_MS,
        };
        let asked = accounts.into_iter().map(async |account| {
            let answer = self.parts.node.get(account, options).await?;
            Some((account, proven(answer)?))
        });
        let answers: Vec<Option<(Account, Proven)>> =
            stream::iter(asked).buffered(AT_ONCE).collect().await;
        answers.into_iter().collect()
    }

    async fn more(&self, question: Option<Value>) -> Option<Value> {
        let rpc = self.parts.rpc.as_ref()?;
        // A full node that does not answer adds nothing: what is proven is answered all the same.
        rpc.pass_on(&question?).await.ok()
    }

    async fn full_node(&self, question: &Value) -> Result<Value, Refusal> {
        let Some(rpc) = &self.parts.rpc else {
            return Err(Refusal(
                "No proof answers this, and this bridge has no full node's RPC to ask".to_owned(),
            ));
        };
        rpc.pass_on(question).await.map_err(|error| match error {
            RpcError::Refused { reason, .. } => Refusal(reason),
            other => Refusal(other.to_string()),
        })
    }

    /// Hands a block to the full node behind the bridge, for its verdict, and to those the bridge peers with.
    async fn process(
        &self,
        request: &Request,
        block: Block,
        question: &Value,
    ) -> Result<Value, Refusal> {
        if self.parts.rpc.is_some() {
            // Passes on the full node's refusal.
            rpc::from_full_node(request, &self.full_node(question).await?)?;
        } else {
            let account = block.account().into_iter().collect();
            let states = self.states(request, account).await;
            let head = states.and_then(|states| states.into_values().next()?.head);
            rpc::check(self.parts.network, request, &block, head)?;
        }
        let answer = rpc::processed(&block);
        let job = RelayJob {
            request: None,
            block,
        };
        match self.parts.relays.try_send(job) {
            Ok(()) => Ok(answer),
            // The full node has it.
            Err(_) if self.parts.rpc.is_some() => Ok(answer),
            Err(_) => Err(Refusal(
                "The bridge passes on as much as it can; try again".to_owned(),
            )),
        }
    }

    fn quorum(&self) -> Quorum {
        let table = self.parts.weights.current();
        Quorum {
            online: table.online_weight,
            minimum: table.minimum,
            reached: self.parts.full_nodes.reach().reachable,
        }
    }
}

fn about() -> About {
    About {
        vendor: concat!("Nanonet bridge ", env!("CARGO_PKG_VERSION")).to_owned(),
        store: format!("SQLite {}", rusqlite::version()),
    }
}

/// What an answer of the nanonet proves; `None` where nothing may be concluded.
fn proven(answer: Result<Box<AccountAnswer>, GetError>) -> Option<Proven> {
    let answer = answer.ok()?;
    let head = match answer.state {
        AccountState::Opened { frontier, .. } => Some(Head {
            frontier: frontier.hash,
            balance: frontier.balance,
            representative: frontier.representative,
        }),
        AccountState::Unopened { .. } => None,
        AccountState::Unknown => return None,
    };
    let receivable = answer.receivables.into_iter().map(|send| Waiting {
        hash: send.hash,
        source: send.source,
        amount: send.amount,
    });
    Some(Proven {
        head,
        receivable: receivable.collect(),
        as_of: answer.as_of,
    })
}
