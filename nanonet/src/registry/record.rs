//! What a node says of itself to whoever knows its key: one signed record per key.
//!
//! Form: postcard of [`KeyRecord`]; its signature is by the key itself, for [`Purpose::Registry`],
//! over the same bytes with a signature of zeros, so one record has one signed form. Of two records of
//! a key the one with the higher sequence number counts.

use nano_core::{Network, Signature, UnixMillis};
use serde::{Deserialize, Serialize};

use crate::onion::Hop;
use crate::peer::network_bytes;
use crate::{Addresses, CLOCK_SKEW_MS, Identity, NodeId, NodeKey, NoiseKey, Point, Purpose, Role};

/// Most bytes of a record.
pub const MAX_KEY_RECORD_BYTES: usize = 2_048;
/// Longest time from when it was made to when it expires: one day.
pub const MAX_LIFE_MS: u64 = 86_400_000;
/// Most nodes through which a node says it is reached.
pub const MAX_DOORS: usize = 3;
/// Most readers of sealed metadata.
pub const MAX_READERS: usize = 4;
/// What metadata is sealed for.
const CONTEXT: &str = "registry";

/// A node through which another is reached: linked with it, and the last relay of routes to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Door {
    /// Where it lies.
    pub id: NodeId,
    /// The key it opens its layers with.
    pub noise_key: NoiseKey,
}

impl From<Door> for Hop {
    fn from(door: Door) -> Self {
        Self {
            id: door.id,
            noise_key: door.noise_key,
        }
    }
}

/// Something that a node does for others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Its kind, for example `work` or `notifications`.
    pub kind: String,
    /// What is to be known of it, for example a price.
    pub attributes: Vec<Attribute>,
}

/// One thing to be known of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    /// What.
    pub name: String,
    /// How it is.
    pub value: String,
}

/// Which services are looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceFilter {
    /// Of this kind.
    pub kind: String,
    /// With all of these attributes.
    pub attributes: Vec<Attribute>,
}

impl ServiceFilter {
    /// Whether a record offers such a service.
    #[must_use]
    pub fn takes(&self, record: &KeyRecord) -> bool {
        record.services.iter().any(|service| {
            let has = |wanted| service.attributes.contains(wanted);
            service.kind == self.kind && self.attributes.iter().all(has)
        })
    }
}

/// What else a node tells: everyone, or only readers of its choice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// For everyone.
    pub open: String,
    /// The same text sealed once for each reader, see [`crate::seal`].
    pub sealed: Vec<Vec<u8>>,
}

/// The record of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRecord {
    /// Whose.
    pub key: NodeKey,
    /// Of two records of a key the one with the higher number counts.
    pub sequence: u64,
    /// Of which network.
    #[serde(with = "network_bytes")]
    pub network: Network,
    /// A server ([`Role::Bridge`]) or a client ([`Role::Browser`]).
    pub role: Role,
    /// Places the node, see [`NodeId::new`].
    pub nonce: u64,
    /// The key that messages to it are sealed with.
    pub noise_key: NoiseKey,
    /// When it was last seen, by its own clock: when the record was made.
    pub seen_at: UnixMillis,
    /// Until when the record counts, at most [`MAX_LIFE_MS`] later.
    pub expires_at: UnixMillis,
    /// Where it can be dialled.
    pub endpoints: Addresses,
    /// Through whom it can be reached, at most [`MAX_DOORS`], best first.
    pub doors: Vec<Door>,
    /// What it does for others.
    pub services: Vec<Service>,
    /// What else it tells.
    pub metadata: Metadata,
    /// By the key, over all of the above.
    pub signature: Signature,
}

/// Why a record of a key is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyRecordError {
    /// Beyond a limit.
    #[error(
        "the record is longer than 2048 bytes, has more than 3 doors or 4 readers, or lives longer than a day"
    )]
    Limits,
    /// Of another Nano network.
    #[error("the record is of another Nano network")]
    OtherNetwork,
    /// It is over.
    #[error("the record has expired: its node was not seen for long")]
    Expired,
    /// Made in the future.
    #[error("the record is from the future: a clock is wrong")]
    Future,
    /// The key has not signed it.
    #[error("the record's signature is not by its key")]
    Signature,
}

impl KeyRecordError {
    /// Kebab-case code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Limits => "key-record-limits",
            Self::OtherNetwork => "key-record-other-network",
            Self::Expired => "key-record-expired",
            Self::Future => "key-record-future",
            Self::Signature => "key-record-signature",
        }
    }
}

impl KeyRecord {
    /// Where the node lies.
    #[must_use]
    pub fn node_id(&self) -> NodeId {
        NodeId::new(&self.key, self.nonce)
    }

    /// Its bytes, as [`KeyRecord::from_bytes`] reads them.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        postcard::to_allocvec(self).unwrap_or_default()
    }

    /// Reads [`KeyRecord::to_bytes`]; `None` for anything else. What it says is to be checked.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (record, rest) = postcard::take_from_bytes(bytes).ok()?;
        rest.is_empty().then_some(record)
    }

    /// Checks everything at `now`, the signature last.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn check(&self, now: UnixMillis, network: Network) -> Result<(), KeyRecordError> {
        let signed = self.signed_bytes();
        if signed.len() > MAX_KEY_RECORD_BYTES
            || self.doors.len() > MAX_DOORS
            || self.metadata.sealed.len() > MAX_READERS
            || self.expires_at.since(self.seen_at) > MAX_LIFE_MS
        {
            return Err(KeyRecordError::Limits);
        }
        if self.network != network {
            return Err(KeyRecordError::OtherNetwork);
        }
        if self.expires_at <= now {
            return Err(KeyRecordError::Expired);
        }
        if self.seen_at.since(now) > CLOCK_SKEW_MS {
            return Err(KeyRecordError::Future);
        }
        self.key
            .verify(Purpose::Registry, &signed, &self.signature)
            .map_err(|_| KeyRecordError::Signature)
    }

    /// The sealed metadata, if `reader` is one of its readers.
    #[must_use]
    pub fn read_sealed(&self, reader: &Identity) -> Option<String> {
        let sealed = self.metadata.sealed.iter();
        let opened = sealed.filter_map(|sealed| reader.open(CONTEXT, sealed).ok());
        opened
            .filter_map(|bytes| String::from_utf8(bytes).ok())
            .next()
    }

    fn signed_bytes(&self) -> Vec<u8> {
        let mut unsigned = self.clone();
        unsigned.signature = Signature::from_bytes([0; 64]);
        unsigned.to_bytes()
    }
}

impl Identity {
    /// Signs a record of this node: key, places and signature are set.
    #[must_use]
    pub fn sign_record(&self, mut record: KeyRecord) -> KeyRecord {
        record.key = self.node_key();
        record.nonce = self.nonce();
        record.noise_key = self.noise_key();
        record.signature = self.sign(Purpose::Registry, &record.signed_bytes());
        record
    }
}

/// Metadata for readers: `text` sealed for each of `readers`.
///
/// # Errors
/// As [`crate::seal`] says.
pub fn seal_metadata(
    text: &str,
    readers: &[NoiseKey],
    rng: &mut crate::Rng,
) -> Result<Vec<Vec<u8>>, crate::SealError> {
    let readers = readers.iter().take(MAX_READERS);
    readers
        .map(|reader| crate::seal(reader, CONTEXT, text.as_bytes(), rng))
        .collect()
}

/// Where the record of a key lies: BLAKE2b-256(`nanonet key place` ‖ key).
pub(crate) fn place_of(key: &NodeKey) -> Point {
    Point::from_bytes(crate::id::hash(&[b"nanonet key place", key.as_bytes()]))
}
