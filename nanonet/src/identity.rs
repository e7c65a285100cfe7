//! Who a node is: its secret and what it signs.
//!
//! An [`Identity`] is one 32-byte secret from which the signing key and the Noise key are derived,
//! and the nonce that places the node in the key space. The shell stores
//! [`Identity::to_bytes`] and gives it back at the next start, so a node keeps its place.
//!
//! Rules:
//! - everything the overlay signs goes through [`Identity::sign`], which puts
//!   `nanonet <purpose> v1` in front: a signature of one purpose is worth nothing for another, and
//!   none is a signature over a bare 32-byte value, which is what Nano's blocks and votes sign;
//! - the signing key is derived under its own name, so that even the secret of an account used
//!   here by mistake does not become a node key that signs for that account.

use nano_core::{PrivateKey, PublicKey, Signature, SignatureError};
use x25519_dalek::StaticSecret;
use zeroize::Zeroizing;

use crate::id::{NodeId, NodeKey, NoiseKey, hash};
use crate::rng::Rng;

/// First byte of a stored identity.
const STORED_VERSION: u8 = 1;

/// Bytes of a stored identity: version, secret, nonce.
const STORED_BYTES: usize = 1 + 32 + 8;

/// What a signature of the overlay is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A [`crate::PeerRecord`].
    Peer,
    /// A bridge's statement of what it saw of an account.
    Sighting,
    /// A bridge's word that records shall be kept.
    Put,
    /// A [`crate::SignedWeights`].
    Weights,
    /// A [`crate::SeenFrom`].
    Seen,
    /// A [`crate::gossip::Vouched`] piece of news.
    News,
    /// A [`crate::registry::KeyRecord`].
    Registry,
    /// Who writes over a circuit; see [`crate::onion`].
    Letter,
}

impl Purpose {
    /// The text in front of what is signed. No text is the start of another.
    const fn prefix(self) -> &'static [u8] {
        match self {
            Self::Peer => b"nanonet peer v1",
            Self::Sighting => b"nanonet sighting v1",
            Self::Put => b"nanonet put v1",
            Self::Weights => b"nanonet weights v1",
            Self::Seen => b"nanonet seen v1",
            Self::News => b"nanonet news v1",
            Self::Registry => b"nanonet registry v1",
            Self::Letter => b"nanonet letter v1",
        }
    }

    fn message(self, data: &[u8]) -> Vec<u8> {
        [self.prefix(), data].concat()
    }
}

impl NodeKey {
    /// Checks that the node with this key signed `data` for `purpose`; signatures that are not in
    /// canonical form, and keys that sign for nobody, are refused.
    ///
    /// # Errors
    /// Why the signature is refused.
    pub fn verify(
        &self,
        purpose: Purpose,
        data: &[u8],
        signature: &Signature,
    ) -> Result<(), SignatureError> {
        PublicKey::from_bytes(*self.as_bytes()).verify_canonical(&purpose.message(data), signature)
    }
}

/// The secret of a node. Wiped from memory when dropped; never printed.
pub struct Identity {
    secret: Zeroizing<[u8; 32]>,
    nonce: u64,
    signing: PrivateKey,
    noise: StaticSecret,
    node_key: NodeKey,
    noise_key: NoiseKey,
}

impl Identity {
    /// A new node with a place of its own.
    pub fn generate(rng: &mut Rng) -> Self {
        let secret = Zeroizing::new(rng.array());
        let nonce = rng.next_u64();
        Self::derive(secret, nonce)
    }

    fn derive(secret: Zeroizing<[u8; 32]>, nonce: u64) -> Self {
        let signing = Zeroizing::new(hash(&[b"nanonet node signing key v1", &*secret]));
        let signing = PrivateKey::from_bytes(*signing);
        let noise = Zeroizing::new(hash(&[b"nanonet node noise key v1", &*secret]));
        let noise = StaticSecret::from(*noise);
        Self {
            node_key: NodeKey::from_bytes(*signing.public_key().as_bytes()),
            noise_key: NoiseKey::from_bytes(*x25519_dalek::PublicKey::from(&noise).as_bytes()),
            secret,
            nonce,
            signing,
            noise,
        }
    }

    /// For storage: version byte 1, secret (32 bytes), nonce (u64 little-endian). Keep it secret:
    /// whoever has it is this node.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(STORED_BYTES));
        bytes.push(STORED_VERSION);
        bytes.extend_from_slice(&*self.secret);
        bytes.extend_from_slice(&self.nonce.to_le_bytes());
        bytes
    }

    /// Reads back [`Identity::to_bytes`].
    ///
    /// # Errors
    /// [`IdentityError`] for another length or version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, IdentityError> {
        let length = bytes.len();
        let (&version, rest) = bytes
            .split_first()
            .ok_or(IdentityError::Length { length })?;
        if version != STORED_VERSION {
            return Err(IdentityError::Version { version });
        }
        let (secret, nonce) = rest
            .split_first_chunk::<32>()
            .ok_or(IdentityError::Length { length })?;
        let nonce = nonce
            .try_into()
            .map_err(|_| IdentityError::Length { length })?;
        Ok(Self::derive(
            Zeroizing::new(*secret),
            u64::from_le_bytes(nonce),
        ))
    }

    /// The key that signs for this node.
    pub const fn node_key(&self) -> NodeKey {
        self.node_key
    }

    /// The key that handshakes prove and to which payloads are sealed.
    pub const fn noise_key(&self) -> NoiseKey {
        self.noise_key
    }

    /// The nonce that places this node.
    pub const fn nonce(&self) -> u64 {
        self.nonce
    }

    /// The node where another nonce places it.
    #[cfg(any(test, feature = "adversary"))]
    #[must_use]
    pub const fn moved(mut self, nonce: u64) -> Self {
        self.nonce = nonce;
        self
    }

    /// Moves the node to where another nonce places it.
    pub(crate) const fn set_nonce(&mut self, nonce: u64) {
        self.nonce = nonce;
    }

    /// Where this node lies.
    pub fn node_id(&self) -> NodeId {
        NodeId::new(&self.node_key, self.nonce)
    }

    /// Signs `nanonet <purpose> v1` ‖ `data`; [`NodeKey::verify`] checks it.
    pub fn sign(&self, purpose: Purpose, data: &[u8]) -> Signature {
        self.signing.sign(&purpose.message(data))
    }

    /// The group of a block of addresses, as only this node can name it.
    pub(crate) fn address_group(&self, block: &[u8]) -> [u8; 8] {
        let [a, b, c, d, e, f, g, h, ..] =
            hash(&[b"nanonet address group v1", &*self.secret, block]);
        [a, b, c, d, e, f, g, h]
    }

    /// The secret half of [`Identity::noise_key`].
    pub(crate) const fn noise_secret(&self) -> &StaticSecret {
        &self.noise
    }
}

/// Why stored bytes are not an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// Not 41 bytes.
    #[error("a stored identity has 41 bytes, this one {length}: storage is damaged")]
    Length {
        /// Bytes found.
        length: usize,
    },
    /// Written by a version that this one cannot read.
    #[error("the stored identity has version {version}, this program reads version 1")]
    Version {
        /// Version found.
        version: u8,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;
    use proptest::prelude::*;

    fn identity(seed: u8) -> Identity {
        Identity::generate(&mut Rng::from_seed([seed; 32]))
    }

    #[test]
    fn a_stored_identity_is_the_same_node_again() {
        let before = identity(1);
        let after = Identity::from_bytes(&before.to_bytes()).unwrap();
        assert_eq!(after.node_key(), before.node_key());
        assert_eq!(after.noise_key(), before.noise_key());
        assert_eq!(after.node_id(), before.node_id());
    }

    #[test]
    fn a_damaged_stored_identity_is_refused() {
        let bytes = identity(1).to_bytes();
        for length in 0..bytes.len() {
            assert_eq!(
                Identity::from_bytes(&bytes[..length]).err(),
                Some(IdentityError::Length { length })
            );
        }
        let mut other = bytes.to_vec();
        other.push(0);
        assert!(Identity::from_bytes(&other).is_err());
        other[0] = 2;
        assert_eq!(
            Identity::from_bytes(&other).err(),
            Some(IdentityError::Version { version: 2 })
        );
    }

    #[test]
    fn the_secret_of_an_account_does_not_become_a_node_key_of_that_account() {
        let account_secret = [9; 32];
        let identity = Identity::derive(Zeroizing::new(account_secret), 0);
        let account_key = PrivateKey::from_bytes(account_secret).public_key();
        assert_ne!(identity.node_key().as_bytes(), account_key.as_bytes());
    }

    #[test]
    fn a_signature_counts_for_its_purpose_its_data_and_its_key_only() {
        let (signer, other) = (identity(1), identity(2));
        let data = [3; 32];
        let signature = signer.sign(Purpose::Sighting, &data);
        let key = signer.node_key();
        assert_eq!(key.verify(Purpose::Sighting, &data, &signature), Ok(()));
        assert!(key.verify(Purpose::Peer, &data, &signature).is_err());
        assert!(key.verify(Purpose::Sighting, &[4; 32], &signature).is_err());
        let other = other.node_key();
        assert!(other.verify(Purpose::Sighting, &data, &signature).is_err());
    }

    #[test]
    fn a_signature_over_a_hash_is_no_signature_of_that_hash_on_nano() {
        let signer = identity(1);
        let hash = [3; 32];
        let signature = signer.sign(Purpose::Sighting, &hash);
        let key = PublicKey::from_bytes(*signer.node_key().as_bytes());
        assert!(key.verify(&hash, &signature).is_err());
    }

    #[test]
    fn no_purpose_is_the_start_of_another() {
        let all = [
            Purpose::Peer,
            Purpose::Sighting,
            Purpose::Put,
            Purpose::Weights,
            Purpose::Seen,
            Purpose::News,
        ];
        for one in all {
            for other in all.into_iter().filter(|other| *other != one) {
                assert!(!other.prefix().starts_with(one.prefix()));
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_identity_or_refused(
            bytes in prop::collection::vec(any::<u8>(), 0..60),
        ) {
            if let Ok(identity) = Identity::from_bytes(&bytes) {
                prop_assert_eq!(&identity.to_bytes()[..], &bytes[..]);
            }
        }
    }
}
