//! Actions that need no ledger: versions, work, keys, hashes, addresses.

use std::sync::Arc;

use nano_core::{
    Account, Difficulty, NanoSeed, PrivateKey, PublicKey, Root, WorkNonce,
    message::PROTOCOL_VERSION,
};
use serde_json::{Map, Value, json};

use super::process::read_block;
use super::request::{Refusal, Request};
use crate::Dialect;
use crate::ledger::Ledger;
use crate::node::Shared;
use crate::work;

/// Hardest work this node searches for: seconds, not hours.
const MAX_DIFFICULTY: Difficulty = Difficulty::new(0xffff_ff00_0000_0000);

/// What this program calls itself towards clients and peers.
pub(crate) const VENDOR: &str = concat!("Nanonet dev-node ", env!("CARGO_PKG_VERSION"));

pub(super) fn version() -> Value {
    json!({
        "rpc_version": "1",
        "store_version": "24",
        "protocol_version": PROTOCOL_VERSION.to_string(),
        "node_vendor": VENDOR,
        "store_vendor": format!("SQLite {}", rusqlite::version()),
        "network": Ledger::NETWORK.name(),
        "network_identifier": Ledger::NETWORK.genesis_hash(),
        "build_info": VENDOR,
    })
}

pub(super) fn active_difficulty(request: &Request) -> Value {
    let thresholds = Ledger::NETWORK.work_thresholds();
    let mut fields = Map::from_iter([
        ("deprecated".to_owned(), json!("1")),
        ("network_minimum".to_owned(), json!(thresholds.epoch_2_send)),
        (
            "network_receive_minimum".to_owned(),
            json!(thresholds.epoch_2_receive),
        ),
        ("network_current".to_owned(), json!(thresholds.epoch_2_send)),
        (
            "network_receive_current".to_owned(),
            json!(thresholds.epoch_2_receive),
        ),
        ("multiplier".to_owned(), json!("1")),
    ]);
    if request.flag("include_trend") {
        fields.insert("difficulty_trend".to_owned(), json!(["1"]));
    }
    Value::Object(fields)
}

pub(super) async fn work_generate(
    shared: &Arc<Shared>,
    request: &Request,
) -> Result<Value, Refusal> {
    let root: Root = root(request)?;
    let needed = difficulty(request)?.unwrap_or_else(base);
    if needed > MAX_DIFFICULTY {
        return Err(Refusal::new(
            "Difficulty above config limit or below publish threshold",
        ));
    }
    let _turn = shared.work_turn().await;
    let stop = shared.stop_mark();
    let nonce = tokio::task::spawn_blocking(move || work::find(&root, needed, &stop))
        .await
        .ok()
        .flatten()
        .ok_or_else(|| Refusal::new("Cancelled"))?;
    let reached = nonce.difficulty(&root);
    Ok(json!({
        "work": nonce,
        "difficulty": shared.dialect().difficulty(reached),
        "multiplier": reached.multiplier(base()).to_string(),
        "hash": root,
    }))
}

pub(super) fn work_validate(request: &Request) -> Result<Value, Refusal> {
    let root: Root = root(request)?;
    let work: WorkNonce = request
        .text("work")?
        .parse()
        .map_err(|_| Refusal::new("Bad work"))?;
    let thresholds = Ledger::NETWORK.work_thresholds();
    let reached = work.difficulty(&root);
    let bit = |valid: bool| if valid { "1" } else { "0" };
    let mut fields = Map::from_iter([
        (
            "valid_all".to_owned(),
            json!(bit(reached >= thresholds.epoch_2_send)),
        ),
        (
            "valid_receive".to_owned(),
            json!(bit(reached >= thresholds.epoch_2_receive)),
        ),
        (
            "difficulty".to_owned(),
            request.dialect().difficulty(reached),
        ),
        (
            "multiplier".to_owned(),
            json!(reached.multiplier(base()).to_string()),
        ),
    ]);
    if let Some(needed) = difficulty(request)? {
        fields.insert("valid".to_owned(), json!(bit(reached >= needed)));
    } else if request.dialect() == Dialect::Rs {
        fields.insert("valid".to_owned(), Value::Null);
    }
    Ok(Value::Object(fields))
}

pub(super) fn deterministic_key(request: &Request) -> Result<Value, Refusal> {
    let seed = NanoSeed::from_hex(request.text("seed")?).map_err(|_| Refusal::new("Bad seed"))?;
    let index = request
        .count("index")?
        .and_then(|index| u32::try_from(index).ok())
        .ok_or_else(|| Refusal::new("Invalid index"))?;
    Ok(key_fields(&seed.private_key(index)))
}

pub(super) fn key_expand(request: &Request) -> Result<Value, Refusal> {
    let key =
        PrivateKey::from_hex(request.text("key")?).map_err(|_| Refusal::new("Bad private key"))?;
    Ok(key_fields(&key))
}

fn key_fields(key: &PrivateKey) -> Value {
    json!({
        "private": hex::encode_upper(key.secret_bytes()),
        "public": key.public_key(),
        "account": key.account(),
    })
}

pub(super) fn block_hash(request: &Request) -> Result<Value, Refusal> {
    Ok(json!({ "hash": read_block(request)?.hash() }))
}

pub(super) fn validate_account_number(request: &Request) -> Result<Value, Refusal> {
    let valid = request.text("account")?.parse::<Account>().is_ok();
    Ok(json!({ "valid": if valid { "1" } else { "0" } }))
}

pub(super) fn account_key(request: &Request) -> Result<Value, Refusal> {
    Ok(json!({ "key": request.account("account")?.public_key() }))
}

pub(super) fn account_get(request: &Request) -> Result<Value, Refusal> {
    let key: PublicKey = request
        .text("key")?
        .parse()
        .map_err(|_| Refusal::new("Bad public key"))?;
    Ok(json!({ "account": Account::from(key) }))
}

/// What multipliers are relative to.
const fn base() -> Difficulty {
    Ledger::NETWORK.work_thresholds().epoch_2_send
}

fn root(request: &Request) -> Result<Root, Refusal> {
    let text = request.text("hash")?;
    text.parse()
        .map_err(|_| Refusal::unreadable("Invalid block hash"))
}

/// The difficulty a request names, itself or as a multiplier; `None` when it names none.
fn difficulty(request: &Request) -> Result<Option<Difficulty>, Refusal> {
    if let Some(text) = request.optional_text("multiplier") {
        let multiplied = text
            .parse()
            .ok()
            .and_then(|multiplier| base().multiplied(multiplier));
        return multiplied
            .map(Some)
            .ok_or_else(|| Refusal::new("Bad multiplier"));
    }
    request
        .optional_text("difficulty")
        .map(|text| text.parse().map_err(|_| Refusal::new("Bad difficulty")))
        .transpose()
}
