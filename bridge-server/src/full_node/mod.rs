//! Nano's full nodes, spoken to in their own TCP peer protocol as a peer without a ledger.
//!
//! The bridge dials out only and announces no port. Each configured address has a task that keeps
//! one channel to it: dial, handshake (version 2), serve, and dial again after a growing pause.
//! [`FullNodes`] is the sum of the open channels and knows which representatives vote behind which
//! of them (every representative answers a request for votes on the genesis block); questions are
//! the business of [`crate::ask`].
//!
//! Nothing a full node says is believed: its answers are hints for `prove`, which ends in
//! signatures. What cannot be parsed ends the channel with a typed reason.

mod channel;
mod error;
mod handshake;
mod nodes;
mod peer;
mod wire;

pub use channel::{ANSWER, Channel, ChannelId, IN_FLIGHT, SILENCE, Votes};
pub use error::{AskError, ChannelError};
pub use nodes::{FullNodes, Settings};

use std::sync::Arc;

use nano_core::{Block, Vote};
use tokio::sync::mpsc;

/// What full nodes send without being asked (and votes they send when asked, too).
#[derive(Clone, Debug)]
pub enum Live {
    /// A block being published.
    Block {
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
