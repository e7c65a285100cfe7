//! The whole way: a nanonet node over WebSocket, the bridge, a full node, and back.

use crate::common::{Client, bridge, bridge_and_node, options, state_block, until};
use dev_node::DevKeys;
use nano_core::{Account, BlockHash, PrivateKey, Raw};
use nanonet::{AccountState, PublishState};

#[tokio::test]
async fn a_balance_asked_for_over_a_websocket_comes_with_its_proof() {
    let bridge = bridge(options()).await;
    let account = DevKeys::sample(DevKeys::SAMPLE_STATE).account();
    let mut client = Client::link(&bridge, 1).await;
    let answer = client.get(account, false).await.unwrap();
    let AccountState::Opened { frontier, .. } = answer.state else {
        panic!("not opened")
    };
    let dev = bridge.dev_node().unwrap();
    let head = dev.account_info(&account).unwrap().confirmation_frontier;
    assert_eq!(frontier.balance, dev.block(&head).unwrap().balance);
    assert!(answer.as_of.is_some());
    bridge.stop().await;
}

#[tokio::test]
async fn money_from_the_faucet_is_seen_live_received_and_proven() {
    let bridge = bridge(options()).await;
    let mut client = Client::link(&bridge, 2).await;
    let key = PrivateKey::from_bytes([42; 32]);
    let mut confirmations = bridge.confirmations();
    let faucet = bridge.dev_node().unwrap().faucet();
    let send = faucet.send(key.account(), Raw::NANO).await.unwrap();
    tokio::time::timeout(crate::common::DEADLINE, async {
        while confirmations.recv().await.unwrap().hash != send {}
    })
    .await
    .expect("not seen confirmed");

    let representative: Account = DevKeys::representative(0).account();
    let open = state_block(
        &key,
        BlockHash::ZERO,
        representative,
        Raw::NANO,
        send.into(),
    );
    let hash = open.hash();
    client
        .publish(open, |state| match state {
            PublishState::Confirmed => Some(()),
            PublishState::Refused(refusal) => panic!("refused: {refusal:?}"),
            _ => None,
        })
        .await;
    let answer = client.get(key.account(), true).await.unwrap();
    let AccountState::Opened { frontier, .. } = answer.state else {
        panic!("not opened")
    };
    assert_eq!((frontier.hash, frontier.balance), (hash, Raw::NANO));
    bridge.stop().await;
}

#[tokio::test]
async fn a_send_seen_live_waits_for_its_receiver_in_the_nanonet() {
    let (bridge, dev) = bridge_and_node().await;
    let mut client = Client::link(&bridge, 3).await;
    let account = PrivateKey::from_bytes([43; 32]).account();
    let send = dev.faucet().send(account, Raw::NANO).await.unwrap();
    until("the receivable's record", async || {
        let status = bridge.node().status().await?;
        (status.receivables > 0).then_some(())
    })
    .await;
    let answer = client.get(account, true).await.unwrap();
    assert!(matches!(answer.state, AccountState::Unopened { .. }));
    assert_eq!(answer.receivables.len(), 1);
    assert_eq!(
        (answer.receivables[0].hash, answer.receivables[0].amount),
        (send, Raw::NANO)
    );
    bridge.stop().await;
    dev.stop().await;
}

#[tokio::test]
async fn a_block_on_a_block_nobody_knows_is_refused_with_that_reason() {
    let bridge = bridge(options()).await;
    let mut client = Client::link(&bridge, 4).await;
    let key = PrivateKey::from_bytes([44; 32]);
    let unknown = BlockHash::from_bytes([9; 32]);
    let block = state_block(
        &key,
        unknown,
        key.account(),
        Raw::NANO,
        nano_core::Link::ZERO,
    );
    let refusal = client
        .publish(block, |state| match state {
            PublishState::Refused(refusal) => Some(refusal),
            _ => None,
        })
        .await;
    assert_eq!(refusal, nanonet::RelayRefusal::NotOnFrontier);
    bridge.stop().await;
}

#[tokio::test]
async fn a_bridge_keeps_its_key_and_its_records_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let kept = || bridge_server::cli::RunOptions {
        data: Some(folder.path().to_path_buf()),
        ..options()
    };
    let first = bridge(kept()).await;
    let account = DevKeys::sample(DevKeys::SAMPLE_STATE).account();
    Client::link(&first, 5)
        .await
        .get(account, false)
        .await
        .unwrap();
    let before = first.node().status().await.unwrap();
    assert!(before.records > 0);
    first.stop().await;
    let second = bridge(kept()).await;
    let after = second.node().status().await.unwrap();
    assert_eq!(after.key, before.key);
    assert_eq!(after.records, before.records);
    second.stop().await;
}
