//! `process`: taking a block from a client.

use nano_core::{Block, BlockKind, Raw, StateBlock};
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

/// Compares what the client believes the block does with what it would do.
fn check_subtype(ledger: &Ledger, state: &StateBlock, subtype: &str) -> Result<(), Refusal> {
    let wrong_balance = || Refusal::new("Invalid block balance for given subtype");
    let wrong_previous = || Refusal::new("Invalid previous block for given subtype");
    let previous_balance = ledger.entry(&state.previous).map(|entry| entry.balance);
    if !state.previous.is_zero() && previous_balance.is_none() {
        // The ledger will answer with the gap.
        return Ok(());
    }
    let before = previous_balance.unwrap_or(Raw::ZERO);
    let is_first = state.previous.is_zero();
    match subtype {
        "send" => {
            if state.balance >= before {
                return Err(wrong_balance());
            }
        }
        "receive" => {
            if state.balance <= before {
                return Err(wrong_balance());
            }
            if is_first {
                return Err(wrong_previous());
            }
        }
        "open" => {
            if !is_first {
                return Err(wrong_previous());
            }
        }
        "change" => {
            if state.balance != before {
                return Err(wrong_balance());
            }
            if is_first {
                return Err(wrong_previous());
            }
        }
        "epoch" => {
            if state.balance != before {
                return Err(wrong_balance());
            }
            if !matches!(state.kind(before), BlockKind::Epoch(_)) {
                return Err(Refusal::new("Invalid epoch link"));
            }
        }
        _ => return Err(Refusal::new("Invalid block subtype")),
    }
    Ok(())
}
