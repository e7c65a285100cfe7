//! The WebSocket speaks as the recorded one did.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests"
)]

mod common;

use common::{DEADLINE, nano, recorded, shape_difference};
use dev_node::{DevKeys, DevNode, DevNodeConfig};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

struct Client(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Client {
    async fn connect(node: &DevNode) -> Self {
        let url = format!("ws://{}/", node.websocket_addr());
        Self(tokio_tungstenite::connect_async(url).await.unwrap().0)
    }

    async fn send(&mut self, value: &Value) {
        self.0.send(Message::text(value.to_string())).await.unwrap();
    }

    /// The next frame; `None` when the node closed the connection.
    async fn next(&mut self) -> Option<Value> {
        loop {
            let frame = tokio::time::timeout(DEADLINE, self.0.next()).await;
            match frame.expect("no frame came") {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).ok(),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                _ => return None,
            }
        }
    }

    async fn find(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let frame = self.next().await.expect("the node closed the connection");
            if wanted(&frame) {
                return frame;
            }
        }
    }

    async fn subscribe(&mut self, topic: &str, options: Value) {
        let mut request = json!({"action": "subscribe", "topic": topic, "ack": true, "id": topic});
        if !options.is_null() {
            request["options"] = options;
        }
        self.send(&request).await;
        self.find(|frame| frame["ack"] == "subscribe").await;
    }
}

async fn node() -> DevNode {
    DevNode::start(DevNodeConfig::default()).await.unwrap()
}

/// What makes a frame comparable with a recorded one: topic and kind.
fn kind(frame: &Value) -> (String, String) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let message = &frame["message"];
    let detail = format!(
        "{}{}",
        text(&message["type"]),
        text(&message["confirmation_type"])
    );
    (text(&frame["topic"]), detail)
}

#[tokio::test]
async fn every_recorded_subscription_is_answered_and_telemetry_of_peers_comes() {
    let node = node().await;
    // Telemetry comes from peers only.
    let peer = DevNode::start(DevNodeConfig {
        peers: vec![node.peering_addr()],
        representatives: Vec::new(),
        ..DevNodeConfig::default()
    })
    .await
    .unwrap();
    let recording = recorded("websocket-samples/websocket-samples.json");
    let mut client = Client::connect(&node).await;
    for request in recording["sent"].as_array().unwrap() {
        let mut request = request.clone();
        // RsNano does not know this option, so the recording has nothing of it.
        if let Some(options) = request["options"].as_object_mut() {
            options.remove("include_linked_account");
        }
        client.send(&request).await;
    }
    let frames = recording["received"].as_array().unwrap();
    for ack in frames.iter().filter(|frame| frame["ack"].is_string()) {
        let ours = client.find(|frame| frame["ack"].is_string()).await;
        assert_eq!((&ours["ack"], &ours["id"]), (&ack["ack"], &ack["id"]));
        assert_eq!(shape_difference(ack, &ours, "ack"), None);
    }
    let telemetry = client.find(|frame| frame["topic"] == "telemetry").await;
    let sample = frames
        .iter()
        .find(|frame| frame["topic"] == "telemetry")
        .unwrap();
    assert_eq!(shape_difference(sample, &telemetry, "telemetry"), None);
    peer.stop().await;
    node.stop().await;
}

#[tokio::test]
async fn one_payment_shows_on_every_topic() {
    let node = node().await;
    let mut client = Client::connect(&node).await;
    client.subscribe("confirmation", json!({"include_election_info_with_votes": true, "include_sideband_info": true, "include_linked_account": true})).await;
    for topic in [
        "vote",
        "new_unconfirmed_block",
        "started_election",
        "stopped_election",
    ] {
        client.subscribe(topic, Value::Null).await;
    }
    let to = DevKeys::sample(71).account();
    let hash = node.faucet().send(to, nano(1)).await.unwrap();
    let recording = recorded("websocket-samples/websocket-samples.json");
    let frames = recording["received"].as_array().unwrap();
    let mut seen = std::collections::BTreeSet::new();
    let confirmation = loop {
        let frame = client.next().await.unwrap();
        let sample = frames.iter().find(|sample| kind(sample) == kind(&frame));
        let topic = frame["topic"].as_str().unwrap().to_owned();
        if let Some(sample) = sample {
            let mut compared = frame.clone();
            if let Some(message) = compared["message"].as_object_mut() {
                message.remove("linked_account");
            }
            assert_eq!(shape_difference(sample, &compared, &topic), None, "{frame}");
        }
        seen.insert(topic.clone());
        if topic == "confirmation" {
            break frame;
        }
    };
    let message = &confirmation["message"];
    assert_eq!(message["hash"], hash.to_string());
    assert_eq!(message["confirmation_type"], "active_quorum");
    assert_eq!(message["linked_account"], to.to_string());
    assert_eq!(message["amount"], nano(1).to_string());
    assert_eq!(message["block"]["subtype"], "send");
    let seen: Vec<_> = seen.iter().map(String::as_str).collect();
    assert_eq!(
        seen,
        [
            "confirmation",
            "new_unconfirmed_block",
            "started_election",
            "stopped_election",
            "vote"
        ]
    );
    node.stop().await;
}

#[tokio::test]
async fn an_account_filter_lets_payments_to_and_from_the_account_pass_and_nothing_else() {
    let node = node().await;
    let mut client = Client::connect(&node).await;
    let (one, other) = (DevKeys::sample(72).account(), DevKeys::sample(73).account());
    client
        .subscribe("confirmation", json!({"accounts": [one]}))
        .await;
    node.faucet().send(other, nano(1)).await.unwrap();
    let wanted = node.faucet().send(one, nano(2)).await.unwrap();
    let frame = client.next().await.unwrap();
    assert_eq!(frame["message"]["hash"], wanted.to_string());

    let update = json!({"action": "update", "topic": "confirmation", "ack": true, "options": {"accounts_add": [other], "accounts_del": [one]}});
    client.send(&update).await;
    assert_eq!(client.next().await.unwrap()["ack"], "update");
    node.faucet().send(one, nano(1)).await.unwrap();
    let wanted = node.faucet().send(other, nano(2)).await.unwrap();
    let frame = client.next().await.unwrap();
    assert_eq!(frame["message"]["hash"], wanted.to_string());
    node.stop().await;
}

#[tokio::test]
async fn empty_options_are_an_empty_filter() {
    let node = node().await;
    let mut client = Client::connect(&node).await;
    client.subscribe("confirmation", json!({})).await;
    client.subscribe("stopped_election", Value::Null).await;
    node.faucet()
        .send(DevKeys::sample(74).account(), nano(1))
        .await
        .unwrap();
    client.send(&json!({"action": "ping"})).await;
    let stopped = client.next().await.unwrap();
    assert_eq!(stopped["topic"], "stopped_election");
    // Events of one payment come in order, so the confirmation would have come before the next.
    node.faucet()
        .send(DevKeys::sample(74).account(), nano(1))
        .await
        .unwrap();
    let next = client.find(|frame| frame["topic"].is_string()).await;
    assert_eq!(next["topic"], "stopped_election");
    node.stop().await;
}

#[tokio::test]
async fn after_unsubscribing_nothing_more_comes() {
    let node = node().await;
    let mut client = Client::connect(&node).await;
    client.subscribe("vote", Value::Null).await;
    client.subscribe("stopped_election", Value::Null).await;
    client
        .send(&json!({"action": "unsubscribe", "topic": "vote", "ack": true}))
        .await;
    client.find(|frame| frame["ack"] == "unsubscribe").await;
    node.faucet()
        .send(DevKeys::sample(75).account(), nano(1))
        .await
        .unwrap();
    assert_eq!(client.next().await.unwrap()["topic"], "stopped_election");
    node.stop().await;
}

#[tokio::test]
async fn unknown_topics_get_no_answer_and_frames_that_are_no_objects_end_the_connection() {
    let node = node().await;
    let mut client = Client::connect(&node).await;
    client
        .send(&json!({"action": "subscribe", "topic": "weather", "ack": true}))
        .await;
    client.send(&json!({"action": "ping", "id": 7})).await;
    let answer = client.next().await.unwrap();
    assert_eq!((&answer["ack"], &answer["id"]), (&json!("pong"), &json!(7)));
    client.send(&json!("just a text")).await;
    assert_eq!(client.next().await, None);
    node.stop().await;
}
