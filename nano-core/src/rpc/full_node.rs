//! A full node's answer passed on: in the C++ node's spelling, what can be checked checked, and labelled.

use serde_json::{Map, Value, json};

use super::block;
use super::label::Label;
use super::{Refusal, Request};

/// Makes the answer of what a full node said to a request that it alone can answer.
///
/// # Errors
/// The full node's own refusal, and an answer about another block than asked for.
pub fn from_full_node(request: &Request, said: &Value) -> Result<Value, Refusal> {
    let Value::Object(said) = said else {
        return Err(Refusal::new("Empty response"));
    };
    if let Some(reason) = said.get("error").and_then(Value::as_str) {
        return Err(Refusal::new(reason));
    }
    let mut fields = said.clone();
    let label = match request.action() {
        "block_info" => block::info(request.text("hash")?, &mut fields)?,
        "blocks_info" => block::infos(&mut fields)?,
        _ => Label::unverified(),
    };
    spell_empty(&mut fields);
    let mut all = Value::Object(fields);
    spell_work(&mut all);
    let Value::Object(fields) = all else {
        return Err(Refusal::new("Empty response"));
    };
    Ok(label.on(fields))
}

/// The C++ node writes empty lists and objects as empty text.
fn spell_empty(fields: &mut Map<String, Value>) {
    for value in fields.values_mut() {
        let is_empty = match &*value {
            Value::Array(list) => list.is_empty(),
            Value::Object(object) => object.is_empty(),
            _ => false,
        };
        if is_empty {
            *value = json!("");
        }
    }
}

/// The C++ node writes work and difficulties in lower case.
pub(super) fn spell_work(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match (name.as_str(), &mut *value) {
                    ("work" | "active_difficulty", Value::String(text)) => {
                        text.make_ascii_lowercase()
                    }
                    (name, Value::String(text))
                        if name.starts_with("network_") && text.len() == 16 =>
                    {
                        text.make_ascii_lowercase();
                    }
                    _ => spell_work(value),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(spell_work),
        _ => {}
    }
}
