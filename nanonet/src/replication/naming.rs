//! When a holder is gone: its records are named to whoever shall hold them now.
//!
//! Of the holders that are left the [`NAMERS`] nearest to the key do that, as far as each of them
//! knows; the nearest alone could be one that just came and has not got the record itself. A node
//! that was not one of them before names the record to all its holders, because those who were may
//! have been gone for some time before it hears of it. Who came is told nothing: it asks for its slice
//! itself ([`super::sync`]).
//!
//! Whoever is named a record pulls it from the one who named it, unless it holds it, is getting it,
//! or is further from the key than [`SPARE`] places behind the last holder: it may not have heard yet
//! of those who are gone. A node that does not answer when it is named something is taken for gone, too.
//! Named even more distant records, it looks who is near.

use nano_core::Account;

use super::LOOK_MS;
use super::circle::Around;
use crate::routing::forward::Own;
use crate::sorted::SortedMap;
use crate::wire::{Ask, Failure, Header, MAX_HEADERS, Reply, Target};
use crate::{AccountKey, Crypto, Node, NodeId};

/// Holders that name the records of one that is gone.
const NAMERS: usize = 2;
/// Places behind the last holder from where on what is named is not kept.
pub(super) const SPARE: usize = 8;

/// How records are named to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Named {
    /// To us, who should hold them.
    ToHolder,
    /// To us, who should hold them or may hold older ones.
    AsNewer,
    /// To whoever hears it.
    ToAnyone,
}

impl<C: Crypto> Node<C> {
    /// Nodes are gone: names what they held to the new holders. `before` and `after` are those
    /// near us then and now.
    pub(super) fn name_what_they_held(
        &mut self,
        before: &[NodeId],
        after: &[NodeId],
        gone: &[NodeId],
    ) {
        let us = self.id.point().first_bits();
        let replicas = self.config.replicas;
        let bits = |ids: &[NodeId]| -> Vec<u64> {
            let ids = ids.iter().chain([&self.id]);
            ids.map(|id| id.point().first_bits()).collect()
        };
        let (then, now) = (
            Around::new(bits(before), replicas),
            Around::new(bits(after), replicas),
        );
        let gone: Vec<u64> = gone.iter().map(|id| id.point().first_bits()).collect();
        let mut names: SortedMap<NodeId, Vec<Header>> = SortedMap::new();
        for (key, account) in self.slice.accounts_after(None) {
            let key = key.first_bits();
            let ours = now.is_first(key, us, NAMERS);
            if !ours || !gone.iter().any(|gone| then.holds(key, *gone)) {
                continue;
            }
            let headers = self.names_of(account);
            // Whoever was to name it before may have been gone already.
            let new = !then.is_first(key, us, NAMERS);
            for id in after {
                let bits = id.point().first_bits();
                let held = !new && before.contains(id) && then.holds(key, bits);
                if now.holds(key, bits) && !held {
                    let list = names.get_or_insert_with(*id, Vec::new);
                    list.extend_from_slice(&headers);
                }
            }
        }
        for (to, headers) in names.iter() {
            for headers in headers.chunks(MAX_HEADERS) {
                self.name(*to, headers);
            }
        }
    }

    /// Names records to a node.
    pub(super) fn name(&mut self, to: NodeId, headers: &[Header]) {
        self.name_as(to, false, headers);
    }

    /// Names all records of an account to one who should hold them or may hold older ones.
    pub(super) fn name_newer(&mut self, to: NodeId, account: &Account) {
        for headers in self.names_of(account).chunks(MAX_HEADERS) {
            self.name_as(to, true, headers);
        }
    }

    fn name_as(&mut self, to: NodeId, newer: bool, headers: &[Header]) {
        let body = Ask::Headers {
            from: self.id,
            newer,
            headers: headers.to_vec(),
        };
        self.ask(Own::Headers(Some(to)), Target::Exactly(to), body);
    }

    /// What became of names that we sent to a node.
    pub(crate) fn on_named(&mut self, to: Option<NodeId>, body: &Reply) {
        let missing = matches!(
            body,
            Reply::Failed {
                why: Failure::NotFound,
                ..
            }
        );
        if let Some(to) = to.filter(|_| missing) {
            self.doubt_node(&to);
        }
        if let Some(to) = to.filter(|_| matches!(body, Reply::Delivered)) {
            self.known.answered(self.now, &to);
        }
    }

    /// Asks those of `ids` that are near us whether they are there: who said so until now is silent.
    pub(crate) fn ask_whether_there(&mut self, ids: &[NodeId]) {
        let circle = &self.replication.circle;
        let near: Vec<NodeId> = ids
            .iter()
            .filter(|id| circle.contains(id))
            .copied()
            .collect();
        for id in near {
            if self.table.link_to(&id).is_none() {
                self.name(id, &[]);
            }
        }
    }

    /// Looks which of those near us are there, by naming nothing to them.
    pub(super) fn look_who_is_there(&mut self) {
        for id in self.replication.circle.clone() {
            if self.table.link_to(&id).is_none() {
                self.name(id, &[]);
            }
        }
    }

    /// A node does not answer: if it is gone, the next one shall hold its records.
    pub(crate) fn doubt_node(&mut self, id: &NodeId) {
        self.seen_gone(id);
        self.known.doubt(id);
        self.look_by(self.now.plus(LOOK_MS));
    }

    /// A node names records it holds.
    pub(crate) fn serve_headers(&mut self, from: NodeId, named: Named, headers: &[Header]) {
        if !self.may_hold() || self.config.role.is_bridge_here() {
            return;
        }
        let around = self.around();
        let us = self.id.point().first_bits();
        let replicas = usize::from(self.config.replicas);
        let (mut lacking, mut foreign) = (Vec::new(), false);
        for header in headers {
            let key = AccountKey::new(&header.account);
            let nearest = match named {
                Named::ToHolder => replicas + SPARE,
                Named::AsNewer if self.slice.get(&header.account).is_some() => replicas + 2 * SPARE,
                Named::AsNewer | Named::ToAnyone => replicas,
            };
            let ours = around.nearer(key.first_bits(), us) < nearest
                || self.belongs(&key.point(), &self.id);
            if ours && !self.holds(header) {
                lacking.push(*header);
            }
            foreign |= !ours;
        }
        if foreign && named == Named::ToHolder {
            // Somebody knows fewer nodes near there than we do, or we know some that are gone.
            self.doubt_neighbourhood();
        }
        self.pull_named(from, &lacking);
    }
}
