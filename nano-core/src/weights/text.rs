//! The JSON form of weight tables, and the serde forms made of it and of the binary one.
//!
//! ```json
//! {"network": "live", "as_of": 1739750400000, "online_weight": "0",
//!  "minimum": "60000000000000000000000000000000000000",
//!  "weights": {"nano_37im…": "14317221601782257940265246844477761608"}}
//! ```
//!
//! `as_of` is milliseconds since 1970-01-01 UTC, weights are raw. Unknown fields and repeated
//! accounts are refused: in a trust anchor nothing is skipped silently.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{WeightTable, WeightTableError};
use crate::blob::deserialize_blob;
use crate::{Account, Network, Raw, UnixMillis};

#[derive(Serialize)]
struct Written<'a> {
    network: Network,
    as_of: UnixMillis,
    online_weight: Raw,
    minimum: Raw,
    weights: &'a BTreeMap<Account, Raw>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    network: Network,
    as_of: UnixMillis,
    online_weight: Raw,
    minimum: Raw,
    #[serde(deserialize_with = "read_weights")]
    weights: BTreeMap<Account, Raw>,
}

fn read_weights<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<Account, Raw>, D::Error> {
    deserializer.deserialize_map(WeightsVisitor)
}

struct WeightsVisitor;

impl<'de> Visitor<'de> for WeightsVisitor {
    type Value = BTreeMap<Account, Raw>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object from addresses to weights in raw")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut weights = BTreeMap::new();
        while let Some((account, weight)) = map.next_entry::<Account, Raw>()? {
            if weights.len() == WeightTable::MAX_ENTRIES {
                return Err(A::Error::custom(WeightTableError::TooManyEntries));
            }
            if weights.insert(account, weight).is_some() {
                return Err(A::Error::custom(WeightTableError::Order(account)));
            }
        }
        Ok(weights)
    }
}

impl WeightTable {
    /// The JSON form: one object, with line breaks, for people to read.
    ///
    /// # Errors
    /// As [`WeightTable::to_bytes`].
    pub fn to_json(&self) -> Result<String, WeightTableError> {
        self.clone().checked()?;
        serde_json::to_string_pretty(&self.written())
            .map_err(|error| WeightTableError::Json(error.to_string()))
    }

    /// Reads the JSON form, of at most [`WeightTable::MAX_JSON_BYTES`].
    ///
    /// # Errors
    /// [`WeightTableError::Json`] with the place and reason, or the limit that is exceeded.
    pub fn from_json(text: &str) -> Result<Self, WeightTableError> {
        if text.len() > Self::MAX_JSON_BYTES {
            return Err(WeightTableError::Json(format!(
                "{} bytes of text, of which at most {} are read",
                text.len(),
                Self::MAX_JSON_BYTES
            )));
        }
        let read: Read = serde_json::from_str(text)
            .map_err(|error| WeightTableError::Json(error.to_string()))?;
        Self::from(read).checked()
    }

    const fn written(&self) -> Written<'_> {
        Written {
            network: self.network,
            as_of: self.as_of,
            online_weight: self.online_weight,
            minimum: self.minimum,
            weights: &self.weights,
        }
    }
}

impl From<Read> for WeightTable {
    fn from(read: Read) -> Self {
        Self {
            network: read.network,
            as_of: read.as_of,
            online_weight: read.online_weight,
            minimum: read.minimum,
            weights: read.weights,
        }
    }
}

impl Serialize for WeightTable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return self.written().serialize(serializer);
        }
        serializer.serialize_bytes(&self.to_bytes().map_err(S::Error::custom)?)
    }
}

impl<'de> Deserialize<'de> for WeightTable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let table = Self::from(Read::deserialize(deserializer)?);
            return table.checked().map_err(D::Error::custom);
        }
        deserialize_blob(
            deserializer,
            "the bytes of a weight table",
            Self::from_bytes,
        )
    }
}
