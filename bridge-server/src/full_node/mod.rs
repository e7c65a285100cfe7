//! Nano's full nodes, spoken to in their own TCP peer protocol as a peer without a ledger.
//!
//! | part | what it is |
//! |---|---|
//! | [`book`] | every endpoint known, limits, pauses, who is dialled next (no I/O) |
//! | `names` | when configured names are looked up (no I/O) |
//! | `upkeep` | the task around both, and storage |
//! | `connect`, `handshake` | one connection, dialled or accepted, to its end |
//! | `channel`, `listening`, `wire`, `allowance`, `repeats`, `cadence` | an open channel: requests out, answers and the live stream in |
//! | `crawl` | which representatives vote behind which channel |
//!
//! [`FullNodes`] is the sum of the open channels; questions are the business of [`crate::ask`].
//! Full nodes are accepted, and a port announced, only if the operator says so.
//!
//! Nothing a full node says is believed: its answers are hints for `prove`, which ends in
//! signatures. What cannot be parsed ends the channel with a typed reason.

mod allowance;
pub mod book;
mod cadence;
mod channel;
mod connect;
mod crawl;
#[cfg(feature = "decoders")]
pub(crate) mod decoders;
mod error;
mod handshake;
mod listening;
mod names;
mod nodes;
mod repeats;
mod settings;
mod shared;
mod upkeep;
mod wire;

pub use channel::{ANSWER, Channel, ChannelId, IN_FLIGHT};
pub use error::{AskError, ChannelError};
pub use listening::Votes;
pub use nodes::FullNodes;
pub use settings::{Looked, Peering, Resolve, Settings, SystemResolver, Timing};
pub use shared::Reach;

use std::sync::Arc;

use nano_core::{Block, Vote};
use tokio::sync::mpsc;

/// What full nodes send without being asked (and votes they send when asked, too). What did not come
/// by a channel has [`ChannelId::NONE`].
#[derive(Clone, Debug)]
pub enum Live {
    /// A block being published.
    Block {
        /// Where it came from.
        channel: ChannelId,
        /// The block; nothing of it is checked.
        block: Box<Block>,
    },
    /// A vote; its signature is not checked.
    Vote {
        /// Where it came from.
        channel: ChannelId,
        /// The vote.
        vote: Arc<Vote>,
        /// Whether the sender does not mark it as somebody else's.
        own: bool,
    },
}

/// Where channels put the live stream. Bounded: what does not fit is dropped and counted.
pub type LiveSender = mpsc::Sender<Live>;
