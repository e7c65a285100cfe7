//! The durable slice: opaque bytes under names, in any key-value store of the shell.

use nano_core::{Account, BlockHash};

/// Name of one durable entry. The shell keeps entries in any key-value store under
/// [`StoreKey::to_text`] and hands all of them back in [`Input::Loaded`](crate::Input::Loaded) at
/// the next start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StoreKey {
    /// The record of an account.
    Account(Account),
    /// The record of a send to `destination`.
    Receivable {
        /// Who may receive it.
        destination: Account,
        /// Hash of the send block.
        hash: BlockHash,
    },
    /// A block of the person's own that is not yet proven confirmed.
    Pending(BlockHash),
}

impl StoreKey {
    /// The key as text: `account/<64 hex>`, `receivable/<64 hex>/<64 hex>` (destination, hash) or
    /// `pending/<64 hex>`. Sorts by kind and account.
    #[must_use]
    pub fn to_text(&self) -> String {
        match self {
            Self::Account(account) => format!("account/{}", account.public_key()),
            Self::Receivable { destination, hash } => {
                format!("receivable/{}/{hash}", destination.public_key())
            }
            Self::Pending(hash) => format!("pending/{hash}"),
        }
    }

    /// Reads what [`StoreKey::to_text`] wrote; `None` for anything else.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once('/')?;
        Some(match kind {
            "account" => Self::Account(Account::from_hex(rest).ok()?),
            "receivable" => {
                let (destination, hash) = rest.split_once('/')?;
                Self::Receivable {
                    destination: Account::from_hex(destination).ok()?,
                    hash: hash.parse().ok()?,
                }
            }
            "pending" => Self::Pending(rest.parse().ok()?),
            _ => return None,
        })
    }
}

/// A change of the durable slice; applied in the order given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreOp {
    /// Keep `bytes` under `key`, replacing what was there.
    Put {
        /// Where.
        key: StoreKey,
        /// What; opaque to the shell.
        bytes: Vec<u8>,
    },
    /// Forget `key`; nothing happens if it is absent.
    Remove {
        /// Where.
        key: StoreKey,
    },
}

/// What the shell read from storage; the node decodes and verifies it again and removes what
/// does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntry {
    /// Where it was kept.
    pub key: StoreKey,
    /// What was kept.
    pub bytes: Vec<u8>,
}
