//! Messages of the peer protocol, compared field by field with what they were decoded to.

use nano_core::message::{
    AscPullAnswer, AscPullQuestion, ConfirmReq, Header, Message, PullTarget, RequestedBlock,
    Telemetry,
};
use nano_core::{BlockHash, Network, Root};
use serde::Deserialize;
use serde_json::{Value, json};

use super::votes::check_encoding;
use crate::report::Checks;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    messages: Vec<Row>,
    count_encoding: Vec<CountEncoding>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    #[serde(rename = "direction")]
    _direction: super::Note,
    hex: String,
    decoded: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CountEncoding {
    count: usize,
    extensions_request: String,
}

pub(crate) fn run(json: &str, checks: &mut Checks) -> serde_json::Result<()> {
    let data: Data = serde_json::from_str(json)?;
    checks.rows("messages", &data.messages, |checks, row| {
        let Some(bytes) = checks.ok(&row.name, hex::decode(&row.hex)) else {
            return;
        };
        let Some((header, message)) = checks.ok("message", Message::decode(&bytes)) else {
            return;
        };
        checks.equal("network", header.network, Network::Dev);
        let decoded = describe(&header, &message, bytes.len() - Header::SIZE);
        checks.equal("decoded", &decoded, &row.decoded);
        check_encoding(checks, &header, &message, &bytes);
        if let Message::ConfirmAck(ack) = &message {
            checks.equal("signature of vote", ack.vote.verify(), Ok(()));
        }
        let short = &bytes[..bytes.len() - 1];
        checks.holds("cut short", Message::decode(short).is_err());
    });
    checks.rows("count_encoding", &data.count_encoding, |checks, row| {
        let pair = RequestedBlock {
            hash: BlockHash::from_bytes([1; 32]),
            root: Root::from_bytes([2; 32]),
        };
        let request = Message::from(ConfirmReq {
            blocks: vec![pair; row.count],
        });
        let Some(bytes) = checks.ok("encoding", request.encode(Network::Dev)) else {
            return;
        };
        let extensions = hex::encode([bytes[7], bytes[6]]);
        checks.equal("extensions", extensions, row.extensions_request.clone());
        let decoded = Message::decode(&bytes).map(|(_, message)| message);
        checks.equal("read again", decoded, Ok(request));
    });
    Ok(())
}

/// Writes a message down as the data does.
fn describe(header: &Header, message: &Message, payload_length: usize) -> Value {
    let mut fields = json!({
        "type": format!("{:02x}", header.message_type.number()),
        "type_name": header.message_type.name(),
        "extensions": format!("{:04x}", header.extensions),
        "payload_length": payload_length,
    });
    let more = match message {
        Message::Keepalive(keepalive) => json!({
            "peers": keepalive.peers.iter().map(|peer| json!({
                "address": hex::encode_upper(peer.address.octets()),
                "port": peer.port,
            })).collect::<Vec<_>>(),
        }),
        Message::Publish(publish) => json!({
            "block_type": publish.block.block_type().number(),
            "originator": publish.originator,
            "block": hex::encode_upper(publish.block.serialized()),
        }),
        Message::ConfirmReq(request) => json!({
            "pairs": request.blocks.iter().map(|pair| json!({
                "hash": pair.hash,
                "root": pair.root,
            })).collect::<Vec<_>>(),
        }),
        Message::ConfirmAck(ack) => json!({
            "account": ack.vote.representative.public_key(),
            "final": ack.vote.timestamp.is_final(),
            "hashes": ack.vote.hashes,
        }),
        Message::TelemetryAck(ack) => match &ack.telemetry {
            Some(telemetry) => json!({ "telemetry": describe_telemetry(telemetry) }),
            None => json!({}),
        },
        Message::AscPullReq(request) => {
            describe_pull(request.id, describe_question(&request.question))
        }
        Message::AscPullAck(ack) => describe_pull(ack.id, describe_answer(&ack.answer)),
        Message::TelemetryReq | Message::NodeIdHandshake(_) | Message::LegacyBootstrap(_) => {
            json!({})
        }
    };
    merge(&mut fields, more);
    fields
}

fn describe_telemetry(telemetry: &Telemetry) -> Value {
    json!({
        "signature": telemetry.signature,
        "node_id": telemetry.node_id,
        "block_count": telemetry.block_count,
        "cemented_count": telemetry.cemented_count,
        "unchecked_count": telemetry.unchecked_count,
        "account_count": telemetry.account_count,
        "bandwidth_cap": telemetry.bandwidth_cap,
        "peer_count": telemetry.peer_count,
        "protocol_version": telemetry.protocol_version,
        "uptime": telemetry.uptime,
        "genesis_block": telemetry.genesis,
        "major_version": telemetry.major_version,
        "minor_version": telemetry.minor_version,
        "patch_version": telemetry.patch_version,
        "pre_release_version": telemetry.pre_release_version,
        "maker": telemetry.maker,
        "timestamp": telemetry.timestamp,
        "active_difficulty": telemetry.active_difficulty.to_string().to_uppercase(),
        "signature_valid": telemetry.verify().is_ok(),
    })
}

fn describe_pull(id: u64, mut fields: Value) -> Value {
    merge(&mut fields, json!({ "id": id.to_string() }));
    fields
}

fn describe_question(question: &AscPullQuestion) -> Value {
    match question {
        AscPullQuestion::Blocks { start, count } => {
            let (start, start_type) = describe_target(start);
            json!({
                "pull_type": "blocks",
                "start": start,
                "start_type": start_type,
                "count": count,
            })
        }
        AscPullQuestion::AccountInfo { target } => {
            let (target, target_type) = describe_target(target);
            json!({ "pull_type": "account_info", "target": target, "target_type": target_type })
        }
        AscPullQuestion::Frontiers { start, count } => json!({
            "pull_type": "frontiers",
            "start": start.public_key(),
            "count": count,
        }),
    }
}

fn describe_target(target: &PullTarget) -> (String, &'static str) {
    match target {
        PullTarget::Account(account) => (account.public_key().to_string(), "account"),
        PullTarget::Block(hash) => (hash.to_string(), "block"),
    }
}

fn describe_answer(answer: &AscPullAnswer) -> Value {
    match answer {
        AscPullAnswer::Blocks(blocks) => json!({
            "pull_type": "blocks",
            "blocks": blocks.iter().map(|block| json!({
                "block_type": block.block_type().number(),
                "block": hex::encode_upper(block.serialized()),
            })).collect::<Vec<_>>(),
        }),
        AscPullAnswer::AccountInfo(info) => json!({
            "pull_type": "account_info",
            "account": info.account.public_key(),
            "open": info.open,
            "head": info.head,
            "block_count": info.block_count,
            "conf_frontier": info.confirmed_frontier,
            "conf_height": info.confirmed_height,
        }),
        AscPullAnswer::Frontiers(frontiers) => json!({
            "pull_type": "frontiers",
            "frontiers": frontiers.iter().map(|frontier| json!({
                "account": frontier.account.public_key(),
                "hash": frontier.hash,
            })).collect::<Vec<_>>(),
        }),
    }
}

fn merge(target: &mut Value, more: Value) {
    if let (Value::Object(target), Value::Object(more)) = (target, more) {
        target.extend(more);
    }
}
