//! What happens when links come and go, and how a node finds its place.
//!
//! - *Coming up*: a link whose handshake is done is refused if its peer is banned, says that it is
//!   a bridge where only a browser can be, is a second link to the same node
//!   ([`Table::newer_is_kept`]), or gets no place ([`super::places`]).
//! - *Joining*: with the first link up, our own neighbourhood is looked up, and again every
//!   [`LOOK_UP_MS`] ([`LOOK_UP_POOR_MS`] while few links stand). Everyone on the way back adds
//!   whom it is linked with, so the bridge that is the only one to know everyone says so.
//! - *Linking*: offers go out as [`Places::next_offer`](super::places::Places::next_offer) says,
//!   at most [`MAX_OFFERS`] at a time.
//! - *Bridges*: while none is linked, a browser asks its shell for one every [`NEED_BRIDGE_MS`].

use super::contact::{Contact, Who};
use super::forward::Own;
use super::known::Unreached;
use super::nearest::Nearest;
use super::places::{Admission, Seat};
use super::table::Table;
use crate::Crypto;
use crate::link::LinkEnd;
use crate::signaling::MAX_OFFERS;
use crate::sorted::SortedMap;
use crate::timers::Timer;
use crate::wire::{Ask, MAX_PEERS, Neighbours, Reply, Target, fitting_peers};
use crate::{
    CloseReason, Event, LinkId, LinkOrigin, Node, NodeId, NodeKey, PeerRecord, Point, Role,
    Transport,
};

/// How often our neighbourhood is looked up.
pub(crate) const LOOK_UP_MS: u64 = 60_000;
/// The same while fewer links stand than wanted.
pub(crate) const LOOK_UP_POOR_MS: u64 = 5_000;
/// How often a bridge is asked for.
pub(crate) const NEED_BRIDGE_MS: u64 = 10_000;
/// Time between two looks at our links when nothing happens.
const IDLE_MS: u64 = 5_000;
/// Of the peers named to someone, how many are the nearest; the others are spread over buckets.
const NEAREST_NAMED: usize = 16;

impl<C: Crypto> Node<C> {
    /// The handshake of a link is done.
    pub(crate) fn on_established(&mut self, link: LinkId, record: PeerRecord) {
        let id = record.node_id();
        let Some(new) = self.table.get(link) else {
            return;
        };
        let origin = new.origin;
        if id == self.id {
            return self.close(link, CloseReason::Ourselves);
        }
        if self.bans.holds(&record.node_key, self.now) {
            return self.close(link, CloseReason::Banned);
        }
        // Offers are between browsers, and a bridge's WebSocket is opened by browsers: nobody
        // becomes a bridge by saying so.
        let may_be_bridge = origin == LinkOrigin::Dialled || new.transport == Transport::Tcp;
        if record.role == Role::Bridge && !may_be_bridge {
            self.ban(record.node_key);
            return self.close(link, CloseReason::WrongRole);
        }
        if let Some(other) = self.table.link_to(&id)
            && let Some(old) = self.table.get(other)
        {
            let newer = Table::<C::Link>::newer_is_kept(self.id, id, old, new, self.now);
            self.close(if newer { other } else { link }, CloseReason::Duplicate);
            if !newer {
                return;
            }
        }
        let seat = Seat {
            link: Some(link),
            id,
            role: record.role,
            since: self.now,
            links: self.links_told_in_offer(origin),
        };
        let leaf = !self.stands(&record);
        let browser_leaf = leaf && record.role == Role::Browser;
        if !self.seen_holds(&record) {
            return self.close(link, CloseReason::LinkFailed);
        }
        let by_browser = record.role == Role::Browser && !self.config.role.is_bridge_here();
        if by_browser && self.is_too_alike(&id, &record) {
            return self.close(link, CloseReason::Full);
        }
        if browser_leaf && !self.has_leaf_room() {
            return self.close(link, CloseReason::Full);
        }
        if !browser_leaf {
            self.leaf_gives_way();
        }
        match self.places.admit(&self.table.seats(), &seat) {
            _ if browser_leaf => {}
            Admission::Take => {}
            Admission::Replace(other) => self.close(other, CloseReason::Shed),
            Admission::Refuse => return self.close(link, CloseReason::Full),
        }
        let role = record.role;
        let who = Contact::new(record);
        self.table.up(link, who.clone(), self.now);
        if let Some(peer) = self.table.get_mut(link) {
            peer.links = seat.links;
            peer.leaf = leaf;
        }
        self.known.reached(&id);
        if !leaf {
            self.add_news(&who, true);
        }
        self.session_is_linked(origin, &id);
        self.event(Event::LinkUp {
            link,
            peer: id,
            role,
        });
        self.tell_group(link);
        self.status_changed();
        if !self.was_linked || self.table.count() == 1 {
            self.looked_at = None;
        }
        self.was_linked = true;
        self.timers.set(Timer::Membership, self.now);
        self.timers.set_by(Timer::Replication, self.now.plus(500));
        self.choose_announcers();
        self.catch_up(link);
        if role == Role::Bridge {
            self.tell_watches(link);
            self.publish_again_soon();
        }
    }

    /// A link is gone, by us (`reason`) or by others.
    pub(crate) fn on_link_gone(&mut self, link: LinkId, reason: Option<CloseReason>) {
        let Some(peer) = self.table.close(link) else {
            return;
        };
        let stats = peer.link.stats();
        self.counters.past_bytes_in += stats.bytes_in;
        self.counters.past_bytes_out += stats.bytes_out;
        self.timers.clear(Timer::Link(link));
        self.known.unlist(self.now, link, None);
        self.session_link_gone(peer.origin);
        if let Some(who) = peer.who {
            if !peer.leaf {
                self.add_news(&who, false);
            }
            self.event(Event::LinkDown {
                link,
                peer: who.id,
                reason,
            });
            self.status_changed();
        }
        self.forwards_link_gone(link);
        self.gossip.link_gone(link);
        self.choose_announcers();
        self.questions_link_gone(link);
        self.timers.set_by(Timer::Membership, self.now);
        self.timers.set_by(Timer::Replication, self.now.plus(500));
    }

    /// The peer closed the link and named a reason.
    pub(crate) fn on_closed_by_peer(&mut self, link: LinkId, code: u8) {
        let id = self.table.get(link).and_then(|peer| {
            peer.who
                .as_ref()
                .map(|who| who.id)
                .or(self.session_peer(peer.origin))
        });
        let unwanted = CloseReason::from_wire_code(code)
            .is_some_and(|reason| reason != CloseReason::Duplicate);
        if let Some(id) = id
            && unwanted
        {
            self.known.unreachable(self.now, id, Unreached::UNWILLING);
        }
    }

    /// Whom a link is meant to lead to.
    pub(crate) fn expected_at(&self, origin: LinkOrigin) -> Option<NodeKey> {
        let id = self.session_peer(origin)?;
        self.known.get(&id).map(|record| record.node_key)
    }

    /// A peer says whom it is linked with.
    pub(crate) fn on_neighbours(&mut self, link: LinkId, said: Neighbours) {
        if let Some(peer) = self.table.get_mut(link) {
            peer.links = said.links;
        }
        let peers = self.verified(said.peers);
        self.known.learn(self.now, Some(link), peers);
        self.known.unlist(self.now, link, Some(&said.gone));
        self.timers.set_by(Timer::Membership, self.now);
        self.timers.set_by(Timer::Replication, self.now.plus(500));
    }

    /// Those of `peers` that are not us, have join work and a record that holds; known ones are not
    /// checked again.
    fn verified(&self, peers: Vec<PeerRecord>) -> Vec<Who> {
        let mut verified = Vec::new();
        for peer in peers {
            let ours = peer.network == self.config.network
                && peer.version == self.record.version
                && peer.node_key != self.record.node_key;
            let who = Contact::new(peer);
            let same = self.known.get(&who.id) == Some(&who.record);
            if ours && (same || (self.stands(&who.record) && self.is_sound(&who.record))) {
                verified.push(who);
            }
        }
        verified
    }

    /// The answer to a look-up of a neighbourhood.
    pub(crate) fn on_neighbourhood(&mut self, body: Reply) {
        if let Reply::Nearest(peers) = body {
            let peers = self.verified(peers);
            self.known.learn(self.now, None, peers);
            self.looked_around = true;
            self.status_changed();
        }
        self.timers.set_by(Timer::Membership, self.now);
    }

    /// The peers to name to someone who looks for `target`: `others`, those we are linked with and
    /// ourselves, and at a bridge those whom linked bridges list, so that nodes behind different
    /// bridges find each other.
    pub(crate) fn merge_nearest(&self, target: &Point, others: Vec<PeerRecord>) -> Vec<PeerRecord> {
        let mut others: Vec<Who> = others.into_iter().map(Contact::new).collect();
        others.retain(|who| self.stands(&who.record));
        if self.is_member() {
            others.push(Contact::new(self.record.clone()));
        }
        if self.config.role.is_bridge_here() {
            let bridges = self.table.links_of(Role::Bridge);
            others.extend(self.known.listed_by(&bridges).cloned());
        }
        fitting_peers(&self.name_peers(target, &others))
    }

    /// `others` and those we are linked with, at most [`MAX_PEERS`]: the nearest to `target`, then
    /// one per bucket around it. Never the node at `target` itself.
    pub(crate) fn name_peers<'a>(&'a self, target: &Point, others: &'a [Who]) -> Vec<&'a Who> {
        let ours = self.table.up_links().filter(|(_, peer, _)| !peer.leaf);
        let ours = ours.map(|(_, _, who)| who);
        let mut near = Nearest::new(*target, NEAREST_NAMED);
        let mut spread: SortedMap<u16, &Who> = SortedMap::new();
        for who in ours.chain(others) {
            if target.distance(&who.id.point()).shared_bits() == 256 {
                continue;
            }
            if let Some((distance, far)) = near.offer(&who.id, who) {
                spread.insert(distance.shared_bits(), far);
            }
        }
        let mut named = near.into_items();
        let nearest = named.len();
        for who in spread.values().copied() {
            if named.len() < MAX_PEERS && self.may_name(&named[nearest..], who) {
                named.push(who);
            }
        }
        named
    }

    /// Looks after links.
    pub(crate) fn on_membership_timer(&mut self) {
        self.timers
            .set_by(Timer::Membership, self.now.plus(IDLE_MS));
        self.look_at_standings();
        self.shed_alike();
        self.look_for_crowds();
        self.tell_news();
        self.look_around();
        self.make_offers();
        self.ask_for_bridge();
    }

    fn look_around(&mut self) {
        if self.table.count() == 0 {
            self.looked_around = false;
            return;
        }
        let poor = !self.config.role.is_bridge_here()
            && (self.table.count_of(Role::Browser) < self.places.near() + 1);
        let every = if poor { LOOK_UP_POOR_MS } else { LOOK_UP_MS };
        let due = self
            .looked_at
            .is_none_or(|looked| self.now.since(looked) >= every);
        if due && !self.config.role.is_bridge_here() {
            self.looked_at = Some(self.now);
            let target = Target::Near(self.id.point());
            self.ask(Own::Neighbourhood, target, Ask::FindNearest);
        }
    }

    /// Places taken, offers on their way included.
    fn seats_with_offers(&self) -> Vec<Seat> {
        let mut seats = self.table.seats();
        seats.extend(self.sessions.offers().map(|id| Seat {
            link: None,
            id,
            role: Role::Browser,
            since: self.now,
            links: 0,
        }));
        seats
    }

    /// Known browsers that are neither linked nor about to be.
    fn free_nodes(&self) -> Vec<NodeId> {
        let reachable = self.known.reachable(self.now).filter(|who| {
            self.table.link_to(&who.id).is_none()
                && !self.sessions.leads_to(&who.id)
                && !self.bans.holds(&who.record.node_key, self.now)
                && !self.is_too_alike(&who.id, &who.record)
        });
        reachable.map(|who| who.id).collect()
    }

    /// Whether there is a node we would make an offer.
    pub(crate) fn wants_links(&self) -> bool {
        self.places
            .next_offer(&self.seats_with_offers(), &self.free_nodes())
            .is_some()
    }

    fn make_offers(&mut self) {
        if self.table.count() == 0 || self.is_sated_leaf() {
            return;
        }
        while self.sessions.offers().count() < MAX_OFFERS {
            let seats = self.seats_with_offers();
            let Some(id) = self.places.next_offer(&seats, &self.free_nodes()) else {
                return;
            };
            if !self.make_offer(id) {
                return;
            }
        }
    }

    fn ask_for_bridge(&mut self) {
        if self.config.role.is_bridge_here() || self.table.count_of(Role::Bridge) > 0 {
            self.need_bridge_at = None;
            return;
        }
        let due = self
            .need_bridge_at
            .is_none_or(|asked| self.now.since(asked) >= NEED_BRIDGE_MS);
        if due {
            self.need_bridge_at = Some(self.now);
            self.event(Event::NeedBridge);
        }
    }

    /// Whether browser `id` is one of the `count` nearest to `point` among us, those linked and
    /// those known. Ends early: mostly a few nodes nearer than `id` are met soon.
    pub(crate) fn is_among_nearest(&self, point: &Point, id: &NodeId, count: usize) -> bool {
        let limit = point.distance(&id.point());
        let is_nearer =
            |other: &NodeId, role| role == Role::Browser && point.distance(&other.point()) < limit;
        let mut nearer = usize::from(self.is_member() && is_nearer(&self.id, self.record.role));
        for (_, peer, who) in self.table.up_links() {
            nearer += usize::from(!peer.leaf && is_nearer(&who.id, who.record.role));
        }
        for who in self.known.iter() {
            if nearer >= count {
                break;
            }
            let counted = self.table.link_to(&who.id).is_some();
            nearer += usize::from(!counted && is_nearer(&who.id, who.record.role));
        }
        nearer < count
    }

    /// The `count` browsers nearest to `point` among us, those linked and those known, nearest
    /// first.
    pub(crate) fn nearest_browsers(&self, point: &Point, count: usize) -> Vec<NodeId> {
        let mut nearest = Nearest::new(*point, count);
        let mut offer = |id: NodeId, role| {
            if role == Role::Browser {
                nearest.offer(&id, id);
            }
        };
        for (_, peer, who) in self.table.up_links() {
            if !peer.leaf {
                offer(who.id, who.record.role);
            }
        }
        for who in self.known.iter() {
            offer(who.id, who.record.role);
        }
        if self.is_member() {
            offer(self.id, self.config.role);
        }
        nearest.into_items()
    }
}
