//! Searches for the work that the bridge's own place in the overlay costs.
//!
//! One thread, which does nothing else; a search for another root ends the one before, and so does the
//! end of the node. A search for live takes half a minute on average, and a bridge keeps what it found.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use nano_core::{Difficulty, Root, WorkNonce};
use nano_pow::Kernel;
use nanonet::Input;
use tokio::sync::mpsc;

use super::node::Command;
use crate::clock;

/// Nonces tried between two looks at whether the search is still wanted: at most some tenths of a second.
const BATCH: u32 = 1 << 20;

/// The search under way, if any.
#[derive(Debug)]
pub(super) struct Search {
    commands: mpsc::WeakSender<Command>,
    root: Option<Root>,
    /// Number of the search that is wanted.
    wanted: Arc<AtomicU64>,
}

impl Search {
    /// No search yet; what is found goes to `commands` unless the node has ended.
    pub(super) fn new(commands: &mpsc::Sender<Command>) -> Self {
        Self {
            commands: commands.downgrade(),
            root: None,
            wanted: Arc::default(),
        }
    }

    /// Begins to search over `root`, unless it is under way.
    pub(super) fn begin(&mut self, root: Root, threshold: Difficulty) {
        let start = match clock::random() {
            Ok(bytes) => u64::from_le_bytes(bytes),
            Err(error) => return tracing::error!(%error, "no search for join work"),
        };
        if self.root.replace(root) == Some(root) {
            return;
        }
        let number = self.wanted.fetch_add(1, Ordering::Relaxed) + 1;
        let (wanted, commands) = (Arc::clone(&self.wanted), self.commands.clone());
        tokio::task::spawn_blocking(move || {
            let kernel = Kernel::new(root.as_bytes());
            let mut from = start;
            while wanted.load(Ordering::Relaxed) == number {
                if let Some(nonce) = kernel.first(threshold.number(), from, BATCH) {
                    let nonce = WorkNonce::new(nonce);
                    let found = Command::Input(Input::WorkFound { root, nonce });
                    // A node that has ended needs none.
                    if let Some(commands) = commands.upgrade() {
                        let _ = commands.blocking_send(found);
                    }
                    return;
                }
                from = from.wrapping_add(u64::from(BATCH));
            }
        });
    }

    /// The node has its work: the same root is searched again if it asks once more.
    pub(super) fn done(&mut self) {
        self.root = None;
    }
}

impl Drop for Search {
    fn drop(&mut self) {
        self.wanted.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use nano_core::{Network, WeightTable};
    use nanonet::{Identity, Node, Rng, Standing, Status};

    use super::*;
    use crate::metrics::Metrics;
    use crate::shell::{NodeParts, start};
    use crate::store::Store;

    /// A few thousand hashes.
    const EASY: Difficulty = Difficulty::new(0xfff0_0000_0000_0000);

    async fn found(queue: &mut mpsc::Receiver<Command>) -> (Root, WorkNonce) {
        match queue.recv().await {
            Some(Command::Input(Input::WorkFound { root, nonce })) => (root, nonce),
            other => panic!("{other:?} instead of work"),
        }
    }

    #[tokio::test]
    async fn work_is_found_and_reaches_the_threshold() {
        let (commands, mut queue) = mpsc::channel(1);
        let mut search = Search::new(&commands);
        let wanted = Root::from_bytes([3; 32]);
        search.begin(wanted, EASY);
        let (root, nonce) = found(&mut queue).await;
        assert_eq!(root, wanted);
        assert!(nonce.difficulty(&root) >= EASY);
    }

    /// A bridge's node over a folder, run until it has its place.
    async fn status_of(folder: &std::path::Path) -> Status {
        let metrics = Metrics::default();
        let (store, loaded) = Store::open(Some(folder), metrics.clone()).unwrap();
        let identity = match &loaded.identity {
            Some(bytes) => Identity::from_bytes(bytes).unwrap(),
            None => Identity::generate(&mut Rng::from_seed([1; 32])),
        };
        let weights = WeightTable::live_snapshot();
        let mut config = nanonet::Config::bridge(Network::Live, weights, Vec::new());
        config.join_threshold = EASY;
        let node = Node::new(config, identity, [1; 32], clock::now());
        let parts = NodeParts {
            store,
            resolves: mpsc::channel(1).0,
            relays: mpsc::channel(1).0,
            metrics,
            directory: crate::bridges::Directory::default(),
            places: 1,
        };
        let (node, _, _) = start(node, parts);
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let status = node.status().await.unwrap();
            if status.standing == Standing::Member {
                node.stop().await;
                return status;
            }
            assert!(Instant::now() < deadline, "work is found");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    #[tokio::test]
    async fn a_bridge_keeps_the_place_it_paid_for() {
        let folder = tempfile::tempdir().unwrap();
        let first = status_of(folder.path()).await;
        let unpaid = Identity::generate(&mut Rng::from_seed([1; 32]));
        assert_eq!(first.key, unpaid.node_key());
        assert_ne!(first.id, unpaid.node_id());
        let second = status_of(folder.path()).await;
        assert_eq!((second.key, second.id), (first.key, first.id));
    }

    #[tokio::test]
    async fn a_search_that_is_overtaken_ends_and_the_newer_one_answers() {
        let (commands, mut queue) = mpsc::channel(1);
        let mut search = Search::new(&commands);
        let never = Difficulty::new(u64::MAX);
        search.begin(Root::from_bytes([3; 32]), never);
        let newer = Root::from_bytes([4; 32]);
        search.begin(newer, EASY);
        assert_eq!(found(&mut queue).await.0, newer);
        search.begin(Root::from_bytes([5; 32]), never);
        // The runtime waits for its threads: a search that went on would hang this test.
        drop(search);
    }
}
