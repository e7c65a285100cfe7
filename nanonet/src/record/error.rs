//! Why bytes are not a record.

use nano_core::proof::ProofError;

use super::MAX_RECORD_BYTES;
use super::form::VERSION;

/// Why bytes are not a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Longer than any record.
    #[error("the record has {length} bytes, at most {MAX_RECORD_BYTES} are read; drop it")]
    TooLong {
        /// Bytes given.
        length: usize,
    },
    /// Another version of the form.
    #[error(
        "the record has version {version}, this node reads version {VERSION}; update the older side"
    )]
    Version {
        /// Version given.
        version: u8,
    },
    /// Neither account nor receivable, or not the kind asked for.
    #[error("the record is of kind {kind}, which does not belong here; drop it")]
    Kind {
        /// Kind given.
        kind: u8,
    },
    /// Bytes missing or left over, or a field with an impossible value.
    #[error("the record is cut short, too long inside, or has an impossible {field}; drop it")]
    Malformed {
        /// Which field.
        field: &'static str,
    },
    /// More blocks or sightings than allowed.
    #[error("the record carries {count} of {field}, more than allowed; drop it")]
    TooMany {
        /// Which field.
        field: &'static str,
        /// How many it says there are.
        count: usize,
    },
    /// The proof inside cannot be read.
    #[error("the proof inside the record cannot be read: {0}")]
    Proof(ProofError),
}

impl RecordError {
    /// Kebab-case code for counters and logs.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::TooLong { .. } | Self::TooMany { .. } => "too-large",
            Self::Version { .. } => "unknown-version",
            Self::Kind { .. } | Self::Malformed { .. } => "malformed",
            Self::Proof(error) => error.reason(),
        }
    }
}
