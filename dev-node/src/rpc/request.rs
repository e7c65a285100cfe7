//! Reading the fields of a request: numbers and booleans may be strings, as full nodes allow.

use nano_core::{Account, BlockHash, Raw};
use serde_json::{Map, Value};

/// Most elements of an array in a request. Full nodes have no limit; this one has.
const MAX_ELEMENTS: usize = 4096;

/// A refusal, with the text for the client.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal(pub(crate) String);

impl Refusal {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    fn missing(field: &str) -> Self {
        Self(format!("Missing or malformed field: {field}"))
    }
}

/// A request's JSON object.
#[derive(Debug)]
pub(crate) struct Request(Map<String, Value>);

impl Request {
    /// Reads the body of a request.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, Refusal> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            _ => Err(Refusal::new("Unable to parse JSON")),
        }
    }

    pub(crate) fn get(&self, field: &str) -> Option<&Value> {
        self.0.get(field)
    }

    pub(crate) fn text(&self, field: &str) -> Result<&str, Refusal> {
        self.optional_text(field)
            .ok_or_else(|| Refusal::missing(field))
    }

    pub(crate) fn optional_text(&self, field: &str) -> Option<&str> {
        self.0.get(field)?.as_str()
    }

    /// A boolean, as such or as text; `default` when absent.
    pub(crate) fn flag_or(&self, field: &str, default: bool) -> bool {
        match self.0.get(field) {
            Some(Value::Bool(value)) => *value,
            Some(Value::String(text)) => text == "true" || text == "1",
            _ => default,
        }
    }

    pub(crate) fn flag(&self, field: &str) -> bool {
        self.flag_or(field, false)
    }

    /// A count; `None` when absent or negative, which means all.
    pub(crate) fn count(&self, field: &str) -> Result<Option<usize>, Refusal> {
        let number = match self.0.get(field) {
            None => return Ok(None),
            Some(Value::String(text)) => text.parse().ok(),
            Some(value) => value.as_i64(),
        };
        let number: i64 = number.ok_or_else(|| Refusal::new("Invalid count limit"))?;
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
            .map_err(|_| Refusal::new("Bad amount number"))?;
        Ok(Some(amount))
    }

    /// An array of texts.
    pub(crate) fn texts(&self, field: &str) -> Result<Vec<&str>, Refusal> {
        let values = self
            .0
            .get(field)
            .and_then(Value::as_array)
            .ok_or_else(|| Refusal::missing(field))?;
        if values.len() > MAX_ELEMENTS {
            return Err(Refusal(format!(
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
    text.parse().map_err(|_| Refusal::new("Bad account number"))
}

pub(crate) fn parse_hash(text: &str) -> Result<BlockHash, Refusal> {
    text.parse().map_err(|_| Refusal::new("Invalid block hash"))
}
