//! A bridge beside a network of several full nodes, each on a loopback address of its own, none
//! with 30 % of the weight: each of them dies or freezes once while people ask and pay.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use bridge_server::prove::Proven;
use bridge_server::run::Bridge;
use dev_node::{DevKeys, DevNode, DevNodeConfig, SAFE_NODES, node_config};
use futures_util::{StreamExt, stream};
use nano_core::{Account, Block, BlockHash, Link, PrivateKey};
use nanonet::PublishState;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::common::{
    Client, DEADLINE, bridge, dev_config, options_beside, reach_all, state_block, until,
};

/// Accounts asked for while one node ends, again and again.
const ASKED: u32 = 96;
/// Of these, at a time; and so many more once the node has ended.
const AT_ONCE: usize = 8;
/// Blocks published in a row by each of the two payers.
const BLOCKS: usize = 5;

/// How a node ends.
#[derive(Clone, Copy)]
enum Fate {
    /// At once, with everything it was doing; its sockets are closed by the system.
    Killed,
    /// It reads, writes and does nothing any more, and its sockets stay open.
    Frozen,
}

/// A network whose nodes can end and come back. Each has a thread of its own.
struct Network {
    nodes: Vec<Option<DevNode>>,
    threads: Vec<Option<Runtime>>,
    base: DevNodeConfig,
}

impl Drop for Network {
    fn drop(&mut self) {
        let threads = self.threads.iter_mut().filter_map(Option::take);
        threads.for_each(Runtime::shutdown_background);
    }
}

impl Network {
    async fn start(folder: &Path) -> Self {
        let mut network = Self {
            nodes: (0..SAFE_NODES).map(|_| None).collect(),
            threads: (0..SAFE_NODES).map(|_| None).collect(),
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
        let mut thread = Builder::new_multi_thread();
        let thread = thread.worker_threads(1).enable_all().build().unwrap();
        let node = thread.spawn(DevNode::start(config)).await.unwrap();
        self.threads[place] = Some(thread);
        self.nodes[place] = Some(node.unwrap());
    }

    fn alive(&self) -> impl Iterator<Item = &DevNode> {
        self.nodes.iter().flatten()
    }

    fn node(&self, place: usize) -> &DevNode {
        self.nodes[place].as_ref().unwrap()
    }
}

/// Ends a thread and everything on it.
async fn kill(thread: Runtime) {
    let ending = move || thread.shutdown_timeout(Duration::from_secs(10));
    tokio::task::spawn_blocking(ending).await.unwrap();
}

/// Stops a thread until what is given back is dropped.
async fn freeze(thread: &Runtime) -> mpsc::Sender<()> {
    let (thaw, frozen) = mpsc::channel::<()>();
    let reached = std::sync::Arc::new(Notify::new());
    let reaches = std::sync::Arc::clone(&reached);
    thread.spawn(async move {
        reaches.notify_one();
        // The only thread there is.
        let _ = frozen.recv();
    });
    reached.notified().await;
    thaw
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

/// Asks for these again and again until some time after `ended`; every one is proven. Gives back
/// how many were asked for before and answered after it.
async fn ask(bridge: &Bridge, accounts: Vec<u32>, ended: &AtomicBool) -> usize {
    let (across, later) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let questions = accounts
        .into_iter()
        .cycle()
        .take_while(|_| later.load(Ordering::SeqCst) < AT_ONCE);
    let asks = stream::iter(questions).map(|index| async move {
        let account = DevKeys::holder(index).account();
        let before = !ended.load(Ordering::SeqCst);
        let answer = bridge.prover().resolve(account, None).await;
        let answer = answer.unwrap_or_else(|failure| panic!("{account}: {failure:?}"));
        assert!(matches!(answer, Proven::Opened(_)), "{account}");
        (before, ended.load(Ordering::SeqCst))
    });
    let count = |(before, after)| {
        let counted = if before { &across } else { &later };
        counted.fetch_add(usize::from(after), Ordering::SeqCst);
        std::future::ready(())
    };
    asks.buffer_unordered(AT_ONCE).for_each(count).await;
    across.into_inner()
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
    nothing_is_lost_by(Fate::Killed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn freezing_any_one_node_loses_no_request_and_no_confirmed_block() {
    nothing_is_lost_by(Fate::Frozen).await;
}

async fn nothing_is_lost_by(fate: Fate) {
    let folder = tempfile::tempdir().unwrap();
    let mut network = Network::start(folder.path()).await;
    let know_each_other = async |network: &Network| {
        until("the nodes to know each other", async || {
            let known = network
                .alive()
                .all(|node| node.peer_count() >= SAFE_NODES - 1);
            known.then_some(())
        })
        .await;
    };
    know_each_other(&network).await;
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
        let payers = [900, 950].map(|first| DevKeys::holder(first + place));
        let [through_bridge, elsewhere] =
            [0, 1].map(|payer| blocks(network.node(survivor), &payers[payer]));
        let all = through_bridge.iter().chain(&elsewhere);
        let wanted = all.map(Block::hash).collect();
        let last = [&through_bridge, &elsewhere].map(|blocks| blocks[BLOCKS - 1].hash());
        let address = network.node(victim).peering_addr();
        let dying = network.nodes[victim].take().unwrap();
        let thread = network.threads[victim].take().unwrap();
        let (first, ended) = (Notify::new(), AtomicBool::new(false));

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
        let end = async {
            first.notified().await;
            let frozen = match fate {
                Fate::Killed => {
                    kill(thread).await;
                    drop(dying);
                    None
                }
                Fate::Frozen => Some((freeze(&thread).await, thread, dying)),
            };
            ended.store(true, Ordering::SeqCst);
            frozen
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
        let ((), across, (), frozen, ()) = tokio::join!(
            seen(&bridge, wanted, &first),
            ask(&bridge, accounts, &ended),
            pay,
            end,
            others_pay,
        );
        assert!(
            across > 0,
            "nobody waited for an answer when node {victim} ended"
        );
        let paid: Vec<Account> = payers.iter().map(PrivateKey::account).collect();
        until("the newest blocks in the nanonet", async || {
            let held = bridge.node().held(paid.clone()).await?;
            (held == last.map(Some)).then_some(())
        })
        .await;
        if frozen.is_some() {
            let channels = bridge.full_nodes().channels().len();
            assert_eq!(channels, SAFE_NODES, "the frozen node closed nothing");
        }
        match frozen {
            Some((thaw, thread, node)) => {
                drop(thaw);
                network.threads[victim] = Some(thread);
                network.nodes[victim] = Some(node);
            }
            None => network.revive(victim, address.port()).await,
        }
        reach_all(&bridge).await;
        know_each_other(&network).await;
    }
    bridge.stop().await;
}
