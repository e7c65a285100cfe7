//! One layer of a cell: the key that a hop shares with the sender, and what it does to a body.
//!
//! The key of a hop is BLAKE2b-256(`nanonet onion v1` ‖ circuit on its leg ‖ ephemeral key ‖ its
//! Noise key ‖ shared secret), the nonce of a cell its number. A hop checks the tag over head and
//! text, takes the text off, and what it gives away at the front it fills up at the end with the
//! key stream that follows the text: the sender reckons the same bytes beforehand, so that the next
//! hop's tag covers every byte of its cell as well.
//!
//! Sizes: a hop of a set-up cell takes [`SETUP_STEP`] bytes of the body, one of any other [`TAG`].

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit as _, StreamCipher as _, StreamCipherSeek as _};
use chacha20poly1305::aead::AeadInOut as _;
use chacha20poly1305::{ChaCha20Poly1305, Key, KeyInit as _, Nonce, Tag};
use x25519_dalek::{PublicKey, SharedSecret, StaticSecret};
use zeroize::Zeroizing;

use super::cell::{BODY, Cell, CircuitId, HEAD, TAG};
use crate::NoiseKey;
use crate::id::hash;
use crate::rng::Rng;

/// Bytes of an ephemeral key.
pub(super) const KEY: usize = 32;
/// What a hop of a set-up cell reads: the next node (32), the circuit there (8), the minute in which
/// the circuit was made (4), whether the next node is to be reached over a link alone (1).
pub(super) const ORDERS: usize = 45;
/// What a hop of a set-up cell takes off the body.
pub(super) const SETUP_STEP: usize = KEY + TAG + ORDERS;
/// Bytes of key stream before those of the text.
const BEFORE_TEXT: u64 = 64;

/// The key of one hop.
#[derive(Clone)]
pub(super) struct LayerKey(Zeroizing<[u8; 32]>);

impl LayerKey {
    /// A fresh ephemeral key for the hop with Noise key `hop`, and the layer key it leads to; `None`
    /// if that key is weak.
    pub(super) fn to(
        hop: &NoiseKey,
        circuit: CircuitId,
        rng: &mut Rng,
    ) -> Option<(NoiseKey, Self)> {
        let secret = StaticSecret::from(*Zeroizing::new(rng.array()));
        let ephemeral = NoiseKey::from_bytes(*PublicKey::from(&secret).as_bytes());
        let shared = secret.diffie_hellman(&PublicKey::from(*hop.as_bytes()));
        Some((ephemeral, Self::derive(&shared, circuit, &ephemeral, hop)?))
    }

    /// The layer key that an ephemeral key leads to for the holder of `secret`.
    pub(super) fn from(
        secret: &StaticSecret,
        ours: &NoiseKey,
        circuit: CircuitId,
        ephemeral: &NoiseKey,
    ) -> Option<Self> {
        let shared = secret.diffie_hellman(&PublicKey::from(*ephemeral.as_bytes()));
        Self::derive(&shared, circuit, ephemeral, ours)
    }

    fn derive(
        shared: &SharedSecret,
        circuit: CircuitId,
        ephemeral: &NoiseKey,
        hop: &NoiseKey,
    ) -> Option<Self> {
        let key = hash(&[
            b"nanonet onion v1",
            &circuit.0.to_le_bytes(),
            ephemeral.as_bytes(),
            hop.as_bytes(),
            shared.as_bytes(),
        ]);
        shared.was_contributory().then(|| Self(Zeroizing::new(key)))
    }

    /// What the two who know this key may sign to be bound to it; tells nothing of the key.
    pub(super) fn binding(&self) -> [u8; 32] {
        hash(&[b"nanonet onion binding", &*self.0])
    }

    fn aead(&self) -> ChaCha20Poly1305 {
        ChaCha20Poly1305::new(&Key::from(*self.0))
    }

    /// Encrypts the text of a cell in place.
    pub(super) fn seal(&self, cell: &mut Cell) {
        let number = cell.number();
        let (associated, front, text) = parts(cell, number);
        // Only texts of more than 256 GiB are refused.
        let tag = self
            .aead()
            .encrypt_inout_detached(&nonce(number), associated.as_slice(), text.into())
            .unwrap_or_default();
        let tag_at = front.len() - TAG;
        front[tag_at..].copy_from_slice(&tag);
    }

    /// Decrypts the text of a cell in place; false if any byte of the cell is not as it was sealed.
    pub(super) fn open(&self, cell: &mut Cell) -> bool {
        let number = cell.number();
        let (associated, front, text) = parts(cell, number);
        let Some(tag) = front.last_chunk::<TAG>() else {
            return false;
        };
        let tag = Tag::from(*tag);
        self.aead()
            .decrypt_inout_detached(&nonce(number), associated.as_slice(), text.into(), &tag)
            .is_ok()
    }

    /// Takes an opened cell's layer off: what the hop read goes, what it hands on moves to the
    /// front, and key stream fills the end.
    pub(super) fn strip(&self, cell: &mut Cell) {
        let number = cell.number();
        let step = step_of(number);
        let (_, body) = cell.split_mut();
        body.copy_within(step.., 0);
        let end = &mut body[BODY - step..];
        end.fill(0);
        self.mask(number, BODY, end);
    }

    /// Applies the key stream to `bytes` that stand, or would stand if it were longer, `at` bytes
    /// into the body of cell `number`.
    pub(super) fn mask(&self, number: u32, at: usize, bytes: &mut [u8]) {
        let into_text = (at - front_of(number)) as u64;
        let mut stream = ChaCha20::new(&(*self.0).into(), &nonce(number));
        // It ends after 256 GiB.
        if stream.try_seek(BEFORE_TEXT + into_text).is_ok() {
            stream.apply_keystream(bytes);
        }
    }
}

/// What a tag covers besides the text, what stands in front of the text, and the text.
fn parts(cell: &mut Cell, number: u32) -> (Associated, &mut [u8], &mut [u8]) {
    let (head, body) = cell.split_mut();
    let (front, text) = body.split_at_mut(front_of(number));
    let key = front.len() - TAG;
    let mut associated = Associated {
        bytes: [0; HEAD + KEY],
        length: HEAD + key,
    };
    associated.bytes[..HEAD].copy_from_slice(head);
    associated.bytes[HEAD..HEAD + key].copy_from_slice(&front[..key]);
    (associated, front, text)
}

/// The head of a cell, and its ephemeral key if it has one.
struct Associated {
    bytes: [u8; HEAD + KEY],
    length: usize,
}

impl Associated {
    fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// Bytes in front of the text of cell `number`.
pub(super) const fn front_of(number: u32) -> usize {
    if number == 0 { KEY + TAG } else { TAG }
}

/// What a hop takes off the body of cell `number`.
pub(super) const fn step_of(number: u32) -> usize {
    if number == 0 { SETUP_STEP } else { TAG }
}

fn nonce(number: u32) -> Nonce {
    let mut bytes = [0; 12];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    Nonce::from(bytes)
}
