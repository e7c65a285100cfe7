//! Each difference between the two full nodes, as the module `dialect` lists them, over real
//! sockets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests"
)]

mod common;

use std::time::Duration;

use common::{DEADLINE, Probe, nano, recording};
use dev_node::{DevKeys, DevNode, DevNodeConfig, Dialect};
use futures_util::{SinkExt, StreamExt};
use nano_core::message::{
    AscPullQuestion, Cookie, HandshakeResponse, LegacyBootstrap, Message, MessageType,
    NodeIdHandshake, PullTarget,
};
use nano_core::{Network, PrivateKey, Root};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message as Frame;

const BOTH: [Dialect; 2] = [Dialect::Cpp, Dialect::Rs];

async fn node(dialect: Dialect) -> DevNode {
    DevNode::start(DevNodeConfig {
        dialect,
        ..DevNodeConfig::default()
    })
    .await
    .unwrap()
}

/// Whether the node still answers on this connection.
async fn lives(probe: &mut Probe, node: &DevNode) -> bool {
    let target = PullTarget::Account(node.faucet_account());
    probe.pull(AscPullQuestion::AccountInfo { target }).await;
    true
}

fn header(kind: u8, extensions: u16) -> Vec<u8> {
    let mut bytes = vec![0x52, 0x41, 0x15, 0x15, 0x14, kind];
    bytes.extend(extensions.to_le_bytes());
    bytes
}

fn genesis_pair() -> Vec<u8> {
    let mut pair = Network::Dev.genesis_hash().as_bytes().to_vec();
    pair.extend(Network::Dev.genesis_account().as_bytes());
    pair
}

#[tokio::test]
async fn votes_carry_the_block_type_of_the_dialect_in_their_header() {
    for (dialect, bits) in [(Dialect::Cpp, 1), (Dialect::Rs, 0)] {
        let node = node(dialect).await;
        let mut probe = Probe::greet(node.peering_addr()).await;
        let genesis = Network::Dev.genesis_hash();
        probe.ask_votes(&[(genesis, Root::ZERO)]).await;
        let vote = probe.find_bytes(MessageType::ConfirmAck.number()).await;
        assert_eq!(vote[7] & 0x0f, bits, "{dialect}");
        // One hash, whatever the other bits say.
        assert_eq!((vote[7] >> 4, vote.len()), (1, 8 + 104 + 32));
    }
}

#[tokio::test]
async fn a_question_for_votes_without_the_block_type_is_answered_or_ends_the_connection() {
    let mut question = header(0x04, 0x1000);
    question.extend(genesis_pair());
    let cpp = node(Dialect::Cpp).await;
    let mut probe = Probe::greet(cpp.peering_addr()).await;
    probe.send_bytes(&question).await;
    probe.final_vote(Network::Dev.genesis_hash()).await;
    let rs = node(Dialect::Rs).await;
    let mut probe = Probe::greet(rs.peering_addr()).await;
    probe.send_bytes(&question).await;
    assert!(probe.is_closed().await);
}

#[tokio::test]
async fn a_payload_that_does_not_parse_is_dropped_or_ends_the_connection() {
    let mut unknown_pull = header(0x0e, 0x0021);
    unknown_pull.push(9);
    unknown_pull.extend([1; 41]);
    let mut empty_pair = header(0x04, 0x1100);
    empty_pair.extend([0; 64]);
    for malformed in [header(0x04, 0x0100), unknown_pull, empty_pair] {
        let cpp = node(Dialect::Cpp).await;
        let mut probe = Probe::greet(cpp.peering_addr()).await;
        probe.send_bytes(&malformed).await;
        assert!(lives(&mut probe, &cpp).await);
        let rs = node(Dialect::Rs).await;
        let mut probe = Probe::greet(rs.peering_addr()).await;
        probe.send_bytes(&malformed).await;
        assert!(probe.is_closed().await, "{malformed:02x?}");
    }
}

#[tokio::test]
async fn a_type_that_nobody_knows_ends_the_connection_in_both() {
    for dialect in BOTH {
        let node = node(dialect).await;
        let mut probe = Probe::greet(node.peering_addr()).await;
        probe.send_bytes(&header(0x2a, 0)).await;
        assert!(probe.is_closed().await);
    }
}

#[tokio::test]
async fn a_silent_peer_is_dropped_after_the_time_of_the_dialect() {
    for (dialect, limit) in [(Dialect::Cpp, 15), (Dialect::Rs, 60)] {
        let node = node(dialect).await;
        let mut probe = Probe::greet(node.peering_addr()).await;
        probe.next().await.unwrap();
        tokio::time::pause();
        let start = tokio::time::Instant::now();
        probe.rest().await;
        let silent = start.elapsed();
        tokio::time::resume();
        let limit = Duration::from_secs(limit);
        let slack = Duration::from_secs(2);
        assert!(
            silent + slack > limit && silent < limit + slack,
            "{dialect}: {silent:?}"
        );
    }
}

#[tokio::test]
async fn dead_bootstrap_instead_of_a_handshake_mutes_or_ends_the_connection() {
    let bootstrap = LegacyBootstrap {
        message_type: MessageType::BulkPush,
        extensions: 0,
        payload: Vec::new(),
    };
    let query = Message::from(NodeIdHandshake::query(Cookie::from_bytes([1; 32])));
    for (dialect, stays) in [(Dialect::Cpp, true), (Dialect::Rs, false)] {
        let node = node(dialect).await;
        let mut probe = Probe::connect(node.peering_addr()).await;
        tokio::time::pause();
        let start = tokio::time::Instant::now();
        probe.send(&bootstrap.clone().into()).await;
        if stays {
            probe.send(&query).await;
        }
        // No word, and no end of it before the peer counts as silent.
        assert_eq!(probe.rest().await, [0; 0]);
        let took = start.elapsed();
        tokio::time::resume();
        assert_eq!(
            took >= Duration::from_secs(15),
            stays,
            "{dialect}: {took:?}"
        );
    }
}

#[tokio::test]
async fn a_handshake_of_version_1_is_answered_in_it_under_the_header_of_the_dialect() {
    let key = PrivateKey::from_bytes([5; 32]);
    for (dialect, flags) in [(Dialect::Cpp, 0x03), (Dialect::Rs, 0x07)] {
        let node = node(dialect).await;
        let mut probe = Probe::connect(node.peering_addr()).await;
        let cookie = [1; 32];
        let query = NodeIdHandshake {
            v2: false,
            ..NodeIdHandshake::query(Cookie::from_bytes(cookie))
        };
        probe.send(&query.into()).await;
        let answer = probe.take(8 + 32 + 96).await;
        assert_eq!(answer[5..8], [0x0a, flags, 0x00], "{dialect}");
        assert_eq!(&answer[40..72], node.node_id().as_bytes());
        let signature = nano_core::Signature::from_bytes(answer[72..].try_into().unwrap());
        node.node_id().verify(&cookie, &signature).unwrap();
        let response = HandshakeResponse::V1 {
            node_id: key.public_key(),
            signature: key.sign(&answer[8..40]),
        };
        probe
            .send(&NodeIdHandshake::response(response).into())
            .await;
        assert!(lives(&mut probe, &node).await);
    }
}

/// Status and body of one RPC call.
async fn post(node: &DevNode, request: &Value) -> (u16, String) {
    let answer = reqwest::Client::new()
        .post(format!("http://{}/", node.rpc_addr()))
        .body(request.to_string())
        .send()
        .await
        .unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn call(node: &DevNode, request: Value) -> Value {
    let (status, body) = post(node, &request).await;
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

#[tokio::test]
async fn a_request_that_cannot_be_read_is_an_error_object_or_a_plain_text() {
    let (cpp, rs) = (node(Dialect::Cpp).await, node(Dialect::Rs).await);
    for request in [
        json!(["no object"]),
        json!({ "action": "no_such_action" }),
        json!({ "action": "account_info", "account": "nano_1bad" }),
        json!({ "action": "account_balance", "account": "" }),
        json!({ "action": "account_info" }),
        json!({ "action": "accounts_balances", "accounts": ["nano_1bad"] }),
    ] {
        let (status, body) = post(&cpp, &request).await;
        let body: Value = serde_json::from_str(&body).unwrap();
        let is_error = body["error"].is_string() || body["errors"].is_object();
        assert_eq!((status, is_error), (200, true), "{request}");
        let (status, body) = post(&rs, &request).await;
        assert_eq!(status, 422, "{request}");
        assert!(serde_json::from_str::<Value>(&body).is_err(), "{body}");
    }
    // What is understood and has no answer is the same in both.
    let request = json!({ "action": "account_info", "account": DevKeys::sample(9).account() });
    for node in [&cpp, &rs] {
        assert_eq!(
            call(node, request.clone()).await,
            json!({ "error": "Account not found" })
        );
    }
}

#[tokio::test]
async fn a_bare_number_or_boolean_is_taken_or_cannot_be_read() {
    let (cpp, rs) = (node(Dialect::Cpp).await, node(Dialect::Rs).await);
    for (bare, text) in [
        (json!({ "count": 5 }), json!({ "count": "5" })),
        (json!({ "sorting": true }), json!({ "sorting": "true" })),
    ] {
        let asked = |options: &Value| {
            let mut request = options.clone();
            request["action"] = json!("representatives");
            request
        };
        assert_eq!(
            call(&cpp, asked(&bare)).await,
            call(&cpp, asked(&text)).await
        );
        assert_eq!(post(&rs, &asked(&text)).await.0, 200);
        assert_eq!(post(&rs, &asked(&bare)).await.0, 422);
    }
}

#[tokio::test]
async fn a_history_of_all_blocks_is_given_or_refused() {
    let request = |node: &DevNode| json!({ "action": "account_history", "account": node.faucet_account(), "count": "-1" });
    let cpp = node(Dialect::Cpp).await;
    let answer = call(&cpp, request(&cpp)).await;
    assert!(!answer["history"].as_array().unwrap().is_empty());
    let rs = node(Dialect::Rs).await;
    assert_eq!(post(&rs, &request(&rs)).await.0, 422);
}

#[tokio::test]
async fn nothing_receivable_is_an_empty_text_or_an_empty_list() {
    let account = DevKeys::sample(9).account();
    let plain = json!({ "action": "receivable", "account": account });
    let amounts = json!({ "action": "receivable", "account": account, "threshold": "1" });
    let (cpp, rs) = (node(Dialect::Cpp).await, node(Dialect::Rs).await);
    assert_eq!(call(&cpp, plain.clone()).await["blocks"], json!(""));
    assert_eq!(call(&cpp, amounts.clone()).await["blocks"], json!(""));
    assert_eq!(call(&rs, plain).await["blocks"], json!([]));
    assert_eq!(call(&rs, amounts).await["blocks"], json!({}));
}

#[tokio::test]
async fn answers_about_accounts_that_all_fail_are_left_out_or_empty() {
    let account = DevKeys::sample(9).account();
    let (cpp, rs) = (node(Dialect::Cpp).await, node(Dialect::Rs).await);
    for (action, name) in [
        ("accounts_frontiers", "frontiers"),
        ("accounts_representatives", "representatives"),
    ] {
        let request = json!({ "action": action, "accounts": [account] });
        let errors = json!({ account.to_string(): "Account not found" });
        assert_eq!(
            call(&cpp, request.clone()).await,
            json!({ "errors": errors })
        );
        assert_eq!(
            call(&rs, request).await,
            json!({ name: {}, "errors": errors })
        );
    }
}

#[tokio::test]
async fn confirmed_heights_have_the_names_of_the_dialect() {
    let (cpp, rs) = (node(Dialect::Cpp).await, node(Dialect::Rs).await);
    for (node, confirmed, old, new) in [
        (&cpp, false, true, false),
        (&cpp, true, false, true),
        (&rs, false, true, true),
        (&rs, true, true, true),
    ] {
        let account = node.faucet_account();
        let request = json!({ "action": "account_info", "account": account, "include_confirmed": confirmed.to_string() });
        let answer = call(node, request).await;
        let names =
            ["confirmation_height", "confirmed_height"].map(|name| answer[name].is_string());
        assert_eq!(names, [old, new]);
    }
}

#[tokio::test]
async fn work_and_difficulty_are_written_as_the_dialect_does() {
    let (cpp, rs) = (
        recording::node_talking(Dialect::Cpp).await,
        recording::node_talking(Dialect::Rs).await,
    );
    let request =
        json!({ "action": "work_validate", "hash": "11".repeat(32), "work": "00000000000000ab" });
    let (hex, decimal) = (call(&cpp, request.clone()).await, call(&rs, request).await);
    let number = u64::from_str_radix(hex["difficulty"].as_str().unwrap(), 16).unwrap();
    assert_eq!(decimal["difficulty"], number.to_string());
    assert_eq!(hex.get("valid"), None);
    assert_eq!(decimal.get("valid"), Some(&Value::Null));

    let (_, block) = recording::blocks()
        .into_iter()
        .find(|(_, block)| {
            block
                .work()
                .to_string()
                .contains(|c: char| c.is_ascii_lowercase())
        })
        .unwrap();
    let work = block.work().to_string();
    for (node, expected) in [(&cpp, work.clone()), (&rs, work.to_uppercase())] {
        for json_block in ["true", "false"] {
            let request =
                json!({ "action": "block_info", "hash": block.hash(), "json_block": json_block });
            let mut contents = call(node, request).await["contents"].take();
            if let Value::String(text) = &contents {
                contents = serde_json::from_str(text).unwrap();
            }
            assert_eq!(contents["work"], expected);
        }
    }
}

/// The first frame of a topic after subscribing with these options; `None` when the node closed.
async fn first_frame(node: &DevNode, request: Value) -> Option<Value> {
    let url = format!("ws://{}/", node.websocket_addr());
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    socket.send(Frame::text(request.to_string())).await.unwrap();
    let next = async {
        loop {
            match socket.next().await {
                Some(Ok(Frame::Text(text))) => {
                    let frame: Value = serde_json::from_str(&text).unwrap();
                    if frame["topic"] == request["topic"] {
                        return Some(frame["message"].clone());
                    }
                    // The acknowledgement: from here on nothing is missed.
                    let to = DevKeys::sample(71).account();
                    node.faucet().send(to, nano(1)).await.unwrap();
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    };
    tokio::time::timeout(DEADLINE, next)
        .await
        .expect("no frame came")
}

#[tokio::test]
async fn a_boolean_as_text_is_taken_or_ends_the_websocket() {
    let subscription = |ack: Value, option: Value| {
        json!({ "action": "subscribe", "topic": "confirmation", "ack": ack,
                "options": { "include_block": option } })
    };
    let cpp = node(Dialect::Cpp).await;
    let frame = first_frame(&cpp, subscription(json!("true"), json!("false"))).await;
    assert!(frame.unwrap().get("block").is_none());
    let rs = node(Dialect::Rs).await;
    let with_text = [
        subscription(json!("true"), json!(true)),
        subscription(json!(true), json!("true")),
    ];
    for request in with_text {
        assert_eq!(first_frame(&rs, request).await, None);
    }
    let frame = first_frame(&rs, subscription(json!(true), json!(true))).await;
    assert!(frame.unwrap()["block"].is_object());
}

#[tokio::test]
async fn the_websocket_writes_votes_signatures_in_decimal_or_hex() {
    let request = json!({ "action": "subscribe", "topic": "vote", "ack": true });
    let cpp = node(Dialect::Cpp).await;
    let vote = first_frame(&cpp, request.clone()).await.unwrap();
    let text = vote["signature"].as_str().unwrap();
    assert!(text.bytes().all(|byte| byte.is_ascii_digit()), "{text}");
    // 512 bits have 155 decimal digits at most, and rarely below 150.
    assert!((140..=155).contains(&text.len()), "{text}");
    let rs = node(Dialect::Rs).await;
    let vote = first_frame(&rs, request).await.unwrap();
    let text = vote["signature"].as_str().unwrap();
    assert_eq!((text.len(), hex::decode(text).is_ok()), (128, true));
}

#[tokio::test]
async fn only_the_cpp_websocket_knows_linked_accounts() {
    let request = json!({ "action": "subscribe", "topic": "confirmation", "ack": true,
                          "options": { "include_linked_account": true } });
    for (dialect, knows) in [(Dialect::Cpp, true), (Dialect::Rs, false)] {
        let node = node(dialect).await;
        let frame = first_frame(&node, request.clone()).await.unwrap();
        assert_eq!(frame.get("linked_account").is_some(), knows, "{dialect}");
    }
}
