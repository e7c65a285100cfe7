//! One node as a whole: distribution, faucet, persistence, unusable data folders.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests"
)]

mod common;

use common::{DEADLINE, nano, rpc};
use dev_node::{DevKeys, DevNode, DevNodeConfig, DevNodeError};
use nano_core::{Block, BlockKind, Raw};
use serde_json::json;

async fn node() -> DevNode {
    DevNode::start(DevNodeConfig::default()).await.unwrap()
}

fn config_in(folder: &std::path::Path) -> DevNodeConfig {
    DevNodeConfig {
        data: Some(folder.to_owned()),
        ..DevNodeConfig::default()
    }
}

#[tokio::test]
async fn the_faucet_pays_and_the_receiver_can_receive() {
    let node = node().await;
    let key = DevKeys::sample(100);
    let send = node.faucet().send(key.account(), nano(5)).await.unwrap();
    assert!(node.is_confirmed(&send));
    let receive = node.wallet(key.clone()).receive(send, None).await.unwrap();
    assert!(node.is_confirmed(&receive));
    assert_eq!(node.block(&receive).unwrap().balance, nano(5));
    assert_eq!(node.block(&receive).unwrap().kind, BlockKind::Open);
    node.stop().await;
}

#[tokio::test]
async fn concurrent_payments_never_fork_the_faucet() {
    let node = node().await;
    let payments = (0..8).map(|index| {
        let faucet = node.faucet();
        let to = DevKeys::sample(200 + index).account();
        tokio::spawn(async move { faucet.send(to, nano(1)).await })
    });
    for payment in payments.collect::<Vec<_>>() {
        let hash = payment.await.unwrap().unwrap();
        assert!(node.is_confirmed(&hash));
    }
    node.stop().await;
}

#[tokio::test]
async fn a_payment_above_the_balance_is_refused_and_changes_nothing() {
    let node = node().await;
    let before = node.account_info(&node.faucet_account());
    let result = node
        .faucet()
        .send(DevKeys::sample(0).account(), Raw::MAX)
        .await;
    assert!(matches!(
        result,
        Err(dev_node::WalletError::TooLittle { .. })
    ));
    assert_eq!(node.account_info(&node.faucet_account()), before);
    node.stop().await;
}

#[tokio::test]
async fn a_fresh_ledger_is_the_same_each_time() {
    let (one, other) = (node().await, node().await);
    for index in 0..DevKeys::SAMPLES {
        let account = DevKeys::sample(index).account();
        let head = |node: &DevNode| node.account_info(&account).map(|info| info.head);
        assert_eq!(head(&one), head(&other));
    }
    assert_eq!(one.weights(), other.weights());
}

#[tokio::test]
async fn the_quorum_needs_several_of_at_least_ten_uneven_representatives() {
    let node = node().await;
    let mut weights: Vec<Raw> = node.weights().into_values().collect();
    weights.sort();
    assert!(weights.len() >= 10);
    weights.dedup();
    assert!(weights.len() >= 10, "weights are uneven");
    let four: u128 = weights.iter().rev().take(4).map(|raw| raw.number()).sum();
    assert!(four < node.quorum_delta().number());
    let total: u128 = weights.iter().map(|raw| raw.number()).sum();
    // Nearly all of the supply votes.
    assert!(u128::MAX - total < nano(1_000_000).number());
}

#[tokio::test]
async fn samples_have_the_frontiers_that_they_are_for() {
    let node = node().await;
    let head = |index: u32| {
        let info = node.account_info(&DevKeys::sample(index).account())?;
        assert_eq!(info.block_count, info.confirmation_height);
        node.block(&info.head)
    };
    let frontier = |index: u32| head(index).unwrap().block;
    assert!(matches!(frontier(DevKeys::SAMPLE_STATE), Block::State(_)));
    assert!(matches!(
        frontier(DevKeys::SAMPLE_LEGACY),
        Block::Receive(_)
    ));
    assert!(matches!(
        frontier(DevKeys::SAMPLE_LEGACY_OPEN),
        Block::Open(_)
    ));
    assert!(matches!(frontier(DevKeys::SAMPLE_MIXED), Block::State(_)));
    assert_eq!(head(DevKeys::SAMPLE_UNOPENED), None);
    for (index, count) in [(DevKeys::SAMPLE_UNOPENED, 3), (DevKeys::SAMPLE_WAITING, 1)] {
        let account = DevKeys::sample(index).account();
        let request = json!({"action": "receivable", "account": account});
        let answer = rpc(node.rpc_addr(), request).await;
        assert_eq!(answer["blocks"].as_array().unwrap().len(), count);
    }
}

#[tokio::test]
async fn a_restarted_node_knows_its_blocks_and_what_is_confirmed() {
    let folder = tempfile::tempdir().unwrap();
    let node = DevNode::start(config_in(folder.path())).await.unwrap();
    let to = DevKeys::sample(100);
    let send = node.faucet().send(to.account(), nano(5)).await.unwrap();
    let weights = node.weights();
    let faucet = node.account_info(&node.faucet_account());
    node.stop().await;

    let node = DevNode::start(config_in(folder.path())).await.unwrap();
    assert!(node.is_confirmed(&send));
    assert_eq!(node.weights(), weights);
    assert_eq!(node.account_info(&node.faucet_account()), faucet);
    node.wallet(to).receive(send, None).await.unwrap();
    node.stop().await;
}

#[tokio::test]
async fn a_block_left_unconfirmed_is_confirmed_after_the_restart() {
    let folder = tempfile::tempdir().unwrap();
    let silent = DevNodeConfig {
        representatives: Vec::new(),
        ..config_in(folder.path())
    };
    let node = DevNode::start(silent).await.unwrap();
    let faucet = node.account_info(&node.faucet_account()).unwrap();
    let head = node.block(&faucet.head).unwrap();
    let block = nano_core::StateBlock::unsigned(
        node.faucet_account(),
        faucet.head,
        head.representative,
        head.balance.checked_sub(nano(1)).unwrap(),
        DevKeys::sample(0).account().into(),
    );
    let block = block
        .sign(&DevKeys::faucet())
        .with_work(common::work(&block.root()));
    let hash = node.process(block.into()).unwrap();
    assert!(!node.is_confirmed(&hash));
    node.stop().await;

    let node = DevNode::start(config_in(folder.path())).await.unwrap();
    assert!(node.wait_confirmed(hash, DEADLINE).await);
    node.stop().await;
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dev-ledger.sqlite");
    let content = b"something else entirely, longer than a header of SQLite would be, by far \
        and some more so that it fills a page header of one hundred bytes";
    std::fs::write(&file, content).unwrap();
    let refused = DevNode::start(config_in(folder.path())).await;
    assert!(
        matches!(refused, Err(DevNodeError::ForeignDatabase { .. })),
        "{refused:?}"
    );
    assert_eq!(std::fs::read(&file).unwrap(), content);
}

#[tokio::test]
async fn another_programs_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dev-ledger.sqlite");
    let connection = rusqlite::Connection::open(&file).unwrap();
    connection.execute_batch("CREATE TABLE mine (x)").unwrap();
    drop(connection);
    let before = std::fs::read(&file).unwrap();
    let refused = DevNode::start(config_in(folder.path())).await;
    assert!(
        matches!(refused, Err(DevNodeError::ForeignDatabase { .. })),
        "{refused:?}"
    );
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

#[tokio::test]
async fn a_ledger_with_an_altered_block_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let node = DevNode::start(config_in(folder.path())).await.unwrap();
    node.stop().await;
    let file = folder.path().join("dev-ledger.sqlite");
    let connection = rusqlite::Connection::open(&file).unwrap();
    let mut block: Vec<u8> = connection
        .query_row("SELECT block FROM blocks WHERE position = 3", [], |row| {
            row.get(0)
        })
        .unwrap();
    block[40] ^= 1;
    connection
        .execute("UPDATE blocks SET block = ?1 WHERE position = 3", [&block])
        .unwrap();
    drop(connection);
    let refused = DevNode::start(config_in(folder.path())).await;
    assert!(
        matches!(refused, Err(DevNodeError::CorruptDatabase { .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_ledger_in_use_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let node = DevNode::start(config_in(folder.path())).await.unwrap();
    let refused = DevNode::start(config_in(folder.path())).await;
    assert!(
        matches!(refused, Err(DevNodeError::DatabaseInUse { .. })),
        "{refused:?}"
    );
    node.stop().await;
}

#[tokio::test]
async fn an_address_in_use_is_refused() {
    let node = node().await;
    let config = DevNodeConfig {
        rpc: node.rpc_addr(),
        ..DevNodeConfig::default()
    };
    let refused = DevNode::start(config).await;
    assert!(
        matches!(refused, Err(DevNodeError::Listen { purpose: "RPC", .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_ledger_of_many_accounts_starts_quickly_the_same_every_time_and_confirmed() {
    let accounts = 10_000;
    let config = || DevNodeConfig {
        accounts,
        ..DevNodeConfig::default()
    };
    let began = std::time::Instant::now();
    let node = DevNode::start(config()).await.unwrap();
    let took = began.elapsed();
    // A few seconds on an idle machine; the limit is for a busy one.
    assert!(took < 6 * common::DEADLINE, "{took:?}");
    println!("a ledger of {accounts} accounts was made in {took:?}");
    let mut heads = std::collections::BTreeSet::new();
    for index in 0..accounts {
        let info = node
            .account_info(&DevKeys::holder(index).account())
            .unwrap();
        assert_eq!((info.block_count, info.confirmation_height), (1, 1));
        heads.insert(info.head);
    }
    assert_eq!(heads.len(), accounts as usize);
    let few = DevNode::start(DevNodeConfig {
        accounts: 3,
        ..DevNodeConfig::default()
    })
    .await
    .unwrap();
    let last = DevKeys::holder(2).account();
    assert_eq!(
        few.account_info(&last).unwrap().head,
        node.account_info(&last).unwrap().head
    );
    assert!(few.account_info(&DevKeys::holder(3).account()).is_none());
}
