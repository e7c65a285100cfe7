//! Why a link ends, and why a message is not taken.

use nano_core::{Network, SignatureError};

use super::class::Class;
use crate::id::NodeKey;

/// Why a link ended. Final: the link does nothing afterwards, its transport is to be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The first bytes are not ours.
    #[error("the other side does not speak the link protocol: check the address")]
    NotNanonet,
    /// The peer speaks another version of the overlay protocol.
    #[error("the peer speaks protocol version {theirs}, this node {ours}: update the older one")]
    OtherVersion {
        /// Its version.
        theirs: u16,
        /// Ours.
        ours: u16,
    },
    /// The peer serves another Nano network.
    #[error("the peer serves another Nano network than {ours} (its id: {theirs:02X?})")]
    OtherNetwork {
        /// The network id it names, as in the headers of Nano's messages.
        theirs: [u8; 2],
        /// Ours.
        ours: Network,
    },
    /// The handshake did not finish within [`super::HANDSHAKE_TIMEOUT_MS`].
    #[error("the handshake did not finish in time: the peer is gone, overloaded or no node")]
    HandshakeTimeout,
    /// A handshake message is truncated, out of order, altered or made for another link.
    #[error("handshake message {message} does not hold: damaged on the way or not meant for us")]
    BadHandshake {
        /// Which of the three.
        message: u8,
    },
    /// The peer refused our handshake and named no reason we know.
    #[error("the peer refused the handshake with code {code}")]
    Refused {
        /// What it named.
        code: u8,
    },
    /// The peer record in the handshake cannot be decoded or is about another Noise key.
    #[error("the peer's record is malformed or was made for another Noise key")]
    BadRecord,
    /// The signature of the peer record in the handshake is refused.
    #[error("the peer's record is not signed by its node key: {0}")]
    BadRecordSignature(SignatureError),
    /// Another node answered than the one that was meant.
    #[error("{found} answered where {expected} was expected: its address may be outdated")]
    OtherPeer {
        /// Who was meant.
        expected: NodeKey,
        /// Who answered.
        found: NodeKey,
    },
    /// The peer is this node itself.
    #[error("the link leads back to this node")]
    Ourselves,
    /// A frame longer than [`super::MAX_FRAME`].
    #[error("a frame of {length} bytes is longer than 16 KiB")]
    FrameTooLong {
        /// Its length.
        length: usize,
    },
    /// A frame that is not the next one the peer encrypted: garbage, altered, replayed or out of
    /// order.
    #[error("a frame cannot be decrypted: altered, repeated or out of order")]
    Undecryptable,
    /// A decrypted frame that breaks the frame format.
    #[error("a frame is malformed at byte {at}")]
    MalformedFrame {
        /// Where in the decrypted frame.
        at: usize,
    },
    /// A message whose number is not the next of its class.
    #[error("a {class} message has number {found}, the next is {expected}", class = class.name())]
    OutOfOrder {
        /// Class of the message.
        class: Class,
        /// The next number of the class.
        expected: u32,
        /// The number found.
        found: u32,
    },
    /// A chunk before the last of its message that is shorter than chunks are.
    #[error("a {class} message came in needlessly small pieces", class = class.name())]
    ShortChunk {
        /// Class of the message.
        class: Class,
    },
    /// A message longer than its class allows.
    #[error("a {class} message is longer than {limit} bytes", class = class.name(), limit = class.message_limit())]
    MessageTooLong {
        /// Class of the message.
        class: Class,
    },
    /// The peer sent more than the credit it was granted.
    #[error("the peer sent more {class} bytes than it was granted", class = class.name())]
    WindowExceeded {
        /// Class that overflowed.
        class: Class,
    },
    /// The peer granted more credit than the window of the class, or none.
    #[error("the peer granted credit for {class} that no window has", class = class.name())]
    BadCredit {
        /// Class it granted.
        class: Class,
    },
    /// The peer acknowledged a query that was never sent.
    #[error("the peer acknowledged what was never sent")]
    BadAck,
    /// More than [`super::MAX_FORGED`] frames of the unordered channel were not the peer's.
    #[error("too many frames of the unordered channel cannot be decrypted")]
    Forged,
    /// Nothing was heard of the peer for [`super::SILENCE_TIMEOUT_MS`].
    #[error("the peer has been silent for too long")]
    Silent,
    /// The peer sends, but left a ping unanswered for [`super::SILENCE_TIMEOUT_MS`].
    #[error("the peer does not answer pings")]
    PingUnanswered,
    /// The transport has taken nothing for [`super::SILENCE_TIMEOUT_MS`] though bytes wait.
    #[error("the transport takes nothing any more")]
    Stalled,
    /// The peer closed the link.
    #[error("the peer closed the link with code {code}")]
    ClosedByPeer {
        /// What it named; see [`super::Link::close`].
        code: u8,
    },
    /// This node closed the link with [`super::Link::close`].
    #[error("this node closed the link")]
    ClosedHere,
    /// The handshake could not be built at all: a fault of this program.
    #[error("the handshake could not be set up: a fault of this program, report it")]
    Setup,
}

/// Why [`super::Link::send`] did not take a message. The link itself goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The handshake is not done, or the link has ended.
    #[error("the link is not established: wait for its handshake or use another")]
    NotEstablished,
    /// As much as the queue of this class holds is waiting already: the peer or the transport is
    /// slower than the sender.
    #[error("the {class} queue of the link is full: send less or later", class = class.name())]
    Full {
        /// Class of the message.
        class: Class,
    },
    /// Longer than [`Class::message_limit`].
    #[error("a {class} message of {length} bytes is too long: split it", class = class.name())]
    TooLong {
        /// Class of the message.
        class: Class,
        /// Its length.
        length: usize,
    },
    /// No bytes: nothing to say.
    #[error("an empty message cannot be sent")]
    Empty,
}
