//! Where notifications outlive their process: one trait for SQLite, IndexedDB and memory.
//!
//! A store keeps opaque bytes under relay addresses. What they mean the [`super::Keeper`] knows: it holds
//! what is in the store in memory besides, reads everything once at the start and hands out changes; a shell
//! applies them and tells how that went before anybody is promised anything.

use std::collections::BTreeMap;

use super::address::RelayAddress;

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Of what.
    pub address: RelayAddress,
    /// What is kept from now on; `None`: nothing.
    pub value: Option<Vec<u8>>,
}

/// Why a store failed. The changes were not applied, not even in part.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreFault {
    /// No room on the disk.
    #[error(
        "the disk of the notifications is full ({0}); nothing new is promised until there is room, and everything promised is kept"
    )]
    Full(String),
    /// The disk cannot be written.
    #[error(
        "the notifications cannot be written, only read ({0}); make the file and its folder writable and start again"
    )]
    ReadOnly(String),
    /// The file is damaged.
    #[error(
        "the notifications' file is damaged ({0}); put back a copy, or move it away: other relays then bring back what was promised"
    )]
    Damaged(String),
    /// A newer program wrote it.
    #[error(
        "the notifications' file has version {found}, this program knows {known}; run the newer one"
    )]
    Newer {
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// Anything else that the system said.
    #[error("the notifications could not be stored: {0}")]
    Failed(String),
}

impl StoreFault {
    /// Kebab-case name, for metrics.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Full(_) => "disk-full",
            Self::ReadOnly(_) => "read-only",
            Self::Damaged(_) => "damaged",
            Self::Newer { .. } => "newer",
            Self::Failed(_) => "failed",
        }
    }
}

/// A durable map from relay addresses to bytes.
#[allow(
    async_fn_in_trait,
    reason = "each shell drives its own store on its own thread; nothing asks for Send"
)]
pub trait Store {
    /// Everything kept, in the order of addresses.
    ///
    /// # Errors
    /// Why it cannot be read; nothing is changed by that.
    async fn load(&mut self) -> Result<Vec<(RelayAddress, Vec<u8>)>, StoreFault>;

    /// Applies changes in order, all or none. On return they outlive a crash of the process and of the
    /// machine.
    ///
    /// # Errors
    /// Why none was applied.
    async fn apply(&mut self, changes: &[Change]) -> Result<(), StoreFault>;
}

/// A store that forgets everything at the end, for tests.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    kept: BTreeMap<RelayAddress, Vec<u8>>,
    /// What every change fails with.
    pub broken: Option<StoreFault>,
}

impl Store for Memory {
    async fn load(&mut self) -> Result<Vec<(RelayAddress, Vec<u8>)>, StoreFault> {
        let kept = self.kept.iter();
        Ok(kept
            .map(|(address, bytes)| (*address, bytes.clone()))
            .collect())
    }

    async fn apply(&mut self, changes: &[Change]) -> Result<(), StoreFault> {
        if let Some(fault) = &self.broken {
            return Err(fault.clone());
        }
        for change in changes {
            match &change.value {
                Some(bytes) => drop(self.kept.insert(change.address, bytes.clone())),
                None => drop(self.kept.remove(&change.address)),
            }
        }
        Ok(())
    }
}
