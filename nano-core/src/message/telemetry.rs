//! telemetry_ack: what a node says about itself, signed by its node id.
//!
//! Empty, or signature 64 and then, integers big-endian: node id 32; counts of blocks, cemented
//! and unchecked blocks and accounts, bandwidth cap, 8 each; peer count 4; protocol version 1;
//! uptime 8; genesis 32; major, minor, patch, pre-release and maker, 1 each; timestamp 8; active
//! difficulty 8. Newer nodes append fields; the signature covers those too, so they are kept.

use super::MessageError;
use crate::cursor::Cursor;
use crate::{BlockHash, Difficulty, PrivateKey, PublicKey, Signature, SignatureError, UnixMillis};

/// Bytes of the known fields with the signature.
const KNOWN_SIZE: usize = 202;
/// The most the ten size bits of the header can say.
const MAX_SIZE: usize = 1023;

/// A telemetry_ack: `None` when the node keeps its numbers to itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TelemetryAck {
    /// The numbers.
    pub telemetry: Option<Telemetry>,
}

/// What a node says about itself. All of it is a claim; only who claims it can be checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Telemetry {
    /// By the node id over everything below.
    pub signature: Signature,
    /// The node; must be the one of the handshake.
    pub node_id: PublicKey,
    /// Blocks in its ledger.
    pub block_count: u64,
    /// Confirmed ones among them.
    pub cemented_count: u64,
    /// Blocks that wait for the block before them.
    pub unchecked_count: u64,
    /// Accounts in its ledger.
    pub account_count: u64,
    /// Bytes per second it sends at most; 0 = no limit.
    pub bandwidth_cap: u64,
    /// Peers it is connected to.
    pub peer_count: u32,
    /// Protocol version it speaks.
    pub protocol_version: u8,
    /// Seconds since it was started.
    pub uptime: u64,
    /// Its network.
    pub genesis: BlockHash,
    /// Version of the software, first number.
    pub major_version: u8,
    /// Version of the software, second number.
    pub minor_version: u8,
    /// Version of the software, third number.
    pub patch_version: u8,
    /// Version of the software, pre-release number.
    pub pre_release_version: u8,
    /// Which software: 0 nano-node, 1 the same pruned, 2 nano-node-light, 3 RsNano.
    pub maker: u8,
    /// When this was made, by the node's clock.
    pub timestamp: UnixMillis,
    /// The work the node asks for at the moment.
    pub active_difficulty: Difficulty,
    /// Fields of newer nodes, kept as they came.
    pub unknown: Vec<u8>,
}

impl Telemetry {
    /// Everything the signature covers.
    #[must_use]
    pub fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(KNOWN_SIZE - 64 + self.unknown.len());
        bytes.extend(self.node_id.as_bytes());
        bytes.extend(self.block_count.to_be_bytes());
        bytes.extend(self.cemented_count.to_be_bytes());
        bytes.extend(self.unchecked_count.to_be_bytes());
        bytes.extend(self.account_count.to_be_bytes());
        bytes.extend(self.bandwidth_cap.to_be_bytes());
        bytes.extend(self.peer_count.to_be_bytes());
        bytes.push(self.protocol_version);
        bytes.extend(self.uptime.to_be_bytes());
        bytes.extend(self.genesis.as_bytes());
        bytes.extend([
            self.major_version,
            self.minor_version,
            self.patch_version,
            self.pre_release_version,
            self.maker,
        ]);
        bytes.extend(self.timestamp.number().to_be_bytes());
        bytes.extend(self.active_difficulty.number().to_be_bytes());
        bytes.extend(&self.unknown);
        bytes
    }

    /// The same numbers, signed by the node id's key.
    #[must_use]
    pub fn sign(mut self, key: &PrivateKey) -> Self {
        self.signature = key.sign(&self.signed_bytes());
        self
    }

    /// Checks the signature by the node id inside.
    ///
    /// # Errors
    /// As [`PublicKey::verify`].
    pub fn verify(&self) -> Result<(), SignatureError> {
        self.node_id.verify(&self.signed_bytes(), &self.signature)
    }

    fn read(payload: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(payload);
        Some(Self {
            signature: Signature::from_bytes(cursor.array()?),
            node_id: PublicKey::from_bytes(cursor.array()?),
            block_count: u64::from_be_bytes(cursor.array()?),
            cemented_count: u64::from_be_bytes(cursor.array()?),
            unchecked_count: u64::from_be_bytes(cursor.array()?),
            account_count: u64::from_be_bytes(cursor.array()?),
            bandwidth_cap: u64::from_be_bytes(cursor.array()?),
            peer_count: u32::from_be_bytes(cursor.array()?),
            protocol_version: cursor.byte()?,
            uptime: u64::from_be_bytes(cursor.array()?),
            genesis: BlockHash::from_bytes(cursor.array()?),
            major_version: cursor.byte()?,
            minor_version: cursor.byte()?,
            patch_version: cursor.byte()?,
            pre_release_version: cursor.byte()?,
            maker: cursor.byte()?,
            timestamp: UnixMillis::new(u64::from_be_bytes(cursor.array()?)),
            active_difficulty: Difficulty::new(u64::from_be_bytes(cursor.array()?)),
            unknown: cursor.take_rest().to_vec(),
        })
    }
}

impl TelemetryAck {
    pub(super) fn parse(payload: &[u8]) -> Result<Self, MessageError> {
        if payload.is_empty() {
            return Ok(Self { telemetry: None });
        }
        match Telemetry::read(payload) {
            Some(telemetry) => Ok(Self {
                telemetry: Some(telemetry),
            }),
            None => Err(MessageError::TelemetryLength(payload.len())),
        }
    }

    pub(super) fn write(&self, payload: &mut Vec<u8>) -> Result<u16, MessageError> {
        if let Some(telemetry) = &self.telemetry {
            payload.extend(telemetry.signature.as_bytes());
            payload.extend(telemetry.signed_bytes());
        }
        u16::try_from(payload.len())
            .ok()
            .filter(|size| usize::from(*size) <= MAX_SIZE)
            .ok_or(MessageError::TelemetryLength(payload.len()))
    }
}
