//! The thread that writes notifications.

use std::path::Path;
use std::sync::mpsc;
use std::thread;

use futures_util::FutureExt as _;
use nanonet::notify::{Change, RelayAddress, Store, StoreFault};

use super::sqlite::SqliteStore;
use crate::metrics::{self, Metrics};

/// Most writes in one transaction.
const BATCH: usize = 256;

/// How a write went.
pub(crate) type Written = Result<(), StoreFault>;

/// The way to the thread. The node hands out few writes before it has heard of them, so few wait.
#[derive(Debug)]
pub(crate) struct Disk {
    jobs: mpsc::Sender<Vec<Change>>,
}

impl Disk {
    /// Opens the file, reads all of it and starts the thread, which tells `tell` of each write in order.
    pub(crate) fn open(
        folder: Option<&Path>,
        metrics: Metrics,
        tell: impl Fn(Written) + Send + 'static,
    ) -> Result<(Self, Vec<(RelayAddress, Vec<u8>)>), StoreFault> {
        let mut store = SqliteStore::open(folder)?;
        let loaded = store
            .load()
            .now_or_never()
            .unwrap_or_else(|| Err(StoreFault::Failed("the file was not read at once".into())))?;
        let (jobs, queue) = mpsc::channel();
        thread::Builder::new()
            .name("notifications".to_owned())
            .spawn(move || run(store, &queue, &metrics, &tell))
            .map_err(|error| StoreFault::Failed(format!("no thread: {error}")))?;
        Ok((Self { jobs }, loaded))
    }

    /// Queues a write; false if the thread has ended.
    pub(crate) fn write(&self, changes: Vec<Change>) -> bool {
        self.jobs.send(changes).is_ok()
    }
}

fn run(
    mut store: SqliteStore,
    queue: &mpsc::Receiver<Vec<Change>>,
    metrics: &Metrics,
    tell: &dyn Fn(Written),
) {
    while let Ok(first) = queue.recv() {
        let (mut changes, mut writes) = (first, 1);
        while writes < BATCH
            && let Ok(more) = queue.try_recv()
        {
            changes.extend(more);
            writes += 1;
        }
        let result = store.apply(&changes).now_or_never();
        let result = result
            .unwrap_or_else(|| Err(StoreFault::Failed("the write did not end at once".into())));
        if let Err(fault) = &result {
            metrics::count(&metrics.notify_faults, fault.code());
            tracing::error!(%fault, writes, "notifications were not stored");
        }
        for _ in 0..writes {
            tell(result.clone());
        }
    }
}
