//! Where nodes come from, as far as it may be told: so that nobody fills a node's links from one network.
//!
//! An anchor bridge signs for each browser that links with it from which *address group* it came
//! ([`SeenFrom`]): a hash of its /24 or /48 that only this bridge can make, so that no address is told and
//! two groups can be compared only where one bridge names both. The browser adds it to its record, one of
//! each of two bridges at most, and introduces itself anew; so it goes round with the record.
//!
//! Two nodes are *alike* if one anchor saw both in one group. Once we were given a group ourselves, those
//! who show none are alike, too: leaving it out gains nothing. Rules:
//! - of browsers alike, an eighth of all links (at least [`LEAST_ALIKE`]) are taken or offered, and of those
//!   that one and the same anchor alone has seen, half;
//! - a node that names others names [`NAMED_ALIKE`] alike beside those nearest to the place;
//! - the nearest few nodes are exempt from all of this: without them routing fails;
//! - where the nodes nearest to a key are all alike, its records have as many holders outside besides.
//!
//! Addresses that are not public have no group, so on a machine of its own a network has no limits. A
//! record with a statement that its bridge did not sign is no record at all.

use std::net::IpAddr;

use nano_core::{Signature, UnixMillis};
use serde::{Deserialize, Serialize};

use crate::Crypto;
use crate::identity::{Identity, Purpose};
use crate::routing::contact::{Placed, Who};
use crate::sighting::CLOCK_SKEW_MS;
use crate::wire::Message;
use crate::{CloseReason, Defence, LinkId, Node, NodeId, NodeKey, PeerRecord, Point, Role};

/// Fewest links to browsers alike that are allowed.
pub(crate) const LEAST_ALIKE: usize = 2;
/// Browsers alike that are named beside the nearest.
pub(crate) const NAMED_ALIKE: usize = 2;
/// How old a statement may become before a newer one of the same content takes its place: a day.
const RENEW_MS: u64 = 86_400_000;

/// Which addresses a node came from, as one bridge tells them apart.
pub(crate) type AddressGroup = [u8; 8];

/// A bridge's statement of the address group that it saw a node in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenFrom {
    /// Who saw it.
    pub bridge: NodeKey,
    /// Hash of the group, keyed with a secret of the bridge.
    pub group: [u8; 8],
    /// When.
    pub at: UnixMillis,
    /// The bridge's signature for [`Purpose::Seen`] over the node's key and the fields above.
    pub signature: Signature,
}

impl SeenFrom {
    /// States, as bridge `identity`, that the node with this key was seen in `group`.
    pub(crate) fn sign(
        identity: &Identity,
        node: &NodeKey,
        group: AddressGroup,
        at: UnixMillis,
    ) -> Self {
        let mut seen = Self {
            bridge: identity.node_key(),
            group,
            at,
            signature: Signature::ZERO,
        };
        seen.signature = identity.sign(Purpose::Seen, &seen.signed_bytes(node));
        seen
    }

    /// Whether its bridge signed it for the node with this key.
    pub(crate) fn holds(&self, node: &NodeKey) -> bool {
        let bytes = self.signed_bytes(node);
        let signed = self.bridge.verify(Purpose::Seen, &bytes, &self.signature);
        signed.is_ok()
    }

    fn signed_bytes(&self, node: &NodeKey) -> Vec<u8> {
        let at = self.at.0.to_le_bytes();
        let parts: [&[u8]; 4] = [node.as_bytes(), self.bridge.as_bytes(), &self.group, &at];
        parts.concat()
    }

    /// Everything, for the signature of the record that carries it.
    pub(crate) fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(self.bridge.as_bytes());
        bytes.extend_from_slice(&self.group);
        bytes.extend_from_slice(&self.at.0.to_le_bytes());
        bytes.extend_from_slice(self.signature.as_bytes());
    }
}

/// The part of a public address that its group is made of; `None` for one that is not public.
fn block(address: IpAddr) -> Option<Vec<u8>> {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            let local = v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_multicast()
                || a == 0
                || a >= 240
                // Shared by the customers of one provider, behind its routers.
                || (a == 100 && b & 0xc0 == 64);
            (!local).then(|| vec![4, a, b, c])
        }
        IpAddr::V6(v6) => {
            let [a, b, c, d, e, f, ..] = v6.octets();
            // Global unicast.
            (a & 0xe0 == 0x20).then(|| vec![6, a, b, c, d, e, f])
        }
    }
}

impl<C: Crypto> Node<C> {
    /// Bridge: a link comes from this address.
    pub(crate) fn on_link_address(&mut self, link: LinkId, address: IpAddr) {
        if !self.config.role.is_bridge_here() {
            return;
        }
        let group = block(address).map(|block| self.identity.address_group(&block));
        if let Some(peer) = self.table.get_mut(link) {
            peer.group = group;
        }
    }

    /// Bridge: tells a new peer from where it was seen.
    pub(crate) fn tell_group(&mut self, link: LinkId) {
        let Some(peer) = self.table.get(link) else {
            return;
        };
        if let (Some(group), Some(who)) = (peer.group, &peer.who)
            && who.record.role == Role::Browser
        {
            let key = who.record.node_key;
            let seen = SeenFrom::sign(&self.identity, &key, group, self.now);
            self.send(link, &Message::Seen(Box::new(seen)));
        }
    }

    /// A bridge says from where it sees us.
    pub(crate) fn on_seen(&mut self, link: LinkId, seen: SeenFrom) {
        let who = self.table.get(link).and_then(|peer| peer.who.as_ref());
        let by_itself = who.is_some_and(|who| who.record.node_key == seen.bridge);
        let dated = seen.at <= self.now.plus(CLOCK_SKEW_MS);
        if !by_itself || !dated || !seen.holds(&self.record.node_key) {
            return self.blame(Some(link), "bad-introduction");
        }
        let ours = &mut self.record.seen;
        let old = |slot: &Option<Box<SeenFrom>>| slot.as_ref().map_or(0, |old| old.at.0);
        let same = |slot: &Option<Box<SeenFrom>>| {
            slot.as_ref().is_some_and(|old| old.bridge == seen.bridge)
        };
        let place =
            usize::from(same(&ours[1]) || (!same(&ours[0]) && old(&ours[1]) < old(&ours[0])));
        let known = ours[place].as_ref().is_some_and(|old| {
            (old.bridge, old.group) == (seen.bridge, seen.group) && seen.at.since(old.at) < RENEW_MS
        });
        if known || !self.config.anchors.contains(&seen.bridge) {
            return;
        }
        ours[place] = Some(Box::new(seen));
        self.renew_record();
        self.introduce();
    }

    /// Whether what anchors are said to have seen of a node is what they signed.
    pub(crate) fn seen_holds(&self, record: &PeerRecord) -> bool {
        let mut seen = record.seen.iter().flatten();
        seen.all(|seen| !self.is_anchor(&seen.bridge) || seen.holds(&record.node_key))
    }

    /// What anchors have seen of a node: at most two statements.
    fn groups<'a>(&self, record: &'a PeerRecord) -> [Option<&'a SeenFrom>; 2] {
        let [first, second] = &record.seen;
        [first, second].map(|seen| seen.as_deref().filter(|seen| self.is_anchor(&seen.bridge)))
    }

    /// Whether we know that anchors here tell groups.
    fn tells_groups(&self) -> bool {
        self.groups(&self.record) != [None, None]
    }

    /// Whether two nodes come from one group, or both from nobody knows where.
    pub(crate) fn is_alike(&self, one: &PeerRecord, other: &PeerRecord) -> bool {
        let (ours, theirs) = (self.groups(one), self.groups(other));
        if ours == [None, None] {
            return theirs == ours && self.tells_groups();
        }
        ours.iter().flatten().any(|a| {
            let mut theirs = theirs.iter().flatten();
            theirs.any(|b| a.bridge == b.bridge && a.group == b.group)
        })
    }

    /// The one anchor that has seen a node, if it is one.
    fn introducer(&self, record: &PeerRecord) -> Option<NodeKey> {
        match self.groups(record) {
            [Some(seen), None] | [None, Some(seen)] => Some(seen.bridge),
            [Some(seen), Some(other)] if seen.bridge == other.bridge => Some(seen.bridge),
            _ => None,
        }
    }

    /// Whether enough links lead to browsers like this one, which is none of the nearest.
    pub(crate) fn is_too_alike(&self, id: &NodeId, record: &PeerRecord) -> bool {
        if self.lacks(Defence::Diversity) {
            return false;
        }
        let by = self.introducer(record);
        if self.groups(record) == [None, None] && !self.tells_groups() {
            return false;
        }
        let (mut alike, mut by_same) = (0, 0);
        let linked = self.table.up_links().map(|(_, _, who)| &who.record);
        let offers: Vec<NodeId> = self.sessions.offers().collect();
        let offered = offers.iter().filter_map(|id| self.known.get(id));
        for other in linked.chain(offered) {
            if other.role == Role::Browser && other.node_key != record.node_key {
                alike += usize::from(self.is_alike(record, other));
                by_same += usize::from(by.is_some() && self.introducer(other) == by);
            }
        }
        let most = usize::from(self.config.max_links);
        let too_many = alike >= (most / 8).max(LEAST_ALIKE)
            || (self.config.anchors.len() > 1 && by_same >= most / 2);
        too_many && !self.is_among_nearest(&self.id.point(), id, self.places.near())
    }

    /// Gives up one link that was to one of the nearest and is one too many since others came nearer; never
    /// while half of the places are free.
    pub(crate) fn shed_alike(&mut self) {
        if self.config.role.is_bridge_here()
            || self.table.count() * 2 <= usize::from(self.config.max_links)
        {
            return;
        }
        let too_many = self.table.up_links().find(|(_, _, who)| {
            who.record.role == Role::Browser && self.is_too_alike(&who.id, &who.record)
        });
        if let Some((link, ..)) = too_many {
            self.close(link, CloseReason::Shed);
        }
    }

    /// Whether one more node like `who` may be named beside `named`.
    pub(crate) fn may_name(&self, named: &[Placed], who: &Who) -> bool {
        let alike = |named: &&Placed| self.is_alike(&named.who.record, &who.record);
        named.iter().filter(alike).count() < NAMED_ALIKE || self.lacks(Defence::Diversity)
    }

    /// One of the `count` nodes nearest to `point`, if they are all alike.
    pub(crate) fn all_alike(&self, point: &Point, count: usize) -> Option<PeerRecord> {
        if !self.tells_groups() || count < 2 || self.lacks(Defence::Diversity) {
            return None;
        }
        let nearest = self.nearest_browsers(point, count);
        let mut records = nearest.iter().map(|id| self.record_of(id));
        let first = records.next()??;
        records
            .all(|record| record.is_some_and(|record| self.is_alike(first, record)))
            .then(|| first.clone())
    }

    fn record_of(&self, id: &NodeId) -> Option<&PeerRecord> {
        if *id == self.id {
            return Some(&self.record);
        }
        let linked = self.table.link_to(id).and_then(|link| self.table.get(link));
        let linked = linked.and_then(|peer| peer.who.as_ref());
        linked.map(|who| &who.record).or_else(|| self.known.get(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;

    fn identity(seed: u8) -> Identity {
        Identity::generate(&mut Rng::from_seed([seed; 32]))
    }

    fn group(bridge: &Identity, address: &str) -> Option<AddressGroup> {
        block(address.parse().unwrap()).map(|block| bridge.address_group(&block))
    }

    #[test]
    fn neighbours_share_a_group_and_others_do_not() {
        let bridge = identity(1);
        let of = |address| group(&bridge, address);
        assert_eq!(of("198.51.100.1"), of("198.51.100.254"));
        assert_ne!(of("198.51.100.1"), of("198.51.101.1"));
        assert_eq!(of("2001:db8:1:2::3"), of("2001:db8:1:ffff::9"));
        assert_ne!(of("2001:db8:1:2::3"), of("2001:db8:2:2::3"));
        assert_eq!(of("::ffff:198.51.100.7"), of("198.51.100.1"));
    }

    #[test]
    fn a_group_tells_no_address_and_two_bridges_call_it_differently() {
        let group = |bridge| group(&identity(bridge), "198.51.100.1");
        assert_ne!(group(1), group(2));
        assert_eq!(group(1), group(1));
        let plain = crate::id::hash(&[&[4, 198, 51, 100]]);
        assert_ne!(group(1).unwrap()[..], plain[..8]);
    }

    #[test]
    fn addresses_of_a_home_or_a_machine_have_no_group() {
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "192.168.0.9",
            "172.16.0.1",
            "169.254.1.1",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "::1",
            "fe80::1",
            "fd00::1",
            "::ffff:10.0.0.1",
        ] {
            assert_eq!(block(address.parse().unwrap()), None, "{address}");
        }
    }

    #[test]
    fn a_statement_holds_for_its_node_and_as_it_was_signed_only() {
        let (bridge, node, other) = (identity(1), identity(2).node_key(), identity(3).node_key());
        let good = SeenFrom::sign(&bridge, &node, [7; 8], UnixMillis(5));
        assert!(good.holds(&node));
        assert!(!good.holds(&other));
        let changes: [fn(&mut SeenFrom); 3] = [
            |seen| seen.group[0] ^= 1,
            |seen| seen.at.0 += 1,
            |seen| seen.bridge = identity(3).node_key(),
        ];
        for change in changes {
            let mut changed = good.clone();
            change(&mut changed);
            assert!(!changed.holds(&node), "{changed:?}");
        }
    }
}
