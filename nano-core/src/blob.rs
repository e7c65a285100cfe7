//! Serde for values that have a binary form of their own: inside other binary messages they are
//! one byte string, in exactly that form.

use core::fmt;

use serde::Deserializer;
use serde::de::{Error, Visitor};

/// Reads a byte string and decodes it; `expected` is said when something else stands there.
pub(crate) fn deserialize_blob<'de, T, E, D>(
    deserializer: D,
    expected: &'static str,
    decode: fn(&[u8]) -> Result<T, E>,
) -> Result<T, D::Error>
where
    E: fmt::Display,
    D: Deserializer<'de>,
{
    deserializer.deserialize_bytes(BlobVisitor { expected, decode })
}

struct BlobVisitor<T, E> {
    expected: &'static str,
    decode: fn(&[u8]) -> Result<T, E>,
}

impl<T, E: fmt::Display> Visitor<'_> for BlobVisitor<T, E> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.expected)
    }

    fn visit_bytes<F: Error>(self, bytes: &[u8]) -> Result<T, F> {
        (self.decode)(bytes).map_err(F::custom)
    }
}
