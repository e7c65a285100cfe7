//! Public and private keys.
//!
//! A private key is 32 bytes; BLAKE2b-512 expands it into the signing scalar and the nonce prefix
//! (where RFC 8032 has SHA-512). Private keys are wiped from memory when dropped and never show up
//! in `Debug` output.

use blake2::{Blake2b512, Digest as _};
use ed25519_dalek::VerifyingKey;
use ed25519_dalek::hazmat::{ExpandedSecretKey, raw_sign};
use zeroize::Zeroizing;

use crate::bytes::{HexError, bytes_accessors, bytes_hex_text, bytes_serde, parse_hex};
use crate::{Account, Signature};

/// An Ed25519 public key as Nano uses it. Any 32 bytes can be wrapped; whether they are a point
/// of the curve shows when something is verified.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct PublicKey([u8; 32]);

bytes_accessors!(PublicKey, 32);
bytes_hex_text!(PublicKey);
bytes_serde!(PublicKey);

/// A private key: 32 secret bytes, with its expansion and public key computed once.
pub struct PrivateKey {
    bytes: Zeroizing<[u8; 32]>,
    expanded: ExpandedSecretKey,
    public: VerifyingKey,
}

impl PrivateKey {
    /// Expands a private key; any 32 bytes are one.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        let bytes = Zeroizing::new(bytes);
        let digest: Zeroizing<[u8; 64]> = Zeroizing::new(Blake2b512::digest(*bytes).into());
        let expanded = ExpandedSecretKey::from_bytes(&digest);
        let public = VerifyingKey::from(&expanded);
        Self {
            bytes,
            expanded,
            public,
        }
    }

    /// Reads 64 hex digits.
    ///
    /// # Errors
    /// [`HexError`] when the text is anything else.
    pub fn from_hex(text: &str) -> Result<Self, HexError> {
        Ok(Self::from_bytes(*Zeroizing::new(parse_hex(text)?)))
    }

    /// The secret bytes, for handing to storage or showing to their owner.
    #[must_use]
    pub fn secret_bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// The public key.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.public.to_bytes())
    }

    /// The account this key signs for.
    #[must_use]
    pub fn account(&self) -> Account {
        self.public_key().into()
    }

    /// Signs `message` deterministically; the result is canonical.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        let signature = raw_sign::<Blake2b512>(&self.expanded, message, &self.public);
        Signature::from_bytes(signature.to_bytes())
    }
}

impl Clone for PrivateKey {
    fn clone(&self) -> Self {
        Self {
            bytes: self.bytes.clone(),
            expanded: ExpandedSecretKey {
                scalar: self.expanded.scalar,
                hash_prefix: self.expanded.hash_prefix,
            },
            public: self.public,
        }
    }
}

impl core::fmt::Debug for PrivateKey {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(formatter, "PrivateKey(of {})", self.account())
    }
}
