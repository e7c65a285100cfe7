//! What can go wrong when a development node starts.

use std::net::SocketAddr;
use std::path::PathBuf;

/// Why a node did not start or connect. Nothing on disk has changed unless the variant says so.
#[derive(Debug, thiserror::Error)]
pub enum DevNodeError {
    /// A listening address could not be taken.
    #[error("cannot listen for {purpose} on {address}: {source}; choose another address or port")]
    Listen {
        /// `peers`, `RPC` or `WebSocket`.
        purpose: &'static str,
        /// The address asked for.
        address: SocketAddr,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The data folder cannot be made or read.
    #[error("cannot use {path} as data folder: {source}; choose a folder that can be written")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file in the data folder is no ledger of this program.
    #[error(
        "{path} is not a development ledger ({reason}); nothing was changed, choose another folder"
    )]
    ForeignDatabase {
        /// The file.
        path: PathBuf,
        /// What shows it.
        reason: String,
    },
    /// The ledger file is damaged.
    #[error(
        "the ledger {path} is damaged ({reason}); nothing was changed, restore or delete the file"
    )]
    CorruptDatabase {
        /// The file.
        path: PathBuf,
        /// What shows it.
        reason: String,
    },
    /// Another node has the ledger open.
    #[error("the ledger {path} is in use by another node; stop that one or choose another folder")]
    DatabaseInUse {
        /// The file.
        path: PathBuf,
    },
    /// SQLite failed while the ledger was created or read.
    #[error("the database {path} failed: {source}")]
    Database {
        /// The file.
        path: PathBuf,
        /// SQLite's reason.
        source: rusqlite::Error,
    },
    /// The built-in distribution broke a ledger rule: a fault of this program.
    #[error("the built-in distribution does not fit the ledger rules: {0}; please report this")]
    Distribution(crate::ProcessError),
    /// The system gave no random bytes for the node id.
    #[error("the system gave no random bytes: {0}")]
    Entropy(getrandom::Error),
}
