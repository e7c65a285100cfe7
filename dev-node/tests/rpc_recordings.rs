//! Every recorded RPC call is answered with the recorded names and types.
//!
//! The node holds the same chain as the recorded one did. Differences that the recording's README
//! names are listed here, and nothing else may differ.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests"
)]

mod common;

use common::{Probe, recorded, recording, rpc, shape_difference, until};
use dev_node::{DevNode, DevNodeConfig, Dialect, Distribution};
use serde_json::{Value, json};

/// Answers that have to be equal to the recorded ones, not only alike.
const EQUAL: [&str; 9] = [
    "account_balance",
    "accounts_balances",
    "accounts_frontiers",
    "receivable",
    "accounts_receivable",
    "deterministic_key",
    "key_expand",
    "block_hash",
    "validate_account_number",
];

fn samples() -> Vec<Value> {
    let Value::Array(samples) = recorded("rpc-samples/rpc-samples.json") else {
        panic!("rpc-samples.json is no array");
    };
    samples
}

fn action(sample: &Value) -> &str {
    sample["request"]["action"].as_str().unwrap()
}

#[tokio::test]
async fn every_recorded_call_is_answered_alike() {
    let node = recording::node().await;
    let mut compared = 0;
    for mut sample in samples() {
        let action = action(&sample).to_owned();
        // Requests that cannot be read have texts of their own here; blocks to process need another
        // chain; both are tested on their own. So is raw telemetry.
        let is_raw_telemetry = action == "telemetry" && !sample["request"]["raw"].is_null();
        if sample["http_status"] != 200 || action == "process" || is_raw_telemetry {
            continue;
        }
        let ours = rpc(node.rpc_addr(), sample["request"].clone()).await;
        let recorded = sample["response"].as_object_mut();
        // RsNano adds a trend that was not asked for.
        if let ("active_difficulty", Some(fields)) = (action.as_str(), recorded) {
            fields.remove("difficulty_trend");
        }
        let difference = shape_difference(&sample["response"], &ours, &action);
        assert_eq!(difference, None, "{}\n{ours}", sample["request"]);
        if EQUAL.contains(&action.as_str()) {
            assert_eq!(ours, sample["response"], "{}", sample["request"]);
        }
        compared += 1;
    }
    assert_eq!(compared, 41);
    node.stop().await;
}

#[tokio::test]
async fn block_contents_are_the_recorded_ones() {
    let node = recording::node().await;
    for sample in samples() {
        if action(&sample) != "block_info" || sample["response"]["error"].is_string() {
            continue;
        }
        let mut ours = rpc(node.rpc_addr(), sample["request"].clone()).await;
        let mut recorded = sample["response"].clone();
        // When it came.
        ours["local_timestamp"].take();
        recorded["local_timestamp"].take();
        assert_eq!(ours, recorded);
    }
    node.stop().await;
}

#[tokio::test]
async fn requests_that_mean_nothing_get_an_error_object() {
    let node = recording::node_talking(Dialect::Cpp).await;
    for (request, error) in [
        (json!({"action": "no_such_action"}), "Unknown command"),
        (
            json!({"action": "account_info", "account": "nano_1bad"}),
            "Bad account number",
        ),
        (
            json!({"action": "block_info", "hash": "xyz"}),
            "Invalid block hash",
        ),
        (
            json!({"no": "action"}),
            "Missing or malformed field: action",
        ),
        (json!(["not an object"]), "Unable to parse JSON"),
        (
            json!({"action": "accounts_balances", "accounts": "one"}),
            "Missing or malformed field: accounts",
        ),
        (
            json!({"action": "confirmation_info", "root": "00"}),
            "Invalid root hash",
        ),
        (
            json!({"action": "work_generate", "hash": "00".repeat(32), "difficulty": "ffffffffffffffff"}),
            "Difficulty above config limit or below publish threshold",
        ),
        (
            json!({"action": "process", "block": {"type": "state"}}),
            "Block is invalid",
        ),
    ] {
        assert_eq!(
            rpc(node.rpc_addr(), request).await,
            json!({ "error": error })
        );
    }
    node.stop().await;
}

#[tokio::test]
async fn process_refuses_with_the_recorded_texts() {
    let node = recording::node().await;
    let recorded = samples();
    let mut tried = 0;
    for sample in recorded.iter().filter(|sample| action(sample) == "process") {
        let Some(note) = sample["note"].as_str() else {
            continue;
        };
        // The other two depend on a block that the recording does not have.
        if note != "bad signature" && note != "work below entry threshold" {
            continue;
        }
        let ours = rpc(node.rpc_addr(), sample["request"].clone()).await;
        assert_eq!(ours, sample["response"], "{note}");
        tried += 1;
    }
    assert_eq!(tried, 2);
    // The same two on our chain: a block once more, and a send under the name of a receive.
    for (name, subtype) in [
        ("dev: state send genesis->A0 second", "send"),
        ("dev: send A2->A3 epoch 2", "send"),
        ("dev: state change A1", "change"),
    ] {
        let (row, _) = recording::blocks()
            .into_iter()
            .find(|(row, _)| row["name"] == name)
            .unwrap();
        let request = json!({"action": "process", "json_block": "true", "subtype": subtype, "block": row["block"]});
        let answer = rpc(node.rpc_addr(), request).await;
        assert_eq!(
            answer,
            json!({"error": "Invalid block balance for given subtype"}),
            "{name}"
        );
    }
    let (row, _) = &recording::blocks()[0];
    for (request, error) in [
        (
            json!({"action": "process", "json_block": "true", "block": row["block"]}),
            "Old block",
        ),
        (
            json!({"action": "process", "json_block": "true", "subtype": "gift", "block": row["block"]}),
            "Invalid block subtype",
        ),
        (
            json!({"action": "process", "json_block": "true", "subtype": "open", "block": row["block"]}),
            "Invalid previous block for given subtype",
        ),
    ] {
        assert_eq!(
            rpc(node.rpc_addr(), request).await,
            json!({ "error": error })
        );
    }
    node.stop().await;
}

#[tokio::test]
async fn history_without_raw_shows_only_money_that_moved() {
    let node = recording::node().await;
    let account = "nano_35s8xxbrurpph5zrcb8ey3y1j9niij7k1m645otcxdk3fxg517i6j5empshy";
    let request = |more: Value| {
        let mut request = json!({"action": "account_history", "account": account, "count": "100"});
        request
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        request
    };
    let plain = rpc(node.rpc_addr(), request(json!({}))).await;
    let heights = |answer: &Value| -> Vec<String> {
        let rows = answer["history"].as_array().unwrap();
        rows.iter()
            .map(|row| row["height"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(heights(&plain), ["3", "1"]);
    let raw = rpc(
        node.rpc_addr(),
        request(json!({"raw": "true", "reverse": "true"})),
    )
    .await;
    assert_eq!(heights(&raw), ["1", "2", "3"]);
    let filter = json!({"account_filter": ["nano_1sjkhzzeuhup4u9fbd9f77k9puwfbaadymfjnjgbtmiuchqqnmodbwrsnhn9"]});
    assert_eq!(heights(&rpc(node.rpc_addr(), request(filter)).await), ["1"]);
    let offset = rpc(
        node.rpc_addr(),
        request(json!({"raw": "true", "offset": "1", "count": "1"})),
    )
    .await;
    assert_eq!(heights(&offset), ["2"]);
    assert!(offset["previous"].is_string());
    node.stop().await;
}

#[tokio::test]
async fn an_election_under_way_can_be_looked_at() {
    // Nobody votes here, so the election stays.
    let node = DevNode::start(DevNodeConfig {
        representatives: Vec::new(),
        distribution: Distribution::GenesisOnly,
        ..DevNodeConfig::default()
    })
    .await
    .unwrap();
    let block = recording::first_send();
    let hash = node.process(block).unwrap();
    let root = format!("{}{}", block.root(), block.previous().unwrap());
    let request = json!({"action": "confirmation_info", "root": root, "json_block": "true", "representatives": "true"});
    let answer = rpc(node.rpc_addr(), request).await;
    assert_eq!(answer["last_winner"], hash.to_string());
    assert_eq!(answer["total_tally"], "0");
    assert_eq!(
        answer["blocks"][hash.to_string()]["contents"],
        block.to_json()
    );
    let exists = json!({"action": "receivable_exists", "hash": hash});
    assert_eq!(rpc(node.rpc_addr(), exists).await, json!({"exists": "0"}));
    let unconfirmed =
        json!({"action": "receivable_exists", "hash": hash, "include_only_confirmed": "false"});
    assert_eq!(
        rpc(node.rpc_addr(), unconfirmed).await,
        json!({"exists": "1"})
    );
    node.stop().await;
}

#[tokio::test]
async fn peers_are_listed_with_what_they_said() {
    let node = recording::node().await;
    let other = DevNode::start(DevNodeConfig {
        peers: vec![node.peering_addr()],
        representatives: Vec::new(),
        distribution: Distribution::GenesisOnly,
        ..DevNodeConfig::default()
    })
    .await
    .unwrap();
    let sample = |wanted: &str, member: &str| {
        let samples = samples();
        let sample = samples
            .into_iter()
            .find(|sample| action(sample) == wanted && !sample["request"][member].is_null());
        sample.unwrap()
    };
    let _probe = Probe::greet(node.peering_addr()).await;
    until("both are connected", || {
        (node.peer_count() == 2).then_some(())
    })
    .await;
    let recorded = sample("peers", "peer_details");
    let ours = rpc(node.rpc_addr(), recorded["request"].clone()).await;
    assert_eq!(ours["peers"].as_object().unwrap().len(), 2);
    assert_eq!(
        shape_difference(&recorded["response"], &ours, "peers"),
        None
    );

    let recorded = sample("telemetry", "raw");
    let metrics = loop {
        let ours = rpc(node.rpc_addr(), recorded["request"].clone()).await;
        if let Some(first) = ours["metrics"].get(0) {
            break first.clone();
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(
        shape_difference(&recorded["response"], &metrics, "telemetry"),
        None
    );
    assert_eq!(metrics["node_id"], other.node_id().to_node_id_text());
    let one =
        json!({"action": "telemetry", "address": metrics["address"], "port": metrics["port"]});
    assert_eq!(
        rpc(node.rpc_addr(), one).await["node_id"],
        metrics["node_id"]
    );
    other.stop().await;
    node.stop().await;
}
