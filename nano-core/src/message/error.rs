//! What can be wrong with a message.

use super::{Header, MAX_PAYLOAD, MIN_PROTOCOL_VERSION, MessageType};

/// Why bytes are not a message, or a message cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// The first two bytes name no network; nodes close the connection.
    #[error("the bytes {0:02X?} name no Nano network; this is not Nano's peer protocol")]
    UnknownNetwork([u8; 2]),
    /// The protocol version in use is older than accepted; nodes close the connection.
    #[error(
        "protocol version {0} is older than {MIN_PROTOCOL_VERSION}; the peer has to be updated"
    )]
    OldVersion(u8),
    /// The type number is none of the known ones; nodes close the connection.
    #[error("{0:#04x} is not the number of a message type")]
    UnknownType(u8),
    /// A publish of no known block type.
    #[error("a publish of block type {0}; blocks are 2 to 6")]
    UnknownBlockType(u16),
    /// The header announces more than any message may have; nodes close the connection.
    #[error("a {message_type} of {length} bytes; at most {MAX_PAYLOAD} are accepted")]
    PayloadTooLong {
        /// The type.
        message_type: MessageType,
        /// Bytes announced.
        length: usize,
    },
    /// Not as many bytes as the header announces.
    #[error("a {message_type} of this header has {expected} bytes after it, found {found}")]
    PayloadLength {
        /// The type.
        message_type: MessageType,
        /// Bytes announced.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
    /// Fewer bytes than a header.
    #[error("a message begins with a header of {size} bytes, found {0}", size = Header::SIZE)]
    HeaderLength(usize),
    /// A list that must not be empty is, or one is longer than the header can say.
    #[error("a {message_type} with {count} entries; it has {least} to {most}")]
    Count {
        /// The type.
        message_type: MessageType,
        /// Entries found or asked to be written.
        count: usize,
        /// Least allowed.
        least: usize,
        /// Most allowed.
        most: usize,
    },
    /// A pair of a confirm_req has neither hash nor root.
    #[error("pair {0} of a confirm_req has neither hash nor root; it asks nothing")]
    EmptyPair(usize),
    /// A vote by the zero account, which nobody has the key of.
    #[error("a confirm_ack by the zero account; no one can have signed it")]
    ZeroVoter,
    /// A handshake with neither query nor response.
    #[error("a node_id_handshake with neither query nor response")]
    EmptyHandshake,
    /// A query that claims another handshake version than the response beside it.
    #[error("a node_id_handshake whose v2 flag does not fit its response")]
    HandshakeVersion,
    /// A telemetry_ack that is neither empty nor at least as long as the known fields.
    #[error("a telemetry_ack of {0} bytes; it is empty or has 202 to 1023")]
    TelemetryLength(usize),
    /// The type byte of a pull is none of the known ones.
    #[error("asc_pull type {0}; it is 1 (blocks), 2 (account_info) or 3 (frontiers)")]
    UnknownPull(u8),
    /// The payload of a pull does not have the form of its type.
    #[error("the payload of an {message_type} does not have the form of pull type {pull}")]
    PullPayload {
        /// Request or answer.
        message_type: MessageType,
        /// The pull's type byte.
        pull: u8,
    },
    /// The byte that says what a pull starts from is neither account nor block.
    #[error("pull target type {0}; it is 0 (account) or 1 (block hash)")]
    UnknownTarget(u8),
    /// A target or an entry of a list is zero, which means none. Nodes drop such requests silently.
    #[error("an asc_pull message names an all-zero account or block; nodes never answer that")]
    ZeroTarget,
}
