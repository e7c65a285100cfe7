//! Messages recorded from and accepted by a full node.

use crate::support::{bytes, text, vectors};
use nano_core::message::{
    AscPullAnswer, AscPullQuestion, ConfirmReq, Header, Message, PullTarget, RequestedBlock,
};
use nano_core::{BlockHash, Network, Root};
use serde_json::{Value, json};

#[test]
fn every_recorded_message_says_what_the_record_says() {
    let vectors = vectors("messages");
    let rows = vectors["messages"].as_array().unwrap();
    assert!(rows.len() > 50);
    for row in rows {
        let name = text(row, "name");
        let decoded = &row["decoded"];
        let (header, message) = Message::decode(&bytes(row, "hex")).expect(name);
        assert_eq!(header.network, Network::Dev);
        assert_eq!(header.message_type.name(), text(decoded, "type_name"));
        assert_eq!(
            format!("{:02x}", header.message_type.number()),
            text(decoded, "type")
        );
        assert_eq!(
            format!("{:04x}", header.extensions),
            text(decoded, "extensions")
        );
        assert_eq!(
            header.payload_length().unwrap(),
            decoded["payload_length"],
            "{name}"
        );
        check_content(name, &message, decoded);
    }
}

#[test]
fn every_recorded_message_is_written_as_it_was_read() {
    for row in vectors("messages")["messages"].as_array().unwrap() {
        let original = bytes(row, "hex");
        let (_, message) = Message::decode(&original).unwrap();
        let mut written = message.encode(Network::Dev).unwrap();
        if matches!(message, Message::ConfirmAck(_)) {
            // RsNano leaves these meaningless bits zero.
            written[7] &= 0xf0;
        }
        assert_eq!(written, original, "{}", text(row, "name"));
    }
}

#[test]
fn counts_are_written_as_nodes_write_them() {
    for row in vectors("messages")["count_encoding"].as_array().unwrap() {
        let count = usize::try_from(row["count"].as_u64().unwrap()).unwrap();
        let block = RequestedBlock {
            hash: BlockHash::from_bytes([1; 32]),
            root: Root::ZERO,
        };
        let request = Message::from(ConfirmReq {
            blocks: vec![block; count],
        });
        let written = request.encode(Network::Live).unwrap();
        let header = Header::parse(written.first_chunk().unwrap()).unwrap();
        assert_eq!(
            format!("{:04x}", header.extensions),
            text(row, "extensions_request")
        );
        assert_eq!(header.payload_length(), Ok(64 * count));
        assert_eq!(Message::decode(&written).unwrap().1, request);
    }
}

fn check_content(name: &str, message: &Message, decoded: &Value) {
    match message {
        Message::Keepalive(keepalive) => {
            let peers: Vec<_> = keepalive
                .peers
                .iter()
                .map(|peer| json!({"address": hex::encode_upper(peer.address.octets()), "port": peer.port}))
                .collect();
            assert_eq!(json!(peers), decoded["peers"], "{name}");
        }
        Message::Publish(publish) => {
            assert_eq!(publish.originator, decoded["originator"], "{name}");
            assert_eq!(
                publish.block.block_type().number(),
                decoded["block_type"],
                "{name}"
            );
            assert_eq!(
                publish.block.serialized(),
                bytes(decoded, "block"),
                "{name}"
            );
        }
        Message::ConfirmReq(request) => {
            let pairs: Vec<_> = request
                .blocks
                .iter()
                .map(|pair| json!({"hash": pair.hash.to_string(), "root": pair.root.to_string()}))
                .collect();
            assert_eq!(json!(pairs), decoded["pairs"], "{name}");
        }
        Message::ConfirmAck(ack) => {
            let vote = &ack.vote;
            assert_eq!(vote.verify(), Ok(()), "{name}");
            assert_eq!(vote.timestamp.is_final(), decoded["final"], "{name}");
            assert_eq!(json!(vote.hashes), decoded["hashes"], "{name}");
        }
        Message::TelemetryAck(ack) => {
            let telemetry = ack.telemetry.as_ref().expect(name);
            let row = &decoded["telemetry"];
            assert_eq!(telemetry.verify().is_ok(), row["signature_valid"]);
            let found = json!({
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
                "active_difficulty": format!("{:016X}", telemetry.active_difficulty.number()),
                "signature_valid": true,
            });
            assert_eq!(found, *row);
        }
        Message::AscPullReq(request) => {
            assert_eq!(request.id.to_string(), text(decoded, "id"), "{name}");
            check_question(name, &request.question, decoded);
        }
        Message::AscPullAck(answer) => {
            assert_eq!(answer.id.to_string(), text(decoded, "id"), "{name}");
            check_answer(name, &answer.answer, decoded);
        }
        Message::TelemetryReq => assert_eq!(text(decoded, "type_name"), "telemetry_req"),
        other => panic!("{name}: unexpected {other:?}"),
    }
}

fn target(target: &PullTarget) -> (String, &'static str) {
    match target {
        PullTarget::Account(account) => (account.public_key().to_string(), "account"),
        PullTarget::Block(hash) => (hash.to_string(), "block"),
    }
}

fn check_question(name: &str, question: &AscPullQuestion, decoded: &Value) {
    match question {
        AscPullQuestion::Blocks { start, count } => {
            assert_eq!(text(decoded, "pull_type"), "blocks", "{name}");
            let (start, start_type) = target(start);
            assert_eq!(start, text(decoded, "start"), "{name}");
            assert_eq!(start_type, text(decoded, "start_type"), "{name}");
            assert_eq!(*count, decoded["count"], "{name}");
        }
        AscPullQuestion::AccountInfo { target: asked } => {
            assert_eq!(text(decoded, "pull_type"), "account_info", "{name}");
            let (target, target_type) = target(asked);
            assert_eq!(target, text(decoded, "target"), "{name}");
            assert_eq!(target_type, text(decoded, "target_type"), "{name}");
        }
        AscPullQuestion::Frontiers { start, count } => {
            assert_eq!(text(decoded, "pull_type"), "frontiers", "{name}");
            assert_eq!(
                start.public_key().to_string(),
                text(decoded, "start"),
                "{name}"
            );
            assert_eq!(*count, decoded["count"], "{name}");
        }
    }
}

fn check_answer(name: &str, answer: &AscPullAnswer, decoded: &Value) {
    match answer {
        AscPullAnswer::Blocks(blocks) => {
            let blocks: Vec<_> = blocks
                .iter()
                .map(|block| {
                    json!({
                        "block_type": block.block_type().number(),
                        "block": hex::encode_upper(block.serialized()),
                    })
                })
                .collect();
            assert_eq!(json!(blocks), decoded["blocks"], "{name}");
        }
        AscPullAnswer::AccountInfo(info) => {
            assert_eq!(
                info.account.public_key().to_string(),
                text(decoded, "account")
            );
            assert_eq!(info.open.to_string(), text(decoded, "open"), "{name}");
            assert_eq!(info.head.to_string(), text(decoded, "head"), "{name}");
            assert_eq!(info.block_count, decoded["block_count"], "{name}");
            assert_eq!(
                info.confirmed_frontier.to_string(),
                text(decoded, "conf_frontier")
            );
            assert_eq!(info.confirmed_height, decoded["conf_height"], "{name}");
        }
        AscPullAnswer::Frontiers(frontiers) => {
            let frontiers: Vec<_> = frontiers
                .iter()
                .map(|entry| {
                    json!({"account": entry.account.public_key().to_string(), "hash": entry.hash})
                })
                .collect();
            assert_eq!(json!(frontiers), decoded["frontiers"], "{name}");
        }
    }
}
