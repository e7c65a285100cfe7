//! Responses: what is answered, or why a path ends without an answer.

use serde::{Deserialize, Serialize};

use super::{Bytes, Chunk, Packed};
use crate::registry::KeyRecord;
use crate::routing::contact::Named;
use crate::{NodeId, RelayState, ResolveFailure, Role, Sighting};

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
    Nearest(Vec<Named>),
    /// To get and resolve.
    Found(Box<Found>),
    /// To resolve: no statement can be made.
    Unresolved(ResolveFailure),
    /// To signal and headers: it arrived.
    Delivered,
    /// To put: how many nodes keep it as far as known.
    Stored(u8),
    /// To pull.
    Records {
        /// Some of what is wanted.
        records: Chunk,
        /// There is more from this key on.
        next: Option<u64>,
    },
    /// To compare: the next message of the reconciliation.
    Compared(Bytes),
    /// To publish; may come several times.
    Progress(RelayState),
    /// To find-key and find-services.
    Keys(Vec<KeyRecord>),
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
    pub(crate) records: Vec<Packed>,
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
