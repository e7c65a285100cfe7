//! The answers of a full node's RPC, read.
//!
//! Numbers come as decimal texts. "Nothing" is an empty array, an empty object or an empty text,
//! depending on the node and the question; lists of sends are arrays of hashes, or objects with
//! the hashes as names.

use std::collections::BTreeMap;
use std::str::FromStr;

use nano_core::{Account, Block, BlockHash, Raw, WeightTable};
use serde_json::{Map, Value};

/// Most sends read for one account: a node that gives more than was asked is cut off there.
pub(crate) const MAX_SENDS: usize = 1_024;

/// What is wrong with an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// Not JSON at all.
    #[error("it is not JSON")]
    NotJson,
    /// A field is missing or of another kind.
    #[error("the field {0} is missing or of another kind")]
    Field(&'static str),
    /// A text in a field cannot be read.
    #[error("the field {0} cannot be read")]
    Value(&'static str),
    /// More entries than can be meant.
    #[error("the field {0} has too many entries")]
    TooMany(&'static str),
    /// Another block than the one asked for.
    #[error("it is another block than was asked for")]
    OtherBlock,
}

/// What decides a vote, as the node sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quorum {
    /// Weight seen voting lately.
    pub online: Raw,
    /// The same over a longer time; zero where the node does not say.
    pub trended: Raw,
    /// The least the quorum is computed from.
    pub minimum: Raw,
}

impl Quorum {
    /// The weight nodes compute the quorum from: the larger one.
    #[must_use]
    pub fn online_weight(&self) -> Raw {
        self.online.max(self.trended)
    }
}

/// Reads the body of any answer.
///
/// # Errors
/// [`ReplyError::NotJson`].
pub fn json(body: &[u8]) -> Result<Value, ReplyError> {
    serde_json::from_slice(body).map_err(|_| ReplyError::NotJson)
}

/// Reads `confirmation_quorum`.
///
/// # Errors
/// What is wrong with it.
pub fn quorum(value: &Value) -> Result<Quorum, ReplyError> {
    let trended = match value.get("trended_stake_total") {
        Some(_) => parse(value, "trended_stake_total")?,
        None => Raw::ZERO,
    };
    Ok(Quorum {
        online: parse(value, "online_stake_total")?,
        trended,
        minimum: parse(value, "online_weight_minimum")?,
    })
}

/// Reads the genesis block out of `version`.
///
/// # Errors
/// What is wrong with it.
pub fn genesis(value: &Value) -> Result<BlockHash, ReplyError> {
    parse(value, "network_identifier")
}

/// Reads `representatives`; those without weight are left out.
///
/// # Errors
/// What is wrong with it.
pub fn representatives(value: &Value) -> Result<BTreeMap<Account, Raw>, ReplyError> {
    let listed = pairs::<Account, Raw>(value, "representatives")?;
    if listed.len() > WeightTable::MAX_ENTRIES {
        return Err(ReplyError::TooMany("representatives"));
    }
    let mut listed = listed;
    listed.retain(|_, weight| !weight.is_zero());
    Ok(listed)
}

/// Reads `accounts_frontiers`. The C++ node leaves `frontiers` out where no account has one, and
/// names the accounts in `errors`.
///
/// # Errors
/// What is wrong with it.
pub fn frontiers(value: &Value) -> Result<BTreeMap<Account, BlockHash>, ReplyError> {
    if value.get("frontiers").is_none() && value.get("errors").is_some_and(Value::is_object) {
        return Ok(BTreeMap::new());
    }
    pairs(value, "frontiers")
}

/// Reads `receivable` in any of its forms.
///
/// # Errors
/// What is wrong with it.
pub fn receivable(value: &Value) -> Result<Vec<BlockHash>, ReplyError> {
    sends(value.get("blocks").ok_or(ReplyError::Field("blocks"))?)
}

/// Reads `accounts_receivable` in any of its forms.
///
/// # Errors
/// What is wrong with it.
pub fn accounts_receivable(value: &Value) -> Result<BTreeMap<Account, Vec<BlockHash>>, ReplyError> {
    let listed = object(value, "blocks")?;
    let read = |(account, list): (&String, &Value)| Ok((text(account, "blocks")?, sends(list)?));
    listed.into_iter().flatten().map(read).collect()
}

/// Reads `block_info`, whose `contents` is an object or, from old nodes, a text with one in it.
///
/// # Errors
/// What is wrong with it.
pub fn block(value: &Value, asked: BlockHash) -> Result<Block, ReplyError> {
    let contents = value.get("contents").ok_or(ReplyError::Field("contents"))?;
    let read = match contents {
        Value::String(json) => Block::from_json_text(json),
        other => Block::from_json(other),
    };
    let block = read.map_err(|_| ReplyError::Value("contents"))?;
    if block.hash() == asked {
        Ok(block)
    } else {
        Err(ReplyError::OtherBlock)
    }
}

/// Hashes in an array, or as the names of an object; an empty text is none.
fn sends(list: &Value) -> Result<Vec<BlockHash>, ReplyError> {
    let hash = |value: &str| text(value, "blocks");
    match list {
        Value::String(empty) if empty.is_empty() => Ok(Vec::new()),
        Value::Array(hashes) => hashes
            .iter()
            .take(MAX_SENDS)
            .map(|value| hash(value.as_str().ok_or(ReplyError::Field("blocks"))?))
            .collect(),
        Value::Object(named) => {
            // The order of names says nothing: the largest amount goes first.
            let mut sends = Vec::new();
            for (name, what) in named.iter().take(MAX_SENDS) {
                let amount = what.get("amount").unwrap_or(what);
                let amount: Raw = text(
                    amount.as_str().ok_or(ReplyError::Field("amount"))?,
                    "amount",
                )?;
                sends.push((amount, hash(name)?));
            }
            sends.sort_by_key(|(amount, _)| std::cmp::Reverse(*amount));
            Ok(sends.into_iter().map(|(_, hash)| hash).collect())
        }
        _ => Err(ReplyError::Field("blocks")),
    }
}

fn pairs<K: FromStr + Ord, V: FromStr>(
    value: &Value,
    field: &'static str,
) -> Result<BTreeMap<K, V>, ReplyError> {
    let read = |(name, value): (&String, &Value)| {
        let value = value.as_str().ok_or(ReplyError::Field(field))?;
        Ok((text(name, field)?, text(value, field)?))
    };
    let listed = object(value, field)?;
    listed.into_iter().flatten().map(read).collect()
}

/// The object in a field; `None` for the empty text that some nodes give instead.
fn object<'a>(
    value: &'a Value,
    field: &'static str,
) -> Result<Option<&'a Map<String, Value>>, ReplyError> {
    match value.get(field) {
        Some(Value::Object(map)) => Ok(Some(map)),
        Some(Value::String(empty)) if empty.is_empty() => Ok(None),
        Some(Value::Array(empty)) if empty.is_empty() => Ok(None),
        _ => Err(ReplyError::Field(field)),
    }
}

fn parse<T: FromStr>(value: &Value, field: &'static str) -> Result<T, ReplyError> {
    let value = value.get(field).and_then(Value::as_str);
    text(value.ok_or(ReplyError::Field(field))?, field)
}

fn text<T: FromStr>(value: &str, field: &'static str) -> Result<T, ReplyError> {
    value.parse().map_err(|_| ReplyError::Value(field))
}

#[cfg(test)]
#[path = "reply_tests.rs"]
mod tests;
