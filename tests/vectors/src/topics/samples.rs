//! What RPC and WebSocket samples share: every account, amount, block and work value in them must
//! be read, and written again as it stands.

use nano_core::{Account, Block, BlockType, Difficulty, PublicKey, Raw, Signature, WorkNonce};
use serde_json::{Map, Value};

use crate::report::Checks;

/// Fields that hold amounts in raw.
const AMOUNTS: [&str; 14] = [
    "amount",
    "available",
    "balance",
    "final",
    "online_stake_total",
    "online_weight_minimum",
    "peers_stake_total",
    "pending",
    "quorum_delta",
    "receivable",
    "tally",
    "threshold",
    "trended_stake_total",
    "weight",
];

/// How much was found; a kind that is never found would mean that its checks prove nothing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) accounts: u32,
    pub(super) node_ids: u32,
    pub(super) amounts: u32,
    pub(super) blocks: u32,
    pub(super) work: u32,
}

impl Found {
    /// Fails for each kind that is still missing.
    pub(super) fn check(&self, checks: &mut Checks) {
        checks.holds("found accounts", self.accounts > 0);
        checks.holds("found node ids", self.node_ids > 0);
        checks.holds("found amounts", self.amounts > 0);
        checks.holds("found blocks", self.blocks > 0);
        checks.holds("found work", self.work > 0);
    }

    /// Looks at a value and everything inside it; `field` is the name it has in its object.
    pub(super) fn walk(&mut self, checks: &mut Checks, field: &str, value: &Value) {
        match value {
            Value::Object(object) => self.object(checks, object),
            Value::Array(values) => {
                for value in values {
                    self.walk(checks, field, value);
                }
            }
            Value::String(text) => self.text(checks, field, text),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn object(&mut self, checks: &mut Checks, object: &Map<String, Value>) {
        let is_block = is_block(object);
        if is_block {
            self.blocks += 1;
            check_block(checks, object);
        }
        for (name, value) in object {
            if name.starts_with("nano_") {
                self.text(checks, "", name);
            }
            // The one amount in hex: a legacy send's balance, read as part of its block.
            if is_block && name == "balance" {
                continue;
            }
            self.walk(checks, name, value);
        }
    }

    fn text(&mut self, checks: &mut Checks, field: &str, text: &str) {
        if text.starts_with("nano_") {
            self.accounts += 1;
            let account = text.parse::<Account>().map(|account| account.to_string());
            checks.equal("account", account, Ok(text.to_owned()));
        } else if text.starts_with("node_") {
            self.node_ids += 1;
            let id = PublicKey::from_node_id_text(text).map(|id| id.to_node_id_text());
            checks.equal("node id", id, Ok(text.to_owned()));
        } else if AMOUNTS.contains(&field) && text != "true" {
            self.amounts += 1;
            let amount = text.parse::<Raw>().map(|amount| amount.to_string());
            checks.equal(field, amount, Ok(text.to_owned()));
        } else if field == "work" {
            self.work += 1;
            let work = text.parse::<WorkNonce>().map(|work| work.to_string());
            checks.equal("work", work, Ok(text.to_lowercase()));
        } else if field == "active_difficulty" {
            let difficulty = text.parse::<Difficulty>().map(|found| found.to_string());
            checks.equal("difficulty", difficulty, Ok(text.to_lowercase()));
        } else if field == "signature" {
            let signature = text.parse::<Signature>().map(|found| found.to_string());
            checks.equal("signature", signature, Ok(text.to_owned()));
        }
    }
}

/// Blocks have a type and a signature; so have entries of histories, which are something else.
fn is_block(object: &Map<String, Value>) -> bool {
    object
        .get("type")
        .and_then(Value::as_str)
        .and_then(BlockType::from_name)
        .is_some()
        && object.contains_key("signature")
        && !object.contains_key("local_timestamp")
}

fn check_block(checks: &mut Checks, object: &Map<String, Value>) {
    let Some(block) = checks.ok("block", Block::from_json(&Value::Object(object.clone()))) else {
        return;
    };
    let written = block.to_json();
    for (name, value) in object.iter().filter(|(name, _)| *name != "subtype") {
        let lower = |value: &Value| value.as_str().map(str::to_lowercase);
        checks.equal(name, lower(&written[name]), lower(value));
    }
    checks.equal("written again", Block::from_json(&written), Ok(block));
    let bytes = block.serialized();
    let parsed = Block::parse(block.block_type(), &bytes);
    checks.equal("from bytes", parsed, Ok(block));
}

/// Checks that `block` has the hash that the sample names for it.
pub(super) fn check_hash(checks: &mut Checks, block: &Value, hash: &Value) -> Option<Block> {
    let block = checks.ok("block", Block::from_json(block))?;
    checks.equal(
        "hash",
        Some(block.hash().to_string().as_str()),
        hash.as_str(),
    );
    Some(block)
}
