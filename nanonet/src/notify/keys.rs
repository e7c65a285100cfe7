//! Who notifications are for: the recipient's key, and the tags under which they lie.
//!
//! A recipient has one Ed25519 key of his own for notifications ([`RecipientSecret`]), derived from his
//! wallet's seed, and gives its public half ([`RecipientKey`]) to whoever shall be able to notify him.
//! The same key encrypts: its Montgomery form is the X25519 key that payloads are sealed to.
//!
//! Notifications lie under a [`Tag`], which is a public key, too. The usual tag is *rotating*: the
//! recipient's key times a number that follows from the key and the week ([`Week`]), so that whoever knows
//! the key can reckon it and nobody else can tell that two weeks' tags belong together. The *plain* tag is
//! the key itself; it needs one question instead of one per week and links everything, so it is an option.
//! Only the recipient can sign for a tag, whichever kind it is, and nobody can tell the kinds apart.
//!
//! Key blinding as in Tor's onion services, version 3 (rend-spec-v3, appendix A), with BLAKE2b.

use std::fmt;
use std::str::FromStr;

use blake2::{Blake2b512, Digest as _};
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use ed25519_dalek::VerifyingKey;
use ed25519_dalek::hazmat::{ExpandedSecretKey, raw_sign};
use nano_core::{PublicKey, Signature, SignatureError, UnixMillis};
use serde::{Deserialize, Serialize};
use x25519_dalek::StaticSecret;
use zeroize::Zeroizing;

use super::address::{read_text, write_text};
use crate::NoiseKey;
use crate::id::{Point, hash};

/// Length of a week in milliseconds.
pub const WEEK_MS: u64 = 7 * 86_400_000;
/// What the text form of a recipient key starts with.
const PREFIX: &str = "notify_";

/// A week of Unix time, counted from 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Week(pub u64);

impl Week {
    /// The week that `at` lies in.
    #[must_use]
    pub const fn of(at: UnixMillis) -> Self {
        Self(at.number() / WEEK_MS)
    }
}

/// The key of a recipient, for senders. Text form: `notify_` and 60 characters with a checksum.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RecipientKey(#[serde(with = "crate::fixed")] [u8; 32]);

/// Why a key cannot receive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecipientKeyError {
    /// The text is none.
    #[error(
        "a recipient key is notify_ and 60 characters with a checksum; ask the recipient for it again"
    )]
    Text,
    /// No point of the curve, or one for which everybody knows the secret.
    #[error("the recipient key is not one that anybody can hold; ask the recipient for it again")]
    Weak,
}

impl RecipientKey {
    /// The key with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The plain tag: the key itself.
    #[must_use]
    pub const fn plain_tag(&self) -> Tag {
        Tag(self.0)
    }

    /// The tag of a week.
    ///
    /// # Errors
    /// [`RecipientKeyError::Weak`].
    pub fn tag(&self, week: Week) -> Result<Tag, RecipientKeyError> {
        let point = self.point()?;
        // Nothing secret is in it, so the quick product, which signatures are checked by, will do.
        let blinded = EdwardsPoint::vartime_double_scalar_mul_basepoint(
            &blinding(self, week),
            &point,
            &Scalar::ZERO,
        );
        Ok(Tag(blinded.compress().0))
    }

    /// The key that payloads for the recipient are sealed to.
    ///
    /// # Errors
    /// [`RecipientKeyError::Weak`].
    pub fn sealing_key(&self) -> Result<NoiseKey, RecipientKeyError> {
        Ok(NoiseKey::from_bytes(self.point()?.to_montgomery().0))
    }

    fn point(&self) -> Result<EdwardsPoint, RecipientKeyError> {
        let point = CompressedEdwardsY(self.0).decompress();
        let point = point.filter(|point| !point.is_small_order());
        point.ok_or(RecipientKeyError::Weak)
    }
}

impl fmt::Display for RecipientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_text(PREFIX, &self.0, f)
    }
}

impl fmt::Debug for RecipientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for RecipientKey {
    type Err = RecipientKeyError;

    fn from_str(text: &str) -> Result<Self, RecipientKeyError> {
        read_text(PREFIX, text)
            .map(Self)
            .ok_or(RecipientKeyError::Text)
    }
}

/// By what a recipient's key is multiplied in a week.
fn blinding(key: &RecipientKey, week: Week) -> Scalar {
    let half = |number: u8| {
        hash(&[
            b"nanonet notify tag v1",
            &[number],
            &key.0,
            &week.0.to_le_bytes(),
        ])
    };
    let mut wide = [0; 64];
    wide[..32].copy_from_slice(&half(0));
    wide[32..].copy_from_slice(&half(1));
    Scalar::from_bytes_mod_order_wide(&wide)
}

/// Under what a notification lies: a public key whose owner may delete it. Binary form: 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Tag(#[serde(with = "crate::fixed")] [u8; 32]);

impl Tag {
    /// The tag with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Where it lies in the key space: BLAKE2b-256(`nanonet notify tag` ‖ tag).
    #[must_use]
    pub fn point(&self) -> Point {
        Point::from_bytes(hash(&[b"nanonet notify tag", &self.0]))
    }

    /// Checks that the tag's owner signed `data`, as [`RecipientSecret::sign`] does.
    ///
    /// # Errors
    /// Why the signature is refused.
    pub fn verify(&self, data: &[u8], signature: &Signature) -> Result<(), SignatureError> {
        PublicKey::from_bytes(self.0).verify_canonical(&signed(data), signature)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What is really signed: no text of the overlay's or of Nano's own signatures begins so.
fn signed(data: &[u8]) -> Vec<u8> {
    [b"nanonet notify owner v1".as_slice(), data].concat()
}

/// A recipient's secret. Wiped from memory when dropped; never printed.
pub struct RecipientSecret {
    /// The scalar's 32 bytes, then the 32 that nonces of signatures come from.
    expanded: Zeroizing<[u8; 64]>,
    key: RecipientKey,
}

impl RecipientSecret {
    /// The secret that belongs to a wallet's seed: the seed alone brings everything back.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let secret = Zeroizing::new(hash(&[b"nanonet notify key v1", seed]));
        let expanded: Zeroizing<[u8; 64]> = Zeroizing::new(Blake2b512::digest(*secret).into());
        let public = VerifyingKey::from(&ExpandedSecretKey::from_bytes(&expanded));
        Self {
            expanded,
            key: RecipientKey(public.to_bytes()),
        }
    }

    /// The public half.
    #[must_use]
    pub const fn key(&self) -> RecipientKey {
        self.key
    }

    /// The secret half of [`RecipientKey::sealing_key`].
    pub(super) fn sealing_secret(&self) -> StaticSecret {
        let mut scalar = Zeroizing::new([0; 32]);
        scalar.copy_from_slice(&self.expanded[..32]);
        StaticSecret::from(*scalar)
    }

    /// Signs `data` for the tag of a week, or for the plain tag.
    #[must_use]
    pub fn sign(&self, week: Option<Week>, data: &[u8]) -> Signature {
        let mut expanded = ExpandedSecretKey::from_bytes(&self.expanded);
        if let Some(week) = week {
            expanded.scalar *= blinding(&self.key, week);
            // Nonces of one tag say nothing about those of another.
            expanded.hash_prefix = hash(&[
                b"nanonet notify nonce v1",
                &expanded.hash_prefix,
                &week.0.to_le_bytes(),
            ]);
        }
        let public = VerifyingKey::from(&expanded);
        let signature = raw_sign::<Blake2b512>(&expanded, &signed(data), &public);
        Signature::from_bytes(signature.to_bytes())
    }
}

impl PartialEq for RecipientSecret {
    /// Whether both belong to one recipient.
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl fmt::Debug for RecipientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecipientSecret(of {})", self.key)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tags_of_two_weeks_differ_and_whoever_has_the_key_reckons_both() {
        let secret = RecipientSecret::from_seed(&[1; 32]);
        let tags: Vec<Tag> = (0..3)
            .map(|week| secret.key().tag(Week(week)).unwrap())
            .collect();
        assert_ne!(tags[0], tags[1]);
        assert_ne!(tags[0], secret.key().plain_tag());
        let again = RecipientSecret::from_seed(&[1; 32]);
        assert_eq!(again.key().tag(Week(2)), Ok(tags[2]));
    }

    #[test]
    fn only_the_owner_signs_for_a_tag_and_each_tag_has_its_own_signature() {
        let (owner, other) = (
            RecipientSecret::from_seed(&[1; 32]),
            RecipientSecret::from_seed(&[2; 32]),
        );
        for week in [None, Some(Week(0)), Some(Week(2_900))] {
            let tag = week.map_or(owner.key().plain_tag(), |week| {
                owner.key().tag(week).unwrap()
            });
            let signature = owner.sign(week, b"delete");
            assert_eq!(tag.verify(b"delete", &signature), Ok(()));
            assert!(tag.verify(b"other", &signature).is_err());
            assert!(tag.verify(b"delete", &other.sign(week, b"delete")).is_err());
            let another = owner.sign(Some(Week(7)), b"delete");
            assert!(tag.verify(b"delete", &another).is_err());
        }
    }

    #[test]
    fn a_key_that_everybody_holds_is_refused() {
        let mut identity = [0; 32];
        identity[0] = 1;
        for bytes in [[0; 32], identity] {
            let key = RecipientKey::from_bytes(bytes);
            assert_eq!(key.tag(Week(1)), Err(RecipientKeyError::Weak));
            assert_eq!(key.sealing_key(), Err(RecipientKeyError::Weak));
        }
    }

    proptest! {
        #[test]
        fn what_is_sealed_to_the_key_is_opened_by_the_secret(seed: [u8; 32]) {
            let secret = RecipientSecret::from_seed(&seed);
            let public = x25519_dalek::PublicKey::from(&secret.sealing_secret());
            let key = secret.key().sealing_key().unwrap();
            prop_assert_eq!(key.as_bytes(), public.as_bytes());
        }

        #[test]
        fn a_recipient_key_survives_its_text(bytes: [u8; 32]) {
            let key = RecipientKey::from_bytes(bytes);
            prop_assert_eq!(key.to_string().parse(), Ok(key));
        }
    }
}
