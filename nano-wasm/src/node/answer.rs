//! Answers about accounts, as the page gets them.

use nano_core::{Raw, UnixMillis, proof::ProvenReceivable};
use nanonet::{AccountAnswer, AccountState, AnswerSource, GetError, Order};
use serde::Serialize;

use super::age;
use crate::fault::Fault;

/// An answer with amounts as decimal text.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AnswerReply {
    account: String,
    state: &'static str,
    balance: String,
    frontier: Option<String>,
    representative: Option<String>,
    receivable: Vec<ReceivableReply>,
    proof: Option<ProofReply>,
    as_of: Option<u64>,
    source: SourceReply,
    answers_seen: u8,
    fresh: bool,
    order: &'static str,
    weights_as_of: u64,
    proven_below: Option<String>,
}

#[derive(Serialize)]
struct ReceivableReply {
    hash: String,
    source: String,
    amount: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProofReply {
    json: String,
    weight: String,
    threshold: String,
    network_total: String,
    votes: Vec<VoteReply>,
}

#[derive(Serialize)]
struct VoteReply {
    representative: String,
    weight: String,
}

#[derive(Serialize)]
struct SourceReply {
    kind: &'static str,
    id: Option<String>,
    hops: u8,
}

impl From<AnswerSource> for SourceReply {
    fn from(source: AnswerSource) -> Self {
        let (kind, id, hops) = match source {
            AnswerSource::OwnSlice => ("own-slice", None, 0),
            AnswerSource::Peer { id, hops } => ("peer", Some(id.to_string()), hops),
            AnswerSource::Bridge { id, hops } => ("bridge", Some(id.to_string()), hops),
        };
        Self { kind, id, hops }
    }
}

impl From<ProvenReceivable> for ReceivableReply {
    fn from(send: ProvenReceivable) -> Self {
        Self {
            hash: send.hash.to_string(),
            source: send.source.to_string(),
            amount: send.amount.to_string(),
        }
    }
}

impl AnswerReply {
    /// `network_total` is all weight in the table in force; `now` decides whether that is old.
    pub(super) fn new(answer: AccountAnswer, network_total: Raw, now: UnixMillis) -> Self {
        let proven_below = age::proven_below(answer.weights_as_of, now);
        let mut reply = Self {
            account: answer.account.to_string(),
            state: "unknown",
            balance: "0".into(),
            frontier: None,
            representative: None,
            receivable: answer.receivables.into_iter().map(Into::into).collect(),
            proof: None,
            as_of: answer.as_of.map(|at| at.number()),
            source: answer.source.into(),
            answers_seen: answer.answers_seen,
            fresh: answer.fresh,
            order: match answer.order {
                Order::Known => "known",
                Order::Unknown => "unknown",
            },
            weights_as_of: answer.weights_as_of.number(),
            proven_below: proven_below.map(|amount| amount.to_string()),
        };
        match answer.state {
            AccountState::Opened { frontier, record } => {
                reply.state = "opened";
                reply.balance = frontier.balance.to_string();
                reply.frontier = Some(frontier.hash.to_string());
                reply.representative = Some(frontier.representative.to_string());
                let mut votes = frontier.votes;
                votes.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
                reply.proof = Some(ProofReply {
                    // A verified proof always has one.
                    json: record.proof.to_json().unwrap_or_default(),
                    weight: frontier.weight.to_string(),
                    threshold: frontier.threshold.to_string(),
                    network_total: network_total.to_string(),
                    votes: votes
                        .into_iter()
                        .map(|(representative, weight)| VoteReply {
                            representative: representative.to_string(),
                            weight: weight.to_string(),
                        })
                        .collect(),
                });
            }
            AccountState::Unopened { as_of } => {
                reply.state = "unopened";
                reply.as_of.get_or_insert(as_of.number());
            }
            AccountState::Unknown => {}
        }
        reply
    }
}

impl From<GetError> for Fault {
    fn from(error: GetError) -> Self {
        let code = match error {
            GetError::NotFound { .. } => "not-found",
            GetError::Offline => "offline",
            GetError::TimedOut { .. } => "timed-out",
            GetError::AllRefused { .. } => "all-refused",
            GetError::TooManyQuestions { .. } => "too-many-questions",
        };
        Self::coded(code)(error)
    }
}
