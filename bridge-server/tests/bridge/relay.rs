//! What a bridge lets in and how much of it, and how long it relays blocks that nobody confirms.

use std::time::Duration;

use bridge_server::config::Config;
use bridge_server::metrics::counted;
use bridge_server::relay::Limits;
use bridge_server::run::Bridge;
use nano_core::{
    Block, BlockHash, Difficulty, Network, PrivateKey, Raw, Signature, StateBlock, WorkNonce,
};
use nanonet::{Event, PublishState, RelayRefusal};

use tokio::time::Instant;

use crate::common::{Client, bridge, options, reach_all};
use crate::forks::opened;

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
    worked(block, least, most)
}

/// The same block with work of at least `least` and below `most`.
fn worked(block: StateBlock, least: Difficulty, most: Difficulty) -> Block {
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
pub(crate) async fn publish(client: &mut Client, block: Block) -> Result<(), RelayRefusal> {
    client.publish(block, answer).await
}

/// Whether a bridge took the block, once it has said so.
pub(crate) fn answer(state: PublishState) -> Option<Result<(), RelayRefusal>> {
    match state {
        PublishState::Accepted { .. } => Some(Ok(())),
        PublishState::Refused(refusal) => Some(Err(refusal)),
        _ => None,
    }
}

/// Waits until the author of the block hears that its bridge gave it up.
pub(crate) async fn hears_it_is_given_up(client: &mut Client, block: BlockHash) {
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

#[tokio::test]
async fn a_send_with_the_work_of_a_receive_is_refused_before_full_nodes_drop_it_silently() {
    let bridge = bridge(options()).await;
    let thresholds = Network::Dev.work_thresholds();
    let (least, enough) = (thresholds.epoch_2_receive, thresholds.epoch_1);
    let dev = bridge.dev_node().unwrap();
    let key = PrivateKey::from_bytes([66; 32]);
    let me = key.account();
    let send = dev.faucet().send(me, Raw::NANO).await.unwrap();
    // For the first block of an upgraded account it is enough.
    let open = StateBlock::unsigned(me, BlockHash::ZERO, me, Raw::NANO, send.into()).sign(&key);
    let open = worked(open, least, enough);
    let mut author = Client::link(&bridge, 47).await;
    author
        .publish(open, |state| match state {
            PublishState::Confirmed => Some(()),
            PublishState::Refused(refusal) => panic!("refused: {refusal:?}"),
            _ => None,
        })
        .await;
    let spend = |link| StateBlock::unsigned(me, open.hash(), me, Raw::new(1), link).sign(&key);
    let lazy = worked(spend(me.into()), least, enough);
    assert_eq!(
        publish(&mut author, lazy).await,
        Err(RelayRefusal::WorkTooLow)
    );
    bridge.stop().await;
}

#[tokio::test]
async fn an_author_hears_of_a_signature_that_does_not_hold_and_of_work_that_nobody_takes() {
    let bridge = bridge(options()).await;
    let (key, previous) = opened(bridge.dev_node().unwrap(), 67).await;
    let me = key.account();
    let mut author = Client::link(&bridge, 48).await;
    let [enough, more, ..] = grades();
    let block = StateBlock::unsigned(me, previous, me, Raw::new(1), me.into()).sign(&key);
    let forged = StateBlock {
        signature: Signature::from_bytes([1; 64]),
        ..block
    };
    let nothing = Difficulty::new(0);
    let entry = Network::Dev.work_thresholds().entry();
    for (block, refusal) in [
        (worked(forged, enough, more), RelayRefusal::BadSignature),
        (worked(block, nothing, entry), RelayRefusal::WorkTooLow),
    ] {
        let heard = author.publish(block, |state| match state {
            PublishState::Invalid(refusal) => Some(refusal),
            PublishState::Sent { .. } => panic!("sent to a bridge"),
            _ => None,
        });
        assert_eq!(heard.await, refusal);
    }
    bridge.stop().await;
}

#[tokio::test]
async fn beyond_a_burst_a_sender_pays_with_work_and_others_do_not() {
    let bridge = bridge(options()).await;
    let enough = Network::Dev.work_thresholds().epoch_2_receive;
    let double = Difficulty::new(enough.number() / 2 + u64::MAX / 2);
    let key = PrivateKey::from_bytes([68; 32]);
    let me = key.account();
    // A chain of receives of nothing that anybody has sent.
    let next = |previous, number| {
        let link = BlockHash::from_bytes([7; 32]).into();
        StateBlock::unsigned(me, previous, me, Raw::new(number), link).sign(&key)
    };
    let mut previous = BlockHash::ZERO;
    let mut taken = 0;
    let mut author = Client::link(&bridge, 0).await;
    let began = Instant::now();
    let refusal = loop {
        // A tab has no more than 32 blocks of its own waiting.
        if taken % 24 == 23 {
            author = Client::link(&bridge, u8::try_from(taken % 200).unwrap() + 50).await;
        }
        let block = worked(next(previous, taken + 1), enough, double);
        match publish(&mut author, block).await {
            Ok(()) => {
                taken += 1;
                previous = block.hash();
            }
            Err(refusal) => break refusal,
        }
    };
    assert_eq!(refusal, RelayRefusal::Busy);
    // As many as the burst, and one for each second since.
    let most = 32 + u128::from(began.elapsed().as_secs()) + 1;
    assert!((32..=most).contains(&taken), "{taken} were let in");
    let [.., most, all] = grades();
    let mut other = Client::link(&bridge, 49).await;
    publish(&mut other, hopeless(69, enough, double))
        .await
        .unwrap();
    let paid = worked(next(previous, taken + 1), most, all);
    publish(&mut other, paid).await.unwrap();
    bridge.stop().await;
}
