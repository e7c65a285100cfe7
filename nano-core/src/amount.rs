//! Amounts: exact integers in raw, the smallest unit.
//!
//! 1 nano is 10^30 raw. All arithmetic is on `u128` and checked; no floating point takes part
//! anywhere, so what is shown, sent and signed is the same number.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::bytes;

/// Decimal places of one nano.
const DECIMALS: usize = 30;
/// Longest text that can stand for a `u128` in nano: 9 digits, a point, 30 digits, and room for
/// leading zeros that people type.
const LONGEST_NANO_TEXT: usize = 64;

/// An amount in raw, 0 to 2^128 − 1. On the wire 16 bytes big-endian; as text decimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Raw(u128);

/// Why a text is not an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// There is not a single digit.
    #[error("the amount is empty; write digits")]
    Empty,
    /// A character is not a digit (nor, in nano, the decimal point).
    #[error("character {character:?} at position {position} is not a digit; write plain digits")]
    Digit {
        /// The first such character.
        character: char,
        /// Its place, counted in bytes from 0.
        position: usize,
    },
    /// A raw amount has a zero in front, which nodes refuse.
    #[error("the amount has zeros in front; write it without them")]
    LeadingZero,
    /// More than one decimal point.
    #[error("the amount has more than one decimal point")]
    SecondPoint,
    /// More than 30 decimal places: finer than one raw.
    #[error("the amount has {found} decimal places; nano has 30")]
    TooManyDecimals {
        /// Digits after the point.
        found: usize,
    },
    /// The amount is above 2^128 − 1 raw.
    #[error("the amount is larger than all nano there can be (2^128 - 1 raw)")]
    TooLarge,
}

impl Raw {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// One nano: 10^30 raw.
    pub const NANO: Self = Self(1_000_000_000_000_000_000_000_000_000_000);
    /// The genesis amount, and the most there can ever be.
    pub const MAX: Self = Self(u128::MAX);

    /// An amount of `number` raw.
    #[must_use]
    pub const fn new(number: u128) -> Self {
        Self(number)
    }

    /// The number of raw.
    #[must_use]
    pub const fn number(self) -> u128 {
        self.0
    }

    /// Whether the amount is nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum; `None` above 2^128 − 1.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference; `None` below zero.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// The 16 bytes of the wire, big-endian.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// From the 16 bytes of the wire, big-endian.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }

    /// Reads an amount in nano, such as `1.5`, `0.000001` or `.5`: digits and at most one point,
    /// no sign, no exponent, no separators.
    ///
    /// # Errors
    /// Any [`AmountError`] but [`AmountError::LeadingZero`].
    pub fn from_nano_text(text: &str) -> Result<Self, AmountError> {
        if let Some((position, character)) = text
            .char_indices()
            .find(|(_, character)| !character.is_ascii_digit() && *character != '.')
        {
            return Err(AmountError::Digit {
                character,
                position,
            });
        }
        if text.len() > LONGEST_NANO_TEXT {
            return Err(AmountError::TooLarge);
        }
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        if fraction.contains('.') {
            return Err(AmountError::SecondPoint);
        }
        if whole.is_empty() && fraction.is_empty() {
            return Err(AmountError::Empty);
        }
        if fraction.len() > DECIMALS {
            return Err(AmountError::TooManyDecimals {
                found: fraction.len(),
            });
        }
        let zeros = DECIMALS - fraction.len();
        whole
            .bytes()
            .chain(fraction.bytes())
            .chain(core::iter::repeat_n(b'0', zeros))
            .try_fold(0, push_digit)
            .map(Self)
            .ok_or(AmountError::TooLarge)
    }

    /// The exact amount in nano, without needless zeros: `1.5`, `0`, `133248061.99`.
    #[must_use]
    pub fn to_nano_text(self) -> String {
        let whole = self.0 / Self::NANO.0;
        let fraction = self.0 % Self::NANO.0;
        if fraction == 0 {
            return whole.to_string();
        }
        let digits = format!("{fraction:0DECIMALS$}");
        format!("{whole}.{}", digits.trim_end_matches('0'))
    }

    /// The 32 upper-case hex digits that legacy send blocks have in JSON.
    #[must_use]
    pub fn to_hex(self) -> String {
        format!("{:032X}", self.0)
    }

    /// Reads the hex form of legacy send blocks: 1 to 32 digits of either case.
    ///
    /// # Errors
    /// [`AmountError::Empty`], [`AmountError::Digit`] or [`AmountError::TooLarge`].
    pub fn from_hex(text: &str) -> Result<Self, AmountError> {
        if let Some((position, character)) = text
            .char_indices()
            .find(|(_, character)| !character.is_ascii_hexdigit())
        {
            return Err(AmountError::Digit {
                character,
                position,
            });
        }
        if text.is_empty() {
            return Err(AmountError::Empty);
        }
        u128::from_str_radix(text, 16)
            .map(Self)
            .map_err(|_| AmountError::TooLarge)
    }
}

fn push_digit(number: u128, digit: u8) -> Option<u128> {
    number
        .checked_mul(10)?
        .checked_add(u128::from(digit - b'0'))
}

impl fmt::Display for Raw {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Debug for Raw {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Raw({})", self.0)
    }
}

impl FromStr for Raw {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        if let Some((position, character)) = text
            .char_indices()
            .find(|(_, character)| !character.is_ascii_digit())
        {
            return Err(AmountError::Digit {
                character,
                position,
            });
        }
        if text.is_empty() {
            return Err(AmountError::Empty);
        }
        if text.len() > 1 && text.starts_with('0') {
            return Err(AmountError::LeadingZero);
        }
        text.parse().map(Self).map_err(|_| AmountError::TooLarge)
    }
}

impl Serialize for Raw {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        bytes::serialize(self, &self.to_bytes(), serializer)
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        bytes::deserialize(deserializer, Self::from_bytes)
    }
}
