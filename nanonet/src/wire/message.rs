//! A whole message: its class, cost and limits, and its bytes.

use nano_core::Account;
use serde::{Deserialize, Serialize};

use super::{
    Ask, Bytes, MAX_BUDGET, MAX_FILTER, MAX_HEADERS, MAX_HOPS, MAX_IDS, MAX_KEYS, MAX_NEAR,
    MAX_PEERS, MAX_PUSHED, MAX_RECORDS, MAX_SEALED, MAX_SKETCH, Packed, Pushed, Reply, Request,
    Response, Wanted,
};
use crate::gossip::NewsId;
use crate::routing::contact::Named;
use crate::routing::coordinates::Coordinates;
use crate::slice::MAX_WATCHED;
use crate::{Class, NodeId, PeerRecord, SeenFrom, Sighting};

/// One message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Message {
    /// Whom the sender is linked with, as far as it concerns the receiver.
    Neighbours(Neighbours),
    /// A request on its way.
    Request(Box<Request>),
    /// An answer on its way back.
    Response(Box<Response>),
    /// To a bridge: the accounts whose new records this link wants; replaces the list before.
    Watch(Vec<Account>),
    /// From a bridge: new records of a watched account.
    Update(Vec<Packed>),
    /// How the sender introduces itself from now on; see [`crate::join`].
    Introduction(Box<PeerRecord>),
    /// From a bridge: from where it sees the receiver; see [`crate::diversity`].
    Seen(Box<SeenFrom>),
    /// Between bridges: an account was never opened.
    Unopened(Box<Sighting>),
    /// News, to be passed on.
    News(Vec<Pushed>),
    /// The sender has these pieces of news.
    Have(#[serde(with = "super::news::ids")] Vec<NewsId>),
    /// The sender wants these pieces of news.
    Want(#[serde(with = "super::news::ids")] Vec<NewsId>),
    /// Name new pieces of news to the sender from now on, or no longer.
    Announce(bool),
    /// The sender has the news in this filter and wants what else is recent.
    CatchUp(Bytes),
}

/// News of whom a node is linked with; see [`crate::routing::telling`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Neighbours {
    /// Links to browsers it has.
    pub(crate) links: u16,
    /// Where it lies among round trips.
    pub(crate) at: Coordinates,
    /// Up to [`MAX_PEERS`] nodes that it is linked with.
    pub(crate) peers: Vec<Named>,
    /// Up to [`MAX_PEERS`] nodes that it is no longer linked with.
    pub(crate) gone: Vec<NodeId>,
}

/// Why bytes are not a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WireError {
    /// Not the encoding of any message.
    #[error("the bytes are not a message of this protocol version; drop the link")]
    Malformed,
    /// A message beyond its limits.
    #[error("a message carries more {what} than its kind allows; drop the link")]
    TooMany {
        /// Of what.
        what: &'static str,
    },
}

impl Message {
    /// The class of the link it travels in.
    pub(crate) const fn class(&self) -> Class {
        match self {
            Self::Neighbours(_) | Self::Introduction(_) | Self::Seen(_) => Class::Control,
            Self::Watch(_)
            | Self::Update(_)
            | Self::Unopened(_)
            | Self::Announce(_)
            | Self::CatchUp(_) => Class::Gossip,
            // Where there is an unordered channel a lost message holds up none of the others.
            Self::News(_) | Self::Have(_) | Self::Want(_) => Class::Query,
            Self::Request(request) => match request.body {
                Ask::FindNearest
                | Ask::Signal { .. }
                | Ask::Get { .. }
                | Ask::Resolve { .. }
                | Ask::Publish(_)
                | Ask::Cell(_)
                | Ask::Register(_)
                | Ask::FindKey { .. }
                | Ask::FindServices(_) => Class::Query,
                Ask::Headers { .. } | Ask::Pull { .. } | Ask::Compare { .. } => Class::Gossip,
                Ask::Put { .. } => Class::Bulk,
            },
            Self::Response(response) => match response.body {
                Reply::Nearest(_)
                | Reply::Delivered
                | Reply::Found(_)
                | Reply::Unresolved(_)
                | Reply::Progress(_)
                | Reply::Stored(_)
                | Reply::Keys(_)
                | Reply::Failed { .. } => Class::Query,
                Reply::Records { .. } | Reply::Compared(_) => Class::Bulk,
            },
        }
    }

    /// What it costs its sender in tokens: roughly a tenth of a millisecond of a slow device each.
    /// Records cost what their verification takes; answers that were asked for cost nothing extra.
    pub(crate) fn cost(&self) -> u32 {
        match self {
            Self::Neighbours(said) => 2 + count(&said.peers),
            Self::Watch(_) | Self::Introduction(_) | Self::Seen(_) | Self::Unopened(_) => 10,
            Self::Update(records) => 2 + 4 * count(records),
            Self::News(pushed) => 1 + 2 * count(pushed),
            Self::Have(_) | Self::Announce(_) => 1,
            Self::Want(ids) => 1 + count(ids),
            Self::CatchUp(_) => 50,
            Self::Request(request) => match &request.body {
                Ask::FindNearest | Ask::Get { .. } | Ask::FindKey { .. } => 2,
                Ask::Signal { .. } => 3,
                // A first cell takes a key agreement, a record a signature, where they are for us.
                Ask::Headers { .. } | Ask::Cell(_) | Ask::Register(_) | Ask::FindServices(_) => 4,
                // A batch of records is read and compressed, a range of names compared.
                Ask::Pull { .. } | Ask::Compare { .. } => 10,
                Ask::Put { records, .. } => 2 + 4 * count(records),
                Ask::Resolve { .. } | Ask::Publish(_) => 20,
            },
            Self::Response(_) => 1,
        }
    }

    /// What it is, for figures.
    #[cfg(any(test, feature = "adversary"))]
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Neighbours(_) => "neighbours",
            Self::Watch(_) => "watch",
            Self::Update(_) => "update",
            Self::Unopened(_) => "unopened",
            Self::Introduction(_) => "introduction",
            Self::Seen(_) => "seen",
            Self::News(_) => "news",
            Self::Have(_) => "have",
            Self::Want(_) => "want",
            Self::Announce(_) => "announce",
            Self::CatchUp(_) => "catch-up",
            Self::Request(request) => match &request.body {
                Ask::FindNearest => "find-nearest",
                Ask::Get { .. } => "get",
                Ask::Signal { .. } => "signal",
                Ask::Put { .. } => "put",
                Ask::Headers { .. } => "headers",
                Ask::Pull { .. } => "pull",
                Ask::Compare { .. } => "compare",
                Ask::Resolve { .. } => "resolve",
                Ask::Publish(_) => "publish",
                Ask::Cell(_) => "cell",
                Ask::Register(_) => "register",
                Ask::FindKey { .. } => "find-key",
                Ask::FindServices(_) => "find-services",
            },
            Self::Response(response) => match &response.body {
                Reply::Nearest(_) => "nearest",
                Reply::Found(_) => "found",
                Reply::Unresolved(_) => "unresolved",
                Reply::Delivered => "delivered",
                Reply::Stored(_) => "stored",
                Reply::Records { .. } => "records",
                Reply::Compared(_) => "compared",
                Reply::Progress(_) => "progress",
                Reply::Keys(_) => "keys",
                Reply::Failed { why, .. } => match why {
                    super::Failure::NotFound => "failed-not-found",
                    super::Failure::Seen => "failed-seen",
                    super::Failure::Busy => "failed-busy",
                    super::Failure::Refused => "failed-refused",
                },
            },
        }
    }

    /// Whether it keeps records on the nodes that shall hold them.
    pub(crate) const fn is_repair(&self) -> bool {
        match self {
            Self::Request(request) => matches!(
                request.body,
                Ask::Headers { .. } | Ask::Pull { .. } | Ask::Compare { .. }
            ),
            Self::Response(response) => {
                matches!(response.body, Reply::Records { .. } | Reply::Compared(_))
            }
            _ => false,
        }
    }

    /// The records it brings.
    #[cfg(any(test, feature = "adversary"))]
    pub(crate) fn records(&self) -> &[Packed] {
        match self {
            Self::Update(records) => records,
            Self::Request(request) => match &request.body {
                Ask::Put { records, .. } => records,
                _ => &[],
            },
            Self::Response(response) => match &response.body {
                Reply::Found(found) => &found.records,
                _ => &[],
            },
            _ => &[],
        }
    }

    /// The bytes on the link.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, WireError> {
        postcard::to_allocvec(self).map_err(|_| WireError::Malformed)
    }

    /// Reads a message that came in `class`.
    pub(crate) fn decode(class: Class, bytes: &[u8]) -> Result<Self, WireError> {
        let (message, rest) =
            postcard::take_from_bytes::<Self>(bytes).map_err(|_| WireError::Malformed)?;
        if !rest.is_empty() || message.class() != class {
            return Err(WireError::Malformed);
        }
        message.check()?;
        Ok(message)
    }

    /// Enforces the limits.
    fn check(&self) -> Result<(), WireError> {
        let (what, found, limit) = match self {
            Self::Neighbours(said) => {
                let most = said.peers.len().max(said.gone.len());
                ("peers", most, MAX_PEERS)
            }
            Self::Introduction(_) | Self::Seen(_) | Self::Unopened(_) => return Ok(()),
            Self::Watch(accounts) => ("accounts", accounts.len(), MAX_WATCHED),
            Self::Update(records) => ("records", records.len(), MAX_RECORDS),
            Self::News(pushed) => ("news", pushed.len(), MAX_PUSHED),
            Self::Have(ids) | Self::Want(ids) => ("ids", ids.len(), MAX_IDS),
            Self::Announce(_) => return Ok(()),
            Self::CatchUp(filter) => ("filter bytes", filter.0.len(), MAX_FILTER),
            Self::Request(request) => {
                if request.hops_left > MAX_HOPS || request.budget > MAX_BUDGET {
                    return Err(WireError::TooMany { what: "hops" });
                }
                match &request.body {
                    Ask::Signal { sealed, .. } => ("sealed bytes", sealed.0.len(), MAX_SEALED),
                    Ask::Put { records, .. } => ("records", records.len(), MAX_RECORDS),
                    Ask::Headers { headers, .. } => ("headers", headers.len(), MAX_HEADERS),
                    Ask::Pull {
                        which: Wanted::Named(names),
                        ..
                    } => ("names", names.len(), MAX_HEADERS),
                    Ask::Pull {
                        which: Wanted::SliceOf(holder),
                        ..
                    } => ("near nodes", holder.near.len(), MAX_NEAR),
                    Ask::Compare { from, .. } if from.near.len() > MAX_NEAR => {
                        return Err(WireError::TooMany { what: "near nodes" });
                    }
                    Ask::Compare { sketch, .. } => ("sketch bytes", sketch.0.len(), MAX_SKETCH),
                    Ask::FindNearest
                    | Ask::Get { .. }
                    | Ask::Resolve { .. }
                    | Ask::Publish(_)
                    | Ask::Cell(_)
                    | Ask::Register(_)
                    | Ask::FindKey { .. }
                    | Ask::FindServices(_) => return Ok(()),
                }
            }
            Self::Response(response) => match &response.body {
                Reply::Nearest(peers) => ("peers", peers.len(), MAX_PEERS),
                Reply::Found(found) => ("records", found.records.len(), MAX_RECORDS),
                Reply::Compared(sketch) => ("sketch bytes", sketch.0.len(), MAX_SKETCH),
                Reply::Keys(records) => ("key records", records.len(), MAX_KEYS),
                _ => return Ok(()),
            },
        };
        if found > limit {
            return Err(WireError::TooMany { what });
        }
        Ok(())
    }
}

fn count<T>(items: &[T]) -> u32 {
    u32::try_from(items.len()).unwrap_or(u32::MAX)
}
