//! What the page is told. TypeScript's side of these types is `js/protocol.ts` and `js/types.ts`.

use nano_core::{Block, BlockHash, UnixMillis};
use nanonet::{LinkInfo, NodeState, PublishState, Role, SessionId, SignalOp, Status};
use serde::{Serialize, Serializer};

use super::age;
use super::bridge_url::BridgeUrl;
use crate::fault::Fault;

/// One message.
#[derive(Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub(super) enum Reply<'a, T> {
    Result {
        id: u64,
        value: &'a T,
    },
    Error {
        id: u64,
        code: &'static str,
        message: &'a str,
    },
    Signal(&'a Signal),
    /// Search in the background for a nonce; the answer is the command `workFound`.
    FindWork {
        root: String,
        threshold: String,
    },
    Event(&'a Event<'a>),
}

/// What to do with a connection of the page.
#[derive(Serialize)]
#[serde(tag = "op", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(super) enum Signal {
    CreateOffer { session: u64 },
    AcceptOffer { session: u64, sdp: String },
    AcceptAnswer { session: u64, sdp: String },
    AddCandidate { session: u64, candidate: String },
    Abandon { session: u64 },
    Forward { session: u64 },
}

impl From<SignalOp> for Signal {
    fn from(operation: SignalOp) -> Self {
        match operation {
            SignalOp::CreateOffer {
                session: SessionId(session),
            } => Self::CreateOffer { session },
            SignalOp::AcceptOffer {
                session: SessionId(session),
                sdp,
            } => Self::AcceptOffer { session, sdp },
            SignalOp::AcceptAnswer {
                session: SessionId(session),
                sdp,
            } => Self::AcceptAnswer { session, sdp },
            SignalOp::AddCandidate {
                session: SessionId(session),
                candidate,
            } => Self::AddCandidate { session, candidate },
            SignalOp::Abandon {
                session: SessionId(session),
            } => Self::Abandon { session },
        }
    }
}

/// What happened.
#[derive(Serialize)]
#[serde(tag = "event", content = "detail", rename_all = "camelCase")]
pub(super) enum Event<'a> {
    Status(StatusReply<'a>),
    Link(LinkReply),
    Record {
        account: String,
    },
    Transaction(TransactionReply),
    Refused {
        from: Option<String>,
        reason: &'static str,
    },
    Alarm {
        account: String,
        diverged: bool,
    },
    Message(super::post::MessageReply),
    Error {
        code: &'static str,
        message: &'a str,
    },
}

/// The answer to `start`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Started {
    pub(super) key: String,
    pub(super) id: String,
    pub(super) term: u64,
    pub(super) work_threshold: String,
}

/// A link came or went.
#[derive(Serialize)]
pub(super) struct LinkReply {
    pub(super) id: String,
    pub(super) up: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<&'static str>,
}

/// Where a block of the person's own stands.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TransactionReply {
    hash: String,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    bridges: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    full_nodes: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    passing: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    winner: Option<String>,
}

impl TransactionReply {
    pub(super) fn new(hash: BlockHash, state: PublishState) -> Self {
        let mut reply = Self {
            hash: hash.to_string(),
            state: "refused",
            bridges: None,
            full_nodes: None,
            reason: None,
            passing: None,
            winner: None,
        };
        match state {
            PublishState::Waiting => reply.state = "waiting",
            PublishState::Sent { bridges } => {
                reply.state = "sent";
                reply.bridges = Some(bridges);
            }
            PublishState::Accepted { full_nodes } => {
                reply.state = "accepted";
                reply.full_nodes = Some(full_nodes);
            }
            PublishState::Confirmed => reply.state = "confirmed",
            PublishState::GivenUp => reply.state = "given-up",
            PublishState::Superseded { winner } => {
                reply.state = "superseded";
                reply.winner = Some(winner.to_string());
            }
            PublishState::Refused(refusal) => {
                reply.reason = Some(refusal.code());
                reply.passing = Some(refusal.is_passing());
            }
            PublishState::Invalid(refusal) => {
                reply.state = "invalid";
                reply.reason = Some(refusal.code());
            }
            PublishState::Rival => {
                reply.state = "invalid";
                reply.reason = Some("rival-pending");
            }
            PublishState::TooManyPending => {
                reply.state = "invalid";
                reply.reason = Some("too-many-pending");
            }
        }
        reply
    }

    /// Whether the node has forgotten the block: nothing more will be heard of it.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.state, "confirmed" | "superseded" | "invalid")
    }

    /// Why whoever waits for the block to be confirmed waits in vain, or not within a known time.
    pub(super) fn fault(&self) -> Option<Fault> {
        let hash = &self.hash;
        let reason = self.reason.unwrap_or_default();
        let words = reason.replace('-', " ");
        let (code, message) = match self.state {
            "invalid" => (
                reason,
                format!("the block {hash} was refused: {words}; it was not kept"),
            ),
            "superseded" => (
                "superseded",
                format!(
                    "another block of this account was confirmed in the place of {hash}, so it never will be; look at the account's new balance before building it again"
                ),
            ),
            // Passing refusals are tried again without telling.
            "refused" if self.passing == Some(false) => (
                reason,
                format!(
                    "a bridge refused the block {hash}: {words}; it is kept and sent again, only a proof of another block ends it"
                ),
            ),
            _ => return None,
        };
        Some(Fault { code, message })
    }
}

/// A block of the person's own that is not proven confirmed yet.
#[derive(Serialize)]
pub(super) struct PendingReply {
    hash: String,
    block: serde_json::Value,
}

impl PendingReply {
    pub(super) fn new(hash: BlockHash, block: &Block) -> Self {
        Self {
            hash: hash.to_string(),
            block: block.to_json(),
        }
    }
}

/// What a peer is, in one word.
pub(super) const fn role(role: Role) -> &'static str {
    match role {
        Role::Browser => "browser",
        Role::Bridge => "bridge",
    }
}

/// What the node is doing.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StatusReply<'a> {
    id: String,
    state: &'static str,
    standing: &'static str,
    links: Vec<LinkStatus>,
    bridges: Vec<String>,
    known_peers: u32,
    records: u32,
    receivables: u32,
    record_bytes: u64,
    pending: u32,
    #[serde(serialize_with = "by_reason")]
    refused: Vec<(&'static str, u64)>,
    #[serde(serialize_with = "by_reason")]
    dropped: Vec<(&'static str, u64)>,
    answers_served: u64,
    forwarded: u64,
    bytes_in: u64,
    bytes_out: u64,
    weights: WeightsStatus,
    storage: StorageStatus<'a>,
}

/// An object of counts.
fn by_reason<S: Serializer>(counts: &[(&str, u64)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(counts.iter().copied())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LinkStatus {
    id: String,
    key: String,
    role: &'static str,
    kind: &'static str,
    rtt_ms: Option<u32>,
    bytes_in: u64,
    bytes_out: u64,
    datagrams_in: u32,
    datagrams_out: u32,
    answers: u64,
    since: u64,
    introduced_by: Option<IntroducerStatus>,
}

#[derive(Serialize)]
struct IntroducerStatus {
    kind: &'static str,
    id: String,
    asked: bool,
}

impl From<LinkInfo> for LinkStatus {
    fn from(link: LinkInfo) -> Self {
        Self {
            id: link.peer.to_string(),
            key: link.key.to_string(),
            role: role(link.role),
            kind: link.transport.name(),
            rtt_ms: link.rtt_ms,
            bytes_in: link.bytes_in,
            bytes_out: link.bytes_out,
            datagrams_in: link.datagrams.received,
            datagrams_out: link.datagrams.sent,
            answers: link.answers,
            since: link.since.number(),
            introduced_by: link.introducer.map(|introducer| IntroducerStatus {
                kind: match introducer.carriers {
                    Role::Browser => "peers",
                    Role::Bridge => "bridge",
                },
                id: introducer.by.to_string(),
                asked: introducer.asked,
            }),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WeightsStatus {
    as_of: u64,
    source: &'static str,
    stale: bool,
}

/// Where identity and slice are really kept.
#[derive(Serialize)]
pub(super) struct StorageStatus<'a> {
    pub(super) kind: &'static str,
    pub(super) problem: Option<&'a str>,
}

impl<'a> StatusReply<'a> {
    pub(super) fn new(
        status: Status,
        weights_source: &'static str,
        storage: StorageStatus<'a>,
        bridges: Vec<BridgeUrl>,
        now: UnixMillis,
    ) -> Self {
        Self {
            id: status.id.to_string(),
            standing: status.standing.name(),
            state: match status.state {
                NodeState::Starting => "starting",
                NodeState::Connecting => "connecting",
                NodeState::Meshed => "meshed",
                NodeState::Offline => "offline",
            },
            links: status.links.into_iter().map(LinkStatus::from).collect(),
            bridges: bridges.into_iter().map(|bridge| bridge.origin).collect(),
            known_peers: status.known_peers,
            records: status.records,
            receivables: status.receivables,
            record_bytes: status.record_bytes,
            pending: status.pending,
            refused: status.refused,
            dropped: status.dropped,
            answers_served: status.answers_served,
            forwarded: status.forwarded,
            bytes_in: status.bytes_in,
            bytes_out: status.bytes_out,
            weights: WeightsStatus {
                as_of: status.weights_as_of.number(),
                source: weights_source,
                stale: age::is_stale(status.weights_as_of, now),
            },
            storage,
        }
    }
}
