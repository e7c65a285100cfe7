//! What nodes keep and pass on: proven frontiers of accounts, and proven sends to them.
//!
//! A record is a proof with what helps its reader: an [`AccountRecord`] carries, besides the proof
//! of the frontier, the blocks that lead to it (the *lineage*, so that a holder of an older
//! frontier sees that it is older) and bridges' [`Sighting`](crate::Sighting)s (so that the reader
//! knows how current it is). A [`ReceivableRecord`] is the proof of one send, kept under its
//! destination.
//!
//! Decoding checks form and limits only; nothing in a decoded record is true before
//! [`Slice::offer`](crate::slice::Slice::offer) or the proof's own check has said so.
//!
//! Binary form, for the wire and inside stored entries (numbers most significant byte first):
//!
//! ```text
//! version (1) = 1
//! kind (1) = 1 account, 2 receivable
//! proof length (2), proof in the form of nano-core
//! account only: lineage count (1), each block as its type (1) and its fields
//!               sighting count (1), each sighting (fixed length)
//! ```
//!
//! Memory: a decoder reads at most [`MAX_RECORD_BYTES`] bytes and allocates in proportion to the
//! bytes that are really there, never to a count that they claim.

mod account;
mod error;
mod form;
mod in_messages;
mod receivable;
#[cfg(test)]
mod tests;

use nano_core::{Account, BlockHash};

pub use account::AccountRecord;
pub use error::RecordError;
pub use receivable::ReceivableRecord;

use form::{KIND_ACCOUNT, KIND_RECEIVABLE, close, open};

/// Longest record in bytes: room for the longest proof (60 KiB), and with what a message puts
/// around it still within a query of 64 KiB.
pub const MAX_RECORD_BYTES: usize = 62 * 1024;

/// Most blocks in a lineage.
pub const MAX_LINEAGE: usize = 64;

/// Most sightings in a record.
pub const MAX_SIGHTINGS: usize = 4;

/// Either kind of record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A frontier.
    Account(Box<AccountRecord>),
    /// A send.
    Receivable(Box<ReceivableRecord>),
}

impl Record {
    /// Under which account it is kept.
    #[must_use]
    pub fn account(&self) -> Account {
        match self {
            Self::Account(record) => record.account(),
            Self::Receivable(record) => record.destination(),
        }
    }

    /// Its identity: the hash of the frontier or of the send.
    #[must_use]
    pub fn hash(&self) -> BlockHash {
        match self {
            Self::Account(record) => record.hash(),
            Self::Receivable(record) => record.hash(),
        }
    }

    /// The binary form; empty under the condition of [`AccountRecord::to_bytes`].
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Account(record) => record.to_bytes(),
            Self::Receivable(record) => record.to_bytes(),
        }
    }

    /// Reads [`Record::to_bytes`]; nothing is verified.
    ///
    /// # Errors
    /// [`RecordError`] for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        let (kind, mut reader) = open(bytes)?;
        let record = match kind {
            KIND_ACCOUNT => Self::Account(Box::new(AccountRecord::read(&mut reader)?)),
            KIND_RECEIVABLE => Self::Receivable(Box::new(ReceivableRecord::read(&mut reader)?)),
            kind => return Err(RecordError::Kind { kind }),
        };
        close(&reader)?;
        Ok(record)
    }
}
