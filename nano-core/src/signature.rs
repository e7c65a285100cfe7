//! Ed25519 over BLAKE2b-512: the signatures of blocks, votes, handshakes and telemetry.
//!
//! Two sets of rules live here. [`PublicKey::verify`] is exactly as lenient as Nano's own nodes:
//! S only needs its three top bits clear, small-order keys count, R must match byte for byte. The
//! ledger holds blocks that a stricter rule refuses, so anything the network signs is checked
//! this way, one by one; batch verification can disagree and is not offered.
//! [`PublicKey::verify_canonical`] is for signatures of our own making, where one message must
//! have one signature and a key must be a real key.
//!
//! Source: ed25519-donna as used by nano-node; two live blocks that tell the rules apart are among
//! the recorded vectors.

use blake2::Blake2b512;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use ed25519_dalek::VerifyingKey;
use ed25519_dalek::hazmat::raw_verify;

use crate::PublicKey;
use crate::bytes::{bytes_accessors, bytes_hex_text, bytes_serde};

/// An Ed25519 signature: R (32 bytes) then S (32 bytes, little-endian).
///
/// Not an identifier: without the private key anyone can turn a valid signature into another
/// valid one of the same message (S + L), and the network accepts both.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signature([u8; 64]);

bytes_accessors!(Signature, 64);
bytes_hex_text!(Signature);
bytes_serde!(Signature);

impl Default for Signature {
    fn default() -> Self {
        Self::ZERO
    }
}

/// Why a signature is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The public key is not the encoding of a curve point, so nothing can be signed with it.
    #[error("public key {0} is not a point of the curve; check where the key came from")]
    KeyNotOnCurve(PublicKey),
    /// S has one of its three top bits set; every node refuses this before computing anything.
    #[error("the signature's S is out of range (one of its three top bits is set)")]
    ScalarOutOfRange,
    /// The equation does not hold: other key, other message, or damaged signature.
    #[error("the signature does not match public key {0} and this message")]
    Mismatch(PublicKey),
    /// S is not reduced modulo the group order; only the canonical rules refuse this.
    #[error("the signature's S is not reduced modulo the group order; sign again canonically")]
    ScalarNotCanonical,
    /// The public key has small order: some signatures by it fit nearly any message. Only the
    /// canonical rules refuse this.
    #[error("public key {0} has small order and proves nothing")]
    SmallOrderKey(PublicKey),
    /// R has small order; only the canonical rules refuse this.
    #[error("the signature's R has small order")]
    SmallOrderR,
}

impl PublicKey {
    /// Checks a signature as leniently as the network does. `message` is the 32-byte hash for
    /// blocks and votes, the raw bytes for handshakes and telemetry.
    ///
    /// # Errors
    /// [`SignatureError::KeyNotOnCurve`], [`SignatureError::ScalarOutOfRange`] or
    /// [`SignatureError::Mismatch`].
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), SignatureError> {
        verify_with(&self.decoded()?, message, signature)
    }

    /// Checks a signature of the overlay's own: as [`Self::verify`], and also S reduced, neither
    /// key nor R of small order. Not for data of Nano's network.
    ///
    /// # Errors
    /// Any [`SignatureError`].
    pub fn verify_canonical(
        &self,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), SignatureError> {
        let (r, s) = signature.halves();
        if bool::from(Scalar::from_canonical_bytes(s).is_none()) {
            return Err(SignatureError::ScalarNotCanonical);
        }
        let key = self.decoded()?;
        if key.is_weak() {
            return Err(SignatureError::SmallOrderKey(*self));
        }
        if decompress(r).is_some_and(|point| point.is_small_order()) {
            return Err(SignatureError::SmallOrderR);
        }
        verify_with(&key, message, signature)
    }

    /// Whether the key is one of the curve's few points of small order, for which signatures can
    /// be made without a private key. False for bytes that are no point at all.
    #[must_use]
    pub fn is_small_order(&self) -> bool {
        decompress(*self.as_bytes()).is_some_and(|point| point.is_small_order())
    }

    fn decoded(&self) -> Result<VerifyingKey, SignatureError> {
        VerifyingKey::from_bytes(self.as_bytes()).map_err(|_| SignatureError::KeyNotOnCurve(*self))
    }
}

impl Signature {
    fn halves(&self) -> ([u8; 32], [u8; 32]) {
        let mut r = [0; 32];
        let mut s = [0; 32];
        r.copy_from_slice(&self.0[..32]);
        s.copy_from_slice(&self.0[32..]);
        (r, s)
    }
}

fn verify_with(
    key: &VerifyingKey,
    message: &[u8],
    signature: &Signature,
) -> Result<(), SignatureError> {
    if signature.0[63] & 0b1110_0000 != 0 {
        return Err(SignatureError::ScalarOutOfRange);
    }
    let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
    raw_verify::<Blake2b512>(key, message, &signature)
        .map_err(|_| SignatureError::Mismatch(PublicKey::from_bytes(key.to_bytes())))
}

fn decompress(encoded: [u8; 32]) -> Option<EdwardsPoint> {
    CompressedEdwardsY(encoded).decompress()
}
