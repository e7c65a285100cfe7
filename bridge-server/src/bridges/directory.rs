//! The bridges known: the newest introduction of each.
//!
//! Only what the overlay's node has verified comes in. At most [`MAX_KNOWN`]: beyond that the one
//! whose introduction is oldest goes. Kept in storage as a whole; read again, everything is
//! verified again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use nanonet::{NodeKey, PeerRecord};
use tokio::sync::watch;

use super::WebAddress;

/// Most bridges known.
const MAX_KNOWN: usize = nanonet::MAX_TOLD;

/// The bridges known; cloning shares them.
#[derive(Clone, Debug)]
pub struct Directory {
    known: Arc<Mutex<BTreeMap<NodeKey, PeerRecord>>>,
    changed: watch::Sender<()>,
}

impl Default for Directory {
    fn default() -> Self {
        Self {
            known: Arc::default(),
            changed: watch::Sender::new(()),
        }
    }
}

impl Directory {
    /// Keeps a verified introduction, unless a newer one of the bridge is here.
    pub fn note(&self, record: PeerRecord) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let held = known.get(&record.node_key);
        if held.is_some_and(|held| held.issued_at >= record.issued_at) {
            return;
        }
        known.insert(record.node_key, record);
        if known.len() > MAX_KNOWN {
            let oldest = known.values().min_by_key(|held| held.issued_at);
            if let Some(oldest) = oldest.map(|held| held.node_key) {
                known.remove(&oldest);
            }
        }
        drop(known);
        self.changed.send_replace(());
    }

    /// All of them, by key.
    #[must_use]
    pub fn all(&self) -> Vec<PeerRecord> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.values().cloned().collect()
    }

    /// Where all of them say they are.
    #[must_use]
    pub fn addresses(&self) -> Vec<WebAddress> {
        let mut found = Vec::new();
        for record in self.all() {
            let addresses = record.addresses.iter();
            found.extend(addresses.filter_map(|one| WebAddress::parse(one.as_str()).ok()));
        }
        found
    }

    /// Tells when something new is here.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// All of them for storage.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        PeerRecord::pack(&self.all())
    }

    /// Reads [`Directory::to_bytes`], to be verified.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Vec<PeerRecord> {
        let mut records = PeerRecord::unpack(bytes);
        records.truncate(MAX_KNOWN);
        records
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nano_core::{Network, UnixMillis};
    use nanonet::{Addresses, Identity, Rng, Role};

    fn record(seed: u8, at: u64) -> PeerRecord {
        let identity = Identity::generate(&mut Rng::from_seed([seed; 32]));
        let at = UnixMillis::new(at);
        identity.peer_record(Role::Bridge, Network::Dev, Addresses::default(), at)
    }

    #[test]
    fn the_newest_introduction_of_each_is_kept_and_survives_storage() {
        let directory = Directory::default();
        let mut changes = directory.changes();
        directory.note(record(1, 5));
        assert!(changes.has_changed().unwrap());
        changes.mark_unchanged();
        directory.note(record(1, 4));
        assert!(!changes.has_changed().unwrap());
        directory.note(record(1, 6));
        directory.note(record(2, 1));
        let mut times: Vec<u64> = directory.all().iter().map(|r| r.issued_at.0).collect();
        times.sort_unstable();
        assert_eq!(times, [1, 6]);
        assert_eq!(Directory::read(&directory.to_bytes()), directory.all());
        let cut = directory.to_bytes();
        assert!(Directory::read(&cut[..cut.len() - 1]).is_empty());
    }

    #[test]
    fn the_oldest_goes_when_there_are_too_many() {
        let directory = Directory::default();
        for seed in 0..=u8::try_from(MAX_KNOWN).unwrap() {
            directory.note(record(seed, 100 - u64::from(seed)));
        }
        let all = directory.all();
        assert_eq!(all.len(), MAX_KNOWN);
        let oldest = 100 - MAX_KNOWN as u64;
        assert!(all.iter().all(|record| record.issued_at.0 > oldest));
    }
}
