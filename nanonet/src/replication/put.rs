//! New records on their way to those who shall hold them.
//!
//! A bridge sends a record towards the account's key ([`super::receipts`]); the first node on the way
//! that is one of the key's nearest keeps it and passes it to the others that shall hold it, as far as it knows;
//! where it had it already, it only names it to them. To who comes next after them it is named, too, because
//! an older record they may still hold is an old answer. Rules:
//! - a put that nobody asked for is kept only with a voucher of an anchor, at most [`VOUCHER_MS`]
//!   old, or if its account was asked for here lately. Without anchors any known bridge's voucher
//!   will do, or that a bridge sent it: records are verified in any case;
//! - puts are passed on unseen, so a false one is thrown away and held against nobody.

use nano_core::{Account, BlockHash, UnixMillis};

use super::naming::SPARE;
use super::opened::Opened;
use crate::Crypto;
use crate::id::hash;
use crate::routing::contact::Who;
use crate::routing::forward::{Own, Upstream};
use crate::wire::{Ask, BATCH_BYTES, Failure, Packed, Reply, Target, Voucher, fitting};
use crate::{AccountKey, Node, NodeId, NodeKey, Point, Purpose, Record, Role};

/// How old a voucher may be: one hour.
pub(crate) const VOUCHER_MS: u64 = 3_600_000;

/// Of the holders of a record this part, the nearest, hands it to the others.
const INNER_PART: usize = 4;
/// At least so many do.
const INNER_LEAST: usize = 3;

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
            let named = records.iter().map(|record| {
                let receivable = matches!(record, Record::Receivable(_));
                (record.account(), record.hash(), receivable)
            });
            let data = self.vouched_bytes(at, named);
            let records = records.iter().map(Packed::new).collect();
            let voucher = Some(Voucher {
                bridge: self.identity.node_key(),
                at,
                signature: self.identity.sign(Purpose::Put, &data),
            });
            let body = Ask::Put { records, voucher };
            self.put_for_sure(point, body);
        }
    }

    /// What a voucher signs: network, time, then account, hash and kind of each record.
    pub(super) fn vouched_bytes(
        &self,
        at: UnixMillis,
        records: impl Iterator<Item = (Account, BlockHash, bool)>,
    ) -> Vec<u8> {
        let mut bytes = self.config.network.id().to_vec();
        bytes.extend_from_slice(&at.number().to_be_bytes());
        for (account, hash, receivable) in records {
            bytes.extend_from_slice(account.as_bytes());
            bytes.extend_from_slice(hash.as_bytes());
            bytes.push(u8::from(receivable));
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
        let opened: Result<Vec<Opened>, _> =
            packed.iter().map(|packed| self.open(packed)).collect();
        let records = match opened {
            Ok(records) => records,
            Err(error) => {
                self.blame(None, error.reason());
                return self.reply(upstream, id, refused);
            }
        };
        let Some(account) = records.first().map(Opened::account) else {
            return self.reply(upstream, id, refused);
        };
        let point = AccountKey::new(&account).point();
        let browser = !self.config.role.is_bridge_here();
        if browser && matches!(target, Target::Near(_)) && !self.belongs(&point, &self.id) {
            // The way ended before a holder: the bridge tries another.
            return self.reply(upstream, id, refused);
        }
        let one_account = records.iter().all(|record| record.account() == account);
        if !self.may_hold()
            || !one_account
            || !self.may_put(upstream, &account, &records, voucher.as_ref())
        {
            self.counters.refuse("unsolicited-put");
            return self.reply(upstream, id, refused);
        }
        // A bridge keeps what it puts.
        let mut new = self.config.role.is_bridge_here();
        for (packed, opened) in packed.iter().zip(records) {
            let outcome = self.take_in_opened(packed, opened);
            if !outcome.holds() {
                self.blame(None, outcome.reason().unwrap_or("refused"));
                return self.reply(upstream, id, refused);
            }
            new |= outcome.changed();
        }
        let mut keepers = u8::from(!self.config.role.is_bridge_here());
        if matches!(target, Target::Near(_)) {
            for id in self.beside_holders(&point) {
                self.name_newer(id, &account);
            }
            for other in self.holders_of(&point) {
                if other == self.id {
                    continue;
                }
                keepers += 1;
                if !new {
                    self.name_newer(other, &account);
                    continue;
                }
                let body = Ask::Put {
                    records: packed.clone(),
                    voucher: voucher.clone(),
                };
                self.ask(Own::Put(None), Target::Exactly(other), body);
            }
        }
        self.reply(upstream, id, Reply::Stored(keepers));
    }

    /// Whether a put that is on its way to `point` ends here: we are one of the nearest, so that who lies
    /// near us is who lies near the key, and we know all holders. One further out goes on inwards.
    pub(crate) fn enters(&self, point: &Point) -> bool {
        let browser = !self.config.role.is_bridge_here();
        let inner = (usize::from(self.config.replicas) / INNER_PART).max(INNER_LEAST);
        let is_inner = || self.is_among_nearest(point, &self.id, inner);
        browser && self.may_hold() && self.is_holder(point) && is_inner()
    }

    /// Who comes next after the holders of a place: they may think that they are some, or have been.
    fn beside_holders(&self, point: &Point) -> Vec<NodeId> {
        let replicas = usize::from(self.config.replicas);
        let mut beside = self.nearest_browsers(point, replicas + SPARE);
        beside.drain(..replicas.min(beside.len()));
        beside.retain(|id| *id != self.id);
        beside
    }

    fn may_put(
        &mut self,
        upstream: Upstream,
        account: &Account,
        records: &[Opened],
        voucher: Option<&Voucher>,
    ) -> bool {
        let from_bridge = match upstream {
            Upstream::Own(_) => true,
            Upstream::Link(link) => self.config.anchors.is_empty() && self.is_bridge(link),
        };
        let asked = self.lately.was_asked(account, self.now) || self.slice.is_watched(account);
        from_bridge || asked || voucher.is_some_and(|voucher| self.vouches(voucher, records))
    }

    fn vouches(&self, voucher: &Voucher, records: &[Opened]) -> bool {
        let old = self.now.since(voucher.at) > VOUCHER_MS;
        let named = records
            .iter()
            .map(|opened| (opened.account(), opened.hash(), opened.is_receivable()));
        let data = self.vouched_bytes(voucher.at, named);
        let (bridge, signature) = (&voucher.bridge, &voucher.signature);
        let name = hash(&[bridge.as_bytes(), signature.as_bytes(), &data]);
        let holds = || bridge.verify(Purpose::Put, &data, signature).is_ok();
        !old && self.may_vouch(bridge) && C::check_news(&name, &holds)
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
}

/// Cuts records into what fits one message.
pub(super) fn in_batches(records: &[Record]) -> Vec<&[Record]> {
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
