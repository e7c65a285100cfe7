//! The one field that a full node's answer does not have: what of it was verified.

use serde_json::{Map, Value, json};

use crate::{Account, UnixMillis};

/// Its name.
pub const LABEL: &str = "nanonet";

/// What of an answer was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Whether all fields but `unverified` were.
    pub verified: bool,
    /// Fields that are only somebody's word.
    pub unverified: Vec<String>,
    /// Accounts of which an anchor bridge stated that they have no block; there is no proof of that.
    pub unopened: Vec<Account>,
    /// When anchor bridges last saw the state, the oldest of several.
    pub as_of: Option<UnixMillis>,
}

impl Label {
    /// Everything was verified, or follows from the request alone.
    #[must_use]
    pub const fn verified(as_of: Option<UnixMillis>) -> Self {
        Self {
            verified: true,
            unverified: Vec::new(),
            unopened: Vec::new(),
            as_of,
        }
    }

    /// A full node's word.
    #[must_use]
    pub const fn unverified() -> Self {
        Self {
            verified: false,
            unverified: Vec::new(),
            unopened: Vec::new(),
            as_of: None,
        }
    }

    /// The answer of these fields with the label.
    pub(super) fn on(self, mut fields: Map<String, Value>) -> Value {
        let mut label = Map::new();
        label.insert("verified".to_owned(), json!(self.verified));
        if !self.unverified.is_empty() {
            label.insert("unverified".to_owned(), json!(self.unverified));
        }
        if !self.unopened.is_empty() {
            label.insert("unopened".to_owned(), json!(self.unopened));
        }
        if let Some(as_of) = self.as_of {
            label.insert("as_of".to_owned(), json!(as_of.number().to_string()));
        }
        fields.insert(LABEL.to_owned(), Value::Object(label));
        Value::Object(fields)
    }
}
