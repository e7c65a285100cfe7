//! Durable storage: SQLite with a write-ahead log, written by one thread of its own.
//!
//! Four tables: `meta` (node identity, progress of the backfill, the weight table that the anchors
//! gave last, the bridges known), `record` (what the slice holds, opaque
//! bytes under the slice's own keys as text), `pending` (transactions accepted but not yet confirmed,
//! so that a restart goes on publishing them) and `peer` (full nodes that were reached, and when). The node's bytes are never trusted: the overlay
//! verifies every record again after loading.
//!
//! States: opening (migrates an older schema, refuses a newer one), open, closed. Writes pass
//! through a queue of [`QUEUE`] entries; a writer that finds it full waits, which holds the node
//! back instead of losing a record. The thread writes all that is queued in one transaction.

mod schema;
mod writer;

pub use schema::{MAX_VALUE_BYTES, StoreError};
pub use writer::{Loaded, Store, Write};

/// Writes that may wait for the storage thread.
pub const QUEUE: usize = 1024;
