//! Backfill: accounts that nobody asks for come into the nanonet, and are answered from there with
//! every full node stopped.

use std::time::{Duration, Instant};

use bridge_server::backfill::PARTS;
use bridge_server::cli::RunOptions;
use bridge_server::run::Bridge;
use dev_node::{DevKeys, DevNode, DevNodeConfig, Dialect};
use nano_core::Account;
use nanonet::AccountState;

use crate::common::{Client, bridge, dev_config, dialect, linked, options, options_beside, until};

/// The whole walk may take so long on a busy machine.
const PATIENCE: Duration = Duration::from_secs(1200);

async fn node(accounts: u32) -> DevNode {
    DevNode::start(DevNodeConfig {
        accounts,
        ..dev_config()
    })
    .await
    .unwrap()
}

/// Waits until all of the ledger has been walked through; gives the accounts kept just before.
async fn walked(bridge: &Bridge) -> u64 {
    let deadline = Instant::now() + PATIENCE;
    let mut kept = 0;
    loop {
        let now = bridge.backfill();
        kept = kept.max(now.kept);
        if now.rounds > 0 {
            return kept;
        }
        assert!(Instant::now() < deadline, "still at {now:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_never_asked_for_are_answered_proven_with_every_full_node_stopped() {
    // The figure that counts is measured once; the other dialect is shown with fewer.
    let accounts = match dialect() {
        Dialect::Rs => 10_000,
        Dialect::Cpp => 1_000,
    };
    let node = node(accounts).await;
    let folder = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let nodes = [node];
    let bridge = bridge(RunOptions {
        backfill: Some(1_000_000),
        ..options_beside(&nodes, folder.path())
    })
    .await;
    walked(&bridge).await;
    println!("backfill of {accounts} accounts took {:?}", began.elapsed());
    let told = bridge.backfill();
    assert_eq!(told.coverage_ppm, 1_000_000, "{told:?}");
    let status = bridge.node().status().await.unwrap();
    assert!(status.records > accounts, "{}", status.records);

    let [node] = nodes;
    let mut expected = Vec::new();
    for index in (0..accounts).step_by(accounts as usize / 50) {
        let account = DevKeys::holder(index).account();
        let head = node.account_info(&account).unwrap().head;
        expected.push((account, head, node.block(&head).unwrap().balance));
    }
    node.stop().await;
    until("the bridge to be without full nodes", async || {
        let channels = bridge.metrics().full_node_channels.get();
        (channels == 0).then_some(())
    })
    .await;
    let mut client = Client::link(&bridge, 1).await;
    for (account, head, balance) in expected {
        let answer = client.get(account, false).await.unwrap();
        let AccountState::Opened { frontier, .. } = answer.state else {
            panic!("{account} is said to be unopened");
        };
        assert_eq!((frontier.hash, frontier.balance), (head, balance));
        assert!(frontier.weight >= frontier.threshold);
    }
    bridge.stop().await;
}

/// How many of these accounts a bridge has a proof of.
async fn held(bridge: &Bridge, accounts: &[Account]) -> Vec<bool> {
    let held = bridge.node().held(accounts.to_vec()).await.unwrap();
    held.iter().map(Option::is_some).collect()
}

fn holders(count: u32) -> Vec<Account> {
    (0..count).map(|n| DevKeys::holder(n).account()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_bridge_that_does_not_walk_all_is_walked() {
    let accounts = 200;
    let nodes = [node(accounts).await];
    let (idle_folder, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let idle = bridge(options_beside(&nodes, idle_folder.path())).await;
    let walking = bridge(RunOptions {
        bridge: vec![idle.address().to_string()],
        // Not through before they are linked and the other one was asked.
        backfill: Some(40),
        ..options_beside(&nodes, folder.path())
    })
    .await;
    linked(&walking).await;
    walked(&walking).await;
    assert_eq!(walking.backfill().parts, PARTS);
    let held = held(&walking, &holders(accounts)).await;
    assert!(held.iter().all(|held| *held), "a hole");
    walking.stop().await;
    idle.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bridges_that_dial_each_other_share_the_walk_and_leave_no_hole() {
    let accounts = 300;
    let nodes = [node(accounts).await];
    // Each has to know the other's port before it runs.
    let ports = [(); 2].map(|()| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    let ports = ports.map(|port| port.local_addr().unwrap());
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let start = |own: usize| RunOptions {
        listen: Some(ports[own]),
        bridge: vec![ports[1 - own].to_string()],
        // Slow enough that finding each other takes a small part of the walk.
        backfill: Some(10),
        ..options_beside(&nodes, folders[own].path())
    };
    let (one, other) = (bridge(start(0)).await, bridge(start(1)).await);
    until("the ranges to be shared", async || {
        let parts = [&one, &other].map(|bridge| bridge.backfill().parts);
        (parts[0] + parts[1] == PARTS).then_some(())
    })
    .await;
    let (first, second) = tokio::join!(walked(&one), walked(&other));
    let all = holders(accounts);
    let (one_held, other_held) = tokio::join!(held(&one, &all), held(&other, &all));
    let mut either = one_held.iter().zip(&other_held);
    assert!(either.all(|(one, other)| *one || *other), "a hole");
    let twice = u64::from(accounts) * 2;
    assert!(first + second < twice, "{first} and {second}: not shared");
    one.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn a_backfill_goes_on_where_it_was_after_a_restart() {
    let accounts = 200;
    let nodes = [node(accounts).await];
    let folder = tempfile::tempdir().unwrap();
    let slowly = |pace| RunOptions {
        backfill: Some(pace),
        data: Some(folder.path().join("bridge")),
        ..options_beside(&nodes, folder.path())
    };
    let first = bridge(slowly(40)).await;
    let kept = until("some to be kept", async || {
        let kept = first.backfill().kept;
        (kept >= 80).then_some(kept)
    })
    .await;
    assert_eq!(first.backfill().rounds, 0, "too fast to be stopped midway");
    first.stop().await;
    let second = bridge(slowly(1_000_000)).await;
    // The first figure told is what the first run left, at most one batch behind.
    let resumed = until("the second run to tell", async || {
        let told = second.backfill();
        (told.pace > 40).then_some(told.kept)
    })
    .await;
    assert!(resumed + 40 >= kept, "{resumed} after {kept}");
    walked(&second).await;
    assert_eq!(second.backfill().coverage_ppm, 1_000_000);
    assert!(second.node().status().await.unwrap().records > accounts);
    second.stop().await;
}

#[tokio::test]
async fn coverage_is_told_at_the_api_and_nothing_is_walked_when_it_is_off() {
    let bridge = bridge(options()).await;
    let info: serde_json::Value = reqwest::get(format!("http://{}/v1/info", bridge.address()))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(info["backfill"]["pace"], 0);
    assert_eq!(info["backfill"]["listed"], 0);
    bridge.stop().await;
    let bridge = crate::common::bridge(RunOptions {
        backfill: Some(1000),
        ..options()
    })
    .await;
    walked(&bridge).await;
    let url = format!("http://{}", bridge.address());
    let info = reqwest::get(format!("{url}/v1/info")).await.unwrap();
    let info: serde_json::Value = info.json().await.unwrap();
    assert_eq!(info["backfill"]["coverage_ppm"], 1_000_000);
    assert_eq!(info["backfill"]["rounds"], 1);
    let metrics = reqwest::get(format!("{url}/metrics")).await.unwrap();
    let metrics = metrics.text().await.unwrap();
    assert!(metrics.contains("nanonet_backfill_coverage_ppm 1000000"));
    bridge.stop().await;
}
