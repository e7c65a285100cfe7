//! A node that is known, as everything here keeps it: once in memory, however many keep it.

use std::sync::Arc;

use crate::{NodeId, PeerRecord};

/// A node's id and its signed introduction, which was verified.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Contact {
    /// Where it lies; follows from the record, and takes a hash to find.
    pub(crate) id: NodeId,
    /// How it introduces itself.
    pub(crate) record: PeerRecord,
}

/// A contact kept in several places.
pub(crate) type Who = Arc<Contact>;

impl Contact {
    /// The contact that a verified record introduces.
    pub(crate) fn new(record: PeerRecord) -> Who {
        let id = record.node_id();
        Arc::new(Self { id, record })
    }
}
