//! What must never happen to a notification.
//!
//! - *lost*: somebody got his receipts, and before the time is over the notification is nowhere, or a wallet that
//!   looks through everything from its seed alone does not find it;
//! - *late*: a store hands one out after its time;
//! - *duplicates*: a recipient is told of one payment twice.

use std::collections::{BTreeMap, BTreeSet};

use nano_core::{BlockHash, UnixMillis};
use nanonet::notify::{Received, RelayAddress, Reply, SendId};
use serde::Serialize;

/// What was broken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Violations {
    /// Promised, and not to be found before its time was over.
    pub lost: u64,
    /// Handed out after its time.
    pub late: u64,
    /// Told twice.
    pub duplicates: u64,
    /// Entries on a disk, or notifications, that cannot be read.
    pub damaged: u64,
}

impl Violations {
    /// How many in all.
    #[must_use]
    pub const fn sum(&self) -> u64 {
        self.lost + self.late + self.duplicates + self.damaged
    }
}

/// A notification whose sender has his receipts.
#[derive(Debug, Clone, Copy)]
pub struct Promised {
    /// For whom.
    pub to: usize,
    /// Of which payment.
    pub transaction: BlockHash,
    /// Until when, at least.
    pub until: UnixMillis,
    /// When the sender had his receipts.
    pub at: UnixMillis,
}

/// Watches notifications.
#[derive(Debug, Default)]
pub struct Checker {
    /// What was broken.
    pub broken: Violations,
    /// What was promised, by name.
    pub promised: BTreeMap<RelayAddress, Promised>,
    /// Payments told of, by sender and number.
    sent: BTreeMap<(usize, SendId), (usize, BlockHash, u32, UnixMillis)>,
    /// Payments that recipients were told of.
    pub told: BTreeSet<(usize, BlockHash)>,
    named: BTreeSet<(usize, RelayAddress)>,
    lost: BTreeSet<RelayAddress>,
    late: BTreeSet<RelayAddress>,
    /// How long it took from receipts to the recipient, where his tab was open.
    pub delays: Vec<u64>,
    /// Searches that every week's holders answered, by wallet.
    pub searches: BTreeMap<usize, u64>,
}

impl Checker {
    /// Somebody begins to tell of a payment.
    pub fn sent(&mut self, from: usize, id: SendId, to: usize, of: BlockHash, ttl_s: u32) {
        self.sent
            .insert((from, id), (to, of, ttl_s, UnixMillis(id.0)));
    }

    /// He has his receipts.
    pub fn placed(&mut self, now: UnixMillis, from: usize, id: SendId, hash: RelayAddress) {
        if let Some((to, transaction, ttl_s, at)) = self.sent.remove(&(from, id)) {
            // It was sealed then or later; a second is for the rest of the milliseconds in the number.
            let until = UnixMillis(at.number() + u64::from(ttl_s) * 1_000 - 1_000);
            let promised = Promised {
                to,
                transaction,
                until,
                at: now,
            };
            self.promised.insert(hash, promised);
        }
    }

    /// A store hands something out.
    pub fn handed_out(&mut self, now: UnixMillis, reply: &Reply) {
        let Reply::Items { items, .. } = reply else {
            return;
        };
        for item in items {
            if let Ok(sealed) = item.open()
                && sealed.expires() <= now
                && self.late.insert(sealed.hash)
            {
                self.broken.late += 1;
            }
        }
    }

    /// A recipient is told.
    pub fn received(&mut self, now: UnixMillis, place: usize, received: &Received) {
        let new = self.told.insert((place, received.payment.transaction));
        let named = self.named.insert((place, received.hash));
        if !new || !named {
            self.broken.duplicates += 1;
        }
        if let Some(promised) = self.promised.get(&received.hash) {
            self.delays.push(now.since(promised.at));
        }
    }

    /// A wallet comes with its seed alone: it is told everything again.
    pub fn forgot(&mut self, place: usize) {
        self.told.retain(|(of, _)| *of != place);
        self.named.retain(|(of, _)| *of != place);
    }

    /// A wallet has looked through everything.
    pub fn searched(&mut self, place: usize, complete: bool) {
        if complete {
            *self.searches.entry(place).or_default() += 1;
        }
    }

    /// Something cannot be read.
    pub fn damaged(&mut self, _: RelayAddress) {
        self.broken.damaged += 1;
    }

    /// Something promised cannot be found.
    pub fn lose(&mut self, hash: RelayAddress) {
        if self.lost.insert(hash) {
            self.broken.lost += 1;
        }
    }
}
