//! Tests of the relay without any full node, and with confirmations that a test makes up.

use std::time::Duration;

use nano_core::{Block, BlockHash, Link, PrivateKey, Raw, StateBlock, UnixMillis};
use nano_core::{WeightTable, WorkNonce};
use nanonet::{Identity, Node, Rng};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::*;
use crate::full_node::Settings;
use crate::metrics::counted;
use crate::shell::{self, NodeParts};

/// More blocks than there are looks, and than one account may bring at once.
const MANY: u8 = 100;

/// A relay, and what it is told by.
struct Stage {
    jobs: mpsc::Sender<RelayJob>,
    confirmations: broadcast::Sender<Confirmation>,
    decided: Decided,
    metrics: Metrics,
    _tasks: JoinSet<()>,
}

impl Stage {
    /// One that hears only the last of several confirmations told at once.
    fn new(store: Store) -> Self {
        let metrics = Metrics::default();
        let table = WeightTable {
            network: Network::Dev,
            as_of: UnixMillis(0),
            online_weight: Raw::ZERO,
            minimum: Raw::new(1),
            weights: std::iter::empty().collect(),
        };
        let (jobs, queue) = mpsc::channel(usize::from(MANY));
        let (confirmations, heard) = broadcast::channel(1);
        let (decided, roots) = (Decided::default(), Roots::default());
        let config = nanonet::Config::bridge(Network::Dev, table.clone(), Vec::new());
        let identity = Identity::generate(&mut Rng::from_seed([1; 32]));
        let node = Node::new(config, identity, [1; 32], crate::clock::now());
        let parts = NodeParts {
            store: store.clone(),
            resolves: mpsc::channel(1).0,
            relays: jobs.clone(),
            metrics: metrics.clone(),
            directory: crate::bridges::Directory::default(),
            places: 1,
        };
        let (node, _, _) = shell::start(node, parts);
        let weights = Weights::new(table, "file");
        let mut tasks = JoinSet::new();
        // Nobody reads it: nothing is put there without a full node.
        let (live, _) = mpsc::channel(1);
        let settings = Settings {
            network: Network::Dev,
            peers: Vec::new(),
            weights: weights.clone(),
            live: live.clone(),
            metrics: metrics.clone(),
        };
        let full_nodes = FullNodes::start(settings, &mut tasks);
        let asker = Asker::new(
            full_nodes.clone(),
            weights.clone(),
            roots.clone(),
            metrics.clone(),
        );
        let parts = Parts {
            limits: Limits::DEFAULT,
            network: Network::Dev,
            full_nodes,
            weights,
            asker,
            roots,
            live,
            node,
            confirmations: heard,
            decided: decided.clone(),
            store,
            metrics: metrics.clone(),
        };
        tasks.spawn(run(queue, parts));
        Self {
            jobs,
            confirmations,
            decided,
            metrics,
            _tasks: tasks,
        }
    }

    async fn resume(&self, blocks: &[Block]) {
        for block in blocks {
            let (request, block) = (None, *block);
            self.jobs.send(RelayJob { request, block }).await.unwrap();
        }
    }

    async fn until_counted(&self, outcome: &'static str, times: u64) {
        timeout(Duration::from_secs(60), async {
            while counted(&self.metrics.relayed, outcome) < times {
                sleep(Duration::from_millis(10)).await;
            }
        })
        .await
        .unwrap();
    }
}

/// Blocks of one account, told apart by their number.
fn block(number: u8) -> Block {
    let key = PrivateKey::from_bytes([1; 32]);
    let me = key.account();
    let previous = BlockHash::from_bytes([number + 1; 32]);
    let block = StateBlock::unsigned(me, previous, me, Raw::new(5), Link::ZERO).sign(&key);
    let (root, enough) = (block.root(), Network::Dev.work_thresholds().ample());
    let work = (0..u64::MAX)
        .map(WorkNonce::new)
        .find(|work| work.difficulty(&root) >= enough);
    block.with_work(work.unwrap()).into()
}

fn confirmation(block: &Block) -> Confirmation {
    Confirmation {
        hash: block.hash(),
        root: block.root(),
    }
}

#[tokio::test]
async fn a_confirmation_that_was_told_while_the_relay_was_behind_ends_its_block_all_the_same() {
    let (store, _) = Store::open(None, Metrics::default()).unwrap();
    let stage = Stage::new(store);
    let (won, lost, later) = (block(1), block(2), block(3));
    stage.resume(&[won, lost, later]).await;
    // The last one is confirmed after all of them were taken up.
    stage.decided.put(confirmation(&later));
    stage.confirmations.send(confirmation(&later)).unwrap();
    stage.until_counted("confirmed", 1).await;
    // Nothing awaited in between: the first two do not fit.
    let rival = Confirmation {
        hash: BlockHash::from_bytes([9; 32]),
        root: lost.root(),
    };
    for note in [confirmation(&won), rival, confirmation(&block(4))] {
        stage.decided.put(note);
        stage.confirmations.send(note).unwrap();
    }
    stage.until_counted("confirmed", 2).await;
    stage.until_counted("superseded", 1).await;
}

#[tokio::test]
async fn all_blocks_of_an_earlier_run_are_gone_on_with_and_stay_stored_without_a_full_node() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Store::open(Some(folder.path()), Metrics::default()).unwrap();
    let blocks: Vec<Block> = (0..MANY).map(block).collect();
    let (store, _) = open();
    for block in &blocks {
        let pending = crate::store::Write::PutPending {
            hash: *block.hash().as_bytes(),
            block: block.serialized_typed(),
            since: UnixMillis(1),
        };
        store.write(pending).await.unwrap();
    }
    let stage = Stage::new(store.clone());
    stage.resume(&blocks).await;
    // They were all taken up when the last one is: each of them has to be there to be confirmed.
    let last = confirmation(blocks.last().unwrap());
    stage.decided.put(last);
    stage.confirmations.send(last).unwrap();
    stage.until_counted("confirmed", 1).await;
    store.sync().await.unwrap();
    let (_, loaded) = open();
    assert_eq!(loaded.pending.len(), blocks.len() - 1);
    assert_eq!(counted(&stage.metrics.relayed, "busy"), 0);
    assert_eq!(counted(&stage.metrics.relayed, "no-full-node"), 0);
}
