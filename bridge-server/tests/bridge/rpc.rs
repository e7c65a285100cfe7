//! A full node's RPC and WebSocket beside its peer protocol, over real sockets.

use bridge_server::cli::RunOptions;
use bridge_server::metrics::counted;
use dev_node::{DevKeys, DevNode, DevNodeConfig};
use nano_core::{PrivateKey, Raw};
use nanonet::AccountState;

use crate::common::{Client, bridge, dev_config, dev_node, until, with_rpc};

/// Options of a bridge beside this full node, with its WebSocket, too.
fn with_ws(dev: &DevNode) -> RunOptions {
    RunOptions {
        ws: Some(format!("ws://{}", dev.websocket_addr())),
        ..with_rpc(dev)
    }
}

#[tokio::test]
async fn what_an_account_can_receive_is_found_by_rpc_and_proven() {
    let dev = dev_node().await;
    // Sent before the bridge came: it is in no live stream.
    let account = PrivateKey::from_bytes([71; 32]).account();
    let half = Raw::new(Raw::NANO.number() / 2);
    let small = dev.faucet().send(account, half).await.unwrap();
    let large = dev.faucet().send(account, Raw::NANO).await.unwrap();
    let bridge = bridge(with_rpc(&dev)).await;
    let mut client = Client::link(&bridge, 31).await;
    let answer = client.get(account, false).await.unwrap();
    assert!(matches!(answer.state, AccountState::Unopened { .. }));
    let mut found: Vec<_> = answer
        .receivables
        .iter()
        .map(|send| (send.amount, send.hash))
        .collect();
    found.sort();
    assert_eq!(found, [(half, small), (Raw::NANO, large)]);
    assert!(
        answer
            .receivables
            .iter()
            .all(|send| send.weight >= send.threshold)
    );
    let waiting = DevKeys::sample(DevKeys::SAMPLE_WAITING).account();
    let answer = client.get(waiting, false).await.unwrap();
    assert!(matches!(answer.state, AccountState::Opened { .. }));
    assert!(!answer.receivables.is_empty());
    bridge.stop().await;
    dev.stop().await;
}

#[tokio::test]
async fn a_bridge_outlives_its_rpc_and_still_proves() {
    let dev = dev_node().await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nowhere = closed.local_addr().unwrap();
    drop(closed);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("weights.json");
    let whole = bridge(with_rpc(&dev)).await;
    let table = whole.weights().current();
    std::fs::write(&file, serde_json::to_string(table.as_ref()).unwrap()).unwrap();
    whole.stop().await;
    let options = RunOptions {
        listen: Some("127.0.0.1:0".parse().unwrap()),
        peer: vec![dev.peering_addr().to_string()],
        rpc: Some(format!("http://{nowhere}")),
        ws: Some(format!("ws://{nowhere}")),
        weights: Some(file),
        ..RunOptions::default()
    };
    let bridge = bridge(options).await;
    let account = DevKeys::sample(DevKeys::SAMPLE_STATE).account();
    let mut client = Client::link(&bridge, 32).await;
    let answer = client.get(account, false).await.unwrap();
    assert!(matches!(answer.state, AccountState::Opened { .. }));
    assert!(counted(&bridge.metrics().rpc_requests, "unreachable") > 0);
    bridge.stop().await;
    dev.stop().await;
}

#[tokio::test]
async fn confirmations_and_votes_of_the_websocket_join_the_live_stream() {
    let dev = dev_node().await;
    let bridge = bridge(with_ws(&dev)).await;
    let events = || &bridge.metrics().events;
    until("the subscription", async || {
        (counted(events(), "subscribed") == 1).then_some(())
    })
    .await;
    let mut confirmations = bridge.confirmations();
    let to = PrivateKey::from_bytes([72; 32]).account();
    let send = dev.faucet().send(to, Raw::NANO).await.unwrap();
    tokio::time::timeout(crate::common::DEADLINE, async {
        while confirmations.recv().await.unwrap().hash != send {}
    })
    .await
    .expect("not seen confirmed");
    until("both topics", async || {
        let both = counted(events(), "confirmation") > 0 && counted(events(), "vote") > 0;
        both.then_some(())
    })
    .await;
    assert_eq!(counted(events(), "malformed"), 0);
    bridge.stop().await;
    dev.stop().await;
}

#[tokio::test]
async fn after_a_gap_the_websocket_comes_back_and_what_was_missed_is_found_by_rpc() {
    let folder = tempfile::tempdir().unwrap();
    let start = |at: Option<(
        std::net::SocketAddr,
        std::net::SocketAddr,
        std::net::SocketAddr,
    )>| {
        let mut config = DevNodeConfig {
            data: Some(folder.path().to_path_buf()),
            ..dev_config()
        };
        if let Some((peering, rpc, websocket)) = at {
            (config.peering, config.rpc, config.websocket) = (peering, rpc, websocket);
        }
        DevNode::start(config)
    };
    let dev = start(None).await.unwrap();
    let at = (dev.peering_addr(), dev.rpc_addr(), dev.websocket_addr());
    let bridge = bridge(with_ws(&dev)).await;
    let account = PrivateKey::from_bytes([73; 32]).account();
    let mut client = Client::link(&bridge, 33).await;
    // From now on the account matters to somebody.
    client.get(account, false).await.unwrap();
    dev.stop().await;
    // Nobody listens while the money is sent.
    let alone = start(None).await.unwrap();
    let send = alone.faucet().send(account, Raw::NANO).await.unwrap();
    alone.stop().await;
    let mut confirmations = bridge.confirmations();
    let again = until("the node's ports", async || start(Some(at)).await.ok()).await;
    tokio::time::timeout(crate::common::DEADLINE, async {
        while confirmations.recv().await.unwrap().hash != send {}
    })
    .await
    .expect("what was missed was not found");
    assert!(counted(&bridge.metrics().events, "caught-up") > 0);
    bridge.stop().await;
    again.stop().await;
}
