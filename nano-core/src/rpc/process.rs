//! `process`: a client's block, looked at as a full node looks at it.

use serde_json::{Map, Value, json};

use super::label::Label;
use super::{Head, Refusal, Request};
use crate::{Block, BlockHash, Network, Raw, StateBlock};

/// The block of a request: an object, or a text that holds one.
pub(super) fn read(request: &Request) -> Result<Block, Refusal> {
    let invalid = |_| Refusal::new("Block is invalid");
    match request.get("block") {
        Some(Value::String(text)) => Block::from_json_text(text).map_err(invalid),
        Some(value) => Block::from_json(value).map_err(invalid),
        None => Err(Refusal::unreadable()),
    }
}

/// The same request as every full node takes it.
pub(super) fn question(request: &Request) -> Result<Value, Refusal> {
    let mut fields = Map::from_iter([
        ("action".to_owned(), json!("process")),
        ("json_block".to_owned(), json!("true")),
        ("block".to_owned(), read(request)?.to_json()),
    ]);
    if let Some(subtype) = request.optional_text("subtype") {
        fields.insert("subtype".to_owned(), json!(subtype));
    }
    Ok(Value::Object(fields))
}

/// Looks at a block before it is published, as far as that goes without the ledger: its work, whether it does what
/// the request says, whether it has this place already, its signature. `head` is the account's newest block as far
/// as known: the proven one, or a pending one of one's own on top of it.
///
/// # Errors
/// The text of the full node's refusal, in its order.
pub fn check(
    network: Network,
    request: &Request,
    block: &Block,
    head: Option<Head>,
) -> Result<(), Refusal> {
    let thresholds = network.work_thresholds();
    if block.work().difficulty(&block.root()) < thresholds.entry_of(block) {
        return Err(Refusal::new("Block work is less than threshold"));
    }
    let Block::State(state) = block else {
        return Err(Refusal::new("Block is invalid"));
    };
    let before = head.map_or(Raw::ZERO, |head| head.balance);
    if let Some(subtype) = request.optional_text("subtype") {
        check_subtype(state, before, subtype)?;
    }
    if head.is_some_and(|head| head.frontier == block.hash()) {
        return Err(Refusal::new("Old block"));
    }
    if state.previous == head.map_or(BlockHash::ZERO, |head| head.frontier) {
        let signer = state.signer(network, before);
        block
            .verify(&signer)
            .map_err(|_| Refusal::new("Bad signature"))?;
    } else if state.previous.is_zero() {
        return Err(Refusal::new("Fork"));
    }
    Ok(())
}

/// Compares what the client believes the block does with what it would do to the account as it is now.
fn check_subtype(state: &StateBlock, before: Raw, subtype: &str) -> Result<(), Refusal> {
    let is_first = state.previous.is_zero();
    let (is_balance_right, is_previous_right) = match subtype {
        "send" => (state.balance < before, true),
        "receive" => (state.balance >= before, true),
        "open" => (true, is_first),
        "change" => (state.balance == before, !is_first),
        "epoch" => (state.balance == before, true),
        _ => return Err(Refusal::new("Invalid block subtype")),
    };
    if !is_balance_right {
        return Err(Refusal::new("Invalid block balance for given subtype"));
    }
    if !is_previous_right {
        return Err(Refusal::new("Invalid previous block for given subtype"));
    }
    Ok(())
}

/// The answer once the block is on its way.
#[must_use]
pub fn processed(block: &Block) -> Value {
    let hash = ("hash".to_owned(), json!(block.hash()));
    Label::verified(None).on(Map::from_iter([hash]))
}
