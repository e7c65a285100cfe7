//! Fixed-size byte values: hex text and serde forms shared by every newtype of the crate.
//!
//! Text is upper-case hex on output and either case on input; the binary form is the bare bytes,
//! without a length in front, because the length is part of the type.

use core::fmt;
use core::marker::PhantomData;
use core::str::FromStr;

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::ser::SerializeTuple as _;
use serde::{Deserializer, Serializer};

/// Why a text is not the hex form of a fixed-size value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HexError {
    /// The number of characters is wrong.
    #[error("expected {expected} hex digits, found {found} characters; pass the whole value")]
    Length {
        /// Digits the value has.
        expected: usize,
        /// Characters given.
        found: usize,
    },
    /// A character is not one of `0-9 a-f A-F`.
    #[error("character {character:?} at position {position} is not a hex digit")]
    Digit {
        /// The first character that is not a digit.
        character: char,
        /// Its place, counted in bytes from 0.
        position: usize,
    },
}

/// Decodes exactly `2 * N` hex digits of either case.
pub(crate) fn parse_hex<const N: usize>(text: &str) -> Result<[u8; N], HexError> {
    if let Some((position, character)) = text
        .char_indices()
        .find(|(_, character)| !character.is_ascii_hexdigit())
    {
        return Err(HexError::Digit {
            character,
            position,
        });
    }
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| HexError::Length {
        expected: 2 * N,
        found: text.len(),
    })?;
    Ok(bytes)
}

/// Writes upper-case hex.
pub(crate) fn write_hex(bytes: &[u8], formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut text = [0; 64];
    for chunk in bytes.chunks(text.len() / 2) {
        for (pair, byte) in text.chunks_exact_mut(2).zip(chunk) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        let written = core::str::from_utf8(&text[..2 * chunk.len()]).map_err(|_| fmt::Error)?;
        formatter.write_str(written)?;
    }
    Ok(())
}

/// Serializes as text where people read it, as `N` bare bytes elsewhere.
pub(crate) fn serialize<const N: usize, T, S>(
    value: &T,
    bytes: &[u8; N],
    serializer: S,
) -> Result<S::Ok, S::Error>
where
    T: fmt::Display,
    S: Serializer,
{
    if serializer.is_human_readable() {
        return serializer.collect_str(value);
    }
    let mut tuple = serializer.serialize_tuple(N)?;
    for byte in bytes {
        tuple.serialize_element(byte)?;
    }
    tuple.end()
}

/// The inverse of [`serialize`].
pub(crate) fn deserialize<'de, const N: usize, T, D>(
    deserializer: D,
    from_bytes: fn([u8; N]) -> T,
) -> Result<T, D::Error>
where
    T: FromStr,
    T::Err: fmt::Display,
    D: Deserializer<'de>,
{
    if deserializer.is_human_readable() {
        deserializer.deserialize_str(TextVisitor(PhantomData))
    } else {
        deserializer
            .deserialize_tuple(N, BytesVisitor::<N>)
            .map(from_bytes)
    }
}

struct TextVisitor<T>(PhantomData<T>);

impl<T> Visitor<'_> for TextVisitor<T>
where
    T: FromStr,
    T::Err: fmt::Display,
{
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the text form of the value, as a string")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

struct BytesVisitor<const N: usize>;

impl<'de, const N: usize> Visitor<'de> for BytesVisitor<N> {
    type Value = [u8; N];

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{N} bytes")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<[u8; N], A::Error> {
        let mut bytes = [0; N];
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = sequence
                .next_element()?
                .ok_or_else(|| A::Error::invalid_length(index, &self))?;
        }
        Ok(bytes)
    }
}

/// Gives a newtype over `[u8; $size]` its constructors and accessors.
macro_rules! bytes_accessors {
    ($name:ident, $size:literal) => {
        impl $name {
            /// All bytes zero.
            pub const ZERO: Self = Self([0; $size]);

            /// Wraps the bytes; nothing is checked.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; $size]) -> Self {
                Self(bytes)
            }

            /// The bytes as they stand on the wire.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $size] {
                &self.0
            }

            /// Whether every byte is zero.
            #[must_use]
            pub fn is_zero(&self) -> bool {
                self.0 == [0; $size]
            }
        }

        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }
    };
}

/// Gives a newtype its hex text: `Display` upper case, `FromStr` either case, `Debug` like `Display`.
macro_rules! bytes_hex_text {
    ($name:ident) => {
        impl core::fmt::Display for $name {
            fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                crate::bytes::write_hex(&self.0, formatter)
            }
        }

        impl core::str::FromStr for $name {
            type Err = crate::bytes::HexError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                crate::bytes::parse_hex(text).map(Self)
            }
        }
    };
}

/// Gives a newtype `Debug` and the two serde forms on top of its text.
macro_rules! bytes_serde {
    ($name:ident) => {
        impl core::fmt::Debug for $name {
            fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(formatter, concat!(stringify!($name), "({})"), self)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                crate::bytes::serialize(self, &self.0, serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::bytes::deserialize(deserializer, Self)
            }
        }
    };
}

pub(crate) use {bytes_accessors, bytes_hex_text, bytes_serde};
