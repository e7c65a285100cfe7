//! The frames by topic, in the full node's words.

use std::net::SocketAddr;

use nano_core::message::Telemetry;
use nano_core::{Block, BlockHash, Vote};
use serde_json::{Map, Value, json};

use super::client::ConfirmationOptions;
use crate::Dialect;
use crate::events::{AddedBlock, Confirmation, ConfirmationCause, ElectionSummary, VoteOutcome};
use crate::node::now;
use crate::rpc;

/// The full node's word for why a block was confirmed.
pub(super) const fn confirmation_type(cause: &ConfirmationCause) -> &'static str {
    match cause {
        ConfirmationCause::Quorum(_) => "active_quorum",
        ConfirmationCause::Height => "active_confirmation_height",
    }
}

pub(super) fn confirmation(
    confirmation: &Confirmation,
    options: &ConfirmationOptions,
    dialect: Dialect,
) -> String {
    let entry = &confirmation.entry;
    let mut fields = Map::from_iter([
        ("account".to_owned(), json!(entry.account)),
        ("amount".to_owned(), json!(entry.amount)),
        ("hash".to_owned(), json!(confirmation.hash)),
        (
            "confirmation_type".to_owned(),
            json!(confirmation_type(&confirmation.cause)),
        ),
    ]);
    if options.election_info {
        let info = election_info(confirmation, options.votes);
        fields.insert("election_info".to_owned(), info);
    }
    if options.block {
        let is_state = matches!(entry.block, Block::State(_));
        let block = block_fields(&entry.block, is_state.then(|| entry.subtype()), dialect);
        fields.insert("block".to_owned(), block);
    }
    if options.sideband {
        let sideband = json!({
            "height": entry.height.to_string(),
            "local_timestamp": entry.local_timestamp.to_string(),
        });
        fields.insert("sideband".to_owned(), sideband);
    }
    if options.linked_account {
        let linked = confirmation
            .linked_account
            .map_or_else(|| "0".to_owned(), |account| account.to_string());
        fields.insert("linked_account".to_owned(), Value::String(linked));
    }
    envelope("confirmation", None, Value::Object(fields))
}

fn election_info(confirmation: &Confirmation, with_votes: bool) -> Value {
    let none;
    let summary = match &confirmation.cause {
        ConfirmationCause::Quorum(summary) => summary,
        ConfirmationCause::Height => {
            none = ElectionSummary::none();
            &none
        }
    };
    let mut fields = Map::from_iter([
        (
            "duration".to_owned(),
            json!(summary.duration_ms.to_string()),
        ),
        (
            "time".to_owned(),
            json!(confirmation.at.number().to_string()),
        ),
        ("tally".to_owned(), json!(summary.tally)),
        ("final".to_owned(), json!(summary.final_tally)),
        ("blocks".to_owned(), json!(summary.blocks.to_string())),
        ("voters".to_owned(), json!(summary.votes.len().to_string())),
        (
            "request_count".to_owned(),
            json!(summary.requests.to_string()),
        ),
    ]);
    if with_votes {
        let votes = summary.votes.iter().map(|(who, time, hash, weight)| {
            json!({
                "representative": who,
                "timestamp": time.packed().to_string(),
                "hash": hash,
                "weight": weight,
            })
        });
        fields.insert("votes".to_owned(), votes.collect());
    }
    Value::Object(fields)
}

pub(super) fn vote(vote: &Vote, outcome: VoteOutcome, dialect: Dialect) -> String {
    let packed = vote.timestamp.packed();
    let timestamp = if vote.timestamp.is_final() {
        packed
    } else {
        vote.timestamp.millis()
    };
    let fields = json!({
        "account": vote.representative,
        "signature": dialect.signature_text(&vote.signature),
        "sequence": timestamp.to_string(),
        "timestamp": timestamp.to_string(),
        "duration": (packed & 0xf).to_string(),
        "blocks": vote.hashes,
        "type": match outcome {
            VoteOutcome::Counted => "vote",
            VoteOutcome::Replay => "replay",
            VoteOutcome::Indeterminate => "indeterminate",
        },
    });
    envelope("vote", None, fields)
}

pub(super) fn new_unconfirmed_block(block: &AddedBlock, dialect: Dialect) -> String {
    let fields = block_fields(&block.block, block.subtype, dialect);
    envelope("new_unconfirmed_block", Some(&block.hash), fields)
}

pub(super) fn election(topic: &str, hash: &BlockHash) -> String {
    envelope(topic, None, json!({ "hash": hash }))
}

pub(super) fn telemetry(telemetry: &Telemetry, remote: SocketAddr) -> String {
    let mut fields = rpc::telemetry_fields(telemetry);
    let (address, port) = rpc::split(remote);
    fields.insert("address".to_owned(), Value::String(address));
    fields.insert("port".to_owned(), Value::String(port));
    envelope("telemetry", None, Value::Object(fields))
}

fn block_fields(block: &Block, subtype: Option<&str>, dialect: Dialect) -> Value {
    let mut value = block.to_json();
    dialect.write_work(&mut value);
    if let (Value::Object(fields), Some(subtype)) = (&mut value, subtype) {
        fields.insert("subtype".to_owned(), json!(subtype));
    }
    value
}

fn envelope(topic: &str, hash: Option<&BlockHash>, message: Value) -> String {
    let mut fields = Map::from_iter([
        ("topic".to_owned(), json!(topic)),
        ("time".to_owned(), json!(now().number().to_string())),
        ("message".to_owned(), message),
    ]);
    if let Some(hash) = hash {
        fields.insert("hash".to_owned(), json!(hash));
    }
    Value::Object(fields).to_string()
}
