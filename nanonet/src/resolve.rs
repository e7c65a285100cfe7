//! A bridge's questions to the full nodes behind it.
//!
//! When nobody in the nanonet holds an account, or an asker wants it fresh, a linked bridge is
//! asked to resolve it. States of a resolve: *open* ([`Output::Resolve`] is with the shell), gone
//! (answered, or after [`RESOLVE_MS`]).
//!
//! Rules:
//! - what the bridge's own slice holds answers first, unless it shall be fresh or its proof has become
//!   thin (see [`crate::renewal`]); so does a statement of the last minute that the account was never
//!   opened;
//! - all askers of one account wait for one resolve, [`MAX_WAITING`] of them; a fresh asker also
//!   takes the result of one that is already open;
//! - what was found is kept and put into the nanonet, so that the next one to ask finds it there;
//! - linked bridges are told that an account was never opened: one question a minute is enough for
//!   all who ask for it, whomever they ask;
//! - whoever asks for many accounts that nobody holds, such as random addresses, is answered "busy":
//!   a link may cause [`LINK_BURST`] questions to the full nodes and one more per second, all links
//!   together [`ALL_BURST`] and [`ALL_PER_S`] more per second.
//!
//! Memory: [`MAX_RESOLVES`] at a time, [`MAX_UNOPENED`] statements, an allowance for each link. At
//! the limit the answer is "busy".

use nano_core::{Account, BlockHash, UnixMillis};

use crate::Crypto;
use crate::query::answering::BAD_SIGHTING;
use crate::query::asking::UNOPENED_MS;
use crate::routing::forward::Upstream;
use crate::sorted::SortedMap;
use crate::timers::Timer;
use crate::wire::{ANSWER_BYTES, Failure, Found, Message, Packed, Reply, fitting};
use crate::{
    Bug, LinkId, Node, Output, Record, ResolveFailure, ResolveId, ResolveOutcome, Role, Sighting,
};

/// Blocks before a frontier that a new record is put with.
const PAST: usize = 6;
/// Most resolves open at once.
pub const MAX_RESOLVES: usize = 256;
/// Most askers waiting for one.
const MAX_WAITING: usize = 64;
/// Most statements remembered.
const MAX_UNOPENED: usize = 4096;
/// Questions to the full nodes that one link may cause at once; it gains one per second.
pub(crate) const LINK_BURST: u32 = 60;
/// The same for all links together.
pub(crate) const ALL_BURST: u32 = 300;
/// Questions that all links together may cause per second in the long run.
pub(crate) const ALL_PER_S: u32 = 20;
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
    links: SortedMap<LinkId, Spent>,
    all: Spent,
}

/// Questions caused lately.
#[derive(Debug, Clone, Copy, Default)]
struct Spent {
    /// Thousandths of a question.
    milli: u64,
    at: UnixMillis,
}

impl Spent {
    /// What is left of it at `now`.
    fn fade(&mut self, now: UnixMillis, per_s: u32) {
        let gained = now.since(self.at).saturating_mul(u64::from(per_s));
        self.milli = self.milli.saturating_sub(gained);
        self.at = now;
    }

    /// Whether one more is within `burst`.
    const fn has_room(&self, burst: u32) -> bool {
        self.milli + 1_000 <= burst as u64 * 1_000
    }
}

impl Resolves {
    fn about(&self, account: &Account) -> Option<ResolveId> {
        let mut open = self.open.iter();
        let found = open.find(|(_, open)| open.account == *account);
        found.map(|(id, _)| *id)
    }

    /// Whether one more question may be caused by this link; it then has been.
    fn allow(&mut self, upstream: Upstream, now: UnixMillis) -> bool {
        let Upstream::Link(link) = upstream else {
            return true;
        };
        self.all.fade(now, ALL_PER_S);
        for (_, spent) in self.links.iter_mut() {
            spent.fade(now, 1);
        }
        self.links.retain(|_, spent| spent.milli > 0);
        let spent = self
            .links
            .get_or_insert_with(link, || Spent { milli: 0, at: now });
        let allowed = spent.has_room(LINK_BURST) && self.all.has_room(ALL_BURST);
        if allowed {
            spent.milli += 1_000;
            self.all.milli += 1_000;
        }
        allowed
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
        let capped = !self.has_bug(Bug::AsksForAll) && !self.resolves.allow(upstream, self.now);
        if capped {
            self.counters.refuse("busy");
        }
        if capped || self.resolves.open.len() >= MAX_RESOLVES {
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
            let thin = self.holds_thinly(account);
            return self.found(account).filter(|_| !thin);
        }
        let sighting = self.resolves.unopened.get(account)?;
        if self.has_bug(Bug::AsksForAll) {
            return None;
        }
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
                for link in self.table.links_of(Role::Bridge) {
                    self.send(link, &Message::Unopened(Box::new(sighting.clone())));
                }
                Reply::Found(Box::new(self.found_unopened(&account, sighting)))
            }
            ResolveOutcome::Failed(failure) => Reply::Unresolved(failure),
        };
        for (upstream, request) in waiting {
            self.reply(upstream, request, reply.clone());
        }
    }

    /// Another bridge states that an account was never opened.
    pub(crate) fn on_unopened(&mut self, link: LinkId, sighting: Sighting) {
        let account = sighting.account;
        let counts = self.config.role.is_bridge_here()
            && self.is_bridge(link)
            && self.is_anchor(&sighting.bridge)
            && sighting.counts(self.now, &self.config.weights);
        if !counts {
            return;
        }
        if !self.states_unopened(&account, &sighting) {
            return self.blame(Some(link), BAD_SIGHTING);
        }
        let held = self.resolves.unopened.get(&account);
        if held.is_none_or(|held| held.at < sighting.at) && self.slice.get(&account).is_none() {
            self.resolves.remember_unopened(sighting, self.now);
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
                good.push(self.with_past(account, record));
            }
        }
        self.put(account, good);
    }

    /// A record with the last blocks before its frontier, where we know them: who missed some of
    /// them sees that it is the newer one all the same.
    fn with_past(&self, account: &Account, record: Record) -> Record {
        let Record::Account(mut record) = record else {
            return record;
        };
        let held = self.slice.get(account);
        if record.lineage.is_empty()
            && let Some(held) = held.and_then(|held| held.frontier_of(&record.hash()))
        {
            let known = &held.record().lineage;
            let last = known.len().saturating_sub(PAST);
            record.lineage.extend_from_slice(&known[last..]);
        }
        Record::Account(record)
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
