//! Where weights come from, and that one bridge never sets them where they are worth something.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Json;
use axum::response::Redirect;
use axum::routing::{get, post};
use bridge_server::cli::{RunOptions, WeightsOptions};
use bridge_server::clock;
use bridge_server::config::Config;
use bridge_server::metrics::{Metrics, counted};
use bridge_server::run::Bridge;
use bridge_server::store::{Store, Write};
use bridge_server::weights::command;
use nano_core::{Network, Raw, WeightTable};
use nanonet::{Identity, Rng, SignedWeights};
use serde_json::{Value, json};

use crate::common::{bridge, dev_node, options, serve, until};

fn anchor(number: u8) -> Identity {
    Identity::generate(&mut Rng::from_seed([number; 32]))
}

/// An anchor that offers `table`; its `--anchor`.
async fn offering(number: u8, table: WeightTable) -> String {
    let signed = SignedWeights::sign(&anchor(number), table).unwrap();
    let answer = move || std::future::ready(Json(signed.clone()));
    let address = serve(axum::Router::new().route("/v1/weights/signed", get(answer))).await;
    format!("{}@http://{address}", anchor(number).node_key())
}

/// The table shipped, renewed to now.
fn fresh() -> WeightTable {
    WeightTable {
        as_of: clock::now(),
        online_weight: Raw::new(95_000_000 * Raw::NANO.number()),
        ..WeightTable::live_snapshot()
    }
}

/// A bridge of the live network that reaches nobody.
async fn live(anchor: Vec<String>, rpc: Option<String>) -> Bridge {
    live_in(None, anchor, rpc).await
}

/// The same with a data folder.
async fn live_in(data: Option<&Path>, anchor: Vec<String>, rpc: Option<String>) -> Bridge {
    let options = RunOptions {
        data: data.map(Path::to_owned),
        listen: Some("127.0.0.1:0".parse().unwrap()),
        network: Some(Network::Live),
        peer: vec!["127.0.0.1:1".to_owned()],
        anchor,
        rpc,
        ..RunOptions::default()
    };
    Bridge::start(Config::resolve(options).unwrap())
        .await
        .unwrap()
}

async fn refreshed(bridge: &Bridge, outcome: &'static str) {
    until(outcome, async || {
        (counted(&bridge.metrics().weights_refresh, outcome) > 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn three_anchors_alike_renew_the_live_table() {
    let anchors = vec![
        offering(1, fresh()).await,
        offering(2, fresh()).await,
        offering(3, fresh()).await,
    ];
    let bridge = live(anchors, None).await;
    refreshed(&bridge, "renewed").await;
    let table = bridge.weights().current();
    assert_eq!(table.online_weight, fresh().online_weight);
    assert_eq!(table.weights, fresh().weights);
    let info = bridge.node().status().await.unwrap();
    assert!(info.weights_as_of > WeightTable::live_snapshot().as_of);
    bridge.stop().await;
}

#[tokio::test]
async fn a_restart_holds_what_the_anchors_gave_and_bounds_what_they_give_next_by_it() {
    let folder = tempfile::tempdir().unwrap();
    let offers = async |table: WeightTable| {
        vec![
            offering(1, table.clone()).await,
            offering(2, table.clone()).await,
            offering(3, table).await,
        ]
    };
    let first = live_in(Some(folder.path()), offers(fresh()).await, None).await;
    refreshed(&first, "renewed").await;
    let held = first.weights().current();
    first.stop().await;
    // A tenth of all weight has moved since a moment ago; since the table that is shipped it had
    // years to.
    let mut moved = fresh();
    let largest = moved.weights.values().copied().max().unwrap();
    for weight in moved.weights.values_mut().filter(|one| **one == largest) {
        *weight = Raw::new(largest.number() + moved_by(&held));
    }
    let second = live_in(Some(folder.path()), offers(moved.clone()).await, None).await;
    assert_eq!(second.weights().source(), bridge_server::weights::STORED);
    refreshed(&second, "too-fast").await;
    assert_eq!(*second.weights().current(), *held);
    second.stop().await;
    // Damaged, it is not used, and nothing worse happens.
    let (store, _) = Store::open(Some(folder.path()), Metrics::default()).unwrap();
    let (name, value) = (Store::WEIGHTS, vec![1, 2, 3]);
    store.write(Write::Meta { name, value }).await.unwrap();
    store.sync().await.unwrap();
    drop(store);
    let third = live_in(Some(folder.path()), offers(moved).await, None).await;
    refreshed(&third, "renewed").await;
    third.stop().await;
}

/// A tenth of all weight.
fn moved_by(table: &WeightTable) -> u128 {
    table.total().number() / 10
}

#[tokio::test]
async fn one_bridge_or_two_never_set_weights_on_live() {
    let bridge = live(vec![offering(1, fresh()).await], None).await;
    refreshed(&bridge, "too-few-anchors").await;
    assert_eq!(*bridge.weights().current(), WeightTable::live_snapshot());
    bridge.stop().await;
    // Of three only one answers.
    let silent = |number| format!("{}@http://127.0.0.1:1", anchor(number).node_key());
    let anchors = vec![offering(1, fresh()).await, silent(2), silent(3)];
    let bridge = live(anchors, None).await;
    refreshed(&bridge, "no-majority").await;
    assert_eq!(*bridge.weights().current(), WeightTable::live_snapshot());
    bridge.stop().await;
}

#[tokio::test]
async fn an_anchor_that_sends_elsewhere_is_not_followed() {
    let mut anchors = Vec::new();
    for number in 1..=3 {
        let real = offering(number, fresh()).await;
        let (key, url) = real.split_once('@').unwrap();
        let target = format!("{url}/v1/weights/signed");
        let sends = move || std::future::ready(Redirect::temporary(&target));
        let address = serve(axum::Router::new().fallback(get(sends))).await;
        anchors.push(format!("{key}@http://{address}"));
    }
    let bridge = live(anchors, None).await;
    refreshed(&bridge, "no-majority").await;
    assert_eq!(*bridge.weights().current(), WeightTable::live_snapshot());
    bridge.stop().await;
}

/// A full node of the live network that names one representative of its own, and that is not ready
/// for the first question.
async fn live_rpc() -> String {
    let asked = Arc::new(AtomicBool::new(false));
    let answer = move |Json(request): Json<Value>| async move {
        if !asked.swap(true, Ordering::SeqCst) {
            return Json(json!({ "error": "Not ready" }));
        }
        let representative = nano_core::PrivateKey::from_bytes([5; 32]).account();
        Json(match request["action"].as_str().unwrap() {
            "version" => json!({ "network_identifier": Network::Live.genesis_hash() }),
            "representatives" => {
                json!({ "representatives": { representative.to_string(): Raw::MAX } })
            }
            // In the words of the C++ node, which has no trended weight here.
            "confirmation_quorum" => json!({
                "online_stake_total": Raw::NANO, "online_weight_minimum": Raw::NANO,
            }),
            _ => json!({ "error": "Unknown command" }),
        })
    };
    let address = serve(axum::Router::new().fallback(post(answer))).await;
    format!("http://{address}")
}

#[tokio::test]
async fn a_live_bridges_own_full_node_is_its_offer_to_others_and_not_its_table() {
    let bridge = live(Vec::new(), Some(live_rpc().await)).await;
    let url = format!("http://{}/v1/weights/signed", bridge.address());
    let signed = until("the statement", async || {
        let answer = reqwest::get(&url).await.unwrap();
        answer.json::<SignedWeights>().await.ok()
    })
    .await;
    assert!(signed.holds());
    assert_eq!(signed.bridge, bridge.node().status().await.unwrap().key);
    assert_eq!(signed.table.weights.len(), 1);
    assert_eq!(*bridge.weights().current(), WeightTable::live_snapshot());
    bridge.stop().await;
}

#[tokio::test]
async fn the_command_builds_the_table_of_a_full_node_and_refuses_another_network() {
    let dev = dev_node().await;
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("weights.json");
    let mut options = WeightsOptions {
        rpc: format!("http://{}", dev.rpc_addr()),
        network: Network::Dev,
        out: Some(out.clone()),
        online_weight_minimum: 60_000_000,
    };
    command::run(&options).await.unwrap();
    let text = std::fs::read_to_string(&out).unwrap();
    let table: WeightTable = serde_json::from_str(&text).unwrap();
    assert_eq!(table.weights, dev.weights());
    assert_eq!(table.minimum, nano_core::ONLINE_WEIGHT_MINIMUM);
    assert!(table.online_weight > Raw::ZERO && table.as_of <= clock::now());
    options.network = Network::Live;
    let refused = command::run(&options).await.unwrap_err().to_string();
    assert!(refused.contains("not of the live network"), "{refused}");
    let kept = std::fs::read_to_string(&out).unwrap();
    assert_eq!(kept, text, "a failure leaves the old file");
    dev.stop().await;
}

#[tokio::test]
async fn the_minimum_is_the_operators_and_every_answer_tells_the_tables_date() {
    let bridge = bridge(RunOptions {
        online_weight_minimum: Some(1),
        ..options()
    })
    .await;
    let table = bridge.weights().current();
    assert_eq!(table.minimum, Raw::NANO);
    let account = bridge.dev_node().unwrap().faucet_account();
    let mut client = crate::common::Client::link(&bridge, 41).await;
    let answer = client.get(account, false).await.unwrap();
    assert_eq!(answer.weights_as_of, table.as_of);
    bridge.stop().await;
}
