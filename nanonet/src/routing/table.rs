//! The open links: the only routing table there is.
//!
//! States of a link: *greeting* (handshake not finished, its peer unknown) and *up* (its peer is
//! known and it has a place). A link that loses its place or breaks a rule is taken out at once.
//!
//! Memory: at most the configured number of links up, and as many again greeting
//! ([`Table::room_to_greet`]); what each holds is bounded by the link itself.

use nano_core::{Account, UnixMillis};

use super::contact::{Placed, Who};
use super::coordinates::Coordinates;
use super::places::Seat;
use super::worth::Share;
use crate::diversity::AddressGroup;
use crate::limits::{Faults, TokenBucket, Wasted};
use crate::sorted::{SortedMap, SortedSet};
use crate::{Distance, LinkId, LinkOrigin, NodeId, Point, Role, Transport};

/// Two links to one node within this time are a crossing; later ones replace a dead one.
const CROSSING_MS: u64 = 5_000;

/// One link.
pub(crate) struct Peer<E> {
    /// The encrypted, framed link itself.
    pub(crate) link: E,
    /// Who opened it.
    pub(crate) origin: LinkOrigin,
    /// What carries it.
    pub(crate) transport: Transport,
    /// Opened, or up, since.
    pub(crate) since: UnixMillis,
    /// Who is there; `None` while greeting.
    pub(crate) who: Option<Who>,
    /// Where it says it lies among round trips.
    pub(crate) at: Coordinates,
    /// Of the requests it took, how many it answered.
    pub(crate) share: Share,
    /// Whether it has no join work; see [`crate::join`].
    pub(crate) leaf: bool,
    /// From which addresses it came (we are a bridge).
    pub(crate) group: Option<AddressGroup>,
    /// Verified answers to our own questions.
    pub(crate) answers: u64,
    /// What it may ask.
    pub(crate) bucket: TokenBucket,
    /// Its questions that found nothing.
    pub(crate) wasted: Wasted,
    /// What it did wrong.
    pub(crate) faults: Faults,
    /// Links to browsers it says it has.
    pub(crate) links: u16,
    /// Accounts it watches (we are a bridge).
    pub(crate) watches: SortedSet<Account>,
    /// Whether it was told what we watch.
    pub(crate) told_watches: bool,
    /// Whether it is to name news to us.
    pub(crate) announces: bool,
    /// Whether we are to name news to it.
    pub(crate) wants_ids: bool,
}

impl<E> Peer<E> {
    /// A link that starts greeting.
    pub(crate) fn new(link: E, origin: LinkOrigin, transport: Transport, now: UnixMillis) -> Self {
        Self {
            link,
            origin,
            transport,
            since: now,
            who: None,
            at: Coordinates::default(),
            share: Share::default(),
            leaf: false,
            group: None,
            answers: 0,
            bucket: TokenBucket::new(now),
            wasted: Wasted::default(),
            faults: Faults::default(),
            links: 0,
            watches: SortedSet::new(),
            told_watches: false,
            announces: false,
            wants_ids: false,
        }
    }

    /// Whether our side started the handshake.
    pub(crate) const fn we_started(&self) -> bool {
        self.origin.we_start()
    }
}

/// When a link's turn comes, first to last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Turn {
    /// It leads to the target.
    Target,
    /// Its peer says it is linked with the target.
    Listed,
    /// Its peer knows more nodes than others.
    Knowing,
    /// It leads to a browser.
    Browser,
    /// It leads to a bridge, which carries only what nobody else can.
    Bridge,
}

/// A link that a request could take.
pub(crate) struct Hop<'a, E> {
    /// Which.
    pub(crate) link: LinkId,
    /// What its node does.
    pub(crate) role: Role,
    /// How far its node is from the target.
    pub(crate) distance: Distance,
    table: &'a Table<E>,
}

impl<'a, E> Hop<'a, E> {
    /// What is known of it.
    pub(crate) fn peer(&self) -> Option<&'a Peer<E>> {
        self.table.get(self.link)
    }
}

/// What choosing among links needs to know of each of those that are up.
struct Spot {
    link: LinkId,
    id: NodeId,
    role: Role,
    leaf: bool,
}

/// All links.
pub(crate) struct Table<E> {
    peers: SortedMap<LinkId, Peer<E>>,
    by_id: SortedMap<NodeId, LinkId>,
    /// Of the links that are up, side by side: every request on its way looks at all of them.
    spots: Vec<Spot>,
}

impl<E> Table<E> {
    /// No link yet.
    pub(crate) const fn new() -> Self {
        Self {
            peers: SortedMap::new(),
            by_id: SortedMap::new(),
            spots: Vec::new(),
        }
    }

    /// Enters a link that starts greeting.
    pub(crate) fn open(&mut self, id: LinkId, peer: Peer<E>) {
        self.peers.insert(id, peer);
    }

    /// Whether one more link may greet with `max_links` places.
    pub(crate) fn room_to_greet(&self, max_links: u16) -> bool {
        self.peers.len() < usize::from(max_links).saturating_mul(2).max(8)
    }

    /// Gives a greeting link its peer.
    pub(crate) fn up(&mut self, link: LinkId, who: Who, leaf: bool, now: UnixMillis) {
        if let Some(peer) = self.peers.get_mut(&link) {
            self.by_id.insert(who.id, link);
            self.spots.push(Spot {
                link,
                id: who.id,
                role: who.record.role,
                leaf,
            });
            peer.leaf = leaf;
            peer.who = Some(who);
            peer.since = now;
        }
    }

    /// Gives a link's peer another record and standing; whether it was a leaf before.
    pub(crate) fn rename(&mut self, link: LinkId, who: Who, leaf: bool) -> bool {
        let Some(peer) = self.peers.get_mut(&link) else {
            return true;
        };
        if let Some(before) = &peer.who
            && self.by_id.get(&before.id) == Some(&link)
        {
            self.by_id.remove(&before.id);
        }
        self.by_id.insert(who.id, link);
        if let Some(spot) = self.spots.iter_mut().find(|spot| spot.link == link) {
            (spot.id, spot.role, spot.leaf) = (who.id, who.record.role, leaf);
        }
        peer.who = Some(who);
        std::mem::replace(&mut peer.leaf, leaf)
    }

    /// Links to browsers without join work, by age.
    pub(crate) fn leaves(&self) -> impl Iterator<Item = (UnixMillis, LinkId)> {
        self.up_links()
            .filter(|(_, peer, who)| peer.leaf && who.record.role == Role::Browser)
            .map(|(link, peer, _)| (peer.since, link))
    }

    /// Takes a link out.
    pub(crate) fn close(&mut self, link: LinkId) -> Option<Peer<E>> {
        let peer = self.peers.remove(&link)?;
        self.spots.retain(|spot| spot.link != link);
        if let Some(who) = &peer.who
            && self.by_id.get(&who.id) == Some(&link)
        {
            self.by_id.remove(&who.id);
        }
        Some(peer)
    }

    /// One link.
    pub(crate) fn get(&self, link: LinkId) -> Option<&Peer<E>> {
        self.peers.get(&link)
    }

    /// One link, to change it.
    pub(crate) fn get_mut(&mut self, link: LinkId) -> Option<&mut Peer<E>> {
        self.peers.get_mut(&link)
    }

    /// The link to a node.
    pub(crate) fn link_to(&self, id: &NodeId) -> Option<LinkId> {
        self.by_id.get(id).copied()
    }

    /// Links that are up, with their peers.
    pub(crate) fn up_links(&self) -> impl Iterator<Item = (LinkId, &Peer<E>, &Who)> {
        self.peers
            .iter()
            .filter_map(|(link, peer)| peer.who.as_ref().map(|who| (*link, peer, who)))
    }

    /// Peers of links that are up and may be named to others.
    pub(crate) fn named(&self) -> impl Iterator<Item = Placed> {
        let peers = self.up_links().filter(|(_, peer, _)| !peer.leaf);
        peers.map(|(_, peer, who)| Placed {
            who: who.clone(),
            at: peer.at,
        })
    }

    /// Links that are up and lead to nodes of `role`.
    pub(crate) fn links_of(&self, role: Role) -> Vec<LinkId> {
        self.up_links()
            .filter(|(_, _, who)| who.record.role == role)
            .map(|(link, _, _)| link)
            .collect()
    }

    /// How many links are up.
    pub(crate) fn count(&self) -> usize {
        self.by_id.len()
    }

    /// How many lead to nodes of `role`.
    pub(crate) fn count_of(&self, role: Role) -> usize {
        self.up_links()
            .filter(|(_, _, who)| who.record.role == role)
            .count()
    }

    /// The places taken, those of leaves left out: a leaf is worth none.
    pub(crate) fn seats(&self) -> Vec<Seat> {
        self.up_links()
            .filter(|(_, peer, who)| !peer.leaf || who.record.role == Role::Bridge)
            .map(|(link, peer, who)| Seat {
                link: Some(link),
                id: who.id,
                role: who.record.role,
                since: peer.since,
                links: peer.links,
            })
            .collect()
    }

    /// The link that is tried next for a request towards `target`: the node itself if it is
    /// linked, else the one that `rank` puts first, of equals the one whose node is nearest; links for
    /// which it gives `None`, and leaves, are left out.
    pub(crate) fn next<R: Ord + Copy>(
        &self,
        target: &Point,
        mut rank: impl FnMut(&Hop<'_, E>) -> Option<(Turn, R)>,
    ) -> Option<(LinkId, Role)> {
        let candidates = self.spots.iter().filter_map(|spot| {
            let (link, role) = (spot.link, spot.role);
            let distance = target.distance(&spot.id.point());
            let there = distance.shared_bits() == 256;
            if spot.leaf && role == Role::Browser && !there {
                return None;
            }
            let hop = Hop {
                link,
                role,
                distance,
                table: self,
            };
            let (turn, worth) = rank(&hop)?;
            let turn = if there { Turn::Target } else { turn };
            Some(((turn, worth, distance, link), role))
        });
        let best = candidates.min_by_key(|(order, _)| *order);
        best.map(|((.., link), role)| (link, role))
    }

    /// Which of two links to one node is kept. Both ends come to the same answer: of two opened
    /// within five seconds the one whose handshake the lower id started, else the newer one,
    /// because a node that comes again has lost the first.
    pub(crate) fn newer_is_kept(
        us: NodeId,
        them: NodeId,
        old: &Peer<E>,
        new: &Peer<E>,
        now: UnixMillis,
    ) -> bool {
        let lower_started = |peer: &Peer<E>| peer.we_started() == (us < them);
        now.since(old.since) >= CROSSING_MS || lower_started(new) || !lower_started(old)
    }
}
