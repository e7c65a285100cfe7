//! The eight bytes in front of every message.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 2 | network id |
//! | 2 | 1 | highest protocol version the sender speaks |
//! | 3 | 1 | protocol version in use |
//! | 4 | 1 | lowest protocol version the sender accepts |
//! | 5 | 1 | message type |
//! | 6 | 2 | extensions, little-endian; their meaning depends on the type |
//!
//! The length of what follows can always be computed from the header, so a reader knows how much
//! to wait for before it looks at a payload.

use super::MessageError;
use crate::{BlockType, Network};

/// The protocol version spoken here: that of V27 and V28 nodes.
pub const PROTOCOL_VERSION: u8 = 0x15;
/// The oldest version in use that is accepted: that of V26 nodes.
pub const MIN_PROTOCOL_VERSION: u8 = 0x14;
/// The longest payload any header may announce, in bytes.
pub const MAX_PAYLOAD: usize = 65 * 1024;

const V2_FLAG: u16 = 0x0001;
const QUERY_FLAG: u16 = 0x0001;
const RESPONSE_FLAG: u16 = 0x0002;
const HANDSHAKE_V2_FLAG: u16 = 0x0004;
const MARK_FLAG: u16 = 0x0004;
const TELEMETRY_SIZE_MASK: u16 = 0x03ff;
const BLOCK_TYPE_SHIFT: u16 = 8;
const BLOCK_TYPE_MASK: u16 = 0x0f;
/// The block type bits of confirm_req and confirm_ack: *not a block*. Some nodes insist on it.
const NOT_A_BLOCK: u16 = 1 << BLOCK_TYPE_SHIFT;
/// From this count on nodes use the two-nibble form.
const FIRST_V2_COUNT: u8 = 16;

/// The type of a message, with its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum MessageType {
    /// Endpoints of peers, and a sign of life.
    Keepalive = 0x02,
    /// A block.
    Publish = 0x03,
    /// A question for votes.
    ConfirmReq = 0x04,
    /// A vote.
    ConfirmAck = 0x05,
    /// Legacy bootstrap; ignored by nodes since V28.
    BulkPull = 0x06,
    /// Legacy bootstrap; ignored by nodes since V28.
    BulkPush = 0x07,
    /// Legacy bootstrap; ignored by nodes since V28.
    FrontierReq = 0x08,
    /// Proof of who a peer is.
    NodeIdHandshake = 0x0a,
    /// Legacy bootstrap; ignored by nodes since V28.
    BulkPullAccount = 0x0b,
    /// A question for telemetry; not answered since V25.
    TelemetryReq = 0x0c,
    /// What a node says about itself.
    TelemetryAck = 0x0d,
    /// A question for blocks, an account's heads, or frontiers.
    AscPullReq = 0x0e,
    /// The answer to it.
    AscPullAck = 0x0f,
}

impl MessageType {
    /// All types, by number.
    pub const ALL: [Self; 13] = [
        Self::Keepalive,
        Self::Publish,
        Self::ConfirmReq,
        Self::ConfirmAck,
        Self::BulkPull,
        Self::BulkPush,
        Self::FrontierReq,
        Self::NodeIdHandshake,
        Self::BulkPullAccount,
        Self::TelemetryReq,
        Self::TelemetryAck,
        Self::AscPullReq,
        Self::AscPullAck,
    ];

    /// The number in the header.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The type with this number, if there is one.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }

    /// The name as the protocol documentation writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Keepalive => "keepalive",
            Self::Publish => "publish",
            Self::ConfirmReq => "confirm_req",
            Self::ConfirmAck => "confirm_ack",
            Self::BulkPull => "bulk_pull",
            Self::BulkPush => "bulk_push",
            Self::FrontierReq => "frontier_req",
            Self::NodeIdHandshake => "node_id_handshake",
            Self::BulkPullAccount => "bulk_pull_account",
            Self::TelemetryReq => "telemetry_req",
            Self::TelemetryAck => "telemetry_ack",
            Self::AscPullReq => "asc_pull_req",
            Self::AscPullAck => "asc_pull_ack",
        }
    }
}

impl core::fmt::Display for MessageType {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The header of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Network the sender belongs to.
    pub network: Network,
    /// Highest protocol version the sender speaks.
    pub version_max: u8,
    /// Protocol version in use.
    pub version_using: u8,
    /// Lowest protocol version the sender accepts.
    pub version_min: u8,
    /// What follows.
    pub message_type: MessageType,
    /// Flags, counts and sizes, by type.
    pub extensions: u16,
}

impl Header {
    /// Bytes of a header.
    pub const SIZE: usize = 8;

    /// A header with the versions spoken here.
    #[must_use]
    pub const fn new(network: Network, message_type: MessageType, extensions: u16) -> Self {
        Self {
            network,
            version_max: PROTOCOL_VERSION,
            version_using: PROTOCOL_VERSION,
            version_min: MIN_PROTOCOL_VERSION,
            message_type,
            extensions,
        }
    }

    /// Reads a header. A higher version in use is accepted, as by nodes.
    ///
    /// # Errors
    /// [`MessageError::UnknownNetwork`], [`MessageError::OldVersion`] or
    /// [`MessageError::UnknownType`]; after each of them nodes close the connection.
    pub fn parse(bytes: &[u8; Self::SIZE]) -> Result<Self, MessageError> {
        let [
            n0,
            n1,
            version_max,
            version_using,
            version_min,
            number,
            e0,
            e1,
        ] = *bytes;
        let network = Network::from_id([n0, n1]).ok_or(MessageError::UnknownNetwork([n0, n1]))?;
        if version_using < MIN_PROTOCOL_VERSION {
            return Err(MessageError::OldVersion(version_using));
        }
        let message_type =
            MessageType::from_number(number).ok_or(MessageError::UnknownType(number))?;
        Ok(Self {
            network,
            version_max,
            version_using,
            version_min,
            message_type,
            extensions: u16::from_le_bytes([e0, e1]),
        })
    }

    /// The eight bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        let [n0, n1] = self.network.id();
        let [e0, e1] = self.extensions.to_le_bytes();
        [
            n0,
            n1,
            self.version_max,
            self.version_using,
            self.version_min,
            self.message_type.number(),
            e0,
            e1,
        ]
    }

    /// Bytes that follow this header.
    ///
    /// # Errors
    /// [`MessageError::PayloadTooLong`] above [`MAX_PAYLOAD`] and
    /// [`MessageError::UnknownBlockType`] in a publish of no known block type.
    pub fn payload_length(&self) -> Result<usize, MessageError> {
        let length = match self.message_type {
            MessageType::Keepalive => 144,
            MessageType::Publish => self.block_type()?.size(),
            MessageType::ConfirmReq => 64 * usize::from(self.count()),
            MessageType::ConfirmAck => 104 + 32 * usize::from(self.count()),
            MessageType::BulkPull if self.has(V2_FLAG) => 72,
            MessageType::BulkPull => 64,
            MessageType::BulkPush | MessageType::TelemetryReq => 0,
            MessageType::FrontierReq => 40,
            MessageType::NodeIdHandshake => {
                let query = if self.has_query() { 32 } else { 0 };
                let response = match (self.has_response(), self.is_handshake_v2()) {
                    (false, _) => 0,
                    (true, false) => 96,
                    (true, true) => 160,
                };
                query + response
            }
            MessageType::BulkPullAccount => 49,
            MessageType::TelemetryAck => usize::from(self.extensions & TELEMETRY_SIZE_MASK),
            MessageType::AscPullReq | MessageType::AscPullAck => 9 + usize::from(self.extensions),
        };
        if length > MAX_PAYLOAD {
            return Err(MessageError::PayloadTooLong {
                message_type: self.message_type,
                length,
            });
        }
        Ok(length)
    }

    const fn has(&self, flag: u16) -> bool {
        self.extensions & flag != 0
    }

    /// The block type of a publish.
    pub(super) fn block_type(&self) -> Result<BlockType, MessageError> {
        let number = self.extensions >> BLOCK_TYPE_SHIFT & BLOCK_TYPE_MASK;
        u8::try_from(number)
            .ok()
            .and_then(BlockType::from_number)
            .ok_or(MessageError::UnknownBlockType(number))
    }

    /// The number of pairs of a confirm_req or hashes of a confirm_ack: the highest nibble, with
    /// the v2 flag followed by the nibble of bits 4 to 7.
    pub(super) fn count(&self) -> u8 {
        let [low, high] = self.extensions.to_le_bytes();
        if self.has(V2_FLAG) {
            high & 0xf0 | low >> 4
        } else {
            high >> 4
        }
    }

    /// The originator flag of a publish, or the rebroadcast flag of a confirm_ack.
    pub(super) const fn has_mark(&self) -> bool {
        self.has(MARK_FLAG)
    }

    pub(super) const fn has_query(&self) -> bool {
        self.has(QUERY_FLAG)
    }

    pub(super) const fn has_response(&self) -> bool {
        self.has(RESPONSE_FLAG)
    }

    pub(super) const fn is_handshake_v2(&self) -> bool {
        self.has(HANDSHAKE_V2_FLAG)
    }
}

/// Extensions of a confirm_req or confirm_ack with this many pairs or hashes.
pub(super) fn count_extensions(count: u8) -> u16 {
    if count < FIRST_V2_COUNT {
        return NOT_A_BLOCK | u16::from(count) << 12;
    }
    let (high, low) = (u16::from(count >> 4), u16::from(count & 0x0f));
    NOT_A_BLOCK | high << 12 | low << 4 | V2_FLAG
}

/// Adds the originator or rebroadcast flag.
pub(super) const fn mark(extensions: u16, set: bool) -> u16 {
    if set {
        extensions | MARK_FLAG
    } else {
        extensions
    }
}

/// Extensions of a publish of this block type.
pub(super) fn publish_extensions(kind: BlockType, originator: bool) -> u16 {
    mark(u16::from(kind.number()) << BLOCK_TYPE_SHIFT, originator)
}

/// Extensions of a handshake.
pub(super) const fn handshake_extensions(query: bool, response: bool, v2: bool) -> u16 {
    let mut extensions = 0;
    if query {
        extensions |= QUERY_FLAG;
    }
    if response {
        extensions |= RESPONSE_FLAG;
    }
    if v2 {
        extensions |= HANDSHAKE_V2_FLAG;
    }
    extensions
}
