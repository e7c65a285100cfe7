//! Reading the fields of a request: numbers and booleans may be text, as the C++ node takes them.

use serde_json::{Map, Value, json};

use crate::{Account, BlockHash, Raw};

/// Most elements of an array in a request. Full nodes have no limit; each element here is a question to the nanonet.
pub const MAX_ELEMENTS: usize = 128;

/// A request that is not answered, with the text that a full node gives.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String);

impl Refusal {
    /// The C++ node's text for anything it cannot read as a request.
    pub const UNREADABLE: &'static str = "Unable to parse JSON";
    /// Its text for an account without blocks.
    pub const ACCOUNT_NOT_FOUND: &'static str = "Account not found";
    /// Its text for an account number with a mistake.
    pub const BAD_ACCOUNT: &'static str = "Bad account number";
    /// Its text for an unknown block.
    pub const BLOCK_NOT_FOUND: &'static str = "Block not found";

    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(super) fn unreadable() -> Self {
        Self::new(Self::UNREADABLE)
    }

    /// The answer that says so.
    #[must_use]
    pub fn answer(&self) -> Value {
        json!({ "error": self.0 })
    }
}

/// A request's JSON object.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    fields: Map<String, Value>,
}

impl Request {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// The text for a body that is no JSON object with an `action`.
    pub fn parse(body: &[u8]) -> Result<Self, Refusal> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) if fields.get("action").is_some_and(Value::is_string) => {
                Ok(Self { fields })
            }
            _ => Err(Refusal::unreadable()),
        }
    }

    /// What is asked for.
    #[must_use]
    pub fn action(&self) -> &str {
        self.optional_text("action").unwrap_or_default()
    }

    /// The request as every full node takes it: numbers and booleans as text.
    pub(super) fn spelled_for_full_nodes(&self) -> Map<String, Value> {
        let spell = |(name, value): (&String, &Value)| {
            let value = match value {
                Value::Bool(_) | Value::Number(_) => Value::String(value.to_string()),
                other => other.clone(),
            };
            (name.clone(), value)
        };
        let ours = |(name, _): &(&String, &Value)| name.as_str() != "fresh";
        self.fields.iter().filter(ours).map(spell).collect()
    }

    pub(super) fn get(&self, field: &str) -> Option<&Value> {
        self.fields.get(field)
    }

    pub(super) fn optional_text(&self, field: &str) -> Option<&str> {
        self.fields.get(field)?.as_str()
    }

    pub(super) fn text(&self, field: &str) -> Result<&str, Refusal> {
        self.optional_text(field).ok_or_else(Refusal::unreadable)
    }

    /// A boolean, as such or as text; `default` when absent or neither.
    pub(super) fn flag_or(&self, field: &str, default: bool) -> bool {
        match self.fields.get(field) {
            Some(Value::Bool(value)) => *value,
            Some(Value::String(text)) => match text.as_str() {
                "true" | "1" => true,
                "false" | "0" => false,
                _ => default,
            },
            _ => default,
        }
    }

    pub(super) fn flag(&self, field: &str) -> bool {
        self.flag_or(field, false)
    }

    /// Whether bridges shall ask the full nodes anew, which they shall unless the request says `"fresh": "false"`.
    #[must_use]
    pub fn wants_fresh(&self) -> bool {
        self.flag_or("fresh", true)
    }

    /// How many entries are wanted; all when absent or negative.
    pub(super) fn count(&self) -> Result<usize, Refusal> {
        let number: Option<i128> = match self.fields.get("count") {
            None => return Ok(usize::MAX),
            Some(Value::String(text)) => text.parse().ok(),
            Some(value) => value.as_i64().map(Into::into),
        };
        let number = number.ok_or_else(|| Refusal::new("Invalid count"))?;
        Ok(usize::try_from(number).unwrap_or(usize::MAX))
    }

    pub(super) fn threshold(&self) -> Result<Raw, Refusal> {
        let amount = match self.fields.get("threshold") {
            None => Some(Raw::ZERO),
            Some(Value::String(text)) => text.parse().ok(),
            Some(value) => value.as_u64().map(|number| Raw::new(number.into())),
        };
        amount.ok_or_else(|| Refusal::new("Bad threshold number"))
    }

    pub(super) fn account(&self) -> Result<Account, Refusal> {
        parse_account(self.text("account")?)
    }

    pub(super) fn hash(&self) -> Result<BlockHash, Refusal> {
        let text = self.text("hash")?;
        text.parse().map_err(|_| Refusal::new("Invalid block hash"))
    }

    /// An array of texts, at most [`MAX_ELEMENTS`].
    pub(super) fn texts(&self, field: &str) -> Result<Vec<&str>, Refusal> {
        let values = self.fields.get(field).and_then(Value::as_array);
        let values = values.ok_or_else(Refusal::unreadable)?;
        if values.len() > MAX_ELEMENTS {
            return Err(Refusal(format!(
                "At most {MAX_ELEMENTS} entries in {field}; ask in several requests"
            )));
        }
        values
            .iter()
            .map(|value| value.as_str().ok_or_else(Refusal::unreadable))
            .collect()
    }
}

pub(super) fn parse_account(text: &str) -> Result<Account, Refusal> {
    text.parse().map_err(|_| Refusal::new(Refusal::BAD_ACCOUNT))
}
