//! `process`: taking a block from a client.

use nano_core::{Block, StateBlock};
use serde_json::{Value, json};

use super::request::{Refusal, Request};
use crate::ledger::Ledger;
use crate::node::Shared;

pub(super) fn process(shared: &Shared, request: &Request) -> Result<Value, Refusal> {
    let block = read_block(request)?;
    if !Ledger::passes_entry_work(&block) {
        return Err(Refusal::new("Block work is less than threshold"));
    }
    if let (Some(subtype), Block::State(state)) = (request.optional_text("subtype"), &block) {
        check_subtype(shared.engine().ledger(), state, subtype)?;
    }
    // `force` lets a full node replace an unconfirmed fork. Here the vote alone decides, so it
    // changes nothing; `async` answers before the ledger has looked.
    let is_async = request.flag("async");
    match shared.submit(block) {
        _ if is_async => Ok(json!({ "started": "1" })),
        Ok(hash) => Ok(json!({ "hash": hash })),
        Err(reason) => Err(Refusal::new(reason.rpc_text())),
    }
}

/// The block of a request: an object, or a text that holds one.
pub(super) fn read_block(request: &Request) -> Result<Block, Refusal> {
    let invalid = |_| Refusal::new("Block is invalid");
    match request.get("block") {
        Some(Value::String(text)) => Block::from_json_text(text).map_err(invalid),
        Some(value) => Block::from_json(value).map_err(invalid),
        None => Err(Refusal::new("Block is invalid")),
    }
}

/// Compares what the client believes the block does with what it would do to the account as it is
/// now. The order and the leniency are the full node's.
fn check_subtype(ledger: &Ledger, state: &StateBlock, subtype: &str) -> Result<(), Refusal> {
    let is_first = state.previous.is_zero();
    if !is_first && !ledger.contains(&state.previous) {
        return Err(Refusal::new("Gap previous block"));
    }
    let balance = ledger.balance(&state.account);
    let (is_balance_right, is_previous_right) = match subtype {
        "send" => (state.balance < balance, true),
        "receive" => (state.balance >= balance, true),
        "open" => (true, is_first),
        "change" => (state.balance == balance, !is_first),
        "epoch" => (state.balance == balance, true),
        _ => return Err(Refusal::new("Invalid block subtype")),
    };
    if !is_balance_right {
        return Err(Refusal::new("Invalid block balance for given subtype"));
    }
    if !is_previous_right {
        return Err(Refusal::new("Invalid previous block for given subtype"));
    }
    if subtype == "epoch" && state.link.epoch().is_none() {
        return Err(Refusal::new("Invalid epoch link"));
    }
    Ok(())
}
