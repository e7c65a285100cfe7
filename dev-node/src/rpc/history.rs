//! `account_history`.

use nano_core::{Account, Block, BlockHash, BlockKind};
use serde_json::{Map, Value, json};

use super::request::{Refusal, Request, parse_account};
use crate::ledger::{Entry, Ledger};
use crate::node::Shared;

pub(super) fn history(shared: &Shared, request: &Request) -> Result<Value, Refusal> {
    let engine = shared.engine();
    let ledger = engine.ledger();
    let reverse = request.flag("reverse");
    let raw = request.flag("raw");
    let count = request.count("count")?.unwrap_or(usize::MAX);
    let offset = request.count("offset")?.unwrap_or(0);
    let filter = match request.get("account_filter") {
        Some(_) => Some(
            request
                .texts("account_filter")?
                .into_iter()
                .map(parse_account)
                .collect::<Result<Vec<Account>, Refusal>>()?,
        ),
        None => None,
    };
    let (account, start) = start(ledger, request, reverse)?;
    let mut history = Vec::new();
    let mut next = start;
    let mut skip = offset;
    while history.len() < count {
        let Some((hash, entry)) = next.and_then(|hash| Some((hash, ledger.entry(&hash)?))) else {
            break;
        };
        let linked = engine.linked_account(entry);
        let wanted = filter
            .as_ref()
            .is_none_or(|filter| linked.is_some_and(|linked| filter.contains(&linked)));
        if let Some(fields) = wanted
            .then(|| row(ledger, &hash, entry, linked, raw))
            .flatten()
        {
            if skip > 0 {
                skip -= 1;
            } else {
                history.push(Value::Object(fields));
            }
        }
        next = if reverse {
            entry.successor
        } else {
            entry.block.previous()
        };
    }
    let mut fields = Map::from_iter([
        ("account".to_owned(), json!(account)),
        ("history".to_owned(), Value::Array(history)),
    ]);
    if let Some(next) = next {
        let name = if reverse { "next" } else { "previous" };
        fields.insert(name.to_owned(), json!(next));
    }
    Ok(Value::Object(fields))
}

/// The account, and the block to begin with.
fn start(
    ledger: &Ledger,
    request: &Request,
    reverse: bool,
) -> Result<(Account, Option<BlockHash>), Refusal> {
    if let Some(head) = request.optional_hash("head")? {
        let entry = ledger
            .entry(&head)
            .ok_or_else(|| Refusal::new("Block not found"))?;
        return Ok((entry.account, Some(head)));
    }
    let account = request.account("account")?;
    let start = ledger
        .account(&account)
        .map(|info| if reverse { info.open_block } else { info.head });
    Ok((account, start))
}

/// One line of the history; `None` for blocks that a history without `raw` leaves out.
fn row(
    ledger: &Ledger,
    hash: &BlockHash,
    entry: &Entry,
    linked: Option<Account>,
    raw: bool,
) -> Option<Map<String, Value>> {
    let moves = matches!(
        entry.kind,
        BlockKind::Open | BlockKind::Receive | BlockKind::Send
    );
    if !raw && !moves {
        return None;
    }
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| {
        fields.insert(name.to_owned(), value);
    };
    put("local_timestamp", json!(entry.local_timestamp.to_string()));
    put("height", json!(entry.height.to_string()));
    put("hash", json!(hash));
    put("confirmed", json!(ledger.is_confirmed(hash).to_string()));
    if moves {
        // The genesis block has no sender: full nodes name the genesis account itself.
        put("account", json!(linked.unwrap_or(entry.account)));
        put("amount", json!(entry.amount));
    }
    if raw {
        let Value::Object(block) = entry.block.to_json() else {
            return None;
        };
        // `account` above is the other side; `link_as_account` says the same again.
        for (name, value) in block {
            if name != "account" && name != "link_as_account" {
                put(&name, value);
            }
        }
        if matches!(entry.block, Block::State(_)) {
            put("subtype", json!(entry.subtype()));
        }
        if matches!(entry.block, Block::Open(_)) {
            put("opened", json!(entry.account));
        }
    } else {
        put("type", json!(entry.subtype()));
    }
    Some(fields)
}
