//! Actions about blocks.

use nano_core::{Block, BlockHash};
use serde_json::{Map, Value, json};

use super::request::{Refusal, Request, parse_hash};
use crate::engine::Engine;
use crate::ledger::Entry;
use crate::node::{Shared, now};

const NOT_FOUND: &str = "Block not found";

pub(super) fn info(shared: &Shared, request: &Request) -> Result<Value, Refusal> {
    let hash = request.hash("hash")?;
    let engine = shared.engine();
    let entry = engine
        .ledger()
        .entry(&hash)
        .ok_or_else(|| Refusal::new(NOT_FOUND))?;
    let mut fields = describe(&engine, &hash, entry, request.flag("json_block"));
    if request.flag("include_linked_account") {
        let linked = engine.linked_account(entry);
        let linked = linked.map_or_else(|| "0".to_owned(), |account| account.to_string());
        fields.insert("linked_account".to_owned(), Value::String(linked));
    }
    Ok(Value::Object(fields))
}

pub(super) fn infos(shared: &Shared, request: &Request) -> Result<Value, Refusal> {
    let engine = shared.engine();
    let ledger = engine.ledger();
    let json_block = request.flag("json_block");
    let with_missing = request.flag("include_not_found");
    let mut blocks = Map::new();
    let mut missing = Vec::new();
    for text in request.texts("hashes")? {
        let hash = parse_hash(text)?;
        let Some(entry) = ledger.entry(&hash) else {
            if !with_missing {
                return Err(Refusal::new(NOT_FOUND));
            }
            missing.push(json!(hash));
            continue;
        };
        let mut fields = describe(&engine, &hash, entry, json_block);
        let mut put = |name: &str, value: String| {
            fields.insert(name.to_owned(), Value::String(value));
        };
        if request.flag("receivable") || request.flag("pending") {
            let waits = entry
                .destination()
                .is_some_and(|to| ledger.receivable(&to, &hash).is_some());
            let waits = if waits { "1" } else { "0" };
            put("receivable", waits.to_owned());
            put("pending", waits.to_owned());
        }
        if request.flag("source") {
            let sender = entry.source().and_then(|source| ledger.entry(&source));
            let sender = sender.map_or_else(|| "0".to_owned(), |send| send.account.to_string());
            put("source_account", sender);
        }
        if request.flag("receive_hash") {
            let receive = ledger.received_by(&hash).unwrap_or_default();
            put("receive_hash", receive.to_string());
        }
        blocks.insert(hash.to_string(), Value::Object(fields));
    }
    let mut fields = Map::from_iter([("blocks".to_owned(), Value::Object(blocks))]);
    if with_missing {
        fields.insert("blocks_not_found".to_owned(), Value::Array(missing));
    }
    Ok(Value::Object(fields))
}

pub(super) fn confirm(shared: &Shared, request: &Request) -> Result<Value, Refusal> {
    let hash = request.hash("hash")?;
    if shared.engine().request_confirmation(&hash, now()) {
        shared.wake();
        Ok(json!({ "started": "1" }))
    } else {
        Err(Refusal::new(NOT_FOUND))
    }
}

pub(super) fn count(shared: &Shared) -> Value {
    let engine = shared.engine();
    json!({
        "count": engine.ledger().block_count().to_string(),
        "unchecked": engine.unchecked_count().to_string(),
        "cemented": engine.ledger().cemented_count().to_string(),
    })
}

fn describe(
    engine: &Engine,
    hash: &BlockHash,
    entry: &Entry,
    json_block: bool,
) -> Map<String, Value> {
    let confirmed = engine.ledger().is_confirmed(hash);
    let contents = if json_block {
        entry.block.to_json()
    } else {
        let text = serde_json::to_string_pretty(&entry.block.to_json());
        Value::String(text.unwrap_or_default())
    };
    let mut fields = Map::from_iter([
        ("block_account".to_owned(), json!(entry.account)),
        ("amount".to_owned(), json!(entry.amount)),
        ("balance".to_owned(), json!(entry.balance)),
        ("height".to_owned(), json!(entry.height.to_string())),
        (
            "local_timestamp".to_owned(),
            json!(entry.local_timestamp.to_string()),
        ),
        (
            "successor".to_owned(),
            json!(entry.successor.unwrap_or_default()),
        ),
        ("confirmed".to_owned(), json!(confirmed.to_string())),
        ("contents".to_owned(), contents),
    ]);
    if matches!(entry.block, Block::State(_)) {
        fields.insert("subtype".to_owned(), json!(entry.subtype()));
    }
    fields
}
