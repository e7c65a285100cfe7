//! Weight tables: how much each representative's vote counts.
//!
//! Nothing in blocks or votes proves weights, so a table is what a proof is believed under: the
//! trust anchor. It is dated and carries the online weight its maker saw, because that number
//! decides the quorum and must never come from a proof or a peer.
//!
//! Rules: at most [`WeightTable::MAX_ENTRIES`] representatives; the weights together fit in 128
//! bits; every decoder refuses the rest. Two forms: JSON for people and HTTP, and a binary one.
//!
//! # Binary form, version 1 (integers big-endian)
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 1 | version, `01` |
//! | 1 | 2 | network id as in peer messages (`RC` live, `RB` beta, `RX` test, `RA` dev) |
//! | 3 | 8 | date, ms since 1970-01-01 UTC |
//! | 11 | 16 | online weight, raw |
//! | 27 | 16 | minimum, raw |
//! | 43 | 2 | number of entries n |
//! | 45 | 48 n | entries: account 32, weight in raw 16; accounts strictly ascending |

mod compare;
mod text;

use std::collections::BTreeMap;

use crate::cursor::Cursor;
use crate::quorum::{ONLINE_WEIGHT_MINIMUM, collection_target, quorum_delta, quorum_rest};
use crate::{Account, Network, Raw, UnixMillis};

const VERSION: u8 = 1;
const HEADER_SIZE: usize = 45;
const ENTRY_SIZE: usize = 48;

/// The table nodes of early 2025 ship for the live network: account 32, weight 16 big-endian, and
/// nothing else. A test compares it with the recorded vector.
static LIVE_SNAPSHOT: &[u8] = include_bytes!("../data/live-weights-2025-02-17.bin");
/// 2025-02-17 00:00 UTC, the state of the source the snapshot was taken from.
const LIVE_SNAPSHOT_DATE: UnixMillis = UnixMillis::new(1_739_750_400_000);

/// Voting weights of a network at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightTable {
    /// The network the representatives vote on.
    pub network: Network,
    /// When the weights held.
    pub as_of: UnixMillis,
    /// Weight seen voting by whoever made the table, in raw; zero when not known, which leaves the
    /// quorum to `minimum` and to the table's own total.
    pub online_weight: Raw,
    /// The least weight a quorum is computed from, in raw; see [`ONLINE_WEIGHT_MINIMUM`].
    pub minimum: Raw,
    /// Weight of each representative, in raw.
    pub weights: BTreeMap<Account, Raw>,
}

/// Why bytes or text are not a weight table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeightTableError {
    /// The version is newer than this build, or these are not the bytes of a table.
    #[error("weight table of unknown version {0}; this build reads version 1")]
    UnknownVersion(u8),
    /// The network id is none of the known ones.
    #[error("weight table of an unknown network {0:02X?}")]
    UnknownNetwork([u8; 2]),
    /// Bytes are missing or left over.
    #[error("a weight table of this header has {expected} bytes, found {found}")]
    Length {
        /// Bytes the header announces; the header's own size while that is incomplete.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
    /// More entries than a table may have.
    #[error("the weight table has more than {} entries", WeightTable::MAX_ENTRIES)]
    TooManyEntries,
    /// Entries are not strictly ascending by account.
    #[error("the weight table lists {0} twice or out of order")]
    Order(Account),
    /// The weights add up to more than there can be.
    #[error("the weights of the table add up to more than 2^128 - 1 raw")]
    TotalTooLarge,
    /// The text is not the JSON of a table.
    #[error("this is not the JSON of a weight table: {0}")]
    Json(String),
}

impl WeightTable {
    /// The most representatives a table may list.
    pub const MAX_ENTRIES: usize = 4096;

    /// The longest JSON text that is read, in bytes: [`WeightTable::MAX_ENTRIES`] generous lines.
    pub const MAX_JSON_BYTES: usize = 1 << 20;

    /// The snapshot shipped for the live network: 137 representatives with about 88 % of the
    /// supply, as nodes of early 2025 ship it. Its online weight is zero, *not known*: the source
    /// records none, and a guess would be a parameter nobody answers for. The threshold then is
    /// more than half of the table's total, 58.7 million nano. Weights move every day: a last
    /// resort until newer ones are accepted.
    #[must_use]
    pub fn live_snapshot() -> Self {
        let (entries, _) = LIVE_SNAPSHOT.as_chunks::<ENTRY_SIZE>();
        Self {
            network: Network::Live,
            as_of: LIVE_SNAPSHOT_DATE,
            online_weight: Raw::ZERO,
            minimum: ONLINE_WEIGHT_MINIMUM,
            weights: entries.iter().map(entry_from_bytes).collect(),
        }
    }

    /// The weight of a representative in raw; zero when the table does not list it.
    #[must_use]
    pub fn weight_of(&self, representative: &Account) -> Raw {
        self.weights
            .get(representative)
            .copied()
            .unwrap_or(Raw::ZERO)
    }

    /// The sum of all weights in raw; stays at [`Raw::MAX`] in a table that no decoder accepts.
    #[must_use]
    pub fn total(&self) -> Raw {
        self.checked_total().unwrap_or(Raw::MAX)
    }

    /// The weight that proves, in raw: 67 % of the larger of online weight and minimum, and in any
    /// case more than half of the table's total, so that no two disjoint sets of representatives
    /// can both reach it.
    #[must_use]
    pub fn threshold(&self) -> Raw {
        quorum_delta(self.online_weight, self.minimum).max(self.majority())
    }

    /// The weight a collector of votes aims for, in raw: 72 % instead of 67 %, so that a proof
    /// outlives small movements; never less than [`WeightTable::threshold`].
    #[must_use]
    pub fn collection_target(&self) -> Raw {
        collection_target(self.online_weight, self.minimum).max(self.threshold())
    }

    /// The most weight that can be missing from a quorum, in raw: of representatives with more than
    /// this at least one is in every quorum, so that their silence on a block means something.
    /// Where the online weight is not known, all of the table may be online.
    #[must_use]
    pub fn quorum_rest(&self) -> Raw {
        let online = match self.online_weight.is_zero() {
            true => self.total(),
            false => self.online_weight,
        };
        quorum_rest(online, self.minimum)
    }

    /// The least weight above half of the total.
    fn majority(&self) -> Raw {
        Raw::new(self.total().number() / 2 + 1)
    }

    fn checked_total(&self) -> Option<Raw> {
        self.weights
            .values()
            .try_fold(Raw::ZERO, |sum, weight| sum.checked_add(*weight))
    }

    /// The limits every decoder checks.
    fn checked(self) -> Result<Self, WeightTableError> {
        if self.weights.len() > Self::MAX_ENTRIES {
            return Err(WeightTableError::TooManyEntries);
        }
        self.checked_total()
            .ok_or(WeightTableError::TotalTooLarge)?;
        Ok(self)
    }

    /// The binary form (module documentation).
    ///
    /// # Errors
    /// [`WeightTableError::TooManyEntries`] and [`WeightTableError::TotalTooLarge`]: a table that
    /// no one would read is not written either.
    pub fn to_bytes(&self) -> Result<Vec<u8>, WeightTableError> {
        let count = u16::try_from(self.weights.len())
            .ok()
            .filter(|count| usize::from(*count) <= Self::MAX_ENTRIES)
            .ok_or(WeightTableError::TooManyEntries)?;
        self.checked_total()
            .ok_or(WeightTableError::TotalTooLarge)?;
        let mut bytes = Vec::with_capacity(HEADER_SIZE + ENTRY_SIZE * usize::from(count));
        bytes.push(VERSION);
        bytes.extend(self.network.id());
        bytes.extend(self.as_of.number().to_be_bytes());
        bytes.extend(self.online_weight.to_bytes());
        bytes.extend(self.minimum.to_bytes());
        bytes.extend(count.to_be_bytes());
        for (account, weight) in &self.weights {
            bytes.extend(account.as_bytes());
            bytes.extend(weight.to_bytes());
        }
        Ok(bytes)
    }

    /// Reads the binary form; `bytes` must be exactly one table.
    ///
    /// # Errors
    /// Any [`WeightTableError`] but [`WeightTableError::Json`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WeightTableError> {
        let mut cursor = Cursor::new(bytes);
        let cut = WeightTableError::Length {
            expected: HEADER_SIZE,
            found: bytes.len(),
        };
        let version = cursor.byte().ok_or_else(|| cut.clone())?;
        if version != VERSION {
            return Err(WeightTableError::UnknownVersion(version));
        }
        let id = cursor.array().ok_or_else(|| cut.clone())?;
        let network = Network::from_id(id).ok_or(WeightTableError::UnknownNetwork(id))?;
        let as_of = cursor.array().ok_or_else(|| cut.clone())?;
        let online_weight = cursor.array().ok_or_else(|| cut.clone())?;
        let minimum = cursor.array().ok_or_else(|| cut.clone())?;
        let count = usize::from(u16::from_be_bytes(cursor.array().ok_or(cut)?));
        if count > Self::MAX_ENTRIES {
            return Err(WeightTableError::TooManyEntries);
        }
        let length = WeightTableError::Length {
            expected: HEADER_SIZE + ENTRY_SIZE * count,
            found: bytes.len(),
        };
        let entries = cursor
            .pieces::<ENTRY_SIZE>(count)
            .ok_or_else(|| length.clone())?;
        if cursor.remaining() != 0 {
            return Err(length);
        }
        let mut weights = BTreeMap::new();
        for (account, weight) in entries.iter().map(entry_from_bytes) {
            let after = weights
                .last_key_value()
                .is_none_or(|(last, _)| *last < account);
            if !after {
                return Err(WeightTableError::Order(account));
            }
            weights.insert(account, weight);
        }
        Self {
            network,
            as_of: UnixMillis::new(u64::from_be_bytes(as_of)),
            online_weight: Raw::from_bytes(online_weight),
            minimum: Raw::from_bytes(minimum),
            weights,
        }
        .checked()
    }
}

fn entry_from_bytes(entry: &[u8; ENTRY_SIZE]) -> (Account, Raw) {
    let (mut account, mut weight) = ([0; 32], [0; 16]);
    account.copy_from_slice(&entry[..32]);
    weight.copy_from_slice(&entry[32..]);
    (Account::from_bytes(account), Raw::from_bytes(weight))
}
