//! A node that is known, as everything here keeps it: once in memory, however many keep it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::coordinates::Coordinates;
use crate::{NodeId, PeerRecord};

/// A node's id and its signed introduction, which was verified.
#[derive(Debug, PartialEq, Eq)]
pub struct Contact {
    /// Where it lies; follows from the record, and takes a hash to find.
    pub(crate) id: NodeId,
    /// How it introduces itself.
    pub(crate) record: PeerRecord,
}

/// A contact kept in several places.
pub type Who = Arc<Contact>;

impl Contact {
    /// The contact that a verified record introduces.
    #[must_use]
    pub fn new(record: PeerRecord) -> Who {
        let id = record.node_id();
        Arc::new(Self { id, record })
    }

    /// Whether it is the contact that `record` introduces.
    #[must_use]
    pub fn is(&self, record: &PeerRecord) -> bool {
        self.record == *record
    }
}

/// A contact, and where it says it lies among round trips.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    /// Who.
    pub(crate) who: Who,
    /// Where.
    pub(crate) at: Coordinates,
}

/// A node as it is named to others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Named {
    /// How it introduces itself.
    pub(crate) record: PeerRecord,
    /// Where it lies among round trips, as far as the one who names it knows.
    pub(crate) at: Coordinates,
}
