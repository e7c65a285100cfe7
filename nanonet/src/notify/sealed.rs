//! A sealed notification: what senders make, relays keep and hand out, and recipients open.

use nano_core::{Network, Signature, UnixMillis, WorkNonce};
use serde::{Deserialize, Serialize};

use super::address::RelayAddress;
use super::keys::{RecipientKey, Tag, Week};
use super::payload::{PADDED, PayloadError, Payment};
use super::refusal::Refusal;
use crate::reader::Reader;
use crate::{Identity, NodeKey, Purpose, Rng, SEAL_OVERHEAD};

/// Version of the form.
pub const SEALED_VERSION: u8 = 1;
/// Most bytes of a sealed notification in its binary form, stamp included.
pub const MAX_SEALED_BYTES: usize = 2048;
/// Longest time a notification is kept: 90 days, in seconds.
pub const MAX_TTL_S: u32 = 90 * 86_400;
/// Shortest time: a minute.
pub const MIN_TTL_S: u32 = 60;
/// How far ahead of a relay's clock a notification may be: two minutes.
pub const MAX_AHEAD_MS: u64 = crate::CLOCK_SKEW_MS;
/// How old it may be when it is first accepted: an hour. A sender that is later stamps it anew, so that
/// whoever asks for everything since a time misses nothing.
pub const MAX_LATE_MS: u64 = 3_600_000;

/// A sealed notification.
///
/// Binary form, numbers most significant byte first: version (1), hash (32), timestamp in Unix
/// milliseconds (8), time to live in seconds (4), tag (32), nonce (16), length of the payload (2),
/// payload, work (8), then 0, or 1 and the stamp: store key (32), time (8), signature (64).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Version of the form.
    pub version: u8,
    /// Its name; holds if it is [`RelayAddress::of`] the rest.
    pub hash: RelayAddress,
    /// When it was made, by the sender's clock.
    pub timestamp: UnixMillis,
    /// For how many seconds after that it is kept.
    pub ttl_s: u32,
    /// Under what the recipient looks for it.
    pub tag: Tag,
    /// Random: two notifications never have one hash.
    pub nonce: [u8; 16],
    /// What only the recipient reads.
    pub payload: Vec<u8>,
    /// Work over the hash.
    pub work: WorkNonce,
    /// The word of the store that hands it out.
    pub stamp: Option<Stamp>,
}

/// A store's signed word that it keeps a notification until its time is over: the receipt for the
/// sender, and what stores believe of each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Which store.
    pub store: NodeKey,
    /// When it accepted it.
    pub at: UnixMillis,
    /// Over network, hash and time.
    pub signature: Signature,
}

impl Stamp {
    /// Signs for a notification.
    #[must_use]
    pub fn sign(
        identity: &Identity,
        network: Network,
        hash: &RelayAddress,
        at: UnixMillis,
    ) -> Self {
        Self {
            store: identity.node_key(),
            at,
            signature: identity.sign(Purpose::Stamp, &stamped(network, hash, at)),
        }
    }

    /// Whether it is really the store's word for this notification.
    #[must_use]
    pub fn holds(&self, network: Network, hash: &RelayAddress) -> bool {
        let data = stamped(network, hash, self.at);
        let verified = self.store.verify(Purpose::Stamp, &data, &self.signature);
        verified.is_ok()
    }
}

fn stamped(network: Network, hash: &RelayAddress, at: UnixMillis) -> Vec<u8> {
    let mut bytes = network.id().to_vec();
    bytes.extend_from_slice(hash.as_bytes());
    bytes.extend_from_slice(&at.number().to_be_bytes());
    bytes
}

/// Which tag a notification is put under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TagKind {
    /// The week's: holders cannot link weeks. The usual one.
    Rotating,
    /// The recipient's key itself.
    Plain,
}

impl Sealed {
    /// Seals a payment at `now`. Work is still to be found over [`RelayAddress::root`] of its hash.
    ///
    /// # Errors
    /// [`PayloadError`] of what is wrong with recipient or memo.
    pub fn new(
        payment: &Payment,
        recipient: &RecipientKey,
        kind: TagKind,
        ttl_s: u32,
        now: UnixMillis,
        rng: &mut Rng,
    ) -> Result<Self, PayloadError> {
        let tag = match kind {
            TagKind::Rotating => recipient.tag(Week::of(now))?,
            TagKind::Plain => recipient.plain_tag(),
        };
        let payload = payment.seal(recipient, rng)?;
        let mut nonce = [0; 16];
        rng.fill(&mut nonce);
        Ok(Self::with_payload(tag, payload, nonce, now, ttl_s))
    }

    /// With a payload that was sealed elsewhere.
    #[must_use]
    pub fn with_payload(
        tag: Tag,
        payload: Vec<u8>,
        nonce: [u8; 16],
        timestamp: UnixMillis,
        ttl_s: u32,
    ) -> Self {
        let mut sealed = Self {
            version: SEALED_VERSION,
            hash: RelayAddress::from_bytes([0; 32]),
            timestamp,
            ttl_s,
            tag,
            nonce,
            payload,
            work: WorkNonce::new(0),
            stamp: None,
        };
        sealed.hash = RelayAddress::of(&sealed);
        sealed
    }

    /// When it is over.
    #[must_use]
    pub const fn expires(&self) -> UnixMillis {
        self.timestamp.plus(self.ttl_s as u64 * 1_000)
    }

    /// The binary form.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(208 + self.payload.len());
        bytes.push(self.version);
        bytes.extend_from_slice(self.hash.as_bytes());
        bytes.extend_from_slice(&self.timestamp.number().to_be_bytes());
        bytes.extend_from_slice(&self.ttl_s.to_be_bytes());
        bytes.extend_from_slice(self.tag.as_bytes());
        bytes.extend_from_slice(&self.nonce);
        // A longer one is refused wherever it is read.
        let length = u16::try_from(self.payload.len()).unwrap_or(u16::MAX);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&self.payload);
        bytes.extend_from_slice(&self.work.number().to_be_bytes());
        bytes.push(u8::from(self.stamp.is_some()));
        if let Some(stamp) = &self.stamp {
            bytes.extend_from_slice(stamp.store.as_bytes());
            bytes.extend_from_slice(&stamp.at.number().to_be_bytes());
            bytes.extend_from_slice(stamp.signature.as_bytes());
        }
        bytes
    }

    /// Reads the binary form; what comes back has its form, size, version and hash right.
    ///
    /// # Errors
    /// [`Refusal::TooLarge`], [`Refusal::UnknownVersion`], [`Refusal::Malformed`] or
    /// [`Refusal::WrongHash`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Refusal> {
        if bytes.len() > MAX_SEALED_BYTES {
            let bytes = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            return Err(Refusal::TooLarge { bytes });
        }
        let (&version, _) = bytes.split_first().ok_or(Refusal::Malformed)?;
        if version != SEALED_VERSION {
            return Err(Refusal::UnknownVersion { version });
        }
        let sealed = Self::read(bytes).ok_or(Refusal::Malformed)?;
        sealed.check_form()?;
        Ok(sealed)
    }

    /// Whether size, version and hash are right, however it was read.
    ///
    /// # Errors
    /// As [`Sealed::from_bytes`].
    pub fn check_form(&self) -> Result<(), Refusal> {
        if self.version != SEALED_VERSION {
            let version = self.version;
            return Err(Refusal::UnknownVersion { version });
        }
        let length = self.payload.len();
        if length > MAX_SEALED_BYTES {
            let bytes = u32::try_from(length).unwrap_or(u32::MAX);
            return Err(Refusal::TooLarge { bytes });
        }
        if !PADDED.iter().any(|padded| padded + SEAL_OVERHEAD == length) {
            return Err(Refusal::Unpadded);
        }
        if self.hash != RelayAddress::of(self) {
            return Err(Refusal::WrongHash);
        }
        Ok(())
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let sealed = Self {
            version: reader.byte()?,
            hash: RelayAddress::from_bytes(reader.array()?),
            timestamp: UnixMillis(reader.u64()?),
            ttl_s: u32::from_be_bytes(reader.array()?),
            tag: Tag::from_bytes(reader.array()?),
            nonce: reader.array()?,
            payload: {
                let length = reader.u16()?;
                reader.take(usize::from(length))?.to_vec()
            },
            work: WorkNonce::new(reader.u64()?),
            stamp: match reader.byte()? {
                0 => None,
                1 => Some(Stamp {
                    store: NodeKey::from_bytes(reader.array()?),
                    at: UnixMillis(reader.u64()?),
                    signature: Signature::from_bytes(reader.array()?),
                }),
                _ => return None,
            },
        };
        reader.is_empty().then_some(sealed)
    }

    /// Whether its times are such that it may be accepted at `now` for the first time.
    ///
    /// # Errors
    /// [`Refusal::BadTtl`], [`Refusal::FromTheFuture`], [`Refusal::Expired`] or [`Refusal::TooLate`].
    pub const fn check_time(&self, now: UnixMillis) -> Result<(), Refusal> {
        if self.ttl_s < MIN_TTL_S || self.ttl_s > MAX_TTL_S {
            return Err(Refusal::BadTtl { ttl_s: self.ttl_s });
        }
        let ahead = self.timestamp.since(now);
        if ahead > MAX_AHEAD_MS {
            return Err(Refusal::FromTheFuture { ahead_ms: ahead });
        }
        if self.expires().number() <= now.number() {
            return Err(Refusal::Expired);
        }
        if now.since(self.timestamp) > MAX_LATE_MS {
            return Err(Refusal::TooLate);
        }
        Ok(())
    }
}

/// The recipient's word that a notification shall be forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deletion {
    /// Under what it lies.
    pub tag: Tag,
    /// Which.
    pub hash: RelayAddress,
    /// By the tag's key over network and hash.
    pub signature: Signature,
}

impl Deletion {
    /// What is signed, for [`super::RecipientSecret::sign`].
    #[must_use]
    pub fn data(network: Network, hash: &RelayAddress) -> Vec<u8> {
        [network.id().as_slice(), b"delete", hash.as_bytes()].concat()
    }

    /// Whether the tag's owner said so.
    #[must_use]
    pub fn holds(&self, network: Network) -> bool {
        let data = Self::data(network, &self.hash);
        self.tag.verify(&data, &self.signature).is_ok()
    }
}
