//! Bridges, full nodes and links that come and go, over real sockets.

use std::path::Path;
use std::time::Duration;

use bridge_server::cli::RunOptions;
use bridge_server::metrics::counted;
use bridge_server::prove::Proven;
use bridge_server::shell::PREFIX;
use dev_node::{DevKeys, DevNode, DevNodeConfig};
use nanonet::{AccountAnswer, AccountState, ResolveFailure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::common::{
    Client, bridge, dev_config, dev_node, linked, options, reach_all, until, with_rpc,
};

#[tokio::test]
async fn two_bridges_link_over_tcp_and_answer_for_each_other() {
    let first = bridge(options()).await;
    let second = bridge(RunOptions {
        bridge: vec![first.address().to_string()],
        ..options()
    })
    .await;
    linked(&second).await;
    // Held by the first bridge: the second one asks it before any full node.
    let account = DevKeys::sample(DevKeys::SAMPLE_STATE).account();
    Client::link(&first, 11)
        .await
        .get(account, false)
        .await
        .unwrap();
    let asked = counted(&second.metrics().full_node_requests, "account_info");
    let answer = Client::link(&second, 12)
        .await
        .get(account, false)
        .await
        .unwrap();
    assert!(matches!(answer.state, AccountState::Opened { .. }));
    assert_eq!(
        counted(&second.metrics().full_node_requests, "account_info"),
        asked
    );
    second.stop().await;
    first.stop().await;
}

#[tokio::test]
async fn a_bridge_that_lost_its_data_folder_comes_back_with_what_the_others_keep() {
    let dev = dev_node().await;
    let other = bridge(with_rpc(&dev)).await;
    let beside = |data: &Path| RunOptions {
        bridge: vec![other.address().to_string()],
        data: Some(data.to_owned()),
        ..with_rpc(&dev)
    };
    let (folder, fresh) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = bridge(beside(folder.path())).await;
    linked(&first).await;
    let key = first.node().status().await.unwrap().key;
    let account = DevKeys::sample(DevKeys::SAMPLE_STATE).account();
    let mut client = Client::link(&other, 14).await;
    let before = client.get(account, false).await.unwrap();
    first.stop().await;

    let second = bridge(beside(fresh.path())).await;
    linked(&second).await;
    let status = second.node().status().await.unwrap();
    assert_ne!(status.key, key, "a key that nobody kept");
    assert_eq!(
        second.weights().current().weights,
        other.weights().current().weights
    );
    // No full node is asked for what the other bridge keeps.
    let answer = Client::link(&second, 15)
        .await
        .get(account, false)
        .await
        .unwrap();
    let hash = |answer: &AccountAnswer| match &answer.state {
        AccountState::Opened { frontier, .. } => frontier.hash,
        other => panic!("{other:?}"),
    };
    assert_eq!(hash(&answer), hash(&before));
    let requests = &second.metrics().full_node_requests;
    assert_eq!(counted(requests, "account_info"), 0);
    // What nobody keeps is proven anew.
    let unknown = DevKeys::representative(3).account();
    let proven = second.prover().resolve(unknown, None).await;
    assert!(matches!(proven, Ok(Proven::Opened(_))), "{proven:?}");
    second.stop().await;
    other.stop().await;
    dev.stop().await;
}

#[tokio::test]
async fn a_full_node_that_goes_is_missed_and_one_that_comes_back_is_found() {
    let dev = dev_node().await;
    let bridge = bridge(with_rpc(&dev)).await;
    let peering = dev.peering_addr();
    dev.stop().await;
    until("the channel to end", async || {
        bridge.full_nodes().channels().is_empty().then_some(())
    })
    .await;
    let account = DevKeys::sample(DevKeys::SAMPLE_STATE).account();
    let gone = bridge.prover().resolve(account, None).await;
    assert!(matches!(gone, Err(ResolveFailure::NoFullNode)), "{gone:?}");

    let dev = DevNode::start(DevNodeConfig {
        peering,
        ..dev_config()
    })
    .await
    .unwrap();
    reach_all(&bridge).await;
    let back = bridge.prover().resolve(account, None).await;
    assert!(matches!(back, Ok(Proven::Opened(_))), "{back:?}");
    bridge.stop().await;
    dev.stop().await;
}

#[tokio::test]
async fn a_link_that_breaks_the_framing_is_closed_and_counted() {
    let bridge = bridge(options()).await;
    for (bytes, reason) in [
        (b"\0nanonet9".to_vec(), "bad-prefix"),
        (
            [PREFIX.as_slice(), &u32::MAX.to_be_bytes()].concat(),
            "frame-length",
        ),
        (
            [PREFIX.as_slice(), &0_u32.to_be_bytes()].concat(),
            "frame-length",
        ),
    ] {
        let before = counted(&bridge.metrics().links_closed, reason);
        let mut stream = TcpStream::connect(bridge.address()).await.unwrap();
        stream.write_all(&bytes).await.unwrap();
        let mut rest = Vec::new();
        // A reset is an end as well.
        let _ = stream.read_to_end(&mut rest).await;
        assert_eq!(
            counted(&bridge.metrics().links_closed, reason),
            before + 1,
            "{reason}"
        );
    }
    assert_eq!(bridge.metrics().links.get(), 0);
    bridge.stop().await;
}

#[tokio::test]
async fn no_more_links_than_places_are_taken() {
    let bridge = bridge(RunOptions {
        max_links: Some(3),
        ..options()
    })
    .await;
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut stream = TcpStream::connect(bridge.address()).await.unwrap();
        stream.write_all(PREFIX).await.unwrap();
        held.push(stream);
    }
    until("three links", async || {
        (bridge.metrics().links.get() == 3).then_some(())
    })
    .await;
    let mut refused = TcpStream::connect(bridge.address()).await.unwrap();
    refused.write_all(PREFIX).await.unwrap();
    let mut rest = Vec::new();
    let _ = refused.read_to_end(&mut rest).await;
    assert_eq!(counted(&bridge.metrics().links_closed, "no-place"), 1);
    drop(held);
    until("free places", async || {
        (bridge.metrics().links.get() == 0).then_some(())
    })
    .await;
    bridge.stop().await;
}

#[tokio::test]
async fn a_bridge_stops_in_time_with_links_open() {
    let bridge = bridge(options()).await;
    let _client = Client::link(&bridge, 13).await;
    tokio::time::timeout(Duration::from_secs(20), bridge.stop())
        .await
        .expect("did not stop");
}
