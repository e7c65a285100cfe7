//! Proof of work: nonces, difficulties and the thresholds of each network.
//!
//! The difficulty of a nonce over a root is BLAKE2b with an 8-byte digest over the nonce
//! (little-endian) and the root, read as a little-endian number; it must reach a threshold. Work
//! is covered by neither hash nor signature of a block.

use core::fmt;
use core::str::FromStr;

use blake2::digest::consts::U8;
use blake2::{Blake2b, Digest as _};

use crate::bytes::{self, HexError, parse_hex};
use crate::{Block, BlockKind, Epoch, Root};

/// Gives a newtype over `u64` its text (16 hex digits, most significant first) and serde forms.
macro_rules! hex_number {
    ($name:ident) => {
        impl $name {
            /// Wraps the number.
            #[must_use]
            pub const fn new(number: u64) -> Self {
                Self(number)
            }

            /// The number.
            #[must_use]
            pub const fn number(self) -> u64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "{:016x}", self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = HexError;

            fn from_str(text: &str) -> Result<Self, HexError> {
                parse_hex(text).map(u64::from_be_bytes).map(Self)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                bytes::serialize(self, &self.0.to_be_bytes(), serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                bytes::deserialize(deserializer, |bytes| Self(u64::from_be_bytes(bytes)))
            }
        }
    };
}

/// The 8-byte work of a block, as a number. Text: 16 hex digits, lower case, most significant first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct WorkNonce(u64);

hex_number!(WorkNonce);

/// How hard a nonce was to find; larger is harder. Text as for [`WorkNonce`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Difficulty(u64);

hex_number!(Difficulty);

impl WorkNonce {
    /// The difficulty this nonce reaches over `root`.
    #[must_use]
    pub fn difficulty(self, root: &Root) -> Difficulty {
        let mut hasher = Blake2b::<U8>::new();
        hasher.update(self.0.to_le_bytes());
        hasher.update(root.as_bytes());
        Difficulty(u64::from_le_bytes(hasher.finalize().into()))
    }
}

impl Difficulty {
    /// How many times harder this is than `base`: (2^64 − base) / (2^64 − this).
    ///
    /// For showing and comparing, not for deciding: thresholds are compared as numbers.
    #[must_use]
    pub fn multiplier(self, base: Self) -> f64 {
        distance_to_top(base) / distance_to_top(self)
    }

    /// The difficulty `multiplier` times harder than this one, the inverse of
    /// [`Difficulty::multiplier`], as far as a double can tell.
    ///
    /// `None` unless `multiplier` is a positive number and the result fits, that is, lies between
    /// difficulty 0 and 2^64 − 1.
    #[must_use]
    pub fn multiplied(self, multiplier: f64) -> Option<Self> {
        if !multiplier.is_finite() || multiplier <= 0.0 {
            return None;
        }
        let distance = distance_to_top(self) / multiplier;
        if !(1.0..=TWO_POW_64).contains(&distance) {
            return None;
        }
        // In range by the check above; the fraction is dropped as nodes do.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let distance = distance as u128;
        u64::try_from((1 << 64) - distance).ok().map(Self)
    }
}

/// 2^64, exact as a double.
const TWO_POW_64: f64 = 18_446_744_073_709_551_616.0;

fn distance_to_top(difficulty: Difficulty) -> f64 {
    // Exact as an integer first: in doubles alone, high difficulties would collapse to 2^64.
    let distance = (1_u128 << 64) - u128::from(difficulty.0);
    #[allow(clippy::cast_precision_loss)]
    let distance = distance as f64;
    distance
}

/// The work thresholds of one network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkThresholds {
    /// Any block of an account at epoch 1 or below, and every legacy block.
    pub epoch_1: Difficulty,
    /// Sends and changes of an account at epoch 2.
    pub epoch_2_send: Difficulty,
    /// Receives, opens and epoch blocks of an account at epoch 2.
    pub epoch_2_receive: Difficulty,
}

impl WorkThresholds {
    /// The lowest of the three: what a state block must reach for a node to look at it at all.
    #[must_use]
    pub fn entry(&self) -> Difficulty {
        self.epoch_1
            .min(self.epoch_2_send)
            .min(self.epoch_2_receive)
    }

    /// The highest of the three: work that reaches it is valid for any block.
    #[must_use]
    pub fn ample(&self) -> Difficulty {
        self.epoch_1
            .max(self.epoch_2_send)
            .max(self.epoch_2_receive)
    }

    /// What `block` must reach when it arrives from a peer, before its account is looked up: the
    /// entry value for state blocks, the epoch-1 value for legacy blocks.
    #[must_use]
    pub fn entry_of(&self, block: &Block) -> Difficulty {
        match block {
            Block::State(_) => self.entry(),
            _ => self.epoch_1,
        }
    }

    /// What a state block of the given kind must reach to enter the ledger.
    ///
    /// `epoch` is the account's epoch (`None` before any upgrade); for a receive the higher of the
    /// account's and the source block's; for an epoch block the epoch it brings.
    #[must_use]
    pub fn required(&self, epoch: Option<Epoch>, kind: BlockKind) -> Difficulty {
        match (epoch, kind) {
            (None | Some(Epoch::One), _) => self.epoch_1,
            (Some(Epoch::Two), BlockKind::Send | BlockKind::Change) => self.epoch_2_send,
            (Some(Epoch::Two), BlockKind::Open | BlockKind::Receive | BlockKind::Epoch(_)) => {
                self.epoch_2_receive
            }
        }
    }
}
