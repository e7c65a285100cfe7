//! Questions about an account: how one is to be answered, the verified answer, and why there is
//! none.

use nano_core::{
    Account, UnixMillis,
    proof::{ProvenFrontier, ProvenReceivable},
};

use crate::{AccountRecord, NodeId};

/// How a question is to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetOptions {
    /// Do not stop at the nanonet's answer: also let a linked bridge ask the full nodes.
    /// Falls back to the best verified answer when no bridge answers in time.
    pub fresh: bool,
    /// Milliseconds until the question is given up; at most 60,000 (more is cut to that).
    pub deadline_ms: u32,
}

impl Default for GetOptions {
    /// Not fresh, ten seconds.
    fn default() -> Self {
        Self {
            fresh: false,
            deadline_ms: 10_000,
        }
    }
}

/// A verified answer about an account.
#[derive(Debug, Clone, PartialEq)]
pub struct AccountAnswer {
    /// Whose.
    pub account: Account,
    /// What is known of its chain.
    pub state: AccountState,
    /// Proven sends to the account that its own chain has not received as far as known here,
    /// largest first, at most 256.
    pub receivables: Vec<ProvenReceivable>,
    /// Who answered.
    pub source: AnswerSource,
    /// When anchor bridges last saw this frontier confirmed: the older of the two newest anchors'
    /// times, or the only one; `None` without a sighting.
    pub as_of: Option<UnixMillis>,
    /// How many verified answers arrived before this one was chosen (own slice counts as one).
    pub answers_seen: u8,
    /// Whether all proven frontiers seen form one chain.
    pub order: Order,
    /// Whether a bridge asked the full nodes for this answer and what it said verified. Without, a
    /// question that was to be fresh was answered from what the nanonet held.
    pub fresh: bool,
    /// Date of the weight table the proof was checked against.
    pub weights_as_of: UnixMillis,
}

/// What is known of an account's chain.
#[derive(Debug, Clone, PartialEq)]
pub enum AccountState {
    /// It has a proven frontier.
    Opened {
        /// What the proof proves under the weight table in force.
        frontier: Box<ProvenFrontier>,
        /// The record it is taken from.
        record: Box<AccountRecord>,
    },
    /// An anchor bridge saw no block of it; a statement, not a proof.
    Unopened {
        /// When.
        as_of: UnixMillis,
    },
    /// Nothing is known of its chain, but proven sends to it are.
    Unknown,
}

/// Who answered a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AnswerSource {
    /// Our own slice: no message was sent.
    OwnSlice,
    /// Another browser.
    Peer {
        /// Who held the record.
        id: NodeId,
        /// Links the question went over, 1 = a direct neighbour.
        hops: u8,
    },
    /// A bridge.
    Bridge {
        /// Which.
        id: NodeId,
        /// Links the question went over.
        hops: u8,
    },
}

/// Whether the proven frontiers seen of an account form one chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Order {
    /// One frontier, or several with a known newest one.
    Known,
    /// Several with no blocks at hand that link them.
    Unknown,
}

/// Why a question has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GetError {
    /// Everyone asked says it holds no record.
    #[error(
        "no record of the account was found: {paths} paths through the nanonet and {bridges} bridges have none; ask again with a bridge connected or check the address"
    )]
    NotFound {
        /// Paths that ended with "not found".
        paths: u8,
        /// Bridges that could not tell.
        bridges: u8,
    },
    /// No link is open and the own slice has no record.
    #[error(
        "not connected, and the account is not in this node's own slice; connect and ask again"
    )]
    Offline,
    /// The deadline came first.
    #[error(
        "no answer in time: {paths} paths and {bridges} bridges were asked, {unanswered} did not answer; ask again"
    )]
    TimedOut {
        /// Paths tried.
        paths: u8,
        /// Bridges asked.
        bridges: u8,
        /// How many of both gave no answer at all.
        unanswered: u8,
    },
    /// Answers came but none verified.
    #[error(
        "{refused} answers came and none verified (last reason: {reason}); the peers that sent them lose reputation, ask again"
    )]
    AllRefused {
        /// How many.
        refused: u8,
        /// Kebab-case reason of the last one.
        reason: &'static str,
    },
    /// Too many questions are open at this node.
    #[error("{open} questions are open, which is this node's limit; wait for some to end")]
    TooManyQuestions {
        /// The limit.
        open: u16,
    },
}
