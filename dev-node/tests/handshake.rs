//! Greeting a node: every order, network, genesis, cookie and id that must close the connection.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests"
)]

mod common;

use common::Probe;
use dev_node::{DevNode, DevNodeConfig, Dialect};
use nano_core::message::{
    Cookie, HandshakeResponse, Keepalive, LegacyBootstrap, Message, MessageType, NodeIdHandshake,
};
use nano_core::{Network, PrivateKey};

async fn node() -> DevNode {
    DevNode::start(DevNodeConfig {
        dialect: Dialect::Rs,
        ..DevNodeConfig::default()
    })
    .await
    .unwrap()
}

fn key(byte: u8) -> PrivateKey {
    PrivateKey::from_bytes([byte; 32])
}

/// A query, answered: what a client holds before its last word.
async fn half_greeted(node: &DevNode) -> (Probe, NodeIdHandshake) {
    let mut probe = Probe::connect(node.peering_addr()).await;
    probe
        .send(&NodeIdHandshake::query(Cookie::from_bytes([1; 32])).into())
        .await;
    let Some(Message::NodeIdHandshake(answer)) = probe.next().await else {
        panic!("no answer to the query");
    };
    (probe, answer)
}

#[tokio::test]
async fn the_handshake_answers_our_cookie_and_names_the_node() {
    let node = node().await;
    let probe = Probe::greet(node.peering_addr()).await;
    assert_eq!(probe.node_id, Some(node.node_id()));
    node.stop().await;
}

#[tokio::test]
async fn anything_before_the_handshake_closes_the_connection() {
    let node = node().await;
    let early = [
        Keepalive::EMPTY.into(),
        Message::TelemetryReq,
        LegacyBootstrap {
            message_type: MessageType::BulkPush,
            extensions: 0,
            payload: Vec::new(),
        }
        .into(),
    ];
    for message in early {
        let mut probe = Probe::connect(node.peering_addr()).await;
        probe.send(&message).await;
        assert!(probe.is_closed().await);
    }
    node.stop().await;
}

#[tokio::test]
async fn a_second_query_closes_the_connection() {
    let node = node().await;
    let (mut probe, _) = half_greeted(&node).await;
    probe
        .send(&NodeIdHandshake::query(Cookie::from_bytes([2; 32])).into())
        .await;
    assert!(probe.is_closed().await);
    node.stop().await;
}

#[tokio::test]
async fn a_response_with_another_genesis_closes_the_connection() {
    let node = node().await;
    let (mut probe, answer) = half_greeted(&node).await;
    let response = HandshakeResponse::sign(Network::Beta, &key(5), &answer.query.unwrap(), [0; 32]);
    probe
        .send(&NodeIdHandshake::response(response).into())
        .await;
    assert!(probe.is_closed().await);
    node.stop().await;
}

#[tokio::test]
async fn a_response_to_another_cookie_closes_the_connection() {
    let node = node().await;
    let (mut probe, _) = half_greeted(&node).await;
    let response =
        HandshakeResponse::sign(Network::Dev, &key(5), &Cookie::from_bytes([8; 32]), [0; 32]);
    probe
        .send(&NodeIdHandshake::response(response).into())
        .await;
    assert!(probe.is_closed().await);
    node.stop().await;
}

#[tokio::test]
async fn a_recorded_response_is_worthless_on_another_connection() {
    let node = node().await;
    let (mut first, answer) = half_greeted(&node).await;
    let response = HandshakeResponse::sign(Network::Dev, &key(5), &answer.query.unwrap(), [0; 32]);
    let last: Message = NodeIdHandshake::response(response).into();
    first.send(&last).await;
    let (mut second, _) = half_greeted(&node).await;
    second.send(&last).await;
    assert!(second.is_closed().await);
    node.stop().await;
}

#[tokio::test]
async fn the_nodes_own_id_closes_the_connection() {
    let config = DevNodeConfig {
        node_key: Some(key(6)),
        ..DevNodeConfig::default()
    };
    let node = DevNode::start(config).await.unwrap();
    let (mut probe, answer) = half_greeted(&node).await;
    let response = HandshakeResponse::sign(Network::Dev, &key(6), &answer.query.unwrap(), [0; 32]);
    probe
        .send(&NodeIdHandshake::response(response).into())
        .await;
    assert!(probe.is_closed().await);
    node.stop().await;
}

#[tokio::test]
async fn a_node_id_connected_already_is_refused() {
    let node = node().await;
    let mut first = Probe::connect(node.peering_addr()).await;
    first.greet_as(&key(5)).await;
    // It counts once the node speaks to it.
    first.next().await.unwrap();
    let mut second = Probe::connect(node.peering_addr()).await;
    second.greet_as(&key(5)).await;
    assert!(second.is_closed().await);
    assert_eq!(node.peer_count(), 1);
    node.stop().await;
}

#[tokio::test]
async fn an_unanswered_cookie_expires() {
    let node = node().await;
    let (mut probe, _) = half_greeted(&node).await;
    assert!(probe.is_closed().await);
    node.stop().await;
}

#[tokio::test]
async fn wrong_network_old_version_and_unknown_type_close_newer_version_does_not() {
    let node = node().await;
    let query = Message::from(NodeIdHandshake::query(Cookie::from_bytes([1; 32])));
    let good = query.encode(Network::Dev).unwrap();
    // (place in the header, value)
    for (place, value) in [(1, b'C'), (1, b'Z'), (3, 0x13), (5, 0x2a)] {
        let mut bytes = good.clone();
        bytes[place] = value;
        let mut probe = Probe::connect(node.peering_addr()).await;
        probe.send_bytes(&bytes).await;
        assert!(probe.is_closed().await);
    }
    let mut newer = good;
    newer[2] = 0x16;
    newer[3] = 0x16;
    let mut probe = Probe::connect(node.peering_addr()).await;
    probe.send_bytes(&newer).await;
    assert!(matches!(
        probe.next().await,
        Some(Message::NodeIdHandshake(_))
    ));
    node.stop().await;
}
