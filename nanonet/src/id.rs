//! Names of the overlay and the space they lie in.
//!
//! A [`NodeKey`] says who signs, a [`NodeId`] where a node lies, an [`AccountKey`] where the
//! records of an account lie. Node ids and account keys share one space of 256-bit
//! [`Point`]s under the XOR metric: an account's records live on the nodes whose id is nearest to
//! its key.
//!
//! A node key is never an account key: it has its own text form, its own type, and everything it
//! signs starts with a purpose (see [`crate::Purpose`]), so no overlay signature is valid on Nano.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use blake2::{Blake2b256, Digest as _};
use nano_core::Account;
use serde::{Deserialize, Serialize};

/// What the text form of a node key starts with.
const NODE_KEY_PREFIX: &str = "key_";

/// Bytes of checksum at the end of a node key's text form.
const CHECKSUM_BYTES: usize = 4;

/// BLAKE2b-256 over `parts` one after another.
pub(crate) fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Blake2b256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// Writes `bytes` as lower-case hex.
fn write_hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

/// The first 64 of 256 bits.
const fn first_bits(bytes: &[u8; 32]) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *bytes;
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// Compares types of 32 bytes as big-endian numbers. Their first 64 bits nearly always decide, and are
/// compared in place: a node does hardly anything more often.
macro_rules! big_endian {
    ($($name:ident),*) => {$(
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                first_bits(&self.0) == first_bits(&other.0) && self.0 == other.0
            }
        }

        impl Eq for $name {}

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                let first = first_bits(&self.0).cmp(&first_bits(&other.0));
                first.then_with(|| self.0.cmp(&other.0))
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.0.hash(state);
            }
        }
    )*};
}

big_endian!(Point, Distance, NodeId, AccountKey);

/// The Ed25519-BLAKE2b public key of an overlay node.
///
/// Text form: `key_` + base58 of the 32 key bytes and 4 bytes of checksum, the first of
/// BLAKE2b-256(`nanonet key` ‖ key). Binary form: the 32 bytes. Not checked to be a point of the
/// curve; a key that is none verifies nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeKey(#[serde(with = "crate::fixed")] [u8; 32]);

impl NodeKey {
    /// The key with these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn checksum(&self) -> [u8; CHECKSUM_BYTES] {
        let [a, b, c, d, ..] = hash(&[b"nanonet key", &self.0]);
        [a, b, c, d]
    }
}

impl fmt::Display for NodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [0; 32 + CHECKSUM_BYTES];
        bytes[..32].copy_from_slice(&self.0);
        bytes[32..].copy_from_slice(&self.checksum());
        write!(f, "{NODE_KEY_PREFIX}{}", bs58::encode(bytes).into_string())
    }
}

impl fmt::Debug for NodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for NodeKey {
    type Err = NodeKeyError;

    fn from_str(text: &str) -> Result<Self, NodeKeyError> {
        let encoded = text
            .strip_prefix(NODE_KEY_PREFIX)
            .ok_or(NodeKeyError::Prefix)?;
        let mut bytes = [0; 32 + CHECKSUM_BYTES];
        let length = bs58::decode(encoded)
            .onto(&mut bytes)
            .map_err(|error| match error {
                bs58::decode::Error::BufferTooSmall => NodeKeyError::Length,
                _ => NodeKeyError::Base58,
            })?;
        if length != bytes.len() {
            return Err(NodeKeyError::Length);
        }
        let mut key = Self([0; 32]);
        key.0.copy_from_slice(&bytes[..32]);
        if bytes[32..] != key.checksum() {
            return Err(NodeKeyError::Checksum);
        }
        Ok(key)
    }
}

/// Why a text is not a node key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NodeKeyError {
    /// The text does not start with `key_`.
    #[error("a node key starts with `key_`; account addresses are not node keys")]
    Prefix,
    /// A character that base58 does not have.
    #[error("the node key contains a character that base58 does not have: copy it again")]
    Base58,
    /// Too many or too few characters.
    #[error("the node key is too long or too short: copy it again")]
    Length,
    /// The checksum does not match: a typing error.
    #[error("the node key's checksum does not match: a character was mistyped")]
    Checksum,
}

/// The X25519 public key that a node uses in Noise handshakes and to which payloads are sealed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NoiseKey(#[serde(with = "crate::fixed")] [u8; 32]);

impl NoiseKey {
    /// The key with these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for NoiseKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

/// A place in the 256-bit key space that node ids and account keys share.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct Point(#[serde(with = "crate::fixed")] [u8; 32]);

impl Point {
    /// The place with these bytes, most significant first.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its 32 bytes, most significant first.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Its first 64 bits: enough to tell apart what was not made to collide.
    pub(crate) const fn first_bits(&self) -> u64 {
        first_bits(&self.0)
    }

    /// The same with bit `bit` the other way, counted from the first.
    pub(crate) fn flipped(&self, bit: u16) -> Point {
        let mut bytes = self.0;
        if let Some(byte) = bytes.get_mut(usize::from(bit / 8)) {
            *byte ^= 0x80 >> (bit % 8);
        }
        Point(bytes)
    }

    /// How far `other` is from here: the XOR of the two, the same in both directions.
    pub fn distance(&self, other: &Point) -> Distance {
        let mut bytes = self.0;
        for (byte, theirs) in bytes.iter_mut().zip(other.0) {
            *byte ^= theirs;
        }
        Distance(bytes)
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

impl fmt::Debug for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

/// How far two points are apart: their XOR, compared as a big-endian number.
#[derive(Clone, Copy)]
pub struct Distance([u8; 32]);

impl Distance {
    /// The largest distance there is.
    pub const MAX: Self = Self([0xff; 32]);

    /// Its 32 bytes, most significant first.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// How many leading bits the two points share: 0 to 256; 256 means the same point.
    pub fn shared_bits(&self) -> u16 {
        let mut bits = 0;
        for word in self.0.as_chunks().0 {
            let word = u64::from_be_bytes(*word);
            if word != 0 {
                return bits + u16::try_from(word.leading_zeros()).unwrap_or(0);
            }
            bits += 64;
        }
        bits
    }
}

impl fmt::Debug for Distance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

/// Where a node lies: BLAKE2b-256(`nanonet node` ‖ node key ‖ nonce as u64 little-endian).
///
/// Text form: 64 lower-case hex digits.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct NodeId(#[serde(with = "crate::fixed")] [u8; 32]);

impl NodeId {
    /// The id of the node with `key` that joined with `nonce`.
    pub fn new(key: &NodeKey, nonce: u64) -> Self {
        Self(hash(&[b"nanonet node", &key.0, &nonce.to_le_bytes()]))
    }

    /// The id with these bytes, as read from a message.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its 32 bytes, most significant first.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Its place in the key space.
    pub const fn point(&self) -> Point {
        Point(self.0)
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

/// Where the records of an account lie: BLAKE2b-256(`nanonet account` ‖ account public key).
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct AccountKey(#[serde(with = "crate::fixed")] [u8; 32]);

impl AccountKey {
    /// The key of `account`.
    pub fn new(account: &Account) -> Self {
        Self(hash(&[b"nanonet account", account.as_bytes()]))
    }

    /// Its 32 bytes, most significant first.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Its place in the key space.
    pub const fn point(&self) -> Point {
        Point(self.0)
    }

    /// Its first 64 bits.
    pub(crate) const fn first_bits(&self) -> u64 {
        self.point().first_bits()
    }

    /// The last key that begins with these 64 bits.
    pub(crate) fn last_with(first_bits: u64) -> Self {
        let mut bytes = [0xFF; 32];
        bytes[..8].copy_from_slice(&first_bits.to_be_bytes());
        Self(bytes)
    }
}

impl fmt::Debug for AccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Base58 has every digit and letter but those that look alike.
    const LETTERS: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

    fn point(first: u8) -> Point {
        let mut bytes = [0; 32];
        bytes[0] = first;
        Point(bytes)
    }

    #[test]
    fn an_account_address_is_refused_as_a_node_key() {
        let address = "nano_3t6k35gi95xu6tergt6p69ck76ogmitsa8mnijtpxm9fkcm736xtoncuohr3";
        assert_eq!(address.parse::<NodeKey>(), Err(NodeKeyError::Prefix));
    }

    #[test]
    fn a_node_key_of_another_length_is_refused() {
        for bytes in [&[1_u8; 35][..], &[1; 37], &[1; 80], &[]] {
            let text = format!("key_{}", bs58::encode(bytes).into_string());
            assert_eq!(text.parse::<NodeKey>(), Err(NodeKeyError::Length));
        }
        assert_eq!("key_0OIl".parse::<NodeKey>(), Err(NodeKeyError::Base58));
    }

    #[test]
    fn the_nonce_moves_a_node_to_another_place() {
        let key = NodeKey([5; 32]);
        assert_ne!(NodeId::new(&key, 0), NodeId::new(&key, 1));
        assert_ne!(NodeId::new(&key, 0), NodeId::new(&NodeKey([6; 32]), 0));
    }

    #[test]
    fn node_ids_and_account_keys_of_one_public_key_differ() {
        let account = Account::from_bytes([5; 32]);
        let id = NodeId::new(&NodeKey([5; 32]), 0);
        assert_ne!(id.point(), AccountKey::new(&account).point());
    }

    #[test]
    fn shared_bits_count_from_the_most_significant() {
        assert_eq!(point(0).distance(&point(0)).shared_bits(), 256);
        assert_eq!(point(0).distance(&point(0x80)).shared_bits(), 0);
        assert_eq!(point(0).distance(&point(1)).shared_bits(), 7);
        let mut last = [0; 32];
        last[31] = 1;
        assert_eq!(point(0).distance(&Point(last)).shared_bits(), 255);
    }

    proptest! {
        #[test]
        fn a_node_key_survives_its_text_form(bytes: [u8; 32]) {
            let key = NodeKey(bytes);
            prop_assert_eq!(key.to_string().parse::<NodeKey>(), Ok(key));
        }

        #[test]
        fn a_mistyped_node_key_is_refused(bytes: [u8; 32], place in 4_usize..50, other in 0_u8..58) {
            let text = NodeKey(bytes).to_string();
            prop_assume!(place < text.len());
            let letter = LETTERS[usize::from(other)];
            let mut typed = text.clone().into_bytes();
            prop_assume!(typed[place] != letter);
            typed[place] = letter;
            prop_assert!(String::from_utf8_lossy(&typed).parse::<NodeKey>().is_err());
        }

        #[test]
        fn any_text_parses_or_is_refused(text in "key_[ -~]{0,80}") {
            if let Ok(key) = text.parse::<NodeKey>() {
                prop_assert_eq!(key.to_string(), text);
            }
        }

        #[test]
        fn distance_is_a_metric(a: [u8; 32], b: [u8; 32], c: [u8; 32]) {
            let (a, b, c) = (Point(a), Point(b), Point(c));
            prop_assert_eq!(a.distance(&b), b.distance(&a));
            prop_assert_eq!(a.distance(&a).shared_bits(), 256);
            // XOR: the far side of a triangle shares at least the bits the other two share.
            let shared = a.distance(&c).shared_bits();
            prop_assert!(shared >= a.distance(&b).shared_bits().min(b.distance(&c).shared_bits()));
        }
    }
}
