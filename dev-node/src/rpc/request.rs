//! Reading the fields of a request: numbers and booleans are strings; the C++ node takes them bare
//! too.

use nano_core::{Account, BlockHash, Raw};
use serde_json::{Map, Value};

use crate::Dialect;

/// Most elements of an array in a request. Full nodes have no limit; this one has.
const MAX_ELEMENTS: usize = 4096;

/// A refusal, with the text for the client.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) text: String,
    /// Whether the request itself cannot be read, whatever the ledger holds.
    pub(crate) is_unreadable: bool,
}

impl Refusal {
    /// A request that is understood and has no answer.
    pub(crate) fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            is_unreadable: false,
        }
    }

    /// A request that cannot be read.
    pub(crate) fn unreadable(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            is_unreadable: true,
        }
    }

    fn missing(field: &str) -> Self {
        Self::unreadable(format!("Missing or malformed field: {field}"))
    }
}

/// A request's JSON object.
#[derive(Debug)]
pub(crate) struct Request {
    fields: Map<String, Value>,
    dialect: Dialect,
}

impl Request {
    /// Reads the body of a request.
    pub(crate) fn parse(body: &[u8], dialect: Dialect) -> Result<Self, Refusal> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => {
                let bare = |value: &Value| value.is_boolean() || value.is_number();
                match fields.iter().find(|(_, value)| bare(value)) {
                    Some((field, value)) if dialect == Dialect::Rs => Err(Refusal::unreadable(
                        format!("invalid type: {value} for {field}, expected a string"),
                    )),
                    _ => Ok(Self { fields, dialect }),
                }
            }
            _ => Err(Refusal::unreadable("Unable to parse JSON")),
        }
    }

    pub(crate) const fn dialect(&self) -> Dialect {
        self.dialect
    }

    pub(crate) fn get(&self, field: &str) -> Option<&Value> {
        self.fields.get(field)
    }

    pub(crate) fn text(&self, field: &str) -> Result<&str, Refusal> {
        self.optional_text(field)
            .ok_or_else(|| Refusal::missing(field))
    }

    pub(crate) fn optional_text(&self, field: &str) -> Option<&str> {
        self.fields.get(field)?.as_str()
    }

    /// A boolean, as such or as text; `default` when absent.
    pub(crate) fn flag_or(&self, field: &str, default: bool) -> bool {
        match self.fields.get(field) {
            Some(Value::Bool(value)) => *value,
            Some(Value::String(text)) => text == "true" || text == "1",
            _ => default,
        }
    }

    pub(crate) fn flag(&self, field: &str) -> bool {
        self.flag_or(field, false)
    }

    /// A count; `None` when absent or negative, which means all (where that can be read).
    pub(crate) fn count(&self, field: &str) -> Result<Option<usize>, Refusal> {
        let number = match self.fields.get(field) {
            None => return Ok(None),
            Some(Value::String(text)) => text.parse().ok(),
            Some(value) => value.as_i64(),
        };
        let number: i64 = number
            .filter(|number| *number >= 0 || self.dialect == Dialect::Cpp)
            .ok_or_else(|| Refusal::unreadable("Invalid count limit"))?;
        Ok(usize::try_from(number).ok())
    }

    pub(crate) fn account(&self, field: &str) -> Result<Account, Refusal> {
        parse_account(self.text(field)?)
    }

    pub(crate) fn hash(&self, field: &str) -> Result<BlockHash, Refusal> {
        parse_hash(self.text(field)?)
    }

    pub(crate) fn optional_hash(&self, field: &str) -> Result<Option<BlockHash>, Refusal> {
        self.optional_text(field).map(parse_hash).transpose()
    }

    pub(crate) fn optional_amount(&self, field: &str) -> Result<Option<Raw>, Refusal> {
        let Some(text) = self.optional_text(field) else {
            return Ok(None);
        };
        let amount = text
            .parse()
            .map_err(|_| Refusal::unreadable("Bad amount number"))?;
        Ok(Some(amount))
    }

    /// An array of texts.
    pub(crate) fn texts(&self, field: &str) -> Result<Vec<&str>, Refusal> {
        let values = self
            .fields
            .get(field)
            .and_then(Value::as_array)
            .ok_or_else(|| Refusal::missing(field))?;
        if values.len() > MAX_ELEMENTS {
            return Err(Refusal::unreadable(format!(
                "At most {MAX_ELEMENTS} entries in {field}"
            )));
        }
        values
            .iter()
            .map(|value| value.as_str().ok_or_else(|| Refusal::missing(field)))
            .collect()
    }
}

pub(crate) fn parse_account(text: &str) -> Result<Account, Refusal> {
    text.parse()
        .map_err(|_| Refusal::unreadable("Bad account number"))
}

pub(crate) fn parse_hash(text: &str) -> Result<BlockHash, Refusal> {
    text.parse()
        .map_err(|_| Refusal::unreadable("Invalid block hash"))
}
