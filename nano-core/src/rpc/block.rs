//! What a full node says about a block, checked as far as its hash goes.

use serde_json::{Map, Value};

use super::Refusal;
use super::label::Label;
use crate::{Block, BlockHash};

const OTHER: &str = "The full node answered with another block than asked for";

/// Checks `block_info`: the contents hash to what was asked for, and what they say is said beside them, too.
pub(super) fn info(asked: &str, fields: &mut Map<String, Value>) -> Result<Label, Refusal> {
    let block = contents(fields).ok_or_else(|| Refusal::new(OTHER))?;
    let asked: BlockHash = asked.parse().map_err(|_| Refusal::new(OTHER))?;
    if block.hash() != asked {
        return Err(Refusal::new(OTHER));
    }
    let holds = |name: &str, value: Option<String>| match (fields.get(name), value) {
        (Some(Value::String(said)), Some(own)) => *said == own,
        _ => false,
    };
    let mut checked = vec!["contents"];
    let own = [
        ("block_account", block.account().map(|own| own.to_string())),
        ("balance", block.balance().map(|own| own.to_string())),
    ];
    for (name, value) in own {
        if value.is_some() && fields.contains_key(name) {
            if !holds(name, value) {
                return Err(Refusal::new(OTHER));
            }
            checked.push(name);
        }
    }
    let unverified = fields
        .keys()
        .filter(|name| !checked.contains(&name.as_str()));
    Ok(Label {
        unverified: unverified.cloned().collect(),
        ..Label::verified(None)
    })
}

/// Checks each block of `blocks_info`.
pub(super) fn infos(fields: &mut Map<String, Value>) -> Result<Label, Refusal> {
    let mut unverified = Vec::new();
    if let Some(Value::Object(blocks)) = fields.get_mut("blocks") {
        for (hash, block) in blocks {
            let Value::Object(block) = block else {
                return Err(Refusal::new(OTHER));
            };
            for name in info(hash, block)?.unverified {
                if !unverified.contains(&name) {
                    unverified.push(name);
                }
            }
        }
    }
    Ok(Label {
        unverified,
        ..Label::verified(None)
    })
}

/// The block, which comes as an object or as text with one in it.
fn contents(fields: &Map<String, Value>) -> Option<Block> {
    match fields.get("contents")? {
        Value::String(text) => Block::from_json_text(text).ok(),
        value => Block::from_json(value).ok(),
    }
}
