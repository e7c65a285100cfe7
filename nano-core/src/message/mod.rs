//! Nano's peer protocol: every message of it, as bytes and as types.
//!
//! A message is a [`Header`] of eight bytes and a payload whose length the header tells. Reading
//! goes in three steps: [`Header::parse`] on eight bytes, [`Header::payload_length`] to know how
//! much to wait for, [`Message::parse`] on exactly that much. Writing is [`Message::encode`], which
//! makes the header too.
//!
//! Rules: integers are little- or big-endian by field, as each type says; a payload has to be used
//! up exactly; counts are compared with the bytes at hand before anything is allocated; flags that
//! receivers must ignore are ignored. What is read and written again is the same message, not
//! always the same bytes: ignored bits come back as nodes of today send them.
//!
//! Source: nano-node `nano/node/messages.cpp`; checked against recorded messages of a full node.

mod asc_pull;
mod confirm;
mod error;
mod handshake;
mod header;
mod keepalive;
mod telemetry;

pub use asc_pull::{
    AccountInfo, AscPullAck, AscPullAnswer, AscPullQuestion, AscPullReq, Frontier, PullTarget,
};
pub use confirm::{ConfirmAck, ConfirmReq, RequestedBlock};
pub use error::MessageError;
pub use handshake::{Cookie, HandshakeError, HandshakeResponse, NodeIdHandshake};
pub use header::{Header, MAX_PAYLOAD, MIN_PROTOCOL_VERSION, MessageType, PROTOCOL_VERSION};
pub use keepalive::{Keepalive, PeerEndpoint};
pub use telemetry::{Telemetry, TelemetryAck};

use crate::{Block, Network};
use header::publish_extensions;

/// A block on its way through the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Publish {
    /// The block.
    pub block: Block,
    /// Whether the sender made the block or is the first to publish it; nodes queue such blocks
    /// apart from those that are merely passed on.
    pub originator: bool,
}

/// A message of the old bootstrap protocol. Nodes ignore these since V28; they are read so that
/// the stream stays in step, and nothing is done with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegacyBootstrap {
    /// One of bulk_pull, bulk_push, frontier_req, bulk_pull_account.
    pub message_type: MessageType,
    /// Flags; those of bulk_pull take part in its length.
    pub extensions: u16,
    /// Everything after the header.
    pub payload: Vec<u8>,
}

/// A message of the peer protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Endpoints of peers, and a sign of life.
    Keepalive(Keepalive),
    /// A block.
    Publish(Publish),
    /// A question for votes.
    ConfirmReq(ConfirmReq),
    /// A vote.
    ConfirmAck(ConfirmAck),
    /// Proof of who a peer is.
    NodeIdHandshake(NodeIdHandshake),
    /// A question for telemetry, which nodes no longer answer.
    TelemetryReq,
    /// What a node says about itself.
    TelemetryAck(TelemetryAck),
    /// A question for blocks, an account's heads, or frontiers.
    AscPullReq(AscPullReq),
    /// The answer to it.
    AscPullAck(AscPullAck),
    /// Old bootstrap, to be ignored.
    LegacyBootstrap(LegacyBootstrap),
}

impl Message {
    /// Reads the payload that belongs to `header`: exactly [`Header::payload_length`] bytes.
    ///
    /// # Errors
    /// Any [`MessageError`] that is not about the header itself.
    pub fn parse(header: &Header, payload: &[u8]) -> Result<Self, MessageError> {
        let expected = header.payload_length()?;
        let wrong_length = MessageError::PayloadLength {
            message_type: header.message_type,
            expected,
            found: payload.len(),
        };
        if payload.len() != expected {
            return Err(wrong_length);
        }
        Ok(match header.message_type {
            MessageType::Keepalive => {
                Self::Keepalive(Keepalive::parse(payload).ok_or(wrong_length)?)
            }
            MessageType::Publish => Self::Publish(Publish {
                block: Block::parse(header.block_type()?, payload).map_err(|_| wrong_length)?,
                originator: header.has_mark(),
            }),
            MessageType::ConfirmReq => Self::ConfirmReq(ConfirmReq::parse(header, payload)?),
            MessageType::ConfirmAck => Self::ConfirmAck(ConfirmAck::parse(header, payload)?),
            MessageType::NodeIdHandshake => {
                Self::NodeIdHandshake(NodeIdHandshake::parse(header, payload)?)
            }
            MessageType::TelemetryReq => Self::TelemetryReq,
            MessageType::TelemetryAck => Self::TelemetryAck(TelemetryAck::parse(payload)?),
            MessageType::AscPullReq => Self::AscPullReq(AscPullReq::parse(payload)?),
            MessageType::AscPullAck => Self::AscPullAck(AscPullAck::parse(payload)?),
            MessageType::BulkPull
            | MessageType::BulkPush
            | MessageType::FrontierReq
            | MessageType::BulkPullAccount => Self::LegacyBootstrap(LegacyBootstrap {
                message_type: header.message_type,
                extensions: header.extensions,
                payload: payload.to_vec(),
            }),
        })
    }

    /// Reads a header and its payload; `bytes` must be exactly one message.
    ///
    /// # Errors
    /// Any [`MessageError`].
    pub fn decode(bytes: &[u8]) -> Result<(Header, Self), MessageError> {
        let (header, payload) = bytes
            .split_first_chunk()
            .ok_or(MessageError::HeaderLength(bytes.len()))?;
        let header = Header::parse(header)?;
        let message = Self::parse(&header, payload)?;
        Ok((header, message))
    }

    /// The message type.
    #[must_use]
    pub const fn message_type(&self) -> MessageType {
        match self {
            Self::Keepalive(_) => MessageType::Keepalive,
            Self::Publish(_) => MessageType::Publish,
            Self::ConfirmReq(_) => MessageType::ConfirmReq,
            Self::ConfirmAck(_) => MessageType::ConfirmAck,
            Self::NodeIdHandshake(_) => MessageType::NodeIdHandshake,
            Self::TelemetryReq => MessageType::TelemetryReq,
            Self::TelemetryAck(_) => MessageType::TelemetryAck,
            Self::AscPullReq(_) => MessageType::AscPullReq,
            Self::AscPullAck(_) => MessageType::AscPullAck,
            Self::LegacyBootstrap(message) => message.message_type,
        }
    }

    /// The bytes of the message with its header.
    ///
    /// # Errors
    /// [`MessageError`] for what the format cannot say: an empty or too long list, a handshake
    /// without content, telemetry with too long a tail.
    pub fn encode(&self, network: Network) -> Result<Vec<u8>, MessageError> {
        let mut payload = Vec::new();
        let extensions = match self {
            Self::Keepalive(message) => {
                message.write(&mut payload);
                0
            }
            Self::Publish(message) => {
                message.block.append_to(&mut payload);
                publish_extensions(message.block.block_type(), message.originator)
            }
            Self::ConfirmReq(message) => message.write(&mut payload)?,
            Self::ConfirmAck(message) => message.write(&mut payload)?,
            Self::NodeIdHandshake(message) => message.write(&mut payload)?,
            Self::TelemetryReq => 0,
            Self::TelemetryAck(message) => message.write(&mut payload)?,
            Self::AscPullReq(message) => message.write(&mut payload)?,
            Self::AscPullAck(message) => message.write(&mut payload)?,
            Self::LegacyBootstrap(message) => {
                payload.extend(&message.payload);
                message.extensions
            }
        };
        let header = Header::new(network, self.message_type(), extensions);
        let expected = header.payload_length()?;
        if payload.len() != expected {
            return Err(MessageError::PayloadLength {
                message_type: header.message_type,
                expected,
                found: payload.len(),
            });
        }
        let mut bytes = Vec::with_capacity(Header::SIZE + payload.len());
        bytes.extend(header.to_bytes());
        bytes.extend(payload);
        Ok(bytes)
    }
}

macro_rules! message_from {
    ($($name:ident),+) => {$(
        impl From<$name> for Message {
            fn from(message: $name) -> Self {
                Self::$name(message)
            }
        }
    )+};
}

message_from!(
    Keepalive,
    Publish,
    ConfirmReq,
    ConfirmAck,
    NodeIdHandshake,
    TelemetryAck,
    AscPullReq,
    AscPullAck,
    LegacyBootstrap
);
