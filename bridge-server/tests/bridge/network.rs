//! A bridge beside a network of several full nodes, each on a loopback address of its own, none
//! with 30 % of the weight: each of them dies once while people ask and pay.

use std::collections::BTreeSet;
use std::path::Path;

use bridge_server::prove::Proven;
use bridge_server::run::Bridge;
use dev_node::{DevKeys, DevNode, DevNodeConfig, SAFE_NODES, node_config};
use futures_util::future::join_all;
use nano_core::{Block, BlockHash, Link, PrivateKey};
use nanonet::PublishState;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::common::{
    Client, DEADLINE, bridge, dev_config, options_beside, reach_all, state_block, until,
};

/// Accounts asked for while one node dies.
const ASKED: u32 = 48;
/// Of these, at a time.
const AT_ONCE: usize = 8;
/// Blocks published in a row by each of the two payers.
const BLOCKS: usize = 5;

/// A network whose nodes can die and come back.
struct Network {
    nodes: Vec<Option<DevNode>>,
    base: DevNodeConfig,
}

impl Network {
    async fn start(folder: &Path) -> Self {
        let mut network = Self {
            nodes: (0..SAFE_NODES).map(|_| None).collect(),
            base: DevNodeConfig {
                accounts: 1000,
                data: Some(folder.to_owned()),
                ..dev_config()
            },
        };
        for place in 0..SAFE_NODES {
            network.revive(place, 0).await;
        }
        network
    }

    /// Starts a node on this port of its own address.
    async fn revive(&mut self, place: usize, port: u16) {
        let mut config = node_config(&self.base, u8::try_from(place).unwrap(), SAFE_NODES);
        config.peering.set_port(port);
        config.peers = self.alive().map(DevNode::peering_addr).collect();
        self.nodes[place] = Some(DevNode::start(config).await.unwrap());
    }

    fn alive(&self) -> impl Iterator<Item = &DevNode> {
        self.nodes.iter().flatten()
    }

    fn node(&self, place: usize) -> &DevNode {
        self.nodes[place].as_ref().unwrap()
    }
}

/// Change blocks that change nothing, one after another, on an account's confirmed head.
fn blocks(node: &DevNode, key: &PrivateKey) -> Vec<Block> {
    let mut previous = node.account_info(&key.account()).unwrap().head;
    let head = node.block(&previous).unwrap();
    (0..BLOCKS)
        .map(|_| {
            let block = state_block(key, previous, head.representative, head.balance, Link::ZERO);
            previous = block.hash();
            block
        })
        .collect()
}

/// Every one of these is proven.
async fn ask(bridge: &Bridge, accounts: Vec<u32>) {
    for part in accounts.chunks(AT_ONCE) {
        let questions = part.iter().map(|index| {
            let account = DevKeys::holder(*index).account();
            async move { (account, bridge.prover().resolve(account, None).await) }
        });
        for (account, answer) in join_all(questions).await {
            let answer = answer.unwrap_or_else(|failure| panic!("{account}: {failure:?}"));
            assert!(matches!(answer, Proven::Opened(_)), "{account}");
        }
    }
}

/// All of these are told by the bridge as confirmed.
async fn seen(bridge: &Bridge, mut wanted: BTreeSet<BlockHash>, first: &Notify) {
    let mut confirmations = bridge.confirmations();
    let all = async {
        while !wanted.is_empty() {
            let confirmation = confirmations.recv().await.unwrap();
            if wanted.remove(&confirmation.hash) {
                first.notify_one();
            }
        }
    };
    if timeout(DEADLINE, all).await.is_err() {
        panic!("never seen confirmed: {wanted:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_any_one_node_loses_no_request_and_no_confirmed_block() {
    let folder = tempfile::tempdir().unwrap();
    let mut network = Network::start(folder.path()).await;
    until("the nodes to know each other", async || {
        let known = network
            .alive()
            .all(|node| node.peer_count() >= SAFE_NODES - 1);
        known.then_some(())
    })
    .await;
    let total: u128 = network.node(0).weights().values().map(|w| w.number()).sum();
    for node in 0..SAFE_NODES {
        let config = node_config(&network.base, u8::try_from(node).unwrap(), SAFE_NODES);
        let weights = network.node(0).weights();
        let hosted = config.representatives.iter();
        let weight: u128 = hosted.map(|key| weights[&key.account()].number()).sum();
        assert!(weight / 100 * 100 < total / 100 * 30);
    }
    let nodes: Vec<DevNode> = network.nodes.iter_mut().filter_map(Option::take).collect();
    let options = options_beside(&nodes, folder.path());
    network.nodes = nodes.into_iter().map(Some).collect();
    let bridge = bridge(options).await;

    for victim in 0..SAFE_NODES {
        let place = u32::try_from(victim).unwrap();
        let survivor = (victim + 1) % SAFE_NODES;
        let through_bridge = blocks(network.node(survivor), &DevKeys::holder(900 + place));
        let elsewhere = blocks(network.node(survivor), &DevKeys::holder(950 + place));
        let all = through_bridge.iter().chain(&elsewhere);
        let wanted = all.map(Block::hash).collect();
        let address = network.node(victim).peering_addr();
        let dying = network.nodes[victim].take().unwrap();
        let first = Notify::new();

        let pay = async {
            let mut client = Client::link(&bridge, u8::try_from(victim).unwrap() + 1).await;
            for block in through_bridge {
                client
                    .publish(block, |state| match state {
                        PublishState::Confirmed => Some(()),
                        PublishState::Refused(refusal) => panic!("refused: {refusal:?}"),
                        _ => None,
                    })
                    .await;
            }
        };
        let kill = async {
            first.notified().await;
            dying.stop().await;
        };
        let others_pay = async {
            for block in elsewhere {
                network.node(survivor).process(block).unwrap();
                let confirmed = network
                    .node(survivor)
                    .wait_confirmed(block.hash(), DEADLINE);
                assert!(confirmed.await, "not confirmed without node {victim}");
            }
        };
        let accounts = (place * ASKED..(place + 1) * ASKED).collect();
        tokio::join!(
            seen(&bridge, wanted, &first),
            ask(&bridge, accounts),
            pay,
            kill,
            others_pay,
        );
        network.revive(victim, address.port()).await;
        reach_all(&bridge).await;
    }
    bridge.stop().await;
}
