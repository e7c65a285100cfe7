//! The records that a node holds.
//!
//! Rules: one record per key; an older or equal sequence number never takes the place of a newer one;
//! a key's record is replaced at most every [`UPDATE_MS`]; everything is checked before it is kept.
//! At the limit the record that expires first gives way to one that expires later.

use nano_core::{Network, UnixMillis};

use super::record::{KeyRecord, KeyRecordError};
use crate::NodeKey;
use crate::sorted::SortedMap;

/// Least time between two records of a key that are taken.
pub const UPDATE_MS: u64 = 2_000;

/// What became of a record that was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offered {
    /// It is kept, and new here.
    Kept,
    /// The same or a newer one is held.
    Held,
    /// One of its key was taken a moment ago.
    TooSoon,
    /// All that is held expires later.
    NoRoom,
    /// It does not hold.
    Refused(KeyRecordError),
}

/// Records by their key.
#[derive(Debug)]
pub struct Registry {
    records: SortedMap<NodeKey, (KeyRecord, UnixMillis)>,
    most: usize,
}

impl Registry {
    /// None yet, and at most so many.
    #[must_use]
    pub const fn new(most: usize) -> Self {
        Self {
            records: SortedMap::new(),
            most,
        }
    }

    /// How many.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The record of a key that counts at `now`.
    #[must_use]
    pub fn get(&self, key: &NodeKey, now: UnixMillis) -> Option<&KeyRecord> {
        let record = self.records.get(key).map(|(record, _)| record)?;
        (record.expires_at > now).then_some(record)
    }

    /// All that count at `now`, by key.
    pub fn iter(&self, now: UnixMillis) -> impl Iterator<Item = &KeyRecord> {
        let records = self.records.values().map(|(record, _)| record);
        records.filter(move |record| record.expires_at > now)
    }

    /// Takes a record if it holds and is newer.
    pub fn offer(&mut self, now: UnixMillis, network: Network, record: KeyRecord) -> Offered {
        if let Some((held, at)) = self.records.get(&record.key) {
            if held.sequence >= record.sequence {
                return Offered::Held;
            }
            if now.since(*at) < UPDATE_MS && *at != UnixMillis(0) {
                return Offered::TooSoon;
            }
        }
        if let Err(error) = record.check(now, network) {
            return Offered::Refused(error);
        }
        if self.records.len() >= self.most && self.records.get(&record.key).is_none() {
            let first = self
                .records
                .iter()
                .min_by_key(|(_, (held, _))| held.expires_at);
            let first = first.map(|(key, (held, _))| (*key, held.expires_at));
            match first.filter(|(_, expires)| *expires < record.expires_at) {
                Some((key, _)) => self.records.remove(&key),
                None => return Offered::NoRoom,
            };
        }
        self.records.insert(record.key, (record, now));
        Offered::Kept
    }

    /// Forgets what has expired.
    pub fn expire(&mut self, now: UnixMillis) {
        self.records
            .retain(|_, (record, _)| record.expires_at > now);
    }
}
