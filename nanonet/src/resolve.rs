//! A bridge's questions to the full nodes behind it.
//!
//! When nobody in the nanonet holds an account, or an asker wants it fresh, a linked bridge is
//! asked to resolve it. States of a resolve: *open* ([`Output::Resolve`] is with the shell), gone
//! (answered, or after [`RESOLVE_MS`]).
//!
//! Rules:
//! - what the bridge's own slice holds answers first, unless it shall be fresh; so does a
//!   statement of the last minute that the account was never opened;
//! - all askers of one account wait for one resolve, [`MAX_WAITING`] of them; a fresh asker also
//!   takes the result of one that is already open;
//! - what was found is kept and put into the nanonet, so that the next one to ask finds it there.
//!
//! Memory: [`MAX_RESOLVES`] at a time, [`MAX_UNOPENED`] statements. At the limit the answer is
//! "busy".

use nano_core::{Account, BlockHash, UnixMillis};

use crate::Crypto;
use crate::query::asking::UNOPENED_MS;
use crate::routing::forward::Upstream;
use crate::sorted::SortedMap;
use crate::timers::Timer;
use crate::wire::{ANSWER_BYTES, Failure, Found, Packed, Reply, fitting};
use crate::{Node, Output, Record, ResolveFailure, ResolveId, ResolveOutcome, Sighting};

/// Most resolves open at once.
pub const MAX_RESOLVES: usize = 256;
/// Most askers waiting for one.
const MAX_WAITING: usize = 64;
/// Most statements remembered.
const MAX_UNOPENED: usize = 1024;
/// How long the shell may take.
pub(crate) const RESOLVE_MS: u64 = 15_000;

#[derive(Debug)]
struct Open {
    account: Account,
    waiting: Vec<(Upstream, u64)>,
}

/// Resolves under way.
#[derive(Debug, Default)]
pub(crate) struct Resolves {
    last: u64,
    open: SortedMap<ResolveId, Open>,
    unopened: SortedMap<Account, Sighting>,
}

impl Resolves {
    fn about(&self, account: &Account) -> Option<ResolveId> {
        let mut open = self.open.iter();
        let found = open.find(|(_, open)| open.account == *account);
        found.map(|(id, _)| *id)
    }

    fn remember_unopened(&mut self, sighting: Sighting, now: UnixMillis) {
        if self.unopened.len() >= MAX_UNOPENED {
            self.unopened
                .retain(|_, held| now.since(held.at) <= UNOPENED_MS);
        }
        if self.unopened.len() < MAX_UNOPENED {
            self.unopened.insert(sighting.account, sighting);
        }
    }
}

impl<C: Crypto> Node<C> {
    /// Somebody asks us to resolve an account.
    pub(crate) fn serve_resolve(
        &mut self,
        upstream: Upstream,
        request: u64,
        account: Account,
        held: Option<BlockHash>,
        fresh: bool,
    ) {
        if !self.config.role.is_bridge_here() {
            let (why, budget) = (Failure::Refused, 0);
            return self.reply(upstream, request, Reply::Failed { why, budget });
        }
        if !fresh && let Some(found) = self.found_or_unopened(&account) {
            if matches!(upstream, Upstream::Link(_)) {
                self.counters.served += 1;
            }
            return self.reply(upstream, request, Reply::Found(Box::new(found)));
        }
        let busy = Reply::Unresolved(ResolveFailure::Busy);
        if let Some(id) = self.resolves.about(&account) {
            match self.resolves.open.get_mut(&id) {
                Some(open) if open.waiting.len() < MAX_WAITING => {
                    open.waiting.push((upstream, request));
                }
                _ => self.reply(upstream, request, busy),
            }
            return;
        }
        if self.resolves.open.len() >= MAX_RESOLVES {
            return self.reply(upstream, request, busy);
        }
        self.resolves.last += 1;
        let id = ResolveId(self.resolves.last);
        let waiting = vec![(upstream, request)];
        self.resolves.open.insert(id, Open { account, waiting });
        self.timers
            .set(Timer::Resolve(id), self.now.plus(RESOLVE_MS));
        self.outputs.push_back(Output::Resolve {
            request: id,
            account,
            held,
        });
    }

    /// What we hold with a frontier, or a recent statement that there is none.
    fn found_or_unopened(&self, account: &Account) -> Option<Found> {
        if self.slice.get(account).is_some() {
            return self.found(account);
        }
        let sighting = self.resolves.unopened.get(account)?;
        (self.now.since(sighting.at) <= UNOPENED_MS)
            .then(|| self.found_unopened(account, sighting.clone()))
    }

    fn found_unopened(&self, account: &Account, sighting: Sighting) -> Found {
        Found {
            by: self.id,
            role: self.config.role,
            records: self
                .found(account)
                .map_or_else(Vec::new, |found| found.records),
            unopened: Some(sighting),
        }
    }

    /// The shell has an answer.
    pub(crate) fn on_resolved(&mut self, id: ResolveId, outcome: ResolveOutcome) {
        if !self.config.role.is_bridge_here() {
            return;
        }
        let Some(Open { account, waiting }) = self.resolves.open.remove(&id) else {
            // Late: nobody waits any more, yet what was found is worth keeping.
            return self.keep_late(outcome);
        };
        self.timers.clear(Timer::Resolve(id));
        let reply = match outcome {
            ResolveOutcome::Found {
                record,
                receivables,
            } => {
                self.resolves.unopened.remove(&account);
                let hash = record.hash();
                let mut records = vec![Record::Account(record)];
                records.extend(
                    receivables
                        .into_iter()
                        .map(|r| Record::Receivable(Box::new(r))),
                );
                self.keep_own(&account, records.clone());
                // What the slice made of it carries the most lineage; without room for it, it is
                // passed on as it came.
                let records = match self.found(&account) {
                    Some(found) if self.held_frontier(&account) == Some(hash) => found.records,
                    _ => fitting(records.iter().map(Packed::new), ANSWER_BYTES),
                };
                Reply::Found(Box::new(Found {
                    by: self.id,
                    role: self.config.role,
                    records,
                    unopened: None,
                }))
            }
            ResolveOutcome::Unopened {
                sighting,
                receivables,
            } => {
                let records = receivables
                    .into_iter()
                    .map(|r| Record::Receivable(Box::new(r)));
                self.keep_own(&account, records.collect());
                self.resolves.remember_unopened(sighting.clone(), self.now);
                Reply::Found(Box::new(self.found_unopened(&account, sighting)))
            }
            ResolveOutcome::Failed(failure) => Reply::Unresolved(failure),
        };
        for (upstream, request) in waiting {
            self.reply(upstream, request, reply.clone());
        }
    }

    fn keep_late(&mut self, outcome: ResolveOutcome) {
        if let ResolveOutcome::Found {
            record,
            receivables,
        } = outcome
        {
            let account = record.account();
            let mut records = vec![Record::Account(record)];
            records.extend(
                receivables
                    .into_iter()
                    .map(|r| Record::Receivable(Box::new(r))),
            );
            self.keep_own(&account, records);
        }
    }

    /// Keeps records of our own making and puts those that hold into the nanonet.
    pub(crate) fn keep_own(&mut self, account: &Account, records: Vec<Record>) {
        let mut good = Vec::new();
        for record in records {
            let outcome = self.take_in(account, record.clone());
            if !outcome.holds() {
                self.blame(None, outcome.reason().unwrap_or("refused"));
            } else {
                good.push(record);
            }
        }
        self.put(account, good);
    }

    /// The shell did not answer in time.
    pub(crate) fn on_resolve_timer(&mut self, id: ResolveId) {
        if !self.config.role.is_bridge_here() {
            return;
        }
        let Some(open) = self.resolves.open.remove(&id) else {
            return;
        };
        for (upstream, request) in open.waiting {
            let reply = Reply::Unresolved(ResolveFailure::TimedOut);
            self.reply(upstream, request, reply);
        }
    }
}
