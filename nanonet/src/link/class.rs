//! The four classes of messages and every limit of a link, in one place.
//!
//! All numbers here are part of protocol version 1: both ends know them, none is negotiated.

use serde::{Deserialize, Serialize};

/// What a message is for; the order is the order of urgency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Class {
    /// What keeps the overlay together: neighbours, signaling.
    Control,
    /// Questions and answers somebody waits for.
    Query,
    /// News passed on.
    Gossip,
    /// Records in quantity: replication, reconciliation, snapshots.
    Bulk,
}

/// Longest transport message of a link, in bytes: what every browser's data channel carries
/// without splitting it.
pub const MAX_FRAME: usize = 16 * 1024;

/// Most bytes a link leaves with its transport unwritten. Small, because what the transport
/// already holds cannot be overtaken by something more urgent.
pub const SEND_CREDIT: u32 = 64 * 1024;

/// Bytes of a frame that are not items: the authentication tag.
pub(super) const TAG: usize = 16;

/// Most bytes of items in a frame.
pub(super) const MAX_ITEMS: usize = MAX_FRAME - TAG;

/// Bytes in front of a chunk: kind, message number, length.
pub(super) const CHUNK_HEADER: usize = 1 + 4 + 2;

/// Most acknowledgements of queries in a frame.
pub(super) const ACKS: usize = 10;

/// Most bytes of credit (four), ping, pong, acknowledgements and the word about the unordered channel
/// in front of a chunk.
pub(super) const LINK_ITEMS: usize = 4 * 5 + 9 + 9 + ACKS * 5 + 2;

/// Longest chunk of a message.
pub(super) const MAX_CHUNK: usize = MAX_FRAME - TAG - LINK_ITEMS - CHUNK_HEADER;

/// Shortest chunk of a message, but for the last: smaller ones would be mostly headers.
pub(super) const MIN_CHUNK: usize = 480;

/// Least bytes at the transport that bulk may make of them: two frames of the shortest chunks,
/// so that the transport never waits for the next.
pub(super) const MIN_BULK_SHARE: u32 = 1024;

/// What a message costs of its class window besides its bytes, so that a window of tiny messages
/// holds no more memory than a window of large ones.
pub(super) const MESSAGE_COST: u32 = 64;

/// Bytes of [`SEND_CREDIT`] kept for pings, pongs, credit and the close, which are not held up by
/// messages.
const LINK_ITEMS_ROOM: u32 = 1024;

/// Bytes of more urgent frames that may go out in front of a waiting message before its class
/// gets the next frame: a waiting class gets at least about a seventeenth of the link.
pub(super) const STARVATION_BYTES: u32 = 256 * 1024;

/// Number of classes.
pub(super) const CLASSES: usize = 4;

impl Class {
    /// Every class, most urgent first.
    pub const ALL: [Self; CLASSES] = [Self::Control, Self::Query, Self::Gossip, Self::Bulk];

    /// Its place in [`Class::ALL`].
    pub(super) const fn index(self) -> usize {
        self as usize
    }

    /// Kebab-case name, as shown to people and in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::Query => "query",
            Self::Gossip => "gossip",
            Self::Bulk => "bulk",
        }
    }

    /// Longest message, in bytes; the shortest has one byte.
    pub const fn message_limit(self) -> u32 {
        match self {
            Self::Control => 16 * 1024,
            Self::Query | Self::Gossip => 64 * 1024,
            Self::Bulk => 1024 * 1024,
        }
    }

    /// Most bytes the receiver holds of this class: the part of an unfinished message, finished
    /// ones that nobody took yet, and 64 bytes for each.
    ///
    /// Larger than a message by so much that a sender always gets the credit for the rest of the
    /// message it is in: credit comes back in steps of an eighth of the window.
    pub const fn window(self) -> u32 {
        match self {
            Self::Control => 32 * 1024,
            Self::Query | Self::Gossip => 128 * 1024,
            Self::Bulk => 1280 * 1024,
        }
    }

    /// Most bytes waiting to be sent (64 bytes for each message included); a message that
    /// would go beyond is refused.
    pub const fn queue_limit(self) -> u32 {
        match self {
            Self::Control => 64 * 1024,
            Self::Query | Self::Gossip => 256 * 1024,
            Self::Bulk => 2 * 1024 * 1024,
        }
    }

    /// How full the transport may get by frames of this class: bulk leaves half of the credit to
    /// what is more urgent, and never puts more than two frames in its way; over a slow transport
    /// it gets less (see [`super::pace`]).
    pub(super) const fn transport_share(self) -> u32 {
        match self {
            Self::Control | Self::Query => SEND_CREDIT - LINK_ITEMS_ROOM,
            Self::Gossip => 48 * 1024,
            Self::Bulk => 32 * 1024,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_always_gets_the_credit_for_the_rest_of_its_message() {
        for class in Class::ALL {
            let held_back = class.window() / 8;
            assert!(class.window() - held_back >= class.message_limit() + MESSAGE_COST);
        }
    }

    #[test]
    fn the_longest_message_fits_the_queue_and_a_frame_fits_every_share() {
        for class in Class::ALL {
            assert!(class.queue_limit() >= class.message_limit() + MESSAGE_COST);
            assert!(class.transport_share() as usize >= MAX_FRAME);
        }
    }
}
