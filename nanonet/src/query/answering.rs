//! Answering questions of others, and checking records that are passed on.
//!
//! Rules:
//! - a node answers at once from records it is responsible for or keeps up to date (it is among
//!   the nodes nearest to the account, watches it, or is a bridge), with older copies only when
//!   everyone further on had nothing;
//! - everything in an answer that can be false is checked before it is passed on: proofs,
//!   sightings, lineage, statements. So the link that brought a false one is at fault, and the
//!   third fault within five minutes ends it. What depends on whom a node trusts, or on its weight
//!   table, is nobody's fault;
//! - only a bridge that was asked to ask the full nodes states that an account was never opened:
//!   in any other answer the statement is a lie;
//! - which accounts were asked for here is remembered for [`ASKED_MS`]: their records may be put
//!   here without a bridge's word. At most [`MAX_ASKED`].

use nano_core::{Account, BlockHash, UnixMillis};

use crate::Crypto;
use crate::reputation::FAULT;
use crate::routing::forward::Upstream;
use crate::slice::{HeldAccount, Outcome, Refusal};
use crate::sorted::SortedMap;
use crate::wire::{ANSWER_BYTES, Found, Packed, fitting};
use crate::{AccountKey, Bug, CloseReason, Defence, Event, LinkId, Node, NodeId, Record, Sighting};

/// How long a question is remembered.
pub(crate) const ASKED_MS: u64 = 60_000;
/// Most questions remembered.
pub(crate) const MAX_ASKED: usize = 1024;
/// Why a statement that no bridge can have made is refused.
pub(crate) const BAD_SIGHTING: &str = "bad-sighting";
/// Most records remembered as verified.
pub(crate) const MAX_VERIFIED: usize = 512;

/// Accounts asked for here lately, and records verified lately.
#[derive(Debug, Default)]
pub(crate) struct Lately {
    asked: SortedMap<Account, UnixMillis>,
    verified: SortedMap<[u8; 32], u64>,
    counter: u64,
    /// A planted bug.
    #[cfg(any(test, feature = "adversary"))]
    unlimited: bool,
}

impl Lately {
    /// Remembers that somebody asked for `account`.
    pub(crate) fn ask(&mut self, account: Account, now: UnixMillis) {
        if self.asked.len() >= self.most_asked() {
            self.asked.retain(|_, until| *until > now);
        }
        if self.asked.len() < self.most_asked() {
            self.asked.insert(account, now.plus(ASKED_MS));
        }
    }

    /// Whether somebody asked for `account`.
    pub(crate) fn was_asked(&self, account: &Account, now: UnixMillis) -> bool {
        self.asked.get(account).is_some_and(|until| *until > now)
    }

    /// Plants a bug.
    #[cfg(any(test, feature = "adversary"))]
    pub(crate) const fn remember_everything(&mut self, planted: bool) {
        self.unlimited = planted;
    }

    const fn most_asked(&self) -> usize {
        #[cfg(any(test, feature = "adversary"))]
        if self.unlimited {
            return usize::MAX;
        }
        MAX_ASKED
    }

    /// How many questions and verified records are remembered.
    #[cfg(any(test, feature = "adversary"))]
    pub(crate) const fn sizes(&self) -> [usize; 2] {
        [self.asked.len(), self.verified.len()]
    }

    fn verify(&mut self, digest: [u8; 32]) {
        self.counter += 1;
        self.verified.insert(digest, self.counter);
        if self.verified.len() > MAX_VERIFIED {
            let oldest = self.verified.iter().min_by_key(|(_, count)| **count);
            if let Some(oldest) = oldest.map(|(digest, _)| *digest) {
                self.verified.remove(&oldest);
            }
        }
    }
}

impl<C: Crypto> Node<C> {
    /// Whether this node shall hold the records of an account: it is a bridge, or one of the
    /// browsers nearest to the account's key as far as it knows.
    pub(crate) fn is_responsible(&self, account: &Account) -> bool {
        let point = AccountKey::new(account).point();
        self.config.role.is_bridge_here() || (self.is_member() && self.is_holder(&point))
    }

    /// The answer to a question that reached us, if we keep the account up to date.
    pub(crate) fn answer_get(&mut self, upstream: Upstream, account: &Account) -> Option<Found> {
        self.lately.ask(*account, self.now);
        let kept = self.slice.is_watched(account) || self.is_responsible(account);
        if kept {
            self.answer_get_at_end(upstream, account)
        } else {
            None
        }
    }

    /// The answer to a question for which nobody further on had one: anything we hold.
    pub(crate) fn answer_get_at_end(
        &mut self,
        upstream: Upstream,
        account: &Account,
    ) -> Option<Found> {
        let found = self.found(account)?;
        #[cfg(any(test, feature = "adversary"))]
        let found = self.altered(account, found);
        if let Upstream::Link(link) = upstream {
            self.counters.served += 1;
            let asker = self.table.get(link).and_then(|peer| peer.who.as_ref());
            if let Some(id) = asker.map(|who| who.id) {
                self.slice.note_asker(self.now, account, &id);
            }
        }
        Some(found)
    }

    /// What we hold of an account, as an answer.
    pub(crate) fn found(&self, account: &Account) -> Option<Found> {
        let frontiers = self.slice.get(account).into_iter().flat_map(|held| {
            held.frontiers()
                .iter()
                .map(|frontier| Packed::from_bytes(frontier.record().to_bytes()))
        });
        let sends = self
            .slice
            .receivables(account)
            .map(|held| Packed::from_bytes(held.record().to_bytes()));
        let records = fitting(frontiers.chain(sends), ANSWER_BYTES);
        #[cfg(any(test, feature = "adversary"))]
        if self.lies.withholding {
            return None;
        }
        (!records.is_empty()).then_some(Found {
            by: self.id,
            role: self.config.role,
            records,
            unopened: None,
        })
    }

    /// Checks an answer that is to be passed on, and keeps what we shall hold. False if it does
    /// not hold; then the link it came over may be at fault. `resolve`: it is a bridge's, after
    /// asking the full nodes.
    pub(crate) fn check_found(
        &mut self,
        link: LinkId,
        account: &Account,
        found: &Found,
        resolve: bool,
    ) -> bool {
        let responsible = self.is_responsible(account);
        for packed in &found.records {
            let (fault, reason) = match packed.open() {
                Err(error) => (true, error.reason()),
                Ok(record) => match self.check(account, packed.as_bytes(), &record) {
                    Ok(()) => {
                        if responsible {
                            self.take_in(account, record);
                        }
                        continue;
                    }
                    Err(refusal) => (refusal.is_fault(), refusal.reason()),
                },
            };
            if fault {
                self.blame(Some(link), reason);
            } else {
                self.counters.refuse(reason);
            }
            return false;
        }
        if let Some(sighting) = &found.unopened
            && !(resolve && self.states_unopened(account, sighting))
        {
            self.blame(Some(link), BAD_SIGHTING);
            return false;
        }
        true
    }

    /// Whether a statement that an account was never opened is one at all, whoever is trusted.
    pub(crate) fn states_unopened(&self, account: &Account, sighting: &Sighting) -> bool {
        sighting.account == *account
            && sighting.network == self.config.network
            && sighting.frontier.is_none()
            && sighting.verify().is_ok()
    }

    /// Checks a record without keeping it.
    fn check(&mut self, account: &Account, bytes: &[u8], record: &Record) -> Result<(), Refusal> {
        let known = C::recall(bytes, self.config.weights.as_of);
        if known.is_some_and(|known| known.proven().account == *account) {
            return Ok(());
        }
        let digest = crate::id::hash(&[bytes]);
        if self.has_bug(Bug::BelievesAnything) {
            return Ok(());
        }
        if self.lately.verified.contains_key(&digest) && record.account() == *account {
            return Ok(());
        }
        self.slice.check(account, record, &self.config.weights)?;
        self.lately.verify(digest);
        Ok(())
    }

    /// Offers a record to the slice and tells everyone who is to know.
    pub(crate) fn take_in(&mut self, account: &Account, record: Record) -> Outcome {
        if let Record::Account(record) = &record {
            for sighting in &record.sightings {
                self.compare_bridges(account, sighting);
            }
        }
        #[cfg(any(test, feature = "adversary"))]
        let outcome = self.offer_weakened(account, record);
        #[cfg(not(any(test, feature = "adversary")))]
        let outcome = self
            .slice
            .offer(self.now, account, record, &self.config.weights);
        self.tell_outcome(account, &outcome);
        outcome
    }

    /// Tells everyone who is to know what became of a record of an account.
    pub(crate) fn tell_outcome(&mut self, account: &Account, outcome: &Outcome) {
        let diverged = matches!(outcome, Outcome::Conflict { .. });
        if diverged || matches!(outcome, Outcome::OrderUnknown { .. }) {
            self.event(Event::Conflict {
                account: *account,
                diverged,
            });
        }
        if let Some(reason) = outcome.reason()
            && !outcome.is_fault()
        {
            self.counters.refuse(reason);
        }
        #[cfg(any(test, feature = "adversary"))]
        self.remember_for_lies(account);
        if outcome.changed() {
            self.event(Event::RecordUpdated { account: *account });
            self.push_update(account);
            self.status_changed();
            if self.config.role.is_bridge_here() {
                self.walk_soon();
            }
        }
        self.check_pending(account);
    }

    /// A record or an answer did not hold: counted, told, and held against the link it came over.
    pub(crate) fn blame(&mut self, link: Option<LinkId>, reason: &'static str) {
        self.counters.refuse(reason);
        let from = link.and_then(|link| self.peer_id(link));
        self.event(Event::Refused { from, reason });
        self.status_changed();
        let Some(link) = link else { return };
        self.rate(link, FAULT);
        let Some(peer) = self.table.get_mut(link) else {
            return;
        };
        if peer.faults.add(self.now) && !self.lacks(Defence::Reputation) {
            self.close(link, CloseReason::BadAnswers);
        }
    }

    /// Who is behind a link.
    pub(crate) fn peer_id(&self, link: LinkId) -> Option<NodeId> {
        let who = self.table.get(link)?.who.as_ref()?;
        Some(who.id)
    }

    /// The frontier held of an account.
    pub(crate) fn held_frontier(&self, account: &Account) -> Option<BlockHash> {
        let frontier = self.slice.get(account)?.frontier()?;
        Some(frontier.record().hash())
    }
}

/// Whether a block is a held frontier, or known to come before one.
pub(crate) fn covers(held: &HeldAccount, hash: &BlockHash) -> bool {
    let mut frontiers = held.frontiers().iter();
    frontiers.any(|frontier| frontier.record().hash() == *hash) || held.superseder(hash).is_some()
}
