//! Reading back what was stored: nothing from storage is believed either.
//!
//! Every entry's checksum, form, links and proof are checked again. Rules:
//!
//! - a proof that holds under the current weight table is held as proven under it;
//! - one that fails for its weight alone, but whose entry says it was accepted under an earlier
//!   table of the last [`MAX_WEIGHTS_AGE_MS`], stays as proven under that one;
//! - any other entry is damaged: it is counted, kept out, and its removal from storage is listed.

use std::sync::Arc;

use nano_core::proof::{Certificate, ProofError};
use nano_core::{Account, UnixMillis, WeightTable};

use super::offer::{chain_of, held_at};
use super::order::Chain;
use super::stored::{StoredAccount, StoredFrontier, StoredReceivable, StoredWeights};
use super::{HeldFrontier, HeldReceivable, Outcome, Slice};
use crate::{AccountKey, StoreKey, StoredEntry};

/// How long a proof is shown as valid under the weight table it was accepted with: 90 days.
pub const MAX_WEIGHTS_AGE_MS: u64 = 90 * 24 * 60 * 60 * 1000;

/// What [`Slice::load`] did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LoadReport {
    /// Accounts whose frontier is held now.
    pub accounts: u32,
    /// Receivables held now.
    pub receivables: u32,
    /// Entries that were whole but not kept, because something newer was held already, or there
    /// was no room.
    pub outdated: u32,
    /// Entries kept out because they were damaged or their proof does not hold.
    pub damaged: u32,
}

enum Loaded {
    Kept,
    Outdated,
}

impl Slice {
    /// Takes in what was stored, in any number of batches. Entries of other kinds
    /// ([`StoreKey::Pending`]) are passed over.
    ///
    /// Every proof is checked, about 16 signatures each: hand in large slices in batches.
    pub fn load(
        &mut self,
        now: UnixMillis,
        entries: Vec<StoredEntry>,
        weights: &WeightTable,
    ) -> LoadReport {
        let mut report = LoadReport::default();
        for StoredEntry { key, bytes } in entries {
            let (loaded, count) = match &key {
                StoreKey::Account(account) => (
                    self.load_account(now, account, &bytes, weights),
                    &mut report.accounts,
                ),
                StoreKey::Receivable { destination, .. } => (
                    self.load_receivable(now, destination, &key, &bytes, weights),
                    &mut report.receivables,
                ),
                StoreKey::Pending(_) => continue,
            };
            match loaded {
                Some(Loaded::Kept) => *count += 1,
                Some(Loaded::Outdated) => report.outdated += 1,
                None => report.damaged += 1,
            }
            if !matches!(loaded, Some(Loaded::Kept)) {
                // Brings storage in line: what is held instead is written, else the entry goes.
                self.dirty.insert(key, ());
            }
        }
        report
    }

    fn load_account(
        &mut self,
        now: UnixMillis,
        account: &Account,
        bytes: &[u8],
        weights: &WeightTable,
    ) -> Option<Loaded> {
        let stored = StoredAccount::from_bytes(bytes)?;
        let mut frontiers = Vec::new();
        for frontier in stored.frontiers {
            frontiers.push(self.prove_stored(now, account, frontier, weights)?);
        }
        let fresh = self.get(account).is_none();
        let mut loaded = Loaded::Outdated;
        for frontier in frontiers {
            let outcome = self.keep(*account, frontier);
            if outcome.changed() {
                loaded = Loaded::Kept;
            }
        }
        let key = AccountKey::new(account);
        if let Some(held) = held_at(&mut self.places, &key) {
            held.restore(stored.diverged, &stored.received);
            self.account_told(&key);
        }
        if self.get(account).is_none() {
            return Some(Loaded::Outdated);
        }
        if fresh {
            // Storage holds just this.
            self.dirty.remove(&StoreKey::Account(*account));
        }
        Some(loaded)
    }

    fn prove_stored(
        &mut self,
        now: UnixMillis,
        account: &Account,
        stored: StoredFrontier,
        weights: &WeightTable,
    ) -> Option<Arc<HeldFrontier>> {
        let StoredFrontier {
            weights: then,
            record,
            ancestors,
        } = stored;
        let proof = &record.proof;
        let network = self.config.network;
        let (proven, weights_as_of) =
            match proof.verify_cached(account, network, weights, &mut self.votes) {
                Ok(proven) => (proven, weights.as_of),
                Err(error) => {
                    let table = earlier_table(&then, now, weights, &proof.certificate, &error)?;
                    let mut proven = proof
                        .verify_cached(account, network, &table, &mut self.votes)
                        .ok()?;
                    proven.threshold = then.threshold;
                    (proven, then.as_of)
                }
            };
        if proven.weight < proven.threshold {
            return None;
        }
        let (_, mut chain) = chain_of(&record).ok()?;
        chain.learn(&Chain::remembered(chain.head(), ancestors));
        Some(Arc::new(HeldFrontier::new(
            record,
            proven,
            weights_as_of,
            chain,
        )))
    }

    fn load_receivable(
        &mut self,
        now: UnixMillis,
        destination: &Account,
        key: &StoreKey,
        bytes: &[u8],
        weights: &WeightTable,
    ) -> Option<Loaded> {
        let StoredReceivable {
            weights: then,
            record,
        } = StoredReceivable::from_bytes(bytes)?;
        let proof = &record.proof;
        let network = self.config.network;
        let (proven, weights_as_of) =
            match proof.verify_cached(destination, network, weights, &mut self.votes) {
                Ok(proven) => (proven, weights.as_of),
                Err(error) => {
                    let table = earlier_table(&then, now, weights, &proof.certificate, &error)?;
                    let mut proven = proof
                        .verify_cached(destination, network, &table, &mut self.votes)
                        .ok()?;
                    proven.threshold = then.threshold;
                    (proven, then.as_of)
                }
            };
        let hash = proven.hash;
        let named = StoreKey::Receivable {
            destination: *destination,
            hash,
        };
        if proven.weight < proven.threshold || named != *key {
            return None;
        }
        let place = self.places.get(&AccountKey::new(destination));
        let outdated = place.is_some_and(|place| {
            let received = place
                .held
                .as_ref()
                .is_some_and(|held| held.has_received(&hash));
            received || place.sends.get(&hash).is_some() || !place.sends.would_keep(proven.amount)
        });
        if outdated {
            return Some(Loaded::Outdated);
        }
        let outcome = self.keep_receivable(HeldReceivable {
            record,
            proven,
            weights_as_of,
        });
        if !matches!(outcome, Outcome::Stored) {
            return Some(Loaded::Outdated);
        }
        // Storage holds just this.
        self.dirty.remove(key);
        Some(Loaded::Kept)
    }
}

/// The weights under which a stored proof was accepted, if it fails for its weight alone now and
/// they are recent enough to still be shown.
fn earlier_table(
    then: &StoredWeights,
    now: UnixMillis,
    weights: &WeightTable,
    certificate: &Certificate,
    error: &ProofError,
) -> Option<WeightTable> {
    let recent = now.since(then.as_of) <= MAX_WEIGHTS_AGE_MS;
    let weight_alone = matches!(error, ProofError::TooLittleWeight { .. });
    if !recent || !weight_alone || then.as_of == weights.as_of {
        return None;
    }
    then.table(weights.network, certificate)
}
