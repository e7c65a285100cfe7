//! What happens inside a node, for its WebSocket and its peers.
//!
//! Both travel by broadcast channels of fixed size: a reader that falls behind loses the oldest
//! entries and is told how many, exactly as full nodes promise no delivery.

use std::net::SocketAddr;
use std::sync::Arc;

use nano_core::message::Telemetry;
use nano_core::{Account, Block, BlockHash, Raw, Root, UnixMillis, Vote, VoteTimestamp};

use crate::ledger::Entry;

/// How many events a slow WebSocket may fall behind.
pub(crate) const EVENT_BACKLOG: usize = 4096;
/// How many messages to all peers a slow peer may fall behind.
pub(crate) const OUTBOUND_BACKLOG: usize = 512;

/// Something that happened.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// A block entered the ledger, not confirmed yet.
    BlockAdded(Arc<AddedBlock>),
    /// An election began for this block.
    ElectionStarted(BlockHash),
    /// An election ended for this block, decided or not.
    ElectionStopped(BlockHash),
    /// A vote was looked at.
    Vote(Arc<Vote>, VoteOutcome),
    /// A block was confirmed.
    Confirmed(Arc<Confirmation>),
    /// A peer said something about itself.
    Telemetry(Arc<Telemetry>, SocketAddr),
}

/// What a vote meant to this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VoteOutcome {
    /// It counted in at least one election.
    Counted,
    /// Every election it belongs to knew it already.
    Replay,
    /// It belongs to no running election.
    Indeterminate,
}

/// A block that entered the ledger.
#[derive(Clone, Debug)]
pub(crate) struct AddedBlock {
    pub(crate) hash: BlockHash,
    pub(crate) block: Block,
    /// What it does; `None` for legacy blocks, whose type says it.
    pub(crate) subtype: Option<&'static str>,
}

/// A block that was confirmed, as the WebSocket tells it.
#[derive(Clone, Debug)]
pub(crate) struct Confirmation {
    pub(crate) hash: BlockHash,
    pub(crate) entry: Entry,
    /// Destination of a send, sender of a receive.
    pub(crate) linked_account: Option<Account>,
    pub(crate) cause: ConfirmationCause,
    pub(crate) at: UnixMillis,
}

/// Why a block was confirmed.
#[derive(Clone, Debug)]
pub(crate) enum ConfirmationCause {
    /// Its own election reached the quorum.
    Quorum(ElectionSummary),
    /// A block that stands on it was confirmed, or somebody asked about an old confirmation.
    Height,
}

/// How an election went.
#[derive(Clone, Debug)]
pub(crate) struct ElectionSummary {
    pub(crate) duration_ms: u64,
    pub(crate) tally: Raw,
    pub(crate) final_tally: Raw,
    pub(crate) blocks: usize,
    pub(crate) requests: u32,
    /// Representative, time, block, weight.
    pub(crate) votes: Vec<(Account, VoteTimestamp, BlockHash, Raw)>,
}

impl ElectionSummary {
    /// What is told of a block that had no election of its own.
    pub(crate) const fn none() -> Self {
        Self {
            duration_ms: 0,
            tally: Raw::ZERO,
            final_tally: Raw::ZERO,
            blocks: 1,
            requests: 0,
            votes: Vec::new(),
        }
    }
}

/// Something for all peers.
#[derive(Clone, Debug)]
pub(crate) enum Outbound {
    /// A block under election.
    Block(Arc<Block>),
    /// A vote of a local representative, or one passed on.
    Vote {
        vote: Arc<Vote>,
        /// Whether it is somebody else's, passed on.
        rebroadcast: bool,
        /// The connection it came from, which does not get it back.
        except: Option<u64>,
    },
    /// A question for votes.
    Request(Arc<Vec<(BlockHash, Root)>>),
    /// What this node says about itself.
    Telemetry(Arc<Telemetry>),
}
