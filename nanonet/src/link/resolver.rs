//! The cryptography under Noise: the crates the rest of the workspace uses anyway, and our seeded
//! generator instead of the system's.

use blake2::{Blake2s256, Digest as _};
use chacha20poly1305::aead::AeadInOut as _;
use chacha20poly1305::{ChaCha20Poly1305, Key, KeyInit as _, Nonce, Tag};
use snow::params::{CipherChoice, DHChoice, HashChoice};
use snow::resolvers::CryptoResolver;
use snow::types::{Cipher, Dh, Hash, Random};
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use super::class::TAG;
use crate::rng::Rng;

/// Provides X25519, ChaCha20-Poly1305, BLAKE2s and randomness out of one seed, and nothing else.
pub(super) struct Resolver {
    seed: Zeroizing<[u8; 32]>,
}

impl Resolver {
    pub(super) fn new(rng: &mut Rng) -> Self {
        Self {
            seed: Zeroizing::new(rng.array()),
        }
    }
}

impl CryptoResolver for Resolver {
    fn resolve_rng(&self) -> Option<Box<dyn Random>> {
        Some(Box::new(Seeded(Rng::from_seed(*self.seed))))
    }

    fn resolve_dh(&self, choice: &DHChoice) -> Option<Box<dyn Dh>> {
        match choice {
            DHChoice::Curve25519 => Some(Box::new(KeyPair::new(StaticSecret::from([0; 32])))),
            _ => None,
        }
    }

    fn resolve_hash(&self, choice: &HashChoice) -> Option<Box<dyn Hash>> {
        match choice {
            HashChoice::Blake2s => Some(Box::new(Blake2s(Blake2s256::new()))),
            _ => None,
        }
    }

    fn resolve_cipher(&self, choice: &CipherChoice) -> Option<Box<dyn Cipher>> {
        match choice {
            CipherChoice::ChaChaPoly => Some(Box::new(ChaChaPoly(Zeroizing::new([0; 32])))),
            _ => None,
        }
    }
}

struct Seeded(Rng);

impl Random for Seeded {
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), snow::Error> {
        self.0.fill(bytes);
        Ok(())
    }
}

struct KeyPair {
    secret: StaticSecret,
    public: PublicKey,
}

impl KeyPair {
    fn new(secret: StaticSecret) -> Self {
        Self {
            public: PublicKey::from(&secret),
            secret,
        }
    }
}

impl Dh for KeyPair {
    fn name(&self) -> &'static str {
        "25519"
    }

    fn pub_len(&self) -> usize {
        32
    }

    fn priv_len(&self) -> usize {
        32
    }

    fn set(&mut self, private: &[u8]) {
        let mut bytes = Zeroizing::new([0; 32]);
        bytes.copy_from_slice(private);
        *self = Self::new(StaticSecret::from(*bytes));
    }

    fn generate(&mut self, rng: &mut dyn Random) -> Result<(), snow::Error> {
        let mut bytes = Zeroizing::new([0; 32]);
        rng.try_fill_bytes(&mut *bytes)?;
        *self = Self::new(StaticSecret::from(*bytes));
        Ok(())
    }

    fn pubkey(&self) -> &[u8] {
        self.public.as_bytes()
    }

    fn privkey(&self) -> &[u8] {
        self.secret.as_bytes()
    }

    fn dh(&self, public: &[u8], out: &mut [u8]) -> Result<(), snow::Error> {
        let public: [u8; 32] = *public.first_chunk().ok_or(snow::Error::Dh)?;
        let shared = self.secret.diffie_hellman(&PublicKey::from(public));
        // A key of small order would make the secret known to everybody.
        if !shared.was_contributory() {
            return Err(snow::Error::Dh);
        }
        out[..32].copy_from_slice(shared.as_bytes());
        Ok(())
    }
}

struct Blake2s(Blake2s256);

impl Hash for Blake2s {
    fn name(&self) -> &'static str {
        "BLAKE2s"
    }

    fn block_len(&self) -> usize {
        64
    }

    fn hash_len(&self) -> usize {
        32
    }

    fn reset(&mut self) {
        self.0 = Blake2s256::new();
    }

    fn input(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    fn result(&mut self, out: &mut [u8]) {
        let hasher = core::mem::replace(&mut self.0, Blake2s256::new());
        out[..32].copy_from_slice(&hasher.finalize());
    }
}

struct ChaChaPoly(Zeroizing<[u8; 32]>);

impl ChaChaPoly {
    fn cipher(&self) -> ChaCha20Poly1305 {
        ChaCha20Poly1305::new(&Key::from(*self.0))
    }
}

/// Noise's nonce for this cipher: four zero bytes, then the counter little-endian.
fn nonce(counter: u64) -> Nonce {
    let mut bytes = [0; 12];
    bytes[4..].copy_from_slice(&counter.to_le_bytes());
    Nonce::from(bytes)
}

impl Cipher for ChaChaPoly {
    fn name(&self) -> &'static str {
        "ChaChaPoly"
    }

    fn set(&mut self, key: &[u8; 32]) {
        *self.0 = *key;
    }

    fn encrypt(&self, counter: u64, data: &[u8], plaintext: &[u8], out: &mut [u8]) -> usize {
        let (text, rest) = out.split_at_mut(plaintext.len());
        text.copy_from_slice(plaintext);
        let sealed =
            self.cipher()
                .encrypt_inout_detached(&nonce(counter), data, (&mut *text).into());
        // Fails only beyond 256 GiB of text, where Noise ends at 64 KiB; zeros then say nothing
        // and are refused by the receiver.
        let tag = sealed.unwrap_or_else(|_| {
            text.fill(0);
            Tag::default()
        });
        rest[..TAG].copy_from_slice(&tag);
        plaintext.len() + TAG
    }

    fn decrypt(
        &self,
        counter: u64,
        data: &[u8],
        ciphertext: &[u8],
        out: &mut [u8],
    ) -> Result<usize, snow::Error> {
        let (text, tag) = ciphertext
            .split_last_chunk::<TAG>()
            .ok_or(snow::Error::Decrypt)?;
        let out = out.get_mut(..text.len()).ok_or(snow::Error::Decrypt)?;
        out.copy_from_slice(text);
        self.cipher()
            .decrypt_inout_detached(&nonce(counter), data, out.into(), &Tag::from(*tag))
            .map_err(|_| snow::Error::Decrypt)?;
        Ok(text.len())
    }
}
