//! What full nodes get to see of a relayed block: who, how often, and after a restart of the bridge.

use std::time::Duration;

use bridge_server::config::Config;
use bridge_server::metrics::{Metrics, counted};
use bridge_server::relay::FAN_OUT;
use bridge_server::run::Bridge;
use bridge_server::store::Store;
use nano_core::{Block, BlockHash, Raw};
use nanonet::PublishState;
use tokio::time::Instant;

use crate::common::{Client, bridge, state_block, until};
use crate::played::vote;
use crate::relay::publish;
use crate::stub::{Stub, key, local, options_with, table};

/// A first block of an account. The stubs vote for all they are asked about.
fn block() -> Block {
    let (key, source) = (key(92), BlockHash::from_bytes([7; 32]));
    state_block(
        &key,
        BlockHash::ZERO,
        key.account(),
        Raw::new(1),
        source.into(),
    )
}

/// How many full nodes took a block, once the bridge has said so.
fn accepted(state: PublishState) -> Option<u16> {
    match state {
        PublishState::Accepted { full_nodes } => Some(full_nodes),
        PublishState::Refused(refusal) => panic!("refused: {refusal:?}"),
        _ => None,
    }
}

#[tokio::test]
async fn a_block_goes_to_every_full_node_with_a_principal_representative_and_to_some_others() {
    // Three that host principal representatives, one whose representative is too light, and more
    // that host nobody than the fan-out takes.
    let mut stubs = Vec::new();
    for host in 0..12 {
        let hosted = if host < 4 { vec![host + 1] } else { Vec::new() };
        stubs.push(Stub::voting(local(80 + host), 80 + host, &hosted).await);
    }
    let mut table = table(&[1, 2, 3]);
    let light = Raw::new(table.online_weight.number() / 1_000);
    table.weights.insert(key(4).account(), light);
    let folder = tempfile::tempdir().unwrap();
    let all: Vec<&Stub> = stubs.iter().collect();
    let bridge = bridge(options_with(&all, &table, folder.path())).await;
    until("all channels", async || {
        (bridge.full_nodes().channels().len() == stubs.len()).then_some(())
    })
    .await;
    let mut author = Client::link(&bridge, 71).await;
    let full_nodes = author.publish(block(), accepted).await;
    assert_eq!(usize::from(full_nodes), 3 + FAN_OUT);
    let (principal, others) = stubs.split_at(3);
    until("the block everywhere", async || {
        let has = |stub: &&Stub| !stub.published(block().hash()).is_empty();
        let reached = principal.iter().filter(has).count() == principal.len();
        (reached && others.iter().filter(has).count() >= FAN_OUT).then_some(())
    })
    .await;
    for publish in stubs.iter().flat_map(|stub| stub.published(block().hash())) {
        assert!(publish.originator, "as if somebody else had published it");
    }
    bridge.stop().await;
}

#[tokio::test]
async fn a_block_is_published_again_after_growing_pauses_until_it_is_confirmed() {
    // One half of the weight is behind a full node, the other votes nowhere for now.
    let stub = Stub::voting(local(93), 93, &[1]).await;
    let folder = tempfile::tempdir().unwrap();
    let options = options_with(&[&stub], &table(&[1, 2]), folder.path());
    let bridge = Bridge::start(Config::resolve(options).unwrap())
        .await
        .unwrap();
    until("the representative", async || {
        (!bridge.full_nodes().voting_channels().is_empty()).then_some(())
    })
    .await;
    let mut author = Client::link(&bridge, 72).await;
    let began = Instant::now();
    publish(&mut author, block()).await.unwrap();
    let hash = block().hash();
    until("three publishes", async || {
        (stub.published(hash).len() >= 3).then_some(())
    })
    .await;
    // Pauses of one and of two seconds; a constant one would be through after two.
    assert!(began.elapsed() >= Duration::from_secs(3));
    assert_eq!(counted(&bridge.metrics().relayed, "confirmed"), 0);
    stub.say(vote(&key(2), vec![hash]));
    author
        .until("its confirmation", |event| match event {
            nanonet::Event::Publish {
                state: PublishState::Confirmed,
                ..
            } => Some(()),
            _ => None,
        })
        .await;
    until("the end of the relay", async || {
        (counted(&bridge.metrics().relayed, "confirmed") == 1).then_some(())
    })
    .await;
    bridge.stop().await;
}

#[tokio::test]
async fn a_pending_block_survives_a_restart_after_which_full_nodes_come_late() {
    let stub = Stub::voting(local(94), 94, &[1]).await;
    let address = stub.address;
    let folder = tempfile::tempdir().unwrap();
    let mut options = options_with(&[&stub], &table(&[1, 2]), folder.path());
    options.data = Some(folder.path().join("data"));
    let config = Config::resolve(options).unwrap();
    let stored = || {
        let (_, loaded) = Store::open(config.data.as_deref(), Metrics::default()).unwrap();
        loaded.pending
    };
    let hash = block().hash();

    let first_run = Bridge::start(config.clone()).await.unwrap();
    until("the representative", async || {
        (!first_run.full_nodes().voting_channels().is_empty()).then_some(())
    })
    .await;
    let mut author = Client::link(&first_run, 73).await;
    publish(&mut author, block()).await.unwrap();
    drop(author);
    first_run.stop().await;
    drop(stub);
    assert_eq!(stored(), [block().serialized_typed()]);

    let second_run = Bridge::start(config.clone()).await.unwrap();
    // Nobody is there when the bridge goes on with it.
    until("a failed connection", async || {
        let failed = counted(&second_run.metrics().full_node_closed, "connect");
        (failed > 0).then_some(())
    })
    .await;
    let stub = Stub::voting(address, 94, &[1]).await;
    until("the block at the full node", async || {
        (!stub.published(hash).is_empty()).then_some(())
    })
    .await;
    assert_eq!(stored(), [block().serialized_typed()]);
    stub.host(&[1, 2]);
    until("its confirmation", async || {
        (counted(&second_run.metrics().relayed, "confirmed") == 1).then_some(())
    })
    .await;
    until("the end of its row", async || {
        stored().is_empty().then_some(())
    })
    .await;
    second_run.stop().await;
}
