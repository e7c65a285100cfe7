//! Sealed payloads: bytes that only the holder of one Noise key can read.
//!
//! For what travels through other nodes, such as the session descriptions of signaling. A sealed
//! payload is an ephemeral X25519 public key (32 bytes), then the ciphertext with its tag
//! (ChaCha20-Poly1305). The key is BLAKE2b-256(`nanonet seal v1` ‖ context ‖ ephemeral key ‖
//! recipient key ‖ shared secret), used once, so the nonce is zero. The context says what the
//! payload is for and has to be the same at both ends.
//!
//! Sealing says nothing about the sender: what needs one carries a signature inside. The payload's
//! length shows.

use chacha20poly1305::aead::AeadInOut as _;
use chacha20poly1305::{ChaCha20Poly1305, Key, KeyInit as _, Nonce, Tag};
use x25519_dalek::{PublicKey, SharedSecret, StaticSecret};
use zeroize::Zeroizing;

use crate::id::{NoiseKey, hash};
use crate::identity::Identity;
use crate::rng::Rng;

const TAG: usize = 16;

/// Bytes that sealing adds.
pub const SEAL_OVERHEAD: usize = 32 + TAG;

/// Most bytes that can be sealed at once.
pub const MAX_SEALED_PAYLOAD: usize = 64 * 1024;

/// Why a payload could not be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Longer than [`MAX_SEALED_PAYLOAD`].
    #[error("a payload of {length} bytes is too long to be sealed: at most 64 KiB")]
    TooLong {
        /// Its length.
        length: usize,
    },
    /// The recipient's key is one for which everybody knows the secret.
    #[error("the recipient's Noise key is weak: its record is not honest")]
    WeakKey,
    /// Not sealed for this node and context, or altered.
    #[error("the payload was not sealed for this node and purpose, or was altered")]
    Refused,
}

/// Seals `payload` so that only the node with Noise key `recipient` can read it, and only where it
/// expects `context`, the kebab-case name of what the payload is for.
///
/// # Errors
/// [`SealError::TooLong`] or [`SealError::WeakKey`].
pub fn seal(
    recipient: &NoiseKey,
    context: &str,
    payload: &[u8],
    rng: &mut Rng,
) -> Result<Vec<u8>, SealError> {
    let length = payload.len();
    if length > MAX_SEALED_PAYLOAD {
        return Err(SealError::TooLong { length });
    }
    let secret = StaticSecret::from(*Zeroizing::new(rng.array()));
    let ephemeral = NoiseKey::from_bytes(*PublicKey::from(&secret).as_bytes());
    let shared = secret.diffie_hellman(&PublicKey::from(*recipient.as_bytes()));
    let cipher = cipher(&shared, context, &ephemeral, recipient).ok_or(SealError::WeakKey)?;
    let mut sealed = Vec::with_capacity(length + SEAL_OVERHEAD);
    sealed.extend_from_slice(ephemeral.as_bytes());
    sealed.extend_from_slice(payload);
    let text = &mut sealed[32..];
    let tag = cipher
        .encrypt_inout_detached(&Nonce::default(), &[], text.into())
        .map_err(|_| SealError::TooLong { length })?;
    sealed.extend_from_slice(&tag);
    Ok(sealed)
}

impl Identity {
    /// Opens what [`seal`] sealed for this node and `context`.
    ///
    /// # Errors
    /// [`SealError::Refused`] for everything else.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        open(self.noise_secret(), &self.noise_key(), context, sealed)
    }
}

/// Opens what [`seal`] sealed for the key `own` with this secret half and `context`.
pub(crate) fn open(
    secret: &StaticSecret,
    own: &NoiseKey,
    context: &str,
    sealed: &[u8],
) -> Result<Vec<u8>, SealError> {
    let (ephemeral, rest) = sealed.split_first_chunk::<32>().ok_or(SealError::Refused)?;
    let (text, tag) = rest.split_last_chunk::<TAG>().ok_or(SealError::Refused)?;
    if text.len() > MAX_SEALED_PAYLOAD {
        return Err(SealError::Refused);
    }
    let shared = secret.diffie_hellman(&PublicKey::from(*ephemeral));
    let ephemeral = NoiseKey::from_bytes(*ephemeral);
    let cipher = cipher(&shared, context, &ephemeral, own).ok_or(SealError::Refused)?;
    let mut payload = text.to_vec();
    cipher
        .decrypt_inout_detached(
            &Nonce::default(),
            &[],
            payload.as_mut_slice().into(),
            &Tag::from(*tag),
        )
        .map_err(|_| SealError::Refused)?;
    Ok(payload)
}

/// The cipher of one payload; `None` if a key is of small order.
fn cipher(
    shared: &SharedSecret,
    context: &str,
    ephemeral: &NoiseKey,
    recipient: &NoiseKey,
) -> Option<ChaCha20Poly1305> {
    let key = Zeroizing::new(hash(&[
        b"nanonet seal v1",
        context.as_bytes(),
        ephemeral.as_bytes(),
        recipient.as_bytes(),
        shared.as_bytes(),
    ]));
    shared
        .was_contributory()
        .then(|| ChaCha20Poly1305::new(&Key::from(*key)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;
    use proptest::prelude::*;

    fn identity(seed: u8) -> Identity {
        Identity::generate(&mut Rng::from_seed([seed; 32]))
    }

    fn sealed(context: &str, payload: &[u8]) -> Vec<u8> {
        let mut rng = Rng::from_seed([9; 32]);
        seal(&identity(1).noise_key(), context, payload, &mut rng).unwrap()
    }

    #[test]
    fn only_the_recipient_opens_it_and_only_for_its_purpose() {
        let sealed = sealed("offer", b"hello");
        assert_eq!(identity(1).open("offer", &sealed), Ok(b"hello".to_vec()));
        assert_eq!(identity(2).open("offer", &sealed), Err(SealError::Refused));
        assert_eq!(identity(1).open("answer", &sealed), Err(SealError::Refused));
        assert_eq!(identity(1).open("offe", &sealed), Err(SealError::Refused));
    }

    #[test]
    fn the_same_payload_sealed_twice_looks_different() {
        let mut rng = Rng::from_seed([9; 32]);
        let key = identity(1).noise_key();
        let one = seal(&key, "offer", b"hello", &mut rng).unwrap();
        let two = seal(&key, "offer", b"hello", &mut rng).unwrap();
        assert_ne!(one, two);
    }

    #[test]
    fn a_weak_key_is_neither_sealed_to_nor_opened_from() {
        let mut rng = Rng::from_seed([9; 32]);
        let weak = NoiseKey::from_bytes([0; 32]);
        assert_eq!(
            seal(&weak, "offer", b"hello", &mut rng),
            Err(SealError::WeakKey)
        );
        let mut from_weak = sealed("offer", b"hello");
        from_weak[..32].fill(0);
        assert_eq!(
            identity(1).open("offer", &from_weak),
            Err(SealError::Refused)
        );
    }

    #[test]
    fn a_payload_beyond_the_limit_is_refused() {
        let mut rng = Rng::from_seed([9; 32]);
        let key = identity(1).noise_key();
        let longest = vec![0; MAX_SEALED_PAYLOAD];
        let sealed = seal(&key, "offer", &longest, &mut rng).unwrap();
        assert_eq!(sealed.len(), MAX_SEALED_PAYLOAD + SEAL_OVERHEAD);
        assert_eq!(identity(1).open("offer", &sealed), Ok(longest));
        let length = MAX_SEALED_PAYLOAD + 1;
        assert_eq!(
            seal(&key, "offer", &vec![0; length], &mut rng),
            Err(SealError::TooLong { length })
        );
    }

    proptest! {
        #[test]
        fn an_altered_payload_is_refused(
            payload in prop::collection::vec(any::<u8>(), 0..100), place: usize, change in 1_u8..,
        ) {
            let mut sealed = sealed("offer", &payload);
            prop_assert_eq!(identity(1).open("offer", &sealed), Ok(payload));
            let place = place % sealed.len();
            // X25519 ignores the topmost bit of a public key, but the key's bytes are hashed.
            sealed[place] ^= change;
            prop_assert_eq!(identity(1).open("offer", &sealed), Err(SealError::Refused));
        }

        #[test]
        fn any_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(identity(1).open("offer", &bytes), Err(SealError::Refused));
        }
    }
}
