//! Actions about sends that were not received yet.

use nano_core::{Account, BlockHash, Raw};
use serde_json::{Map, Value, json};

use super::request::{Refusal, Request, parse_account};
use crate::Dialect;
use crate::ledger::{Ledger, ReceivableInfo};
use crate::node::Shared;

/// What a client asked to see of receivable sends.
struct Options {
    count: usize,
    threshold: Option<Raw>,
    source: bool,
    min_version: bool,
    sorting: bool,
    only_confirmed: bool,
}

impl Options {
    fn read(request: &Request) -> Result<Self, Refusal> {
        Ok(Self {
            count: request.count("count")?.unwrap_or(usize::MAX),
            threshold: request.optional_amount("threshold")?,
            source: request.flag("source"),
            min_version: request.flag("min_version"),
            sorting: request.flag("sorting"),
            only_confirmed: request.flag_or("include_only_confirmed", true),
        })
    }

    fn list(&self, ledger: &Ledger, account: &Account) -> Value {
        let least = self.threshold.unwrap_or(Raw::ZERO);
        let mut sends: Vec<(BlockHash, &ReceivableInfo)> = ledger
            .receivable_of(account)
            .filter(|(hash, info)| {
                info.amount >= least && (!self.only_confirmed || ledger.is_confirmed(hash))
            })
            .collect();
        if self.sorting {
            sends.sort_by_key(|(_, info)| std::cmp::Reverse(info.amount));
        }
        sends.truncate(self.count);
        if self.source || self.min_version {
            let describe = |info: &ReceivableInfo| {
                let mut fields = Map::from_iter([("amount".to_owned(), json!(info.amount))]);
                if self.source {
                    fields.insert("source".to_owned(), json!(info.source));
                }
                if self.min_version {
                    let version = info.epoch_number().to_string();
                    fields.insert("min_version".to_owned(), Value::String(version));
                }
                Value::Object(fields)
            };
            object(sends, describe)
        } else if self.threshold.is_some() {
            object(sends, |info| json!(info.amount))
        } else {
            sends.into_iter().map(|(hash, _)| json!(hash)).collect()
        }
    }
}

fn object(
    sends: Vec<(BlockHash, &ReceivableInfo)>,
    describe: impl Fn(&ReceivableInfo) -> Value,
) -> Value {
    let fields = sends
        .into_iter()
        .map(|(hash, info)| (hash.to_string(), describe(info)));
    Value::Object(fields.collect())
}

pub(super) fn one(shared: &Shared, request: &Request) -> Result<Value, Refusal> {
    let account = request.account("account")?;
    let options = Options::read(request)?;
    let list = options.list(shared.engine().ledger(), &account);
    // The C++ node writes any empty list so.
    let blocks = if is_empty(&list) && request.dialect() == Dialect::Cpp {
        json!("")
    } else {
        list
    };
    Ok(json!({ "blocks": blocks }))
}

fn is_empty(list: &Value) -> bool {
    match list {
        Value::Array(hashes) => hashes.is_empty(),
        Value::Object(sends) => sends.is_empty(),
        _ => true,
    }
}

pub(super) fn many(shared: &Shared, request: &Request) -> Result<Value, Refusal> {
    let options = Options::read(request)?;
    let engine = shared.engine();
    let mut blocks = Map::new();
    for text in request.texts("accounts")? {
        let list = options.list(engine.ledger(), &parse_account(text)?);
        if !is_empty(&list) {
            blocks.insert(text.to_owned(), list);
        }
    }
    if blocks.is_empty() && request.dialect() == Dialect::Cpp {
        return Ok(json!({ "blocks": "" }));
    }
    Ok(json!({ "blocks": blocks }))
}

pub(super) fn exists(shared: &Shared, request: &Request) -> Result<Value, Refusal> {
    let hash = request.hash("hash")?;
    let only_confirmed = request.flag_or("include_only_confirmed", true);
    let engine = shared.engine();
    let ledger = engine.ledger();
    let entry = ledger
        .entry(&hash)
        .ok_or_else(|| Refusal::new("Block not found"))?;
    let exists = entry
        .destination()
        .is_some_and(|destination| ledger.receivable(&destination, &hash).is_some())
        && (!only_confirmed || ledger.is_confirmed(&hash));
    Ok(json!({ "exists": if exists { "1" } else { "0" } }))
}
