//! Proofs from a full node by Nano's peer protocol alone, over real sockets.

use crate::common::{bridge, options};
use crate::played::opened;
use bridge_server::metrics::counted;
use bridge_server::prove::Proven;
use dev_node::DevKeys;
use nano_core::proof::Frontier;
use nano_core::{Network, PrivateKey, Raw};

#[tokio::test]
async fn every_kind_of_account_is_proven_with_its_balance_and_a_date() {
    let bridge = bridge(options()).await;
    let dev = bridge.dev_node().unwrap();
    let table = bridge.weights().current();
    for sample in [
        DevKeys::SAMPLE_STATE,
        DevKeys::SAMPLE_LEGACY,
        DevKeys::SAMPLE_LEGACY_OPEN,
        DevKeys::SAMPLE_MIXED,
        DevKeys::SAMPLE_WAITING,
    ] {
        let account = DevKeys::sample(sample).account();
        let record = opened(bridge.prover().resolve(account, None).await.unwrap());
        let proven = record.proof.verify(&account, Network::Dev, &table).unwrap();
        let head = dev.account_info(&account).unwrap().confirmation_frontier;
        assert_eq!(
            proven.balance,
            dev.block(&head).unwrap().balance,
            "sample {sample}"
        );
        assert!(proven.weight >= table.threshold());
        let sighting = record.sightings.first().expect("not dated");
        sighting.verify().unwrap();
        assert_eq!(sighting.frontier, Some(proven.hash));
        assert!(sighting.weight_answered >= table.threshold());
    }
    let legacy = DevKeys::sample(DevKeys::SAMPLE_LEGACY).account();
    let record = opened(bridge.prover().resolve(legacy, None).await.unwrap());
    assert!(matches!(record.proof.frontier, Frontier::Legacy(_)));
    bridge.stop().await;
}

#[tokio::test]
async fn an_account_never_opened_is_stated_with_the_weight_that_was_silent_and_asked_once() {
    let bridge = bridge(options()).await;
    let account = DevKeys::sample(DevKeys::SAMPLE_UNOPENED).account();
    let sighting = match bridge.prover().resolve(account, None).await.unwrap() {
        Proven::Unopened(sighting) => sighting,
        other => panic!("not unopened: {other:?}"),
    };
    sighting.verify().unwrap();
    assert_eq!((sighting.account, sighting.frontier), (account, None));
    let total = bridge.weights().current().total();
    assert_eq!(
        (sighting.weight_asked, sighting.weight_answered),
        (total, total)
    );
    let asked = counted(&bridge.metrics().full_node_requests, "account_info");
    assert!(matches!(
        bridge.prover().resolve(account, None).await,
        Ok(Proven::Unopened(_))
    ));
    assert_eq!(
        counted(&bridge.metrics().full_node_requests, "account_info"),
        asked
    );
    bridge.stop().await;
}

#[tokio::test]
async fn equal_questions_at_the_same_time_cost_one() {
    let bridge = bridge(options()).await;
    // The first question also learns what never changes.
    let other = DevKeys::sample(DevKeys::SAMPLE_MIXED).account();
    opened(bridge.prover().resolve(other, None).await.unwrap());
    let account = DevKeys::sample(DevKeys::SAMPLE_STATE).account();
    let asked = || counted(&bridge.metrics().full_node_requests, "account_info");
    let before = asked();
    let asks = (0..16).map(|_| bridge.prover().resolve(account, None));
    for answer in futures_util::future::join_all(asks).await {
        opened(answer.unwrap());
    }
    assert_eq!(asked(), before + 1);
    bridge.stop().await;
}

#[tokio::test]
async fn the_blocks_between_a_held_frontier_and_the_proven_one_are_carried() {
    let bridge = bridge(options()).await;
    let dev = bridge.dev_node().unwrap();
    let wallet = dev.faucet();
    let held = dev.account_info(&wallet.account()).unwrap().head;
    let to = PrivateKey::from_bytes([3; 32]).account();
    for _ in 0..4 {
        wallet.send(to, Raw::NANO).await.unwrap();
    }
    let proven = bridge
        .prover()
        .resolve(wallet.account(), Some(held))
        .await
        .unwrap();
    let record = opened(proven);
    assert_eq!(record.lineage.len(), 3);
    let mut before = held;
    for block in &record.lineage {
        assert_eq!(block.previous(), Some(before));
        before = block.hash();
    }
    assert_eq!(
        record.proof.frontier.block().unwrap().previous(),
        Some(before)
    );
    bridge.stop().await;
}
