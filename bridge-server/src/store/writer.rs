//! The storage thread and the handle to it.

use std::net::SocketAddr;
use std::path::Path;
use std::thread;

use nano_core::UnixMillis;
use tokio::sync::{mpsc, oneshot};

use super::schema::Tables;
use super::{MAX_VALUE_BYTES, QUEUE, StoreError};
use crate::metrics::Metrics;

/// One change of the durable state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// Keeps a named value, such as the identity.
    Meta {
        /// Its name.
        name: &'static str,
        /// Its bytes.
        value: Vec<u8>,
    },
    /// Keeps a record of the slice, replacing one of the same kind and key.
    PutRecord {
        /// The slice's key as text.
        key: String,
        /// The record.
        value: Vec<u8>,
    },
    /// Forgets a record.
    RemoveRecord {
        /// The slice's key as text.
        key: String,
    },
    /// Keeps a transaction that is being relayed.
    PutPending {
        /// Hash of the block.
        hash: [u8; 32],
        /// The block, type byte first.
        block: Vec<u8>,
        /// When it was accepted.
        since: UnixMillis,
    },
    /// Keeps the endpoint of a full node that was reached.
    PutPeer {
        /// Where it listens.
        endpoint: SocketAddr,
        /// When a channel to it was last open.
        reached: UnixMillis,
    },
    /// Forgets an endpoint that is not reached any more.
    RemovePeer {
        /// Where it listened.
        endpoint: SocketAddr,
    },
    /// Forgets a transaction: confirmed, refused or given up.
    RemovePending {
        /// Hash of the block.
        hash: [u8; 32],
    },
}

impl Write {
    fn size(&self) -> usize {
        match self {
            Self::Meta { value, .. }
            | Self::PutRecord { value, .. }
            | Self::PutPending { block: value, .. } => value.len(),
            Self::RemoveRecord { .. }
            | Self::RemovePending { .. }
            | Self::PutPeer { .. }
            | Self::RemovePeer { .. } => 0,
        }
    }
}

/// What the database held at start.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The identity's bytes, if one was ever stored.
    pub identity: Option<Vec<u8>>,
    /// How far the backfill was, if it ever began.
    pub backfill: Option<Vec<u8>>,
    /// The weight table that the anchors gave last, if they ever did.
    pub weights: Option<Vec<u8>>,
    /// The bridges known last, as [`crate::bridges::Directory`] writes them.
    pub bridges: Option<Vec<u8>>,
    /// The directory of notifications in force last.
    pub notify_directory: Option<Vec<u8>>,
    /// Records as (key, value).
    pub records: Vec<(String, Vec<u8>)>,
    /// Transactions that were being relayed, oldest first.
    pub pending: Vec<Vec<u8>>,
    /// Endpoints of full nodes with the time they were last reached, the newest first.
    pub peers: Vec<(SocketAddr, UnixMillis)>,
}

enum Job {
    Write(Write),
    Sync(oneshot::Sender<()>),
}

/// Handle to the storage thread; cloning shares it.
#[derive(Clone, Debug)]
pub struct Store {
    jobs: mpsc::Sender<Job>,
}

impl Store {
    /// Name of the identity in `meta`.
    pub const IDENTITY: &'static str = "identity";
    /// Name of the backfill's progress in `meta`.
    pub const BACKFILL: &'static str = "backfill";
    /// Name of the weight table in `meta`.
    pub const WEIGHTS: &'static str = "weights";
    /// Name of the directory of notifications in `meta`.
    pub const NOTIFY_DIRECTORY: &'static str = "notify-directory";
    /// Name of the bridges known in `meta`.
    pub const BRIDGES: &'static str = "bridges";

    /// Opens the database in `folder` (`None` = memory), reads all of it and starts the thread.
    ///
    /// # Errors
    /// When the database cannot be opened, is newer, or is damaged.
    pub fn open(folder: Option<&Path>, metrics: Metrics) -> Result<(Self, Loaded), StoreError> {
        let tables = Tables::open(folder)?;
        let loaded = Loaded {
            identity: tables.meta(Self::IDENTITY)?,
            backfill: tables.meta(Self::BACKFILL)?,
            weights: tables.meta(Self::WEIGHTS)?,
            bridges: tables.meta(Self::BRIDGES)?,
            notify_directory: tables.meta(Self::NOTIFY_DIRECTORY)?,
            records: tables.records()?,
            pending: tables.pending()?,
            peers: tables.peers()?,
        };
        let (jobs, queue) = mpsc::channel(QUEUE);
        thread::Builder::new()
            .name("storage".to_owned())
            .spawn(move || run(tables, queue, &metrics))
            .map_err(StoreError::Thread)?;
        Ok((Self { jobs }, loaded))
    }

    /// Queues a write; waits while the queue is full.
    ///
    /// # Errors
    /// When the value is too large or the thread has ended.
    pub async fn write(&self, write: Write) -> Result<(), StoreError> {
        let size = write.size();
        if size > MAX_VALUE_BYTES {
            return Err(StoreError::TooLarge { size });
        }
        self.jobs
            .send(Job::Write(write))
            .await
            .map_err(|_| StoreError::Closed)
    }

    /// Waits until everything queued before is on disk (or was refused by it and counted).
    ///
    /// # Errors
    /// When the thread has ended.
    pub async fn sync(&self) -> Result<(), StoreError> {
        let (done, wait) = oneshot::channel();
        self.jobs
            .send(Job::Sync(done))
            .await
            .map_err(|_| StoreError::Closed)?;
        wait.await.map_err(|_| StoreError::Closed)
    }
}

fn run(mut tables: Tables, mut queue: mpsc::Receiver<Job>, metrics: &Metrics) {
    let mut batch = Vec::new();
    let mut waiting = Vec::new();
    while let Some(first) = queue.blocking_recv() {
        let mut next = Some(first);
        while let Some(job) = next {
            match job {
                Job::Write(write) => batch.push(write),
                Job::Sync(done) => waiting.push(done),
            }
            next = if batch.len() < QUEUE {
                queue.try_recv().ok()
            } else {
                None
            };
        }
        if let Err(error) = tables.apply(&batch) {
            // The overlay still holds the records in memory and its replicas hold them too; a full
            // disk must not stop the bridge, but the operator has to see it.
            metrics.storage_errors.inc();
            tracing::error!(%error, writes = batch.len(), "storage failed");
        }
        batch.clear();
        for done in waiting.drain(..) {
            // Whoever asked may have gone; nothing depends on it.
            let _ = done.send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(key: &str, value: &[u8]) -> Write {
        Write::PutRecord {
            key: key.to_owned(),
            value: value.to_vec(),
        }
    }

    #[tokio::test]
    async fn what_was_written_is_there_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let (store, loaded) = Store::open(Some(folder.path()), Metrics::default()).unwrap();
        assert!(loaded.identity.is_none() && loaded.records.is_empty());
        let identity = Write::Meta {
            name: Store::IDENTITY,
            value: vec![9; 3],
        };
        store.write(identity).await.unwrap();
        store.write(put("a", b"old")).await.unwrap();
        store.write(put("a", b"new")).await.unwrap();
        store.write(put("b", b"gone")).await.unwrap();
        store
            .write(Write::RemoveRecord {
                key: "b".to_owned(),
            })
            .await
            .unwrap();
        for (hash, since) in [([1; 32], 2), ([2; 32], 1)] {
            let pending = Write::PutPending {
                hash,
                block: vec![hash[0]],
                since: UnixMillis(since),
            };
            store.write(pending).await.unwrap();
        }
        let endpoint = |port| SocketAddr::from(([127, 0, 0, 1], port));
        for (port, reached) in [(1, 10), (2, 20), (3, 30), (1, 40)] {
            let peer = Write::PutPeer {
                endpoint: endpoint(port),
                reached: UnixMillis(reached),
            };
            store.write(peer).await.unwrap();
        }
        let gone = Write::RemovePeer {
            endpoint: endpoint(3),
        };
        store.write(gone).await.unwrap();
        store.sync().await.unwrap();
        drop(store);
        let (_store, loaded) = Store::open(Some(folder.path()), Metrics::default()).unwrap();
        assert_eq!(loaded.identity, Some(vec![9; 3]));
        assert_eq!(loaded.records, [("a".to_owned(), b"new".to_vec())]);
        assert_eq!(loaded.pending, [vec![2], vec![1]]);
        let peers = [(endpoint(1), UnixMillis(40)), (endpoint(2), UnixMillis(20))];
        assert_eq!(loaded.peers, peers);
    }

    #[tokio::test]
    async fn a_value_too_large_is_refused_and_changes_nothing() {
        let (store, _) = Store::open(None, Metrics::default()).unwrap();
        let error = store
            .write(put("a", &vec![0; MAX_VALUE_BYTES + 1]))
            .await
            .unwrap_err();
        assert!(matches!(error, StoreError::TooLarge { .. }));
        store.sync().await.unwrap();
    }
}
