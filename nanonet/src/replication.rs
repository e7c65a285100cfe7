//! Keeping every record on the nodes that shall hold it.
//!
//! A record belongs on the `replicas` browsers nearest to its account's key, where they crowd also on
//! others ([`crate::density`]); bridges keep a copy besides. Three ways lead there:
//! - *put*: a bridge sends a new record towards the key; the nearest node keeps it and passes it to
//!   the others that are nearest as far as it knows;
//! - *rounds*: every holder names its records to each near node that should hold them too, once
//!   when the node appears and then every [`ROUND_MS`]; the node pulls what it lacks, in batches
//!   of bulk class, from the one who named them;
//! - *questions*: a node that passes on an answer it should hold keeps it ([`crate::query`]).
//!
//! Rules:
//! - a put that nobody asked for is kept only with a voucher of an anchor, at most [`VOUCHER_MS`]
//!   old, or if its account was asked for here lately. Without anchors any known bridge's voucher
//!   will do, or that a bridge sent it: records are verified in any case;
//! - puts are passed on unseen, so a false one is thrown away and held against nobody;
//! - a pull is our own wish, so what it brings is kept if it verifies; a record named again is not
//!   pulled again within [`PULL_AGAIN_MS`];
//! - records no longer belonging here are kept while the budget allows: they cost nothing until
//!   room is needed, and are what repairs a neighbourhood that was lost.
//!
//! Limits: one round step per second ([`STEPS_BRIDGE`] at a bridge) of 256 names, [`MAX_PULLS`]
//! pulls at a time, [`MAX_WANTED`] names remembered, rounds with [`MAX_PARTNERS`] nodes.

use nano_core::{Account, BlockHash, UnixMillis};

use crate::Crypto;
use crate::query::answering::covers;
use crate::routing::contact::Who;
use crate::routing::forward::{Own, Upstream};
use crate::sorted::{SortedMap, SortedSet};
use crate::timers::Timer;
use crate::wire::{
    Ask, BATCH_BYTES, Failure, Header, MAX_HEADERS, MAX_RECORDS, Packed, Reply, Target, Voucher,
    fitting,
};
use crate::{AccountKey, LinkId, Node, NodeId, NodeKey, Purpose, Record, Role};

/// Time between two rounds with one node: one minute.
pub(crate) const ROUND_MS: u64 = 60_000;
/// Round steps a bridge takes per second.
pub(crate) const STEPS_BRIDGE: usize = 4;
/// Most pulls at a time.
pub(crate) const MAX_PULLS: usize = 8;
/// Most names remembered as pulled.
pub(crate) const MAX_WANTED: usize = 2048;
/// Most nodes rounds are held with.
pub(crate) const MAX_PARTNERS: usize = 64;
/// Time until the next look for rounds that are due, when none is under way.
const IDLE_MS: u64 = 5_000;
/// Most accounts looked at in one step.
const MAX_SCANNED: usize = 4096;
/// How long a name is not pulled again.
pub(crate) const PULL_AGAIN_MS: u64 = 30_000;
/// How old a voucher may be: one hour.
pub(crate) const VOUCHER_MS: u64 = 3_600_000;

/// Where a round with one node stands.
#[derive(Debug, Default)]
struct Round {
    /// The last account named; `None` at the start.
    cursor: Option<AccountKey>,
    /// When the last round ended.
    ended: Option<UnixMillis>,
}

#[derive(Debug)]
struct Pull {
    from: NodeId,
    left: Vec<Header>,
}

/// Rounds and pulls under way.
#[derive(Debug, Default)]
pub(crate) struct Replication {
    rounds: SortedMap<NodeId, Round>,
    pulls: SortedMap<u64, Pull>,
    last_pull: u64,
    wanted: SortedMap<Header, UnixMillis>,
}

impl<C: Crypto> Node<C> {
    /// Sends new records of one account to the nodes that shall hold them, with our word as a
    /// bridge.
    pub(crate) fn put(&mut self, account: &Account, records: Vec<Record>) {
        if records.is_empty() {
            return;
        }
        let point = AccountKey::new(account).point();
        for records in in_batches(&records) {
            let at = self.now;
            let data = self.vouched_bytes(at, records);
            let records = records.iter().map(Packed::new).collect();
            let voucher = Some(Voucher {
                bridge: self.identity.node_key(),
                at,
                signature: self.identity.sign(Purpose::Put, &data),
            });
            let body = Ask::Put { records, voucher };
            self.ask(Own::Put, Target::Near(point), body);
        }
    }

    /// What a voucher signs: network, time, then account, hash and kind of each record.
    fn vouched_bytes(&self, at: UnixMillis, records: &[Record]) -> Vec<u8> {
        let mut bytes = self.config.network.id().to_vec();
        bytes.extend_from_slice(&at.number().to_be_bytes());
        for record in records {
            bytes.extend_from_slice(record.account().as_bytes());
            bytes.extend_from_slice(record.hash().as_bytes());
            bytes.push(u8::from(matches!(record, Record::Receivable(_))));
        }
        bytes
    }

    /// Records are put here.
    pub(crate) fn serve_put(
        &mut self,
        upstream: Upstream,
        id: u64,
        target: Target,
        packed: Vec<Packed>,
        voucher: Option<Voucher>,
    ) {
        #[cfg(any(test, feature = "adversary"))]
        if self.lies.withholding {
            return self.reply(upstream, id, Reply::Stored(u8::MAX));
        }
        let refused = Reply::Failed {
            why: Failure::Refused,
            budget: 0,
        };
        let opened: Result<Vec<Record>, _> = packed.iter().map(Packed::open).collect();
        let records = match opened {
            Ok(records) => records,
            Err(error) => {
                self.blame(None, error.reason());
                return self.reply(upstream, id, refused);
            }
        };
        let Some(account) = records.first().map(Record::account) else {
            return self.reply(upstream, id, refused);
        };
        let one_account = records.iter().all(|record| record.account() == account);
        if !self.may_hold()
            || !one_account
            || !self.may_put(upstream, &account, &records, voucher.as_ref())
        {
            self.counters.refuse("unsolicited-put");
            return self.reply(upstream, id, refused);
        }
        for record in records {
            let outcome = self.take_in(&account, record);
            if !outcome.holds() {
                self.blame(None, outcome.reason().unwrap_or("refused"));
                return self.reply(upstream, id, refused);
            }
        }
        let mut keepers = u8::from(!self.config.role.is_bridge_here());
        if matches!(target, Target::Near(_)) {
            let point = AccountKey::new(&account).point();
            for other in self.holders_of(&point) {
                if other == self.id {
                    continue;
                }
                keepers += 1;
                let body = Ask::Put {
                    records: packed.clone(),
                    voucher: voucher.clone(),
                };
                self.ask(Own::Put, Target::Exactly(other), body);
            }
        }
        self.reply(upstream, id, Reply::Stored(keepers));
    }

    fn may_put(
        &mut self,
        upstream: Upstream,
        account: &Account,
        records: &[Record],
        voucher: Option<&Voucher>,
    ) -> bool {
        let from_bridge = match upstream {
            Upstream::Own(_) => true,
            Upstream::Link(link) => self.config.anchors.is_empty() && self.is_bridge(link),
        };
        let asked = self.lately.was_asked(account, self.now) || self.slice.is_watched(account);
        from_bridge || asked || voucher.is_some_and(|voucher| self.vouches(voucher, records))
    }

    fn vouches(&self, voucher: &Voucher, records: &[Record]) -> bool {
        let old = self.now.since(voucher.at) > VOUCHER_MS;
        let data = self.vouched_bytes(voucher.at, records);
        !old && self.may_vouch(&voucher.bridge)
            && voucher
                .bridge
                .verify(Purpose::Put, &data, &voucher.signature)
                .is_ok()
    }

    /// Whether a bridge's statements count here: it is an anchor, or we are it.
    pub(crate) fn is_anchor(&self, key: &NodeKey) -> bool {
        self.config.anchors.contains(key)
            || (self.config.role.is_bridge_here() && self.identity.node_key() == *key)
    }

    /// Whether a bridge's word for something counts here: it is an anchor, or any bridge known
    /// where there are no anchors.
    pub(crate) fn may_vouch(&self, key: &NodeKey) -> bool {
        self.is_anchor(key) || (self.config.anchors.is_empty() && self.knows_bridge(key))
    }

    fn knows_bridge(&self, key: &NodeKey) -> bool {
        let is_it = |who: &Who| who.record.role == Role::Bridge && who.record.node_key == *key;
        self.table.up_links().any(|(_, _, who)| is_it(who)) || self.known.iter().any(is_it)
    }

    /// A node names records it holds and thinks we should.
    pub(crate) fn serve_headers(&mut self, from: NodeId, headers: &[Header]) {
        let mut left = Vec::new();
        for header in headers {
            let again = self.replication.wanted.get(header);
            let pulled = again.is_some_and(|until| *until > self.now);
            if pulled || self.holds(header) {
                continue;
            }
            if !self.is_responsible(&header.account) {
                self.doubt_neighbourhood();
                continue;
            }
            if self.replication.wanted.len() >= MAX_WANTED {
                let now = self.now;
                self.replication.wanted.retain(|_, until| *until > now);
                if self.replication.wanted.len() >= MAX_WANTED {
                    break;
                }
            }
            let until = self.now.plus(PULL_AGAIN_MS);
            self.replication.wanted.insert(*header, until);
            left.push(*header);
        }
        if left.is_empty() || self.replication.pulls.len() >= MAX_PULLS {
            // What there is no room to pull now is named again in the next round.
            for header in left {
                self.replication.wanted.remove(&header);
            }
            return;
        }
        self.replication.last_pull += 1;
        let id = self.replication.last_pull;
        self.replication.pulls.insert(id, Pull { from, left });
        self.pull(id);
    }

    fn pull(&mut self, id: u64) {
        let Some(pull) = self.replication.pulls.get(&id) else {
            return;
        };
        let names = pull.left.iter().take(MAX_RECORDS).copied().collect();
        let target = Target::Exactly(pull.from);
        self.ask(Own::Pull(id), target, Ask::Pull(names));
    }

    /// Whether a record, or a newer one in its place, is held.
    fn holds(&self, header: &Header) -> bool {
        let held = self.slice.get(&header.account);
        if header.receivable {
            held.is_some_and(|held| held.has_received(&header.hash))
                || self
                    .slice
                    .receivables(&header.account)
                    .any(|held| held.record().hash() == header.hash)
        } else {
            held.is_some_and(|held| covers(held, &header.hash))
        }
    }

    /// The records that were named, as far as they are held and fit one message.
    pub(crate) fn records_named(&self, headers: &[Header]) -> Vec<Packed> {
        let found = headers
            .iter()
            .filter_map(|header| self.record_named(header));
        fitting(found, BATCH_BYTES)
    }

    fn record_named(&self, header: &Header) -> Option<Packed> {
        #[cfg(any(test, feature = "adversary"))]
        if self.lies.withholding {
            return None;
        }
        if header.receivable {
            let held = self
                .slice
                .receivables(&header.account)
                .find(|held| held.record().hash() == header.hash)?;
            return Some(Packed::from_bytes(held.record().to_bytes()));
        }
        let held = self.slice.get(&header.account)?;
        let frontiers = held.frontiers();
        let frontier = frontiers
            .iter()
            .find(|frontier| frontier.record().hash() == header.hash)
            // It may have been replaced since it was named.
            .or(frontiers.first())?;
        Some(Packed::from_bytes(frontier.record().to_bytes()))
    }

    /// Records that were pulled.
    pub(crate) fn on_pulled(&mut self, id: u64, body: Reply, via: Option<LinkId>) {
        let Some(mut pull) = self.replication.pulls.remove(&id) else {
            return;
        };
        let Reply::Records(records) = body else {
            return;
        };
        // Whoever passed them on did not check them: only a direct neighbour is to blame.
        let direct = via.filter(|link| self.peer_id(*link) == Some(pull.from));
        let before = pull.left.len();
        for packed in records {
            let record = match packed.open() {
                Ok(record) => record,
                Err(error) => {
                    self.blame(direct, error.reason());
                    continue;
                }
            };
            let account = record.account();
            let place = pull
                .left
                .iter()
                .position(|header| header.account == account);
            let Some(place) = place else {
                self.blame(direct, "not-asked-for");
                continue;
            };
            let named = (record.hash(), matches!(record, Record::Receivable(_)));
            let exact = pull
                .left
                .iter()
                .position(|header| (header.hash, header.receivable) == named);
            pull.left.remove(exact.unwrap_or(place));
            let outcome = self.take_in(&account, record);
            if outcome.is_fault() {
                self.blame(direct, outcome.reason().unwrap_or("refused"));
            }
        }
        if !pull.left.is_empty() && pull.left.len() < before {
            self.replication.pulls.insert(id, pull);
            self.pull(id);
        }
    }

    /// Takes the next steps of rounds.
    pub(crate) fn on_replication_timer(&mut self) {
        let empty = self.slice.accounts_after(None).next().is_none();
        if !self.may_hold() || self.table.count() == 0 || empty {
            // A link that comes up, a record that is taken in, or join work sets the timer again.
            return;
        }
        let partners = if self.config.role.is_bridge_here() {
            self.table
                .up_links()
                .filter(|(_, peer, who)| !peer.leaf && who.record.role == Role::Browser)
                .map(|(_, _, who)| who.id)
                .take(MAX_PARTNERS)
                .collect()
        } else {
            self.nearest_browsers(
                &self.id.point(),
                (usize::from(self.config.replicas) * 2).min(MAX_PARTNERS) + 1,
            )
        };
        let (now, us) = (self.now, self.id);
        let rounds = &mut self.replication.rounds;
        rounds.retain(|id, _| partners.contains(id));
        for id in partners.into_iter().filter(|id| *id != us) {
            rounds.get_or_insert_with(id, Round::default);
        }
        let steps = if self.config.role.is_bridge_here() {
            STEPS_BRIDGE
        } else {
            1
        };
        // Those that waited longest first.
        let due: SortedSet<(Option<UnixMillis>, NodeId)> = rounds
            .iter()
            .filter(|(_, round)| {
                round.cursor.is_some()
                    || round.ended.is_none_or(|ended| now.since(ended) >= ROUND_MS)
            })
            .map(|(id, round)| (round.ended, *id))
            .collect();
        let busy = due.len() > steps;
        let next: Vec<NodeId> = due.iter().take(steps).map(|(_, id)| *id).collect();
        for id in next {
            self.round_step(id);
        }
        let mut rounds = self.replication.rounds.values();
        let wait = if busy {
            250
        } else if rounds.any(|round| round.cursor.is_some()) {
            1_000
        } else {
            IDLE_MS
        };
        let next = now.plus(wait);
        self.timers.set_by(Timer::Replication, next);
    }

    /// Everything held of an account, by name.
    fn names_of(&self, account: &Account) -> Vec<Header> {
        let account = *account;
        let name = |hash: BlockHash, receivable| Header {
            account,
            hash,
            receivable,
        };
        let held = self.slice.get(&account).into_iter();
        let frontiers = held
            .flat_map(|held| held.frontiers())
            .map(|frontier| name(frontier.record().hash(), false));
        let sends = self.slice.receivables(&account);
        let sends = sends.map(|held| name(held.record().hash(), true));
        frontiers.chain(sends).collect()
    }

    /// Names the next records to a node.
    fn round_step(&mut self, partner: NodeId) {
        let Some(cursor) = self
            .replication
            .rounds
            .get(&partner)
            .map(|round| round.cursor)
        else {
            return;
        };
        let mut headers = Vec::new();
        let (mut before, mut last) = (None, None);
        let held = self.slice.accounts_after(cursor.as_ref());
        for (seen, (key, account)) in held.enumerate() {
            let names = if self.belongs(&key.point(), &partner) {
                self.names_of(account)
            } else {
                Vec::new()
            };
            let full = headers.len() + names.len() > MAX_HEADERS && !headers.is_empty();
            if full || seen >= MAX_SCANNED {
                last = before;
                break;
            }
            before = Some(*key);
            headers.extend(names);
        }
        headers.truncate(MAX_HEADERS);
        let now = self.now;
        if let Some(round) = self.replication.rounds.get_mut(&partner) {
            round.cursor = last;
            if last.is_none() {
                round.ended = Some(now);
            }
        }
        if !headers.is_empty() {
            let from = self.id;
            let body = Ask::Headers { from, headers };
            self.ask(Own::Headers, Target::Exactly(partner), body);
        }
    }
}

/// Cuts records into what fits one message.
fn in_batches(records: &[Record]) -> Vec<&[Record]> {
    let mut batches = Vec::new();
    let mut rest = records;
    while !rest.is_empty() {
        let taken = fitting(rest.iter().map(Packed::new), BATCH_BYTES).len();
        let (batch, after) = rest.split_at(taken.clamp(1, rest.len()));
        batches.push(batch);
        rest = after;
    }
    batches
}

#[cfg(test)]
mod tests;
