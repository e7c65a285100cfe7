//! Two blocks for one root, from the authors' tabs through the bridge to the vote and back.

use crate::common::{Client, bridge, dev_node, options, options_beside, state_block, until};
use bridge_server::metrics::counted;
use dev_node::{DevKeys, DevNode};
use nano_core::{Account, Block, BlockHash, PrivateKey, Raw};
use nanonet::{AccountState, PublishState};

/// An opened account with one nano, and its frontier.
pub(crate) async fn opened(dev: &DevNode, seed: u8) -> (PrivateKey, BlockHash) {
    let key = PrivateKey::from_bytes([seed; 32]);
    let send = dev.faucet().send(key.account(), Raw::NANO).await.unwrap();
    let representative: Account = DevKeys::representative(0).account();
    let open = state_block(
        &key,
        BlockHash::ZERO,
        representative,
        Raw::NANO,
        send.into(),
    );
    dev.process(open).unwrap();
    let deadline = crate::common::DEADLINE;
    assert!(dev.wait_confirmed(open.hash(), deadline).await);
    (key, open.hash())
}

/// A send of `amount` raw out of that account's one nano.
fn send(key: &PrivateKey, previous: BlockHash, amount: u128) -> Block {
    let left = Raw::new(Raw::NANO.number() - amount);
    let representative: Account = DevKeys::representative(0).account();
    let to: Account = DevKeys::representative(1).account();
    state_block(key, previous, representative, left, to.into())
}

/// The end of a published block: `None` when it is confirmed, else the block that won.
fn end(state: PublishState) -> Option<Option<BlockHash>> {
    match state {
        PublishState::Confirmed => Some(None),
        PublishState::Superseded { winner } => Some(Some(winner)),
        PublishState::Refused(refusal) if !refusal.is_passing() => panic!("refused: {refusal:?}"),
        _ => None,
    }
}

#[tokio::test]
async fn of_two_blocks_for_one_root_one_is_proven_and_the_others_author_is_told_which() {
    let bridge = bridge(options()).await;
    let (key, previous) = opened(bridge.dev_node().unwrap(), 61).await;
    // The same keys in two tabs.
    let mut one = Client::link(&bridge, 21).await;
    let mut two = Client::link(&bridge, 22).await;
    let (first, second) = (send(&key, previous, 1), send(&key, previous, 2));
    let (one_end, two_end) = tokio::join!(one.publish(first, end), two.publish(second, end));
    let (winner, loser) = match (one_end, two_end) {
        (None, Some(winner)) => {
            assert_eq!(winner, first.hash());
            (first, second)
        }
        (Some(winner), None) => {
            assert_eq!(winner, second.hash());
            (second, first)
        }
        other => panic!("{other:?}"),
    };
    let dev = bridge.dev_node().unwrap();
    assert!(dev.is_confirmed(&winner.hash()) && !dev.is_confirmed(&loser.hash()));
    for client in [&mut one, &mut two] {
        let answer = client.get(key.account(), false).await.unwrap();
        let AccountState::Opened { frontier, .. } = answer.state else {
            panic!("not opened")
        };
        assert_eq!(frontier.hash, winner.hash());
    }
    until("the loser's end", async || {
        (counted(&bridge.metrics().relayed, "superseded") == 1).then_some(())
    })
    .await;
    assert_eq!(counted(&bridge.metrics().relayed, "confirmed"), 1);
    bridge.stop().await;
}

/// A block of which `dev` has confirmed another one of its root.
async fn decided(dev: &DevNode, seed: u8) -> (Block, Block) {
    let (key, previous) = opened(dev, seed).await;
    let winner = send(&key, previous, 1);
    dev.process(winner).unwrap();
    let deadline = crate::common::DEADLINE;
    assert!(dev.wait_confirmed(winner.hash(), deadline).await);
    (winner, send(&key, previous, 2))
}

#[tokio::test]
async fn a_block_whose_root_was_decided_a_moment_ago_is_superseded_with_the_winners_proof() {
    let bridge = bridge(options()).await;
    let (winner, late) = decided(bridge.dev_node().unwrap(), 62).await;
    let mut author = Client::link(&bridge, 23).await;
    assert_eq!(author.publish(late, end).await, Some(winner.hash()));
    bridge.stop().await;
}

#[tokio::test]
async fn a_block_whose_root_was_decided_before_the_bridge_ran_is_superseded_by_the_votes_at_its_root()
 {
    let dev = dev_node().await;
    let (winner, late) = decided(&dev, 65).await;
    let nodes = [dev];
    let folder = tempfile::tempdir().unwrap();
    let bridge = bridge(options_beside(&nodes, folder.path())).await;
    let mut author = Client::link(&bridge, 30).await;
    assert_eq!(author.publish(late, end).await, Some(winner.hash()));
    // The bridge learned it by relaying: it has not seen the vote itself.
    until("the end of the relay", async || {
        (counted(&bridge.metrics().relayed, "superseded") == 1).then_some(())
    })
    .await;
    bridge.stop().await;
}

#[tokio::test]
async fn more_blocks_of_one_root_than_the_bridge_relays_are_refused_as_busy() {
    let bridge = bridge(options()).await;
    // Nothing to vote on: the account has no money, so all of them stay pending.
    let key = PrivateKey::from_bytes([63; 32]);
    for number in 1..=5 {
        let link = BlockHash::from_bytes([7; 32]);
        let amount = Raw::new(u128::from(number));
        let block = state_block(&key, BlockHash::ZERO, key.account(), amount, link.into());
        // A node of its own each time: one node refuses a second block of a root itself.
        let mut client = Client::link(&bridge, 24 + number).await;
        let answer = client.publish(block, |state| match state {
            PublishState::Accepted { .. } => Some(Ok(())),
            PublishState::Refused(refusal) => Some(Err(refusal)),
            _ => None,
        });
        let expected = match number {
            5 => Err(nanonet::RelayRefusal::Busy),
            _ => Ok(()),
        };
        assert_eq!(answer.await, expected, "block {number}");
    }
    bridge.stop().await;
}
