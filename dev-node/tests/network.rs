//! Several nodes with split weight, connected over real sockets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests"
)]

mod common;

use std::collections::BTreeSet;
use std::net::SocketAddr;

use common::{DEADLINE, Probe, nano, until, work};
use dev_node::{DevKeys, DevNode, DevNodeConfig, Dialect, SAFE_NODES, node_config, start_network};
use nano_core::message::{ConfirmAck, Message};
use nano_core::{Account, Block, BlockHash, StateBlock, Vote, VoteTimestamp};

async fn node_hosting(representatives: &[u32], peers: Vec<SocketAddr>) -> DevNode {
    let keys = representatives
        .iter()
        .map(|index| DevKeys::representative(*index));
    DevNode::start(DevNodeConfig {
        representatives: keys.collect(),
        peers,
        ..DevNodeConfig::default()
    })
    .await
    .unwrap()
}

/// Four connected nodes on addresses of their own, none with 30 % of the weight, two dialects
/// mixed.
async fn four_nodes() -> Vec<DevNode> {
    let mut nodes: Vec<DevNode> = Vec::new();
    for place in 0..4 {
        let base = DevNodeConfig {
            dialect: [Dialect::Cpp, Dialect::Rs][usize::from(place % 2)],
            peers: nodes.iter().map(DevNode::peering_addr).collect(),
            ..DevNodeConfig::default()
        };
        let config = node_config(&base, place, 4);
        nodes.push(DevNode::start(config).await.unwrap());
    }
    until("all are connected", || {
        nodes
            .iter()
            .all(|node| node.peer_count() == 3)
            .then_some(())
    })
    .await;
    nodes
}

/// A send of the faucet at its frontier on `node`.
fn faucet_send(node: &DevNode, to: Account, amount: u128) -> Block {
    let info = node.account_info(&node.faucet_account()).unwrap();
    let head = node.block(&info.head).unwrap();
    let block = StateBlock::unsigned(
        node.faucet_account(),
        info.head,
        head.representative,
        head.balance.checked_sub(nano(amount)).unwrap(),
        to.into(),
    );
    block
        .sign(&DevKeys::faucet())
        .with_work(work(&block.root()))
        .into()
}

#[tokio::test]
async fn a_block_given_to_one_node_is_confirmed_by_all() {
    let nodes = four_nodes().await;
    let hash = nodes[2]
        .faucet()
        .send(DevKeys::sample(50).account(), nano(1))
        .await
        .unwrap();
    for node in &nodes {
        assert!(node.wait_confirmed(hash, DEADLINE).await);
    }
}

#[tokio::test]
async fn a_network_spreads_over_addresses_and_its_nodes_tell_each_other_the_right_ones() {
    let nodes = start_network(&DevNodeConfig::default(), SAFE_NODES + 1)
        .await
        .unwrap();
    until("all are connected", || {
        nodes
            .iter()
            .all(|node| node.peer_count() == SAFE_NODES)
            .then_some(())
    })
    .await;
    let addresses: BTreeSet<_> = nodes.iter().map(DevNode::peering_addr).collect();
    let ips: BTreeSet<_> = addresses.iter().map(SocketAddr::ip).collect();
    assert_eq!(ips.len(), nodes.len());
    // Who asks the last one for peers is given where the others really listen.
    let last = nodes.last().unwrap();
    let expected: BTreeSet<_> = addresses
        .iter()
        .copied()
        .filter(|address| *address != last.peering_addr())
        .collect();
    let mut probe = Probe::greet(last.peering_addr()).await;
    let mut named = BTreeSet::new();
    while !named.is_superset(&expected) {
        let peers = probe
            .find(|message| match message {
                Message::Keepalive(keepalive) => Some(keepalive.peers),
                _ => None,
            })
            .await;
        named.extend(peers.iter().filter_map(|peer| {
            let ip = peer.address.to_ipv4_mapped()?;
            (peer.port != 0).then(|| SocketAddr::new(ip.into(), peer.port))
        }));
        assert!(
            named.len() <= 2 * nodes.len(),
            "{named:?}, not {expected:?}"
        );
    }
}

#[tokio::test]
async fn nothing_is_lost_when_any_one_node_dies() {
    for victim in 0..4 {
        let mut nodes = four_nodes().await;
        let before = nodes[victim]
            .faucet()
            .send(DevKeys::sample(50).account(), nano(1))
            .await
            .unwrap();
        let survivor = (victim + 1) % 4;
        assert!(nodes[survivor].wait_confirmed(before, DEADLINE).await);
        let survivor_address = nodes[survivor].rpc_addr();
        nodes.remove(victim).stop().await;
        let node = nodes
            .iter()
            .find(|node| node.rpc_addr() == survivor_address)
            .unwrap();
        let after = node
            .faucet()
            .send(DevKeys::sample(50).account(), nano(1))
            .await
            .unwrap();
        for node in &nodes {
            assert!(node.wait_confirmed(before, DEADLINE).await);
            assert!(node.wait_confirmed(after, DEADLINE).await);
        }
    }
}

#[tokio::test]
async fn too_little_weight_confirms_nothing_until_more_connects() {
    let few = node_hosting(&[0, 1, 2], Vec::new()).await;
    let block = faucet_send(&few, DevKeys::sample(50).account(), 1);
    let hash = few.process(block).unwrap();
    // The representatives have voted, which shows in the election, and it was not enough.
    let weight = few.weights()[&DevKeys::representative(0).account()];
    until("the local representatives voted", || {
        (few.tally(&block.root())? > weight).then_some(())
    })
    .await;
    assert!(!few.is_confirmed(&hash));
    let more = node_hosting(&[3, 4, 5, 6], vec![few.peering_addr()]).await;
    assert!(few.wait_confirmed(hash, DEADLINE).await);
    assert!(more.wait_confirmed(hash, DEADLINE).await);
}

#[tokio::test]
async fn nodes_that_took_different_sides_of_a_fork_agree() {
    let heavy = node_hosting(&[0, 1, 2], Vec::new()).await;
    let light = node_hosting(&[3, 4, 5, 6, 7], Vec::new()).await;
    let one = faucet_send(&heavy, DevKeys::sample(50).account(), 1);
    let other = faucet_send(&light, DevKeys::sample(51).account(), 2);
    assert_eq!(one.root(), other.root());
    heavy.process(one).unwrap();
    light.process(other).unwrap();
    heavy.connect(light.peering_addr());
    // 47 % of the weight against 39 %: the heavier side wins everywhere.
    assert!(heavy.wait_confirmed(one.hash(), DEADLINE).await);
    assert!(light.wait_confirmed(one.hash(), DEADLINE).await);
    assert_eq!(light.block(&other.hash()), None);
    assert_eq!(light.weights(), heavy.weights());
}

#[tokio::test]
async fn a_node_that_comes_late_catches_up_and_confirms_everything() {
    let first = node_hosting(&(0..12).collect::<Vec<_>>(), Vec::new()).await;
    let key = DevKeys::sample(60);
    let wallet = first.wallet(key.clone());
    let send = first.faucet().send(key.account(), nano(100)).await.unwrap();
    wallet.receive(send, None).await.unwrap();
    // Longer than one pull of 128 blocks.
    let mut last = BlockHash::ZERO;
    for index in 0..140 {
        last = wallet
            .change(DevKeys::representative(index % 3).account())
            .await
            .unwrap();
    }
    let late = node_hosting(&[], vec![first.peering_addr()]).await;
    assert!(late.wait_confirmed(last, DEADLINE).await);
    assert_eq!(
        late.account_info(&key.account())
            .unwrap()
            .confirmation_height,
        141
    );
    assert_eq!(late.weights(), first.weights());
}

#[tokio::test]
async fn nodes_find_each_other_through_a_common_peer() {
    let hub = node_hosting(&[0], Vec::new()).await;
    let one = node_hosting(&[1], vec![hub.peering_addr()]).await;
    let other = node_hosting(&[2], vec![hub.peering_addr()]).await;
    until("everybody knows everybody", || {
        let all = [&hub, &one, &other];
        all.iter().all(|node| node.peer_count() == 2).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_final_vote_is_never_followed_by_one_for_another_block_not_even_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let config = || DevNodeConfig {
        data: Some(folder.path().to_owned()),
        representatives: vec![DevKeys::representative(0)],
        ..DevNodeConfig::default()
    };
    let node = DevNode::start(config()).await.unwrap();
    let one = faucet_send(&node, DevKeys::sample(50).account(), 1);
    let other = faucet_send(&node, DevKeys::sample(51).account(), 2);
    node.process(one).unwrap();
    // Other representatives' votes reach the quorum of votes, not of final votes.
    let mut probe = Probe::greet(node.peering_addr()).await;
    vote_as_others(&mut probe, one.hash(), 1).await;
    let vote = probe.final_vote(one.hash()).await;
    assert_eq!(vote.representative, DevKeys::representative(0).account());
    assert!(!node.is_confirmed(&one.hash()));

    // Now they all change their minds, with newer votes.
    probe.publish(other).await;
    vote_as_others(&mut probe, other.hash(), 2).await;
    until("the ledger follows the votes", || node.block(&other.hash())).await;
    assert_no_final_vote(&mut probe, &other).await;
    node.stop().await;

    let node = DevNode::start(config()).await.unwrap();
    let mut probe = Probe::greet(node.peering_addr()).await;
    vote_as_others(&mut probe, other.hash(), 3).await;
    assert_no_final_vote(&mut probe, &other).await;
}

/// Votes of all representatives but the first, normal ones, `turn` seconds from now.
async fn vote_as_others(probe: &mut Probe, hash: BlockHash, turn: u64) {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let millis = u64::try_from(now.as_millis()).unwrap() + turn * 1000;
    for index in 1..DevKeys::REPRESENTATIVES {
        let time = VoteTimestamp::normal(millis, 9);
        let vote = Vote::sign(&DevKeys::representative(index), time, vec![hash]);
        probe
            .send(
                &ConfirmAck {
                    vote,
                    rebroadcast: true,
                }
                .into(),
            )
            .await;
    }
}

/// Asks for the vote on a block three times, each time with a question whose answer must come.
async fn assert_no_final_vote(probe: &mut Probe, block: &Block) {
    let genesis = nano_core::Network::Dev.genesis_hash();
    for _ in 0..3 {
        probe.ask_votes(&[(block.hash(), block.root())]).await;
        probe.ask_votes(&[(genesis, nano_core::Root::ZERO)]).await;
        let voted = probe
            .find(|message| match message {
                Message::ConfirmAck(ack) if ack.vote.timestamp.is_final() => Some(ack.vote.hashes),
                _ => None,
            })
            .await;
        assert_eq!(voted, [genesis]);
    }
}
