//! What happens while a bridge looks for the block that a published one builds on: a full node
//! answers late, and meanwhile more is handed in or decided.

use std::time::Duration;

use bridge_server::config::Config;
use bridge_server::metrics::counted;
use bridge_server::relay::{Limits, RIVALS};
use bridge_server::run::Bridge;
use futures_util::future::join_all;
use nano_core::message::Publish;
use nano_core::{Block, BlockHash, Raw};
use nanonet::{PublishState, RelayRefusal};
use tempfile::TempDir;

use crate::common::{Client, state_block, until};
use crate::played::vote;
use crate::relay::{answer, hears_it_is_given_up, publish};
use crate::stub::{Stub, key, local, options_with, table};

/// A bridge beside one full node that answers only when told to.
struct Stage {
    stub: Stub,
    bridge: Bridge,
    _folder: TempDir,
}

/// The first block of an account, known to the full node.
fn first() -> Block {
    block(BlockHash::ZERO, 1)
}

/// A block of that account, as if it received something; told apart by the number.
fn block(previous: BlockHash, number: u8) -> Block {
    let (key, source) = (key(90), BlockHash::from_bytes([7; 32]));
    let balance = Raw::new(u128::from(number));
    state_block(&key, previous, key.account(), balance, source.into())
}

/// A block of another account, about which nothing has to be looked up.
fn other() -> Block {
    let (key, source) = (key(91), BlockHash::from_bytes([7; 32]));
    state_block(
        &key,
        BlockHash::ZERO,
        key.account(),
        Raw::new(1),
        source.into(),
    )
}

impl Stage {
    /// The full node hosts the first of `representatives`.
    async fn new(host: u8, representatives: &[u8], limits: Limits) -> Self {
        let stub = Stub::voting(local(host), host, &representatives[..1]).await;
        let folder = tempfile::tempdir().unwrap();
        let options = options_with(&[&stub], &table(representatives), folder.path());
        let mut config = Config::resolve(options).unwrap();
        config.relay = limits;
        let bridge = Bridge::start(config).await.unwrap();
        until("the representative", async || {
            (!bridge.full_nodes().voting_channels().is_empty()).then_some(())
        })
        .await;
        // From now on: what was asked before would only slow the start.
        let silent = std::sync::atomic::Ordering::SeqCst;
        stub.state.answers.store(false, silent);
        Self {
            stub,
            bridge,
            _folder: folder,
        }
    }

    /// The bridge's question for this block, when it has asked so often before.
    async fn look(&self, block: BlockHash, before: usize) -> u64 {
        until("a question for the block before", async || {
            self.stub.asked_for(block).get(before).copied()
        })
        .await
    }
}

#[tokio::test]
async fn a_block_whose_rival_is_confirmed_while_it_is_looked_up_is_superseded() {
    let stage = Stage::new(71, &[1], Limits::DEFAULT).await;
    let (mine, rival) = (block(first().hash(), 2), block(first().hash(), 3));
    let mut author = Client::link(&stage.bridge, 51).await;
    let mut confirmations = stage.bridge.confirmations();
    let decide = async {
        let look = stage.look(first().hash(), 0).await;
        let publish = Publish {
            block: rival,
            originator: false,
        };
        stage.stub.say(publish.into());
        stage.stub.say(vote(&key(1), vec![rival.hash()]));
        // The proof needs the block before, too, and gets it at once.
        let proof = stage.look(first().hash(), 1).await;
        stage.stub.answer(proof, vec![first()]);
        assert_eq!(confirmations.recv().await.unwrap().hash, rival.hash());
        stage.stub.answer(look, vec![first()]);
        until("the end of the relay", async || {
            (counted(&stage.bridge.metrics().relayed, "superseded") == 1).then_some(())
        })
        .await;
    };
    let superseded = |state| match state {
        PublishState::Superseded { winner } => Some(winner),
        _ => None,
    };
    let (winner, ()) = tokio::join!(author.publish(mine, superseded), decide);
    assert_eq!(winner, rival.hash());
    stage.bridge.stop().await;
}

#[tokio::test]
async fn everybody_who_hands_a_block_in_while_it_is_looked_up_is_told_what_becomes_of_it() {
    let limits = Limits {
        give_up: Duration::from_millis(1_500),
        ..Limits::DEFAULT
    };
    let stage = Stage::new(72, &[1, 2], limits).await;
    let mine = block(first().hash(), 2);
    let mut one = Client::link(&stage.bridge, 52).await;
    let mut two = Client::link(&stage.bridge, 53).await;
    let given_up = |state| matches!(state, PublishState::GivenUp).then_some(());
    let script = async {
        let look = stage.look(first().hash(), 0).await;
        let sent = |state| matches!(state, PublishState::Sent { .. }).then_some(());
        two.publish(mine, sent).await;
        // Handed in after that one, so that one has arrived, too.
        publish(&mut two, other()).await.unwrap();
        stage.stub.answer(look, vec![first()]);
        hears_it_is_given_up(&mut two, mine.hash()).await;
    };
    tokio::join!(one.publish(mine, given_up), script);
    // That one and the other, once each: nobody had to hand it in again to hear of it.
    assert_eq!(counted(&stage.bridge.metrics().relayed, "given-up"), 2);
    stage.bridge.stop().await;
}

#[tokio::test]
async fn blocks_that_are_looked_up_count_among_the_rivals_of_a_root() {
    let stage = Stage::new(73, &[1, 2], Limits::DEFAULT).await;
    let mut authors = Vec::new();
    for seed in 0..=u8::try_from(RIVALS).unwrap() {
        authors.push((seed, Client::link(&stage.bridge, 54 + seed).await));
    }
    let publishes = authors.iter_mut().map(|(seed, client)| {
        let block = block(first().hash(), 10 + *seed);
        client.publish(block, answer)
    });
    let late = async {
        let look = stage.look(first().hash(), 0).await;
        until("one too many", async || {
            (counted(&stage.bridge.metrics().relayed, "busy") == 1).then_some(())
        })
        .await;
        stage.stub.answer(look, vec![first()]);
    };
    let (answers, ()) = tokio::join!(join_all(publishes), late);
    let refused = answers.iter().filter(|answer| answer.is_err());
    assert_eq!(refused.collect::<Vec<_>>(), [&Err(RelayRefusal::Busy)]);
    stage.bridge.stop().await;
}

#[tokio::test]
async fn a_block_handed_in_right_after_the_one_it_builds_on_is_published_after_it() {
    let stage = Stage::new(74, &[1, 2], Limits::DEFAULT).await;
    let one = block(first().hash(), 2);
    let two = block(one.hash(), 3);
    let mut author = Client::link(&stage.bridge, 60).await;
    let mut other_tab = Client::link(&stage.bridge, 61).await;
    let script = async {
        let look = stage.look(first().hash(), 0).await;
        let sent = |state| matches!(state, PublishState::Sent { .. }).then_some(());
        other_tab.publish(two, sent).await;
        // Handed in after that one, so that one has arrived, too.
        publish(&mut other_tab, other()).await.unwrap();
        stage.stub.answer(look, vec![first()]);
        until("both to be published", async || {
            let published = |block: Block| !stage.stub.published(block.hash()).is_empty();
            (published(one) && published(two)).then_some(())
        })
        .await;
    };
    tokio::join!(publish(&mut author, one), script).0.unwrap();
    assert_eq!(
        counted(&stage.bridge.metrics().relayed, "not-on-frontier"),
        0
    );
    // Nobody was asked for a block that is at hand.
    assert!(stage.stub.asked_for(one.hash()).is_empty());
    stage.bridge.stop().await;
}

#[tokio::test]
async fn what_builds_on_a_block_that_is_refused_is_refused_with_it() {
    let stage = Stage::new(75, &[1, 2], Limits::DEFAULT).await;
    let one = block(first().hash(), 2);
    let two = block(one.hash(), 3);
    let mut author = Client::link(&stage.bridge, 62).await;
    let mut other_tab = Client::link(&stage.bridge, 63).await;
    let script = async {
        let look = stage.look(first().hash(), 0).await;
        let sent = |state| matches!(state, PublishState::Sent { .. }).then_some(());
        other_tab.publish(two, sent).await;
        publish(&mut other_tab, other()).await.unwrap();
        // The full node knows nothing.
        stage.stub.answer(look, Vec::new());
        let refusal = |event: &nanonet::Event| match event {
            nanonet::Event::Publish { hash, state, .. } if *hash == two.hash() => answer(*state),
            _ => None,
        };
        other_tab
            .until("the refusal of what follows", refusal)
            .await
    };
    let (one, two) = tokio::join!(publish(&mut author, one), script);
    assert_eq!(one, Err(RelayRefusal::NotOnFrontier));
    assert_eq!(two, Err(RelayRefusal::NotOnFrontier));
    stage.bridge.stop().await;
}
