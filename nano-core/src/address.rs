//! Accounts and their address text.
//!
//! An account *is* its public key; the address is the key with a checksum, made for people:
//! `nano_`, 52 characters of key, 8 characters of checksum, over an alphabet without look-alikes.
//! `xrb_` and the hyphen forms mean the same and are accepted; `node_` texts name peers, not
//! accounts, and are refused as addresses so that nobody pays a peer id.
//!
//! Rules: exactly one text form per account is produced; every refused text has its own reason,
//! checked in this order: prefix, length, alphabet, first character, checksum.

use core::fmt;
use core::str::FromStr;

use blake2::digest::consts::U5;
use blake2::{Blake2b, Digest as _};

use crate::PublicKey;
use crate::bytes::{HexError, bytes_accessors, bytes_serde, parse_hex};

/// Value of each character is its index.
const ALPHABET: &[u8; 32] = b"13456789abcdefghijkmnopqrstuwxyz";
/// Marks bytes outside the alphabet in [`VALUES`].
const NONE: u8 = u8::MAX;
/// The inverse of [`ALPHABET`].
const VALUES: [u8; 256] = {
    let mut values = [NONE; 256];
    let mut value = 0;
    while value < 32 {
        values[ALPHABET[value as usize] as usize] = value;
        value += 1;
    }
    values
};
const KEY_CHARACTERS: usize = 52;
const CHECKSUM_CHARACTERS: usize = 8;
const CHARACTERS: usize = KEY_CHARACTERS + CHECKSUM_CHARACTERS;
const ACCOUNT_PREFIX: &str = "nano_";
const ACCOUNT_PREFIXES: [&str; 4] = [ACCOUNT_PREFIX, "nano-", "xrb_", "xrb-"];
const NODE_PREFIX: &str = "node_";

/// An account of Nano's ledger: 32 bytes, the public key. `Display` and `FromStr` are the address
/// text; [`Account::from_hex`] reads the key's hex.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Account([u8; 32]);

bytes_accessors!(Account, 32);
bytes_serde!(Account);

/// Why a text is not an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Nothing was given.
    #[error("the address is empty; an address looks like nano_ followed by 60 characters")]
    Empty,
    /// There is no prefix at all.
    #[error("the address has no prefix; it must begin with nano_ or xrb_")]
    MissingPrefix,
    /// There is a prefix, but not one of an account.
    #[error("the address has an unknown prefix; it must begin with nano_ or xrb_")]
    UnknownPrefix,
    /// Letters are upper case; nodes take lower case only.
    #[error("the address has upper-case letters; addresses are lower case")]
    UpperCase,
    /// The text is the id of a peer, not an account.
    #[error("this is the id of a node, not an account; nothing can be paid to it")]
    NodeId,
    /// The text is the address of an account where a node id was asked for.
    #[error("this is the address of an account, not a node id; a node id begins with node_")]
    NotNodeId,
    /// Characters are missing after the prefix.
    #[error("the address is too short: {found} characters after the prefix instead of 60")]
    TooShort {
        /// Characters after the prefix.
        found: usize,
    },
    /// There are characters too many after the prefix.
    #[error("the address is too long: {found} characters after the prefix instead of 60")]
    TooLong {
        /// Characters after the prefix.
        found: usize,
    },
    /// A character is outside the alphabet.
    #[error("character {character:?} at position {position} never occurs in an address")]
    Character {
        /// The first such character.
        character: char,
        /// Its place in the whole text, counted in bytes from 0.
        position: usize,
    },
    /// The first character after the prefix stands for a key of more than 256 bits.
    #[error("the first character after the prefix is {0:?}; it can only be 1 or 3")]
    FirstCharacter(char),
    /// Key and checksum do not belong together: a typing error or a damaged copy.
    #[error("the checksum does not match; the address was mistyped or damaged, copy it again")]
    Checksum,
}

impl Account {
    /// Reads the public key's 64 hex digits.
    ///
    /// # Errors
    /// [`HexError`] when the text is anything else.
    pub fn from_hex(text: &str) -> Result<Self, HexError> {
        parse_hex(text).map(Self)
    }

    /// The public key that this account is.
    #[must_use]
    pub const fn public_key(&self) -> PublicKey {
        PublicKey::from_bytes(self.0)
    }
}

impl From<PublicKey> for Account {
    fn from(key: PublicKey) -> Self {
        Self(*key.as_bytes())
    }
}

impl From<Account> for PublicKey {
    fn from(account: Account) -> Self {
        Self::from_bytes(account.0)
    }
}

impl fmt::Display for Account {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_text(ACCOUNT_PREFIX, &self.0, formatter)
    }
}

impl FromStr for Account {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if text.starts_with(NODE_PREFIX) {
            return Err(AddressError::NodeId);
        }
        let prefix = ACCOUNT_PREFIXES
            .into_iter()
            .find(|prefix| text.starts_with(prefix))
            .ok_or_else(|| prefix_error(text))?;
        read_text(text, prefix.len()).map(Self)
    }
}

impl PublicKey {
    /// The text form of a full node's id: `node_` and the same 60 characters as an address.
    #[must_use]
    pub fn to_node_id_text(&self) -> String {
        struct NodeIdText<'a>(&'a [u8; 32]);
        impl fmt::Display for NodeIdText<'_> {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_text(NODE_PREFIX, self.0, formatter)
            }
        }
        NodeIdText(self.as_bytes()).to_string()
    }

    /// Reads the text form of a full node's id.
    ///
    /// # Errors
    /// [`AddressError::NotNodeId`] for an account's address, otherwise as for addresses.
    pub fn from_node_id_text(text: &str) -> Result<Self, AddressError> {
        if text.starts_with(NODE_PREFIX) {
            return read_text(text, NODE_PREFIX.len()).map(Self::from_bytes);
        }
        Err(match prefix_error(text) {
            AddressError::Empty => AddressError::Empty,
            _ => AddressError::NotNodeId,
        })
    }
}

/// Says what is wrong with a text that begins with none of the known prefixes.
fn prefix_error(text: &str) -> AddressError {
    if text.is_empty() {
        return AddressError::Empty;
    }
    let Some((prefix, _)) = text.split_once(['_', '-']) else {
        return AddressError::MissingPrefix;
    };
    if ["nano", "xrb"].contains(&prefix.to_ascii_lowercase().as_str()) {
        return AddressError::UpperCase;
    }
    AddressError::UnknownPrefix
}

/// The last 40 bits of an address: the digest read as a little-endian number.
fn checksum(key: &[u8; 32]) -> u64 {
    let digest: [u8; 5] = Blake2b::<U5>::digest(key).into();
    let mut bytes = [0; 8];
    bytes[..5].copy_from_slice(&digest);
    u64::from_le_bytes(bytes)
}

fn write_text(prefix: &str, key: &[u8; 32], formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut text = [0; CHARACTERS];
    // 260 bits for 256: four zero bits stand in front of the key.
    let mut pending: u32 = 0;
    let mut bits = 4;
    let mut place = 0;
    for byte in key {
        pending = (pending << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text[place] = ALPHABET[((pending >> bits) & 31) as usize];
            place += 1;
        }
        pending &= (1 << bits) - 1;
    }
    let checksum = checksum(key);
    for (index, character) in text[KEY_CHARACTERS..].iter_mut().enumerate() {
        *character =
            ALPHABET[((checksum >> (5 * (CHECKSUM_CHARACTERS - 1 - index))) & 31) as usize];
    }
    formatter.write_str(prefix)?;
    formatter.write_str(core::str::from_utf8(&text).map_err(|_| fmt::Error)?)
}

/// Reads the 60 characters after a prefix of `start` bytes.
fn read_text(text: &str, start: usize) -> Result<[u8; 32], AddressError> {
    let body = &text[start..];
    let found = body.chars().count();
    if found < CHARACTERS {
        return Err(AddressError::TooShort { found });
    }
    if found > CHARACTERS {
        return Err(AddressError::TooLong { found });
    }
    if let Some((position, character)) = body
        .char_indices()
        .find(|(_, character)| !in_alphabet(*character))
    {
        if character.is_ascii_uppercase() {
            return Err(AddressError::UpperCase);
        }
        return Err(AddressError::Character {
            character,
            position: start + position,
        });
    }
    let values = body
        .as_bytes()
        .iter()
        .map(|byte| VALUES[usize::from(*byte)]);
    let mut key = [0; 32];
    // The four zero bits in front of the key are read as missing bits of the first character.
    let mut pending: u32 = 0;
    let mut bits = 0;
    let mut place = 0;
    for (index, value) in values.clone().take(KEY_CHARACTERS).enumerate() {
        if index == 0 {
            if value > 1 {
                return Err(AddressError::FirstCharacter(char::from(body.as_bytes()[0])));
            }
            pending = u32::from(value);
            bits = 1;
            continue;
        }
        pending = (pending << 5) | u32::from(value);
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            key[place] = (pending >> bits).to_le_bytes()[0];
            pending &= (1 << bits) - 1;
            place += 1;
        }
    }
    let given = values
        .skip(KEY_CHARACTERS)
        .fold(0, |number, value| (number << 5) | u64::from(value));
    if given != checksum(&key) {
        return Err(AddressError::Checksum);
    }
    Ok(key)
}

fn in_alphabet(character: char) -> bool {
    u8::try_from(character).is_ok_and(|byte| VALUES[usize::from(byte)] != NONE)
}
