//! A full node's RPC and WebSocket beside its peer protocol, over real sockets.

use std::collections::BTreeSet;
use std::future::ready;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Json;
use axum::response::Redirect;
use axum::routing::post;
use bridge_server::cli::RunOptions;
use bridge_server::config::RpcUrl;
use bridge_server::metrics::{Metrics, counted};
use bridge_server::rpc::{Rpc, RpcError};
use dev_node::{DevKeys, DevNode, DevNodeConfig};
use futures_util::StreamExt;
use nano_core::message::Message;
use nano_core::{Account, BlockHash, Network, PrivateKey, Raw};
use nanonet::AccountState;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_tungstenite::accept_async;

use crate::common::{Client, bridge, dev_config, dev_node, options_beside, serve, until, with_rpc};
use crate::scripted::receive;

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

/// A way to a full node's peer port on which nothing comes by itself: blocks are held back, and
/// votes for anything that the bridge has not asked for by its hash.
async fn quiet(node: SocketAddr) -> (SocketAddr, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut task = JoinSet::new();
    task.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((bridge, _)) = listener.accept().await {
            let node = TcpStream::connect(node).await.unwrap();
            connections.spawn(only_answers(bridge, node));
        }
    });
    (address, task)
}

async fn only_answers(mut bridge: TcpStream, mut node: TcpStream) {
    let asked = Mutex::new(BTreeSet::new());
    let (mut from_bridge, mut to_bridge) = bridge.split();
    let (mut from_node, mut to_node) = node.split();
    let bytes = |message: Message| message.encode(Network::Dev).unwrap();
    let out = async {
        while let Some(message) = receive(&mut from_bridge).await {
            if let Message::ConfirmReq(request) = &message {
                let hashes = request.blocks.iter().map(|block| block.hash);
                asked.lock().unwrap().extend(hashes);
            }
            if to_node.write_all(&bytes(message)).await.is_err() {
                return;
            }
        }
    };
    let back = async {
        while let Some(message) = receive(&mut from_node).await {
            let passes = match &message {
                Message::Publish(_) => false,
                Message::ConfirmAck(ack) => {
                    let asked = asked.lock().unwrap();
                    ack.vote.hashes.iter().all(|hash| asked.contains(hash))
                }
                _ => true,
            };
            if passes && to_bridge.write_all(&bytes(message)).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = out => {}
        () = back => {}
    }
}

#[tokio::test]
async fn confirmations_and_votes_of_the_websocket_join_the_live_stream() {
    let dev = dev_node().await;
    let (peer, _way) = quiet(dev.peering_addr()).await;
    let folder = tempfile::tempdir().unwrap();
    let bridge = bridge(RunOptions {
        peer: vec![peer.to_string()],
        ws: Some(format!("ws://{}", dev.websocket_addr())),
        ..options_beside(std::slice::from_ref(&dev), folder.path())
    })
    .await;
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
    until("the record", async || {
        (bridge.node().status().await?.receivables > 0).then_some(())
    })
    .await;
    let mut client = Client::link(&bridge, 34).await;
    let answer = client.get(to, true).await.unwrap();
    assert_eq!(answer.receivables[0].hash, send);
    assert!(counted(events(), "confirmation") > 0 && counted(events(), "vote") > 0);
    assert_eq!(counted(events(), "malformed"), 0);
    bridge.stop().await;
    dev.stop().await;
}

/// An RPC that passes everything on to the real one at `rpc`, but refuses to name frontiers and
/// knows nothing of the first block it is asked for.
async fn forgetful(rpc: SocketAddr) -> SocketAddr {
    let asked = Arc::new(AtomicBool::new(false));
    let answer = move |Json(request): Json<Value>| {
        let asked = Arc::clone(&asked);
        async move {
            let action = request["action"].as_str().unwrap();
            let refuses = match action {
                "accounts_frontiers" => true,
                "block_info" => !asked.swap(true, Ordering::SeqCst),
                _ => false,
            };
            if refuses {
                return Json(json!({ "error": "Unable to" }));
            }
            let client = reqwest::Client::new();
            let sent = client.post(format!("http://{rpc}")).json(&request).send();
            // The node may be between two runs.
            let Ok(answer) = sent.await else {
                return Json(json!({ "error": "Away" }));
            };
            Json(answer.json().await.unwrap())
        }
    };
    serve(axum::Router::new().fallback(post(answer))).await
}

/// A node is away while money is sent; gives the bridge that was there before and is there after,
/// and what was sent.
struct Gap {
    folder: tempfile::TempDir,
    dev: DevNode,
    account: Account,
}

impl Gap {
    async fn before() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dev = DevNode::start(Self::config(folder.path())).await.unwrap();
        let account = PrivateKey::from_bytes([73; 32]).account();
        Self {
            folder,
            dev,
            account,
        }
    }

    fn config(folder: &Path) -> DevNodeConfig {
        DevNodeConfig {
            data: Some(folder.to_path_buf()),
            ..dev_config()
        }
    }

    /// Stops the node, sends money while nobody listens, and starts it at its old ports.
    async fn after(self, amounts: &[Raw]) -> (Vec<BlockHash>, DevNode) {
        let config = Self::config(self.folder.path());
        let again = DevNodeConfig {
            peering: self.dev.peering_addr(),
            rpc: self.dev.rpc_addr(),
            websocket: self.dev.websocket_addr(),
            ..config.clone()
        };
        self.dev.stop().await;
        let alone = DevNode::start(config).await.unwrap();
        let mut sent = Vec::new();
        for amount in amounts {
            sent.push(alone.faucet().send(self.account, *amount).await.unwrap());
        }
        alone.stop().await;
        let again = until("the node's ports", async || {
            DevNode::start(again.clone()).await.ok()
        });
        (sent, again.await)
    }
}

#[tokio::test]
async fn after_a_gap_the_websocket_comes_back_and_what_was_missed_is_found_by_rpc() {
    let gap = Gap::before().await;
    let bridge = bridge(with_ws(&gap.dev)).await;
    let mut client = Client::link(&bridge, 33).await;
    // From now on the account matters to somebody.
    client.get(gap.account, false).await.unwrap();
    let mut confirmations = bridge.confirmations();
    let (sent, dev) = gap.after(&[Raw::NANO]).await;
    tokio::time::timeout(crate::common::DEADLINE, async {
        while confirmations.recv().await.unwrap().hash != sent[0] {}
    })
    .await
    .expect("what was missed was not found");
    assert!(counted(&bridge.metrics().events, "caught-up") > 0);
    bridge.stop().await;
    dev.stop().await;
}

#[tokio::test]
async fn what_an_rpc_refuses_after_a_gap_does_not_keep_back_the_rest() {
    let gap = Gap::before().await;
    let rpc = forgetful(gap.dev.rpc_addr()).await;
    let bridge = bridge(RunOptions {
        rpc: Some(format!("http://{rpc}")),
        ..with_ws(&gap.dev)
    })
    .await;
    let mut client = Client::link(&bridge, 35).await;
    client.get(gap.account, false).await.unwrap();
    let mut confirmations = bridge.confirmations();
    let (sent, dev) = gap.after(&[Raw::NANO, Raw::new(7)]).await;
    let found = tokio::time::timeout(crate::common::DEADLINE, async {
        loop {
            let hash = confirmations.recv().await.unwrap().hash;
            if sent.contains(&hash) {
                return hash;
            }
        }
    })
    .await
    .expect("what was missed was not found");
    // The larger one is asked for first.
    assert_eq!(found, sent[1]);
    bridge.stop().await;
    dev.stop().await;
}

#[tokio::test]
async fn a_websocket_that_never_subscribes_is_tried_less_and_less_often() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let dev = dev_node().await;
    let bridge = bridge(RunOptions {
        ws: Some(format!("ws://{address}")),
        ..with_rpc(&dev)
    })
    .await;
    let tries = async {
        let mut began = None;
        for _ in 0..6 {
            let (stream, _) = listener.accept().await.unwrap();
            began.get_or_insert_with(Instant::now);
            let mut socket = accept_async(stream).await.unwrap();
            // Both subscriptions arrive, so that the connection counts as made.
            assert!(socket.next().await.is_some() && socket.next().await.is_some());
        }
        began.unwrap().elapsed()
    };
    let took = tokio::time::timeout(crate::common::DEADLINE, tries);
    // Five pauses, each at least twice the least one before it: 0.1 s to 1.6 s.
    assert!(took.await.unwrap() >= Duration::from_secs(3));
    assert_eq!(counted(&bridge.metrics().events, "subscribed"), 0);
    bridge.stop().await;
    dev.stop().await;
}

#[tokio::test]
async fn an_rpc_that_sends_elsewhere_is_not_followed() {
    let reached = Arc::new(AtomicBool::new(false));
    let noted = Arc::clone(&reached);
    let answer = move || {
        noted.store(true, Ordering::SeqCst);
        ready(Json(
            json!({ "network_identifier": Network::Dev.genesis_hash() }),
        ))
    };
    let inside = serve(axum::Router::new().fallback(post(answer))).await;
    let sends = move || ready(Redirect::temporary(&format!("http://{inside}/")));
    let outside = serve(axum::Router::new().fallback(post(sends))).await;
    let rpc = Rpc::new(RpcUrl(format!("http://{outside}")), Metrics::default()).unwrap();
    let refused = rpc.check_network(Network::Dev).await;
    assert!(
        matches!(refused, Err(RpcError::Refused { .. })),
        "{refused:?}"
    );
    assert!(!reached.load(Ordering::SeqCst));
}
