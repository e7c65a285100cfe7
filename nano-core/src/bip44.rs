//! Hardware-wallet style key derivation: SLIP-0010 for Ed25519 along `m/44'/165'/index'`.
//!
//! All levels are hardened (Ed25519 has no others), and Nano uses three of them. The 32 bytes at
//! the end are a private key like any other, expanded with BLAKE2b-512.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha512;
use zeroize::Zeroizing;

use crate::PrivateKey;

/// Nano's coin type in SLIP-0044.
const COIN_TYPE: u32 = 165;
const PURPOSE: u32 = 44;
const HARDENED: u32 = 1 << 31;

/// Why no key can be derived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Bip44Error {
    /// The index is 2^31 or above; hardened indexes end there.
    #[error("index {0} is too large; BIP44 indexes are below 2147483648")]
    IndexTooLarge(u32),
}

/// A node of the derivation tree: key and chain code.
struct Node(Zeroizing<[u8; 64]>);

impl Node {
    fn master(seed: &[u8; 64]) -> Self {
        Self::digest(b"ed25519 seed", &[seed])
    }

    fn hardened_child(&self, index: u32) -> Self {
        let (key, chain_code) = self.0.split_at(32);
        Self::digest(chain_code, &[&[0], key, &(index | HARDENED).to_be_bytes()])
    }

    fn digest(key: &[u8], parts: &[&[u8]]) -> Self {
        let mut block = Zeroizing::new([0; 128]);
        block[..key.len()].copy_from_slice(key);
        // HMAC pads short keys with zeros to its 128-byte block, so this is the same key, in the
        // form whose length needs no check.
        let mut mac = Hmac::<Sha512>::new((&*block).into());
        for part in parts {
            mac.update(part);
        }
        Self(Zeroizing::new(mac.finalize().into_bytes().into()))
    }
}

/// The private key at `m/44'/165'/index'` under a 64-byte BIP39 seed.
pub(crate) fn private_key(seed: &[u8; 64], index: u32) -> Result<PrivateKey, Bip44Error> {
    if index >= HARDENED {
        return Err(Bip44Error::IndexTooLarge(index));
    }
    let node = [PURPOSE, COIN_TYPE, index]
        .into_iter()
        .fold(Node::master(seed), |node, index| node.hardened_child(index));
    let mut key = Zeroizing::new([0; 32]);
    key.copy_from_slice(&node.0[..32]);
    Ok(PrivateKey::from_bytes(*key))
}
