//! Bytes inside messages: as such, and as records that are read only when needed.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Record, RecordError};

/// Bytes in a message, moved as a whole instead of one by one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&[u8]>::deserialize(deserializer).map(|bytes| Self(bytes.to_vec()))
    }
}

/// A record in its binary form. A message stays readable if a record in it is not, so that the
/// one who brought it is refused by the record's own reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Packed(Bytes);

impl Packed {
    /// The binary form of a record.
    pub(crate) fn new(record: &Record) -> Self {
        Self::from_bytes(record.to_bytes())
    }

    /// Bytes that may be a record.
    pub(crate) const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(Bytes(bytes))
    }

    /// Its bytes.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0.0
    }

    /// The record, if the bytes are one.
    pub(crate) fn open(&self) -> Result<Record, RecordError> {
        Record::from_bytes(self.as_bytes())
    }
}
