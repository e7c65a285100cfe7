//! Introductions besides those of links: what storage or a bridge's web side named, and what we name.
//!
//! An introduction is a [`PeerRecord`]: its node signed it, and the work in it makes each cost
//! something, so that it does not matter who handed it over. It is verified before it is kept.
//!
//! - *coming in* ([`Input::Introduced`](crate::Input::Introduced)): browsers become candidates for
//!   offers, as if a look-up had named them;
//! - *bridges*: each record of a bridge with an address, whatever brought it (a link, a peer's list,
//!   a look-up, news, storage), is told to the shell once ([`Event::BridgeFound`]): the shell dials;
//! - *going out* ([`Node::introductions`]): at most [`MAX_TOLD`] of a role, those linked first.
//!
//! Memory: which records of [`MAX_BRIDGES`] bridges were told; beyond that one is told again.

use nano_core::UnixMillis;

use crate::routing::contact::{Named, Placed};
use crate::routing::coordinates::Coordinates;
use crate::sorted::SortedMap;
use crate::{Crypto, Event, LinkId, Node, NodeKey, PeerRecord, Role};

/// Most records that [`Node::introductions`] gives, and of one input those that are read.
pub const MAX_TOLD: usize = 32;
/// Bridges whose newest record is remembered as told.
const MAX_BRIDGES: usize = 64;

/// When the record of a bridge was issued that the shell knows.
pub(crate) type Told = SortedMap<NodeKey, UnixMillis>;

impl<C: Crypto> Node<C> {
    /// How we introduce ourselves.
    #[must_use]
    pub const fn record(&self) -> &PeerRecord {
        &self.record
    }

    /// How nodes of `role` introduce themselves that are linked or known: at most [`MAX_TOLD`], those
    /// linked first.
    #[must_use]
    pub fn introductions(&self, role: Role) -> Vec<PeerRecord> {
        let linked = self.table.up_links().filter(|(_, peer, _)| !peer.leaf);
        let linked = linked.map(|(_, _, who)| who);
        let all = linked.chain(self.known.iter());
        let mut told: Vec<PeerRecord> = Vec::new();
        for who in all.filter(|who| who.record.role == role) {
            let key = who.record.node_key;
            if told.len() < MAX_TOLD && told.iter().all(|record| record.node_key != key) {
                told.push(who.record.clone());
            }
        }
        told
    }

    /// Storage or a bridge's web side named these nodes.
    pub(crate) fn on_introduced(&mut self, mut records: Vec<PeerRecord>) {
        records.truncate(MAX_TOLD);
        let named = records.into_iter().map(|record| {
            let at = Coordinates::default();
            Named { record, at }
        });
        self.learn_of(named.collect(), None);
        self.membership_soon();
    }

    /// Remembers nodes that somebody named over `via`, and tells of the bridges among them; gives those
    /// whose records hold.
    pub(crate) fn learn_of(&mut self, named: Vec<Named>, via: Option<LinkId>) -> Vec<Placed> {
        let named = self.verified(named);
        for placed in &named {
            self.found_bridge(&placed.who.record);
        }
        self.known
            .learn(self.now, &self.at, via, false, named.clone());
        named
    }

    /// Tells the shell of a bridge that it can dial. The record was verified.
    pub(crate) fn found_bridge(&mut self, record: &PeerRecord) {
        #[cfg(any(feature = "bridge", feature = "wallet"))]
        self.notified_of_bridge(record);
        let key = record.node_key;
        let new = self
            .bridges_told
            .get(&key)
            .is_none_or(|told| *told < record.issued_at);
        let ours = key == self.record.node_key;
        if record.role != Role::Bridge || record.addresses.is_empty() || ours || !new {
            return;
        }
        if self.bridges_told.len() >= MAX_BRIDGES && !self.bridges_told.contains_key(&key) {
            self.bridges_told.pop_first();
        }
        self.bridges_told.insert(key, record.issued_at);
        self.event(Event::BridgeFound(Box::new(record.clone())));
    }

    /// News of a bridge: it is known as if a look-up had named it. The record was verified.
    pub(crate) fn heard_of_bridge(&mut self, record: &PeerRecord) {
        self.found_bridge(record);
        let (who, at) = (C::contact(record.clone()), Coordinates::default());
        let bridge = vec![Placed { who, at }];
        self.known.learn(self.now, &self.at, None, false, bridge);
    }
}

#[cfg(test)]
mod tests {
    use nano_core::Network;

    use super::*;
    use crate::testing::{TEST_TIME, TestKeys};
    use crate::{Addresses, Config, Identity, Input, Output, Rng, TransportAddress};

    fn node() -> Node {
        let config = Config::browser(Network::Dev, TestKeys::new().weights().clone(), Vec::new());
        let identity = Identity::generate(&mut Rng::from_seed([1; 32]));
        Node::new(config, identity, [2; 32], TEST_TIME)
    }

    fn record(seed: u8, role: Role, issued: u64) -> PeerRecord {
        let address = TransportAddress::try_from(format!("http://bridge{seed}")).unwrap();
        let addresses = Addresses::try_from(vec![address]).unwrap();
        let identity = Identity::generate(&mut Rng::from_seed([seed; 32]));
        identity.peer_record(role, Network::Dev, addresses, TEST_TIME.plus(issued))
    }

    /// The bridges that the shell is told of when these are introduced.
    fn told(node: &mut Node, records: Vec<PeerRecord>) -> Vec<PeerRecord> {
        node.handle_input(TEST_TIME, Input::Introduced(records));
        let outputs = std::iter::from_fn(|| node.poll_output());
        let found = outputs.filter_map(|output| match output {
            Output::Event(Event::BridgeFound(record)) => Some(*record),
            _ => None,
        });
        found.collect()
    }

    #[test]
    fn a_bridge_is_told_once_per_record_and_only_if_its_record_holds() {
        let mut node = node();
        let bridge = record(9, Role::Bridge, 0);
        let first = told(&mut node, vec![bridge.clone()]);
        assert_eq!(first, std::slice::from_ref(&bridge));
        assert_eq!(told(&mut node, vec![bridge]), []);
        let newer = record(9, Role::Bridge, 1);
        let mut forged = newer.clone();
        forged.addresses = Addresses::default();
        assert_eq!(told(&mut node, vec![forged]), []);
        assert_eq!(told(&mut node, vec![newer.clone()]), [newer]);
        assert_eq!(told(&mut node, vec![record(8, Role::Browser, 0)]), []);
        let ours = node.record().clone();
        assert_eq!(told(&mut node, vec![ours]), []);
        assert_eq!(node.introductions(Role::Browser).len(), 1);
    }

    #[test]
    fn no_more_introductions_are_read_or_given_than_the_limit() {
        let mut node = node();
        let many = (0..40).map(|seed| record(seed + 10, Role::Bridge, 0));
        assert_eq!(told(&mut node, many.collect()).len(), MAX_TOLD);
        let more = (0..20).map(|seed| record(seed + 60, Role::Bridge, 0));
        assert_eq!(told(&mut node, more.collect()).len(), 20);
        assert_eq!(node.introductions(Role::Bridge).len(), MAX_TOLD);
    }
}
