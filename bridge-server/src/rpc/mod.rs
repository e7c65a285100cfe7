//! A full node's RPC (`--rpc`), for what the peer protocol cannot tell: representatives with their
//! weights, the confirmation quorum, what an account can receive, and what happened while the
//! WebSocket was away.
//!
//! Nothing it says is believed: weights are one anchor's offer at most, hashes are proven by votes
//! before anything is made of them. Rules:
//! - one request at a time has [`TIME_OUT`]; an answer longer than [`MAX_REPLY_BYTES`] is refused
//!   while it is being read;
//! - the C++ node and RsNano differ in forms of the same answer ([`reply`] reads both) and in how
//!   they refuse: an object with `error`, or HTTP status 422 with a plain text;
//! - what it asks is a short fixed list, none of it changes the node.

pub mod reply;

use std::collections::BTreeMap;
use std::time::Duration;

use nano_core::{Account, Block, BlockHash, Network, Raw, WeightTable};
use serde_json::{Value, json};

use crate::client::client;
use crate::clock;
use crate::config::RpcUrl;
use crate::metrics::{self, Metrics};
use reply::{Quorum, ReplyError};

/// Longest wait for an answer.
pub const TIME_OUT: Duration = Duration::from_secs(5);
/// Longest answer in bytes: 4,096 representatives are far below.
pub const MAX_REPLY_BYTES: usize = 2 * 1024 * 1024;
/// Accounts in one question.
pub const MAX_ACCOUNTS: usize = 64;
/// Most bytes of a refusal that are shown.
const SHOWN: usize = 200;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RpcError {
    /// Not reached, or broken off.
    #[error(
        "the full node's RPC at {url} did not answer: {reason}; check --rpc and that the node runs"
    )]
    Unreachable {
        /// Where.
        url: String,
        /// What went wrong.
        reason: String,
    },
    /// The answer is longer than any good one.
    #[error(
        "the full node's RPC at {url} answered with more than {MAX_REPLY_BYTES} bytes; check that it is a Nano node"
    )]
    TooLong {
        /// Where.
        url: String,
    },
    /// The node refuses.
    #[error("the full node at {url} refuses {action}: {reason}")]
    Refused {
        /// Where.
        url: String,
        /// What was asked.
        action: &'static str,
        /// The node's words.
        reason: String,
    },
    /// The answer is of another form than any known node gives.
    #[error(
        "the full node at {url} answers {action} in an unknown form: {source}; check that it is a Nano node"
    )]
    Unexpected {
        /// Where.
        url: String,
        /// What was asked.
        action: &'static str,
        /// What is wrong with it.
        source: ReplyError,
    },
    /// The node belongs to another network.
    #[error(
        "the full node at {url} is not of the {wanted} network; give the right --rpc or --network"
    )]
    WrongNetwork {
        /// Where.
        url: String,
        /// The bridge's network.
        wanted: Network,
    },
}

impl RpcError {
    /// Kebab-case name for metrics.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "unreachable",
            Self::TooLong { .. } => "too-long",
            Self::Refused { .. } => "refused",
            Self::Unexpected { .. } => "unexpected",
            Self::WrongNetwork { .. } => "wrong-network",
        }
    }
}

/// The RPC of one full node; cloning shares its connections.
#[derive(Clone, Debug)]
pub struct Rpc {
    client: reqwest::Client,
    url: RpcUrl,
    metrics: Metrics,
}

impl Rpc {
    /// Speaks to `url`; nothing is connected yet.
    ///
    /// # Errors
    /// [`RpcError::Unreachable`] when the system gives no client.
    pub fn new(url: RpcUrl, metrics: Metrics) -> Result<Self, RpcError> {
        match client(TIME_OUT) {
            Ok(client) => Ok(Self {
                client,
                url,
                metrics,
            }),
            Err(error) => Err(RpcError::Unreachable {
                url: url.0,
                reason: error.to_string(),
            }),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url.0
    }

    /// Checks that the node is of `network`, by the genesis block it names.
    ///
    /// # Errors
    /// [`RpcError::WrongNetwork`], or no answer.
    pub async fn check_network(&self, network: Network) -> Result<(), RpcError> {
        let found = self.ask("version", json!({}), reply::genesis).await?;
        if found == network.genesis_hash() {
            return Ok(());
        }
        Err(RpcError::WrongNetwork {
            url: self.url.0.clone(),
            wanted: network,
        })
    }

    /// The heaviest representatives and their weights, at most as many as a weight table has.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn representatives(&self) -> Result<BTreeMap<Account, Raw>, RpcError> {
        let options = json!({ "count": WeightTable::MAX_ENTRIES.to_string(), "sorting": "true" });
        self.ask("representatives", options, reply::representatives)
            .await
    }

    /// Online weight and its minimum as the node sees them.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn quorum(&self) -> Result<Quorum, RpcError> {
        self.ask("confirmation_quorum", json!({}), reply::quorum)
            .await
    }

    /// Confirmed sends to `account` that it has not received, largest first where the node sorts,
    /// at most `count`.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn receivable(
        &self,
        account: Account,
        count: usize,
    ) -> Result<Vec<BlockHash>, RpcError> {
        let options = json!({
            "account": account, "count": count.to_string(), "threshold": "1", "sorting": "true",
            "include_only_confirmed": "true",
        });
        let mut sends = self.ask("receivable", options, reply::receivable).await?;
        sends.truncate(count);
        Ok(sends)
    }

    /// The same of several accounts, at most [`MAX_ACCOUNTS`]; accounts without any may be missing.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn accounts_receivable(
        &self,
        accounts: &[Account],
        count: usize,
    ) -> Result<BTreeMap<Account, Vec<BlockHash>>, RpcError> {
        let accounts = &accounts[..accounts.len().min(MAX_ACCOUNTS)];
        let options = json!({
            "accounts": accounts, "count": count.to_string(), "threshold": "1", "sorting": "true",
            "include_only_confirmed": "true",
        });
        self.ask("accounts_receivable", options, reply::accounts_receivable)
            .await
    }

    /// The newest blocks of accounts, confirmed or not; accounts never opened are missing.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn frontiers(
        &self,
        accounts: &[Account],
    ) -> Result<BTreeMap<Account, BlockHash>, RpcError> {
        let accounts = &accounts[..accounts.len().min(MAX_ACCOUNTS)];
        let options = json!({ "accounts": accounts });
        self.ask("accounts_frontiers", options, reply::frontiers)
            .await
    }

    /// A block; `None` when the node does not know it.
    ///
    /// # Errors
    /// Why there is no answer, and [`RpcError::Unexpected`] for another block than asked for.
    pub async fn block(&self, hash: BlockHash) -> Result<Option<Block>, RpcError> {
        let options = json!({ "hash": hash, "json_block": "true" });
        let read = |value: &Value| reply::block(value, hash);
        match self.ask("block_info", options, read).await {
            Ok(block) => Ok(Some(block)),
            Err(RpcError::Refused { reason, .. }) if reason == "Block not found" => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// A weight table as this node sees the network now. `minimum` overrides the node's own.
    ///
    /// # Errors
    /// Why there is no answer, and [`RpcError::WrongNetwork`].
    pub async fn weight_table(
        &self,
        network: Network,
        minimum: Option<Raw>,
    ) -> Result<WeightTable, RpcError> {
        self.check_network(network).await?;
        let weights = self.representatives().await?;
        let quorum = self.quorum().await?;
        Ok(WeightTable {
            network,
            as_of: clock::now(),
            online_weight: quorum.online_weight(),
            minimum: minimum.unwrap_or(quorum.minimum),
            weights,
        })
    }

    /// The node's answer to a question of somebody else's, as it says it.
    ///
    /// # Errors
    /// Why there is no answer; [`RpcError::Refused`] with the node's words.
    pub async fn pass_on(&self, question: &Value) -> Result<Value, RpcError> {
        let answer = self.send("a client's request", question).await;
        let outcome = answer.as_ref().map_or_else(RpcError::code, |_| "answered");
        metrics::count(&self.metrics.rpc_requests, outcome);
        answer
    }

    async fn ask<T>(
        &self,
        action: &'static str,
        mut request: Value,
        read: impl FnOnce(&Value) -> Result<T, ReplyError>,
    ) -> Result<T, RpcError> {
        request["action"] = Value::from(action);
        let answer = self.send(action, &request).await.and_then(|value| {
            read(&value).map_err(|source| RpcError::Unexpected {
                url: self.url.0.clone(),
                action,
                source,
            })
        });
        let outcome = answer.as_ref().map_or_else(RpcError::code, |_| "answered");
        metrics::count(&self.metrics.rpc_requests, outcome);
        answer
    }

    async fn send(&self, action: &'static str, request: &Value) -> Result<Value, RpcError> {
        let url = || self.url.0.clone();
        let broken = |error: reqwest::Error| RpcError::Unreachable {
            url: url(),
            reason: error.without_url().to_string(),
        };
        let refused = |reason: &str| RpcError::Refused {
            url: url(),
            action,
            reason: reason.chars().take(SHOWN).collect(),
        };
        let sent = self.client.post(&self.url.0).json(request).send().await;
        let mut response = sent.map_err(broken)?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(broken)? {
            if body.len() + chunk.len() > MAX_REPLY_BYTES {
                return Err(RpcError::TooLong { url: url() });
            }
            body.extend_from_slice(&chunk);
        }
        if !status.is_success() {
            return Err(refused(&String::from_utf8_lossy(&body)));
        }
        let value = reply::json(&body).map_err(|source| RpcError::Unexpected {
            url: url(),
            action,
            source,
        })?;
        match value.get("error").and_then(Value::as_str) {
            Some(reason) => Err(refused(reason)),
            None => Ok(value),
        }
    }
}
