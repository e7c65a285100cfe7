//! Blocks that nobody confirms: how long a bridge relays them, and whose place is given away.

use std::time::Duration;

use bridge_server::config::Config;
use bridge_server::metrics::counted;
use bridge_server::relay::Limits;
use bridge_server::run::Bridge;
use nano_core::{Block, BlockHash, Difficulty, Network, PrivateKey, Raw, StateBlock, WorkNonce};
use nanonet::{Event, PublishState, RelayRefusal};

use crate::common::{Client, options, reach_all};

/// A bridge with other bounds of its relay.
async fn limited(limits: Limits) -> Bridge {
    let mut config = Config::resolve(options()).unwrap();
    config.relay = limits;
    let bridge = Bridge::start(config).await.unwrap();
    reach_all(&bridge).await;
    bridge
}

/// A first block of an account that nobody has sent anything, so no full node votes on it, with
/// work of at least `least` and below `most`.
fn hopeless(seed: u8, least: Difficulty, most: Difficulty) -> Block {
    let key = PrivateKey::from_bytes([seed; 32]);
    let me = key.account();
    let source = BlockHash::from_bytes([7; 32]);
    let block = StateBlock::unsigned(me, BlockHash::ZERO, me, Raw::NANO, source.into()).sign(&key);
    let root = block.root();
    let fits = |work: &WorkNonce| (least..most).contains(&work.difficulty(&root));
    let work = (0..u64::MAX).map(WorkNonce::new).find(fits).unwrap();
    block.with_work(work).into()
}

/// Grades of work from enough to all there is, each more than the one before.
fn grades() -> [Difficulty; 5] {
    let enough = Network::Dev.work_thresholds().ample().number();
    let step = (u64::MAX - enough) / 4;
    [0, 1, 2, 3, 4].map(|grade| Difficulty::new(enough + grade * step))
}

/// Publishes and waits until a bridge took it or said why not.
async fn publish(client: &mut Client, block: Block) -> Result<(), RelayRefusal> {
    client
        .publish(block, |state| match state {
            PublishState::Accepted { .. } => Some(Ok(())),
            PublishState::Refused(refusal) => Some(Err(refusal)),
            _ => None,
        })
        .await
}

/// Waits until the author of the block hears that its bridge gave it up.
async fn hears_it_is_given_up(client: &mut Client, block: BlockHash) {
    client
        .until("the block to be given up", |event| match event {
            Event::Publish { hash, state, .. } if *hash == block => match state {
                PublishState::GivenUp => Some(()),
                PublishState::Confirmed => panic!("confirmed, without any money"),
                _ => None,
            },
            _ => None,
        })
        .await;
}

#[tokio::test]
async fn a_block_that_is_never_confirmed_is_given_up_in_time_and_its_author_told() {
    let bridge = limited(Limits {
        // Between two publishes, which are 1 s and then 2 s apart.
        give_up: Duration::from_millis(1_500),
        ..Limits::DEFAULT
    })
    .await;
    let [enough, more, ..] = grades();
    let block = hopeless(81, enough, more);
    let mut author = Client::link(&bridge, 41).await;
    publish(&mut author, block).await.unwrap();
    hears_it_is_given_up(&mut author, block.hash()).await;
    let relayed = &bridge.metrics().relayed;
    assert!(counted(relayed, "given-up") >= 1);
    assert_eq!(counted(relayed, "displaced"), 0);
    bridge.stop().await;
}

#[tokio::test]
async fn when_all_places_are_taken_more_work_takes_the_place_of_the_least() {
    let bridge = limited(Limits {
        pending: 2,
        ..Limits::DEFAULT
    })
    .await;
    let [least, little, much, most, all] = grades();
    let mut authors = Vec::new();
    for seed in 42..46 {
        authors.push(Client::link(&bridge, seed).await);
    }
    let [heavy, light, late, strong] = authors.as_mut_slice() else {
        panic!("four authors")
    };
    publish(heavy, hopeless(82, much, most)).await.unwrap();
    let displaced = hopeless(83, little, much);
    publish(light, displaced).await.unwrap();
    // No more work than the least: refused, and nobody loses a place.
    let refused = publish(late, hopeless(84, least, little)).await;
    assert_eq!(refused, Err(RelayRefusal::Busy));
    let relayed = &bridge.metrics().relayed;
    assert_eq!(counted(relayed, "displaced"), 0);

    publish(strong, hopeless(85, most, all)).await.unwrap();
    hears_it_is_given_up(light, displaced.hash()).await;
    assert_eq!(counted(relayed, "displaced"), 1);
    assert_eq!(counted(relayed, "given-up"), 0);
    bridge.stop().await;
}
