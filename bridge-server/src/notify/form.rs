//! Notifications as JSON, in the words of the design they come from.

use nano_core::{Signature, UnixMillis, WorkNonce};
use nanonet::NodeKey;
use nanonet::notify::{Deletion, RelayAddress, Sealed, Stamp, Tag};
use serde::{Deserialize, Serialize};

/// A sealed notification.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SealedForm {
    version: u8,
    /// `nr_…`
    hash: String,
    /// Unix milliseconds.
    timestamp: u64,
    /// Seconds.
    ttl: u32,
    /// The tag, 64 hex digits.
    recipient_pubkey: String,
    /// Hex.
    encrypted_payload: String,
    /// 32 hex digits.
    nonce: String,
    /// 16 hex digits.
    work: String,
    /// The store's word; absent when it is handed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signature: Option<StampForm>,
}

/// A store's receipt.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StampForm {
    store: String,
    at: u64,
    signature: String,
}

/// A recipient's word that something shall be forgotten.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeletionForm {
    recipient_pubkey: String,
    hash: String,
    signature: String,
}

impl From<&Stamp> for StampForm {
    fn from(stamp: &Stamp) -> Self {
        Self {
            store: stamp.store.to_string(),
            at: stamp.at.number(),
            signature: stamp.signature.to_string(),
        }
    }
}

impl StampForm {
    fn read(&self) -> Option<Stamp> {
        Some(Stamp {
            store: self.store.parse::<NodeKey>().ok()?,
            at: UnixMillis(self.at),
            signature: self.signature.parse::<Signature>().ok()?,
        })
    }
}

impl From<&Sealed> for SealedForm {
    fn from(sealed: &Sealed) -> Self {
        Self {
            version: sealed.version,
            hash: sealed.hash.to_string(),
            timestamp: sealed.timestamp.number(),
            ttl: sealed.ttl_s,
            recipient_pubkey: hex::encode(sealed.tag.as_bytes()),
            encrypted_payload: hex::encode(&sealed.payload),
            nonce: hex::encode(sealed.nonce),
            work: sealed.work.to_string(),
            signature: sealed.stamp.as_ref().map(Into::into),
        }
    }
}

impl SealedForm {
    /// What it stands for; a field that cannot be read is named.
    pub(super) fn read(&self) -> Result<Sealed, &'static str> {
        let stamp = match &self.signature {
            None => None,
            Some(stamp) => Some(stamp.read().ok_or("signature")?),
        };
        Ok(Sealed {
            version: self.version,
            hash: self.hash.parse::<RelayAddress>().map_err(|_| "hash")?,
            timestamp: UnixMillis(self.timestamp),
            ttl_s: self.ttl,
            tag: tag(&self.recipient_pubkey).ok_or("recipient_pubkey")?,
            nonce: bytes(&self.nonce).ok_or("nonce")?,
            payload: hex::decode(&self.encrypted_payload).map_err(|_| "encrypted_payload")?,
            work: self.work.parse::<WorkNonce>().map_err(|_| "work")?,
            stamp,
        })
    }
}

impl DeletionForm {
    pub(super) fn read(&self) -> Result<Deletion, &'static str> {
        Ok(Deletion {
            tag: tag(&self.recipient_pubkey).ok_or("recipient_pubkey")?,
            hash: self.hash.parse().map_err(|_| "hash")?,
            signature: self.signature.parse().map_err(|_| "signature")?,
        })
    }
}

/// A tag by its 64 hex digits.
pub(super) fn tag(text: &str) -> Option<Tag> {
    bytes(text).map(Tag::from_bytes)
}

fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    hex::decode(text).ok()?.try_into().ok()
}
