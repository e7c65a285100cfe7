//! Records and sightings as values inside messages.

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{AccountRecord, ReceivableRecord, Record};
use crate::Sighting;

/// Inside messages a value travels as its own binary form, so that there is one form only and the
/// message codec cannot be made to allocate for a count that a sender claims.
macro_rules! serde_as_bytes {
    ($($name:ty),+) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let bytes = self.to_bytes();
                if bytes.is_empty() {
                    return Err(S::Error::custom("the record's proof is beyond its limits"));
                }
                serializer.serialize_bytes(&bytes)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let bytes = <&[u8]>::deserialize(deserializer)?;
                Self::from_bytes(bytes).map_err(D::Error::custom)
            }
        }
    )+};
}

serde_as_bytes!(AccountRecord, ReceivableRecord, Record, Sighting);
