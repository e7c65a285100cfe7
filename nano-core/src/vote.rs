//! Votes: what representatives sign to say which blocks they stand for.
//!
//! A vote names 1 to 255 block hashes and carries a packed time. One signature covers the whole
//! list in its order, but not the representative's own key. A vote whose 64 time bits are all set
//! is *final*: a representative gives it once per root and keeps to it forever, which is why final
//! votes, and only they, make a proof that needs no clock.
//!
//! Source: nano-node `nano/secure/vote.cpp`; checked against the recorded votes.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::hash::blake2b_256;
use crate::{Account, BlockHash, PrivateKey, Signature, SignatureError, bytes};

/// What comes before the hashes in the bytes that are hashed and signed; the space belongs to it.
const PREFIX: &[u8] = b"vote ";
/// The text of a final time.
const FINAL_TEXT: &str = "final";
/// The time bits of [`VoteTimestamp`] that hold the duration.
const DURATION_BITS: u64 = 0xf;

/// The packed time of a vote, 64 bits: milliseconds since 1970-01-01 UTC with the low four bits
/// replaced by the exponent of a duration, or all bits set for a final vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VoteTimestamp(u64);

impl VoteTimestamp {
    /// The time of a final vote: all bits set.
    pub const FINAL: Self = Self(u64::MAX);

    /// Wraps the packed value as it stands in a message (there 8 bytes little-endian).
    #[must_use]
    pub const fn from_packed(packed: u64) -> Self {
        Self(packed)
    }

    /// The time of a normal vote made at `millis` (its low four bits are dropped) that stands for
    /// 2^(`exponent` + 4) milliseconds; of the exponent only the low four bits count. Nodes of
    /// today use exponent 9.
    #[must_use]
    pub const fn normal(millis: u64, exponent: u8) -> Self {
        Self(millis & !DURATION_BITS | exponent as u64 & DURATION_BITS)
    }

    /// The packed value.
    #[must_use]
    pub const fn packed(self) -> u64 {
        self.0
    }

    /// Whether this marks a final vote. All 64 bits have to be set: the largest time with any
    /// other duration is not final.
    #[must_use]
    pub const fn is_final(self) -> bool {
        self.0 == u64::MAX
    }

    /// Milliseconds since 1970-01-01 UTC, a multiple of 16; without meaning in a final vote.
    #[must_use]
    pub const fn millis(self) -> u64 {
        self.0 & !DURATION_BITS
    }

    /// For how long the vote stands, in milliseconds: 16 to 524,288.
    #[must_use]
    pub const fn duration(self) -> u64 {
        1 << ((self.0 & DURATION_BITS) + 4)
    }
}

impl fmt::Display for VoteTimestamp {
    /// `final`, or the packed value in decimal digits.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_final() {
            formatter.write_str(FINAL_TEXT)
        } else {
            self.0.fmt(formatter)
        }
    }
}

/// The text is neither `final` nor a packed time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the time of a vote is \"final\" or a decimal number of 64 bits that is not final")]
pub struct VoteTimestampError;

impl FromStr for VoteTimestamp {
    type Err = VoteTimestampError;

    /// The inverse of `Display`; digits without a sign or zeros in front, so that each time has
    /// one text.
    fn from_str(text: &str) -> Result<Self, VoteTimestampError> {
        if text == FINAL_TEXT {
            return Ok(Self::FINAL);
        }
        let time = text.parse().map(Self).map_err(|_| VoteTimestampError)?;
        if time.to_string() == text {
            Ok(time)
        } else {
            Err(VoteTimestampError)
        }
    }
}

impl Serialize for VoteTimestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        bytes::serialize(self, &self.0.to_be_bytes(), serializer)
    }
}

impl<'de> Deserialize<'de> for VoteTimestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        bytes::deserialize(deserializer, |bytes| Self(u64::from_be_bytes(bytes)))
    }
}

/// A vote of one representative for a list of blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vote {
    /// Who votes.
    pub representative: Account,
    /// Signature over [`Vote::signed_hash`] by the representative's key.
    pub signature: Signature,
    /// When, or the final mark.
    pub timestamp: VoteTimestamp,
    /// What for, in the order that was signed; [`Vote::MAX_HASHES`] at most.
    pub hashes: Vec<BlockHash>,
}

impl Vote {
    /// The most hashes a vote can carry.
    pub const MAX_HASHES: usize = 255;

    /// Makes and signs a vote. A list that is empty or longer than [`Vote::MAX_HASHES`] can be
    /// signed but not sent: encoding it as a message is what refuses it.
    #[must_use]
    pub fn sign(key: &PrivateKey, timestamp: VoteTimestamp, hashes: Vec<BlockHash>) -> Self {
        let signature = key.sign(&vote_hash(timestamp, &hashes));
        Self {
            representative: key.account(),
            signature,
            timestamp,
            hashes,
        }
    }

    /// The 32 bytes that are signed: BLAKE2b-256 of `vote `, the hashes and the packed time as
    /// 8 bytes little-endian.
    #[must_use]
    pub fn signed_hash(&self) -> [u8; 32] {
        vote_hash(self.timestamp, &self.hashes)
    }

    /// Checks the signature as leniently as the network does.
    ///
    /// # Errors
    /// As [`crate::PublicKey::verify`].
    pub fn verify(&self) -> Result<(), SignatureError> {
        self.representative
            .public_key()
            .verify(&self.signed_hash(), &self.signature)
    }
}

/// See [`Vote::signed_hash`].
pub(crate) fn vote_hash(timestamp: VoteTimestamp, hashes: &[BlockHash]) -> [u8; 32] {
    let time = timestamp.packed().to_le_bytes();
    let mut parts: Vec<&[u8]> = Vec::with_capacity(hashes.len() + 2);
    parts.push(PREFIX);
    parts.extend(hashes.iter().map(AsRef::as_ref));
    parts.push(&time);
    blake2b_256(&parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_all_bits_set_is_final() {
        assert!(VoteTimestamp::FINAL.is_final());
        assert!(!VoteTimestamp::from_packed(!DURATION_BITS).is_final());
        assert_eq!(VoteTimestamp::FINAL.duration(), 524_288);
    }

    #[test]
    fn a_normal_time_keeps_its_millis_and_duration_apart() {
        let time = VoteTimestamp::normal(1_700_000_000_007, 9);
        assert_eq!(time.packed(), 1_700_000_000_009);
        assert_eq!(time.millis(), 1_700_000_000_000);
        assert_eq!(time.duration(), 8_192);
    }

    #[test]
    fn each_time_has_one_text() {
        for time in [0, 1_700_000_000_009, u64::MAX - 1, u64::MAX] {
            let time = VoteTimestamp::from_packed(time);
            assert_eq!(time.to_string().parse(), Ok(time));
        }
        assert_eq!(VoteTimestamp::FINAL.to_string(), "final");
        for text in [
            "",
            "18446744073709551615",
            "01",
            "+1",
            "Final",
            "18446744073709551616",
        ] {
            assert_eq!(
                text.parse::<VoteTimestamp>(),
                Err(VoteTimestampError),
                "{text}"
            );
        }
    }

    #[test]
    fn a_signature_covers_order_and_time() {
        let key = PrivateKey::from_bytes([7; 32]);
        let hashes = vec![
            BlockHash::from_bytes([1; 32]),
            BlockHash::from_bytes([2; 32]),
        ];
        let vote = Vote::sign(&key, VoteTimestamp::FINAL, hashes);
        assert_eq!(vote.verify(), Ok(()));

        let mut other_order = vote.clone();
        other_order.hashes.reverse();
        assert!(other_order.verify().is_err());

        let mut other_time = vote;
        other_time.timestamp = VoteTimestamp::normal(1_700_000_000_000, 9);
        assert!(other_time.verify().is_err());
    }
}
