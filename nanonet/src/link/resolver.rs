//! The cryptography under Noise: the crates the rest of the workspace uses anyway, and our seeded
//! generator instead of the system's.

use blake2::{Blake2b512, Digest as _};
use chacha20poly1305::aead::AeadInOut as _;
use chacha20poly1305::{ChaCha20Poly1305, Key, KeyInit as _, Nonce, Tag};
use snow::params::{CipherChoice, DHChoice, HashChoice};
use snow::resolvers::CryptoResolver;
use snow::types::{Cipher, Dh, Hash, Random};
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use super::class::TAG;
use crate::rng::Rng;

/// Provides X25519, ChaCha20-Poly1305, BLAKE2b and randomness out of one seed, and nothing else.
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
            HashChoice::Blake2b => Some(Box::new(Blake2b(Blake2b512::new()))),
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

struct Blake2b(Blake2b512);

impl Hash for Blake2b {
    fn name(&self) -> &'static str {
        "BLAKE2b"
    }

    fn block_len(&self) -> usize {
        128
    }

    fn hash_len(&self) -> usize {
        64
    }

    fn reset(&mut self) {
        self.0 = Blake2b512::new();
    }

    fn input(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    fn result(&mut self, out: &mut [u8]) {
        let hasher = core::mem::replace(&mut self.0, Blake2b512::new());
        out[..64].copy_from_slice(&hasher.finalize());
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

#[cfg(test)]
mod tests {
    use super::*;
    use snow::{Builder, HandshakeState};

    /// The published vector for `Noise_XX_25519_ChaChaPoly_BLAKE2b` of the `cacophony` test suite
    /// (github.com/haskell-cryptography/cacophony), as it comes with the `snow` crate.
    mod vector {
        pub(super) const PROLOGUE: &str = "4a6f686e2047616c74";
        pub(super) const INITIATOR: [&str; 2] = [
            "e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1",
            "893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a",
        ];
        pub(super) const RESPONDER: [&str; 2] = [
            "4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893",
            "bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b",
        ];
        pub(super) const MESSAGES: [[&str; 2]; 5] = [
            [
                "4c756477696720766f6e204d69736573",
                "ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c7944\
                 4c756477696720766f6e204d69736573",
            ],
            [
                "4d757272617920526f746862617264",
                "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f144808843\
                 0505b6745ce64a5f33f0e8e3b83f11ce8802bca507f4f2d8b564dbe277e19661\
                 16e132faa2dfd70b8b077b9f94b913df5056ae1319469b824a98d54bbaa82c32\
                 5595587064f978c4b6d104f7596e6f",
            ],
            [
                "462e20412e20486179656b",
                "99579e1c1ee15e422a57ddd6b16d37087b17558e8369c18991b4b2ca3a824abf\
                 904cdcf5458b5431a75af034ca9e9b982de039eaaf156775e2d580cd4e5ebae8\
                 9c3f8cb2594b556d8a8169",
            ],
            [
                "4361726c204d656e676572",
                "fc56eea290b3f3a21aac0c70cd5787b5ee99be37d2f4d751329b55",
            ],
            [
                "4a65616e2d426170746973746520536179",
                "bb31c9da10d5639a4cdb88a12f5c61de41bbc7df09bf75d94f8184fe4157f5c68f",
            ],
        ];
    }

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
            .collect()
    }

    fn end(initiator: bool, [secret, ephemeral]: [&str; 2]) -> HandshakeState {
        let resolver = Resolver::new(&mut Rng::from_seed([0; 32]));
        let (secret, ephemeral) = (bytes(secret), bytes(ephemeral));
        let prologue = bytes(vector::PROLOGUE);
        let params = "Noise_XX_25519_ChaChaPoly_BLAKE2b".parse().unwrap();
        let builder = Builder::with_resolver(params, Box::new(resolver))
            .local_private_key(&secret)
            .unwrap()
            .fixed_ephemeral_key_for_testing_only(&ephemeral)
            .prologue(&prologue)
            .unwrap();
        if initiator {
            builder.build_initiator().unwrap()
        } else {
            builder.build_responder().unwrap()
        }
    }

    #[test]
    fn handshake_and_transport_follow_the_published_vector() {
        let mut ends = [end(true, vector::INITIATOR), end(false, vector::RESPONDER)];
        let (handshake, transport) = vector::MESSAGES.split_at(3);
        let mut out = [0; 200];
        for (at, [payload, expected]) in handshake.iter().enumerate() {
            let (from, payload) = (at % 2, bytes(payload));
            let length = ends[from].write_message(&payload, &mut out).unwrap();
            assert_eq!(out[..length], bytes(expected));
            let mut read = [0; 200];
            let length = ends[1 - from]
                .read_message(&out[..length], &mut read)
                .unwrap();
            assert_eq!(read[..length], payload);
        }
        let mut ends = ends.map(|end| end.into_transport_mode().unwrap());
        for (at, [payload, expected]) in transport.iter().enumerate() {
            let (from, payload) = ((at + 1) % 2, bytes(payload));
            let length = ends[from].write_message(&payload, &mut out).unwrap();
            assert_eq!(out[..length], bytes(expected));
        }
    }

    #[test]
    fn a_key_that_would_make_the_secret_public_is_refused() {
        let pair = KeyPair::new(StaticSecret::from([1; 32]));
        assert_eq!(pair.dh(&[0; 32], &mut [0; 32]), Err(snow::Error::Dh));
    }
}
