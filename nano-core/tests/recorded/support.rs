//! Reading the recorded vectors of `tests/vectors/data`.

use serde_json::Value;

/// The JSON of `tests/vectors/data/NAME/NAME.json`.
pub(crate) fn vectors(name: &str) -> Value {
    let path = format!(
        "{}/../tests/vectors/data/{name}/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap()
}

/// A string field.
pub(crate) fn text<'a>(row: &'a Value, field: &str) -> &'a str {
    row[field]
        .as_str()
        .unwrap_or_else(|| panic!("{field} of {row}"))
}

/// A field of hex digits, as bytes.
pub(crate) fn bytes(row: &Value, field: &str) -> Vec<u8> {
    hex::decode(text(row, field)).unwrap()
}
