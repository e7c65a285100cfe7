//! Nano seeds: 32 secret bytes that stand for up to 2^32 private keys.

use zeroize::Zeroizing;

use crate::PrivateKey;
use crate::bytes::{HexError, parse_hex};
use crate::hash::blake2b_256;

/// A Nano seed. Key `i` is BLAKE2b-256(seed ‖ `i` as u32 big-endian). Wiped from memory on drop.
#[derive(Clone)]
pub struct NanoSeed(Zeroizing<[u8; 32]>);

impl NanoSeed {
    /// Wraps 32 bytes, which must come from a secure source of randomness.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Reads 64 hex digits of either case.
    ///
    /// # Errors
    /// [`HexError`] when the text is anything else.
    pub fn from_hex(text: &str) -> Result<Self, HexError> {
        parse_hex(text).map(Self::from_bytes)
    }

    /// The secret bytes, for handing to storage or showing to their owner.
    #[must_use]
    pub fn secret_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The private key with this index.
    #[must_use]
    pub fn private_key(&self, index: u32) -> PrivateKey {
        PrivateKey::from_bytes(blake2b_256(&[&self.0[..], &index.to_be_bytes()]))
    }
}

impl core::fmt::Debug for NanoSeed {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str("NanoSeed(secret)")
    }
}
