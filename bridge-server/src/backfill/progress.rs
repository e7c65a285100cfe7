//! How far a walk is, as it is kept over a restart.

use nano_core::{Account, UnixMillis};
use serde::{Deserialize, Serialize};

/// No count comes near this.
const MOST: u64 = 1 << 48;

/// Where a round stands. The counts are of this round, and stay until the next one begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// Whole rounds done.
    pub round: u64,
    /// The key to go on from; `None` = all keys are passed.
    pub next: Option<Account>,
    /// Accounts found in the share.
    pub listed: u64,
    /// Of these, proven and kept.
    pub kept: u64,
    /// Of these, without any confirmed block.
    pub absent: u64,
    /// Of these, given up in this round, for whatever reason.
    pub missing: u64,
    /// Of the missing, proven, but not kept by the node, which has no room for them.
    pub no_room: u64,
    /// Of these, waiting for another try.
    pub again: Vec<Account>,
    /// Coverage of the last whole round, parts per million.
    pub last_round: Option<u64>,
    /// When the next round begins; zero while one is under way.
    pub not_before: UnixMillis,
}

impl Default for Progress {
    /// The begin of the first round.
    fn default() -> Self {
        Self {
            round: 0,
            next: Some(Account::ZERO),
            listed: 0,
            kept: 0,
            absent: 0,
            missing: 0,
            no_room: 0,
            again: Vec::new(),
            last_round: None,
            not_before: UnixMillis(0),
        }
    }
}

impl Progress {
    /// For the database.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// From the database; what cannot be read begins anew, which loses only time.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self::read(bytes).unwrap_or_default()
    }

    /// The same; `None` for what cannot be read, or counts more than there can be.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let progress: Self = serde_json::from_slice(bytes).ok()?;
        let counts = [
            progress.round,
            progress.listed,
            progress.kept,
            progress.absent,
            progress.missing,
            progress.no_room,
            progress.last_round.unwrap_or_default(),
        ];
        let possible = counts.iter().all(|count| *count <= MOST);
        possible.then_some(progress)
    }
}
