//! What nodes say to each other over an established link.
//!
//! A message is one of a few kinds:
//! - *neighbours*, *watch*, *update*: between the two ends of a link only;
//! - *request*: travels over several links towards a place in the key space or a node, each hop
//!   remembering where it came from;
//! - *response*: goes back the way its request came, found by the request's id.
//!
//! Every kind has a class of the link, a cost in tokens and limits; [`decode`] enforces the
//! limits, so that nothing above them ever reaches the rest of the node. Ids of requests are
//! random 64-bit numbers: guessing one that is on its way is not practical for anyone who does
//! not already see it pass.
//!
//! Encoding: postcard. All of it belongs to the protocol version of the link's handshake.

use nano_core::{Account, Block, BlockHash, Signature, UnixMillis};
use serde::{Deserialize, Serialize};

use crate::slice::MAX_WATCHED;
use crate::{
    Class, NodeId, NodeKey, PeerRecord, Point, Record, RelayState, ResolveFailure,
    Role, Sighting,
};

/// Most peer records in one message.
pub(crate) const MAX_PEERS: usize = 24;
/// Most bytes of peer records in one message: leaves room below the control class' 16 KiB.
pub(crate) const MAX_PEER_BYTES: usize = 12 * 1024;
/// Most headers in one message.
pub(crate) const MAX_HEADERS: usize = 256;
/// Most records in one message.
pub(crate) const MAX_RECORDS: usize = 64;
/// Bytes of records in a bulk message before no more are added (one record always fits).
pub(crate) const BATCH_BYTES: usize = 64 * 1024;
/// Most bytes of records in an answer: a query message of 64 KiB with room for what is around.
pub(crate) const ANSWER_BYTES: usize = 61 * 1024;
/// Most bytes of a sealed signal.
pub(crate) const MAX_SEALED: usize = 12 * 1024;
/// Most further hops a request may be given.
pub(crate) const MAX_HOPS: u8 = 24;
/// Most forwards a request may be given in all.
pub(crate) const MAX_BUDGET: u8 = 32;

/// One message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Message {
    /// Whom the sender is linked with now; replaces what it said before.
    Neighbours(Neighbours),
    /// A request on its way.
    Request(Box<Request>),
    /// An answer on its way back.
    Response(Box<Response>),
    /// To a bridge: the accounts whose new records this link wants; replaces the list before.
    Watch(Vec<Account>),
    /// From a bridge: new records of a watched account.
    Update(Vec<Record>),
}

/// Whom a node is linked with. First-hand only: what others told it is not repeated, so that
/// nobody who is gone lives on as a rumour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Neighbours {
    /// Links to browsers it has.
    pub(crate) links: u16,
    /// Up to [`MAX_PEERS`] of its peers, those most useful to the receiver.
    pub(crate) peers: Vec<PeerRecord>,
}

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Target {
    /// To the node nearest to this place.
    Near(Point),
    /// To this node and no other.
    Exactly(NodeId),
}

impl Target {
    /// The place it lies at.
    pub(crate) const fn point(&self) -> Point {
        match self {
            Self::Near(point) => *point,
            Self::Exactly(id) => id.point(),
        }
    }
}

/// A request on its way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Request {
    /// Random; the same on all paths of one question.
    pub(crate) id: u64,
    /// Where to.
    pub(crate) target: Target,
    /// Hops it may still make in a row.
    pub(crate) hops_left: u8,
    /// Forwards it may still cause in all, dead ends included.
    pub(crate) budget: u8,
    /// What is asked.
    pub(crate) body: Ask,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Ask {
    /// Which nodes lie nearest to the target? Everyone on the way back adds its own peers.
    FindNearest,
    /// The records of an account.
    Get {
        /// Whose.
        account: Account,
    },
    /// A sealed [`crate::signaling`] message for the target node.
    Signal {
        /// Readable by the target only.
        sealed: Vec<u8>,
    },
    /// Keep these records. A [`Target::Near`] node also passes them to the other nodes that
    /// shall hold them.
    Put {
        /// What.
        records: Vec<Record>,
        /// A bridge's word for them.
        voucher: Option<Voucher>,
    },
    /// `from` holds these records and thinks the target should too.
    Headers {
        /// Where to pull them from.
        from: NodeId,
        /// Their names.
        headers: Vec<Header>,
    },
    /// Send me these records of yours.
    Pull(Vec<Header>),
    /// To a bridge: ask the full nodes.
    Resolve {
        /// Whose.
        account: Account,
        /// The frontier the asker already has proven.
        held: Option<BlockHash>,
        /// What the bridge holds itself is not fresh enough.
        fresh: bool,
    },
    /// To a bridge: publish this block.
    Publish(Box<Block>),
}

/// The name of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Header {
    /// Under which account it is kept.
    pub(crate) account: Account,
    /// Frontier, or send block.
    pub(crate) hash: BlockHash,
    /// Whether it is a send to `account`.
    pub(crate) receivable: bool,
}

/// A bridge's word that records come from the network's confirmations and shall be kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Voucher {
    /// Who.
    pub(crate) bridge: NodeKey,
    /// When.
    pub(crate) at: UnixMillis,
    /// Over network, time and the hashes of the records.
    pub(crate) signature: Signature,
}

/// An answer on its way back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Response {
    /// The request's id.
    pub(crate) id: u64,
    /// Links it has come over, counted by those who pass it on.
    pub(crate) hops: u8,
    /// What is answered.
    pub(crate) body: Reply,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Reply {
    /// To find-nearest.
    Nearest(Vec<PeerRecord>),
    /// To get and resolve.
    Found(Found),
    /// To resolve: no statement can be made.
    Unresolved(ResolveFailure),
    /// To signal and headers: it arrived.
    Delivered,
    /// To put: how many nodes keep it as far as known.
    Stored(u8),
    /// To pull.
    Records(Vec<Record>),
    /// To publish; may come several times.
    Progress(RelayState),
    /// To anything: this path ends without an answer.
    Failed {
        /// Why.
        why: Failure,
        /// What is left of the request's budget.
        budget: u8,
    },
}

/// Records of an account, as the holder has them; the asker verifies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Found {
    /// Who says so. A claim, for display only.
    pub(crate) by: NodeId,
    /// What it says it is.
    pub(crate) role: Role,
    /// Frontier records (two if their order is unknown) and receivables, largest first.
    pub(crate) records: Vec<Record>,
    /// A statement that the account was never opened.
    pub(crate) unopened: Option<Sighting>,
}

/// Why a path ends without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Failure {
    /// Nobody on it holds the record, or the node asked for is not reachable.
    NotFound,
    /// The request was here before on another path.
    Seen,
    /// Too much to do; try another link.
    Busy,
    /// The node reached refuses it (not responsible, not a bridge, not vouched for).
    Refused,
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
            Self::Neighbours(_) => Class::Control,
            Self::Watch(_) | Self::Update(_) => Class::Gossip,
            Self::Request(request) => match request.body {
                Ask::FindNearest | Ask::Signal { .. } => Class::Control,
                Ask::Get { .. } | Ask::Resolve { .. } | Ask::Publish(_) => Class::Query,
                Ask::Headers { .. } | Ask::Pull(_) => Class::Gossip,
                Ask::Put { .. } => Class::Bulk,
            },
            Self::Response(response) => match response.body {
                Reply::Nearest(_) | Reply::Delivered => Class::Control,
                Reply::Found(_)
                | Reply::Unresolved(_)
                | Reply::Progress(_)
                | Reply::Stored(_)
                | Reply::Failed { .. } => Class::Query,
                Reply::Records(_) => Class::Bulk,
            },
        }
    }

    /// What it costs its sender in tokens: roughly a tenth of a millisecond of a slow device each.
    /// Records cost what their verification takes; answers that were asked for cost nothing extra.
    pub(crate) fn cost(&self) -> u32 {
        match self {
            Self::Neighbours(said) => 2 + count(&said.peers),
            Self::Watch(_) => 10,
            Self::Update(records) => 2 + 4 * count(records),
            Self::Request(request) => match &request.body {
                Ask::FindNearest | Ask::Get { .. } | Ask::Pull(_) => 2,
                Ask::Signal { .. } => 3,
                Ask::Headers { .. } => 4,
                Ask::Put { records, .. } => 2 + 4 * count(records),
                Ask::Resolve { .. } | Ask::Publish(_) => 20,
            },
            Self::Response(_) => 1,
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
            Self::Neighbours(said) => ("peers", said.peers.len(), MAX_PEERS),
            Self::Watch(accounts) => ("accounts", accounts.len(), MAX_WATCHED),
            Self::Update(records) => ("records", records.len(), MAX_RECORDS),
            Self::Request(request) => {
                if request.hops_left > MAX_HOPS || request.budget > MAX_BUDGET {
                    return Err(WireError::TooMany { what: "hops" });
                }
                match &request.body {
                    Ask::Signal { sealed } => ("sealed bytes", sealed.len(), MAX_SEALED),
                    Ask::Put { records, .. } => ("records", records.len(), MAX_RECORDS),
                    Ask::Headers { headers, .. } | Ask::Pull(headers) => {
                        ("headers", headers.len(), MAX_HEADERS)
                    }
                    Ask::FindNearest | Ask::Get { .. } | Ask::Resolve { .. } | Ask::Publish(_) => {
                        return Ok(());
                    }
                }
            }
            Self::Response(response) => match &response.body {
                Reply::Nearest(peers) => ("peers", peers.len(), MAX_PEERS),
                Reply::Found(found) => ("records", found.records.len(), MAX_RECORDS),
                Reply::Records(records) => ("records", records.len(), MAX_RECORDS),
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

/// As many of `records`, in order, as fit `bytes` and the limit of a message; at least one if
/// there is any.
pub(crate) fn fitting(records: impl IntoIterator<Item = Record>, bytes: usize) -> Vec<Record> {
    let mut taken = Vec::new();
    let mut used = 0;
    for record in records {
        used += record.to_bytes().len() + 4;
        if taken.len() >= MAX_RECORDS || (used > bytes && !taken.is_empty()) {
            break;
        }
        taken.push(record);
    }
    taken
}

/// As many of `peers`, in order, as fit a message.
pub(crate) fn fitting_peers(peers: impl IntoIterator<Item = PeerRecord>) -> Vec<PeerRecord> {
    let mut taken = Vec::new();
    let mut used = 0;
    for peer in peers {
        let addresses: usize = peer.addresses.iter().map(|a| a.as_str().len() + 2).sum();
        // Keys, nonce, signature and small fields of a record are 170 bytes at most.
        used += 170 + addresses;
        if taken.len() >= MAX_PEERS || used > MAX_PEER_BYTES {
            break;
        }
        taken.push(peer);
    }
    taken
}
