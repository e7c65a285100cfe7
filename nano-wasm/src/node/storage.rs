//! Identity, slice and pending blocks in IndexedDB.
//!
//! One database per name and network, with two stores: `meta` (the node's identity, whom it
//! knew last, its trust) and `entries`, the node's own durable entries under the text of their keys,
//! opaque here.
//!
//! Changes are collected and written one transaction after the other, so that a burst costs one
//! write, and the last change of a key wins. Before a block of the person's own is published, its
//! entry must be durable: [`Storage::is_blocking`] is true until the transaction with it is on
//! disk, which that transaction asks for (`durability: "strict"`; browsers' default is relaxed).
//!
//! One origin has one node, which may move from one tab to another. Each time it starts a new term begins, whose
//! number is kept in `meta`; a transaction of an earlier term is refused before it changes anything, so that a tab
//! that slept through its replacement does no harm.
//!
//! When the browser refuses storage, at the start or later (private windows, full disks), the node
//! goes on in memory, where the node itself holds everything, and the reason is kept for the
//! status.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use idb::{DatabaseEvent as _, Factory, ObjectStoreParams};
use js_sys::{Array, Object, Reflect, Uint8Array};
use nanonet::{StoreKey, StoreOp, StoredEntry};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, JsValue};

use super::reply::StorageStatus;

/// Key of the identity in `meta`.
pub(super) const IDENTITY: &str = "identity";
/// Key of the nodes known last in `meta`.
pub(super) const KNOWN: &str = "known";
/// Key of the newest term's number in `meta`.
const TERM: &str = "term";
const META: &str = "meta";
const ENTRIES: &str = "entries";
const VERSION: u32 = 1;
/// Modes of a transaction.
const READ: &str = "readonly";
const WRITE: &str = "readwrite";

/// Why storage cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum StorageError {
    #[error("the browser gives this page no storage ({0}); nothing is kept after it is closed")]
    Open(String),
    #[error("stored data could not be read ({0}); the node began anew in memory")]
    Read(String),
    #[error("another tab runs this node now; here it has ended")]
    Deposed,
    #[error(
        "data could not be stored ({0}), perhaps for lack of space; nothing more is kept after the page is closed"
    )]
    Write(String),
}

#[wasm_bindgen]
extern "C" {
    /// `IDBDatabase` with the third argument of `transaction`, which `web-sys` does not know.
    #[wasm_bindgen(extends = web_sys::IdbDatabase)]
    type DurableDatabase;
    #[wasm_bindgen(method, catch, js_name = transaction)]
    fn transaction_with_options(
        this: &DurableDatabase,
        stores: &JsValue,
        mode: &str,
        options: &Object,
    ) -> Result<web_sys::IdbTransaction, JsValue>;
}

/// An open database.
pub(super) struct Database {
    database: DurableDatabase,
    /// Number of the term in which this is written to.
    term: Cell<u64>,
}

/// Changes of entries by key text; `None` removes.
type Changes = BTreeMap<String, Option<Vec<u8>>>;

impl Database {
    /// Opens the database of this name, making it if need be.
    pub(super) async fn open(name: &str) -> Result<Self, StorageError> {
        let open = async {
            let mut request = Factory::new()?.open(name, Some(VERSION))?;
            request.on_upgrade_needed(|event| {
                // A store that could not be made shows when it is first read.
                if let Ok(database) = event.database() {
                    for store in [META, ENTRIES] {
                        let _ = database.create_object_store(store, ObjectStoreParams::new());
                    }
                }
            });
            request.await
        };
        let database: web_sys::IdbDatabase = open
            .await
            .map_err(|error: idb::Error| StorageError::Open(error.to_string()))?
            .into();
        Ok(Self {
            database: database.unchecked_into(),
            term: Cell::new(u64::MAX),
        })
    }

    /// Begins a term, later than every other: what an earlier one writes is refused from now on.
    pub(super) async fn begin_term(&self) -> Result<u64, StorageError> {
        let before = term(self.meta(TERM).await?);
        // Whoever began a term since then made this write one of an earlier term.
        self.term.set(before);
        let now = before.saturating_add(1);
        let changes = Changes::from([(TERM.to_owned(), Some(now.to_be_bytes().to_vec()))]);
        self.write(META, changes, false).await?;
        self.term.set(now);
        Ok(now)
    }

    /// A value of `meta`.
    pub(super) async fn meta(&self, key: &str) -> Result<Option<Vec<u8>>, StorageError> {
        let read = async {
            let transaction = self.transaction(&[META], READ, false)?;
            let store = transaction.object_store(META)?;
            store.get(JsValue::from_str(key))?.await
        };
        let value = read
            .await
            .map_err(|error| StorageError::Read(error.to_string()))?;
        Ok(value.as_ref().and_then(bytes))
    }

    /// Sets a value of `meta`.
    pub(super) async fn set_meta(&self, key: &str, value: &[u8]) -> Result<(), StorageError> {
        let changes = Changes::from([(key.to_owned(), Some(value.to_vec()))]);
        self.write(META, changes, true).await
    }

    /// All entries.
    pub(super) async fn entries(&self) -> Result<Vec<StoredEntry>, StorageError> {
        let read = async {
            let transaction = self.transaction(&[ENTRIES], READ, false)?;
            let store = transaction.object_store(ENTRIES)?;
            // Both at once: one transaction answers its requests in order, and both in key order.
            let keys = store.get_all_keys(None, None)?;
            let values = store.get_all(None, None)?;
            Ok::<_, idb::Error>((keys.await?, values.await?))
        };
        let (keys, values) = read
            .await
            .map_err(|error| StorageError::Read(error.to_string()))?;
        Ok(keys
            .iter()
            .zip(&values)
            .filter_map(|(key, value)| {
                Some(StoredEntry {
                    key: StoreKey::from_text(&key.as_string()?)?,
                    bytes: bytes(value)?,
                })
            })
            .collect())
    }

    /// Applies changes in one transaction.
    async fn write(
        &self,
        store: &str,
        changes: Changes,
        durable: bool,
    ) -> Result<(), StorageError> {
        let stores: &[&str] = if store == META {
            &[META]
        } else {
            &[store, META]
        };
        let write = async {
            let transaction = self.transaction(stores, WRITE, durable)?;
            let newest = transaction.object_store(META)?;
            let newest = newest.get(JsValue::from_str(TERM))?.await?;
            if term(newest.as_ref().and_then(bytes)) > self.term.get() {
                return Ok(None);
            }
            let target = transaction.object_store(store)?;
            for (key, value) in changes {
                let key = JsValue::from_str(&key);
                match value {
                    Some(value) => drop(target.put(&Uint8Array::from(&*value), Some(&key))?),
                    None => drop(target.delete(key)?),
                }
            }
            transaction.commit()?.await.map(Some)
        };
        match write.await {
            Ok(Some(result)) if result.is_committed() => Ok(()),
            Ok(None) => Err(StorageError::Deposed),
            Ok(_) => Err(StorageError::Write("the transaction was aborted".into())),
            Err(error) => Err(StorageError::Write(error.to_string())),
        }
    }

    /// A transaction; a durable one is complete only when it is on disk.
    fn transaction(
        &self,
        stores: &[&str],
        mode: &str,
        durable: bool,
    ) -> Result<idb::Transaction, idb::Error> {
        let options = Object::new();
        let durability = if durable { "strict" } else { "relaxed" };
        // Setting a property of a new object cannot fail.
        let _ = Reflect::set(&options, &"durability".into(), &durability.into());
        let stores: Array = stores
            .iter()
            .map(|store| JsValue::from_str(store))
            .collect();
        self.database
            .transaction_with_options(&stores, mode, &options)
            .map(Into::into)
            .map_err(idb::Error::TransactionOpenFailed)
    }
}

/// The number of a stored term; 0 before the first.
fn term(stored: Option<Vec<u8>>) -> u64 {
    let bytes = stored.unwrap_or_default();
    bytes.try_into().map_or(0, u64::from_be_bytes)
}

/// What was stored as bytes.
fn bytes(value: &JsValue) -> Option<Vec<u8>> {
    value.dyn_ref::<Uint8Array>().map(Uint8Array::to_vec)
}

/// The node's durable entries on their way to the database.
pub(super) struct Storage {
    /// `None`: memory only.
    database: Option<Rc<Database>>,
    problem: Option<String>,
    changes: Changes,
    /// Whether a change not yet on disk must be before anything else goes out.
    blocking: bool,
    /// Whether a transaction is under way.
    writing: bool,
}

/// One transaction to be done.
pub(super) struct Batch {
    database: Rc<Database>,
    changes: Changes,
    durable: bool,
}

impl Batch {
    /// Does it. [`Storage::written`] must hear how it went.
    pub(super) async fn write(self) -> Result<(), StorageError> {
        self.database
            .write(ENTRIES, self.changes, self.durable)
            .await
    }
}

impl Storage {
    pub(super) const fn new(database: Option<Rc<Database>>, problem: Option<String>) -> Self {
        Self {
            database,
            problem,
            changes: Changes::new(),
            blocking: false,
            writing: false,
        }
    }

    /// Takes a change over.
    pub(super) fn change(&mut self, operation: StoreOp) {
        if self.database.is_none() {
            return;
        }
        let (key, value) = match operation {
            StoreOp::Put { key, bytes } => (key, Some(bytes)),
            StoreOp::Remove { key } => (key, None),
        };
        self.blocking |= value.is_some() && matches!(key, StoreKey::Pending(_));
        self.changes.insert(key.to_text(), value);
    }

    /// Whether nothing may be sent before a change is on disk.
    pub(super) const fn is_blocking(&self) -> bool {
        self.blocking
    }

    /// Whether everything is written.
    pub(super) fn is_idle(&self) -> bool {
        !self.writing && self.changes.is_empty()
    }

    /// The next transaction, if there is something to write and none is under way.
    pub(super) fn next(&mut self) -> Option<Batch> {
        if self.writing || self.changes.is_empty() {
            return None;
        }
        self.writing = true;
        Some(Batch {
            database: Rc::clone(self.database.as_ref()?),
            changes: std::mem::take(&mut self.changes),
            durable: self.blocking,
        })
    }

    /// The transaction has ended. Everything that blocked is in it or later: it goes on blocking
    /// until that is written too.
    pub(super) fn written(&mut self, result: Result<(), StorageError>) {
        self.writing = false;
        if let Err(error) = result {
            self.problem = Some(error.to_string());
            self.database = None;
            self.changes.clear();
        }
        if self.changes.is_empty() {
            self.blocking = false;
        }
    }

    /// For the status.
    pub(super) fn status(&self) -> StorageStatus<'_> {
        StorageStatus {
            kind: if self.database.is_some() {
                "indexeddb"
            } else {
                "memory"
            },
            problem: self.problem.as_deref(),
        }
    }

    /// The database, for `meta`.
    pub(super) fn database(&self) -> Option<Rc<Database>> {
        self.database.clone()
    }
}
