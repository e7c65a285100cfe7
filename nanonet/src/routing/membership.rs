//! What happens when links come and go, and how a node finds its place.
//!
//! - *Coming up*: a link whose handshake is done is refused if its peer is banned, says that it is
//!   a bridge where only a browser can be, is a second link to the same node
//!   ([`Table::newer_is_kept`]), or gets no place ([`super::places`]).
//! - *Joining*: with the first link up, our own neighbourhood is looked up, and again after
//!   [`LOOK_UP_POOR_MS`], then after twice as long each time up to [`LOOK_UP_MS`]; from the start
//!   again when a link to one of the nearest is gone. Everyone on the way back adds whom it is linked
//!   with, so the bridge that is the only one to know everyone says so.
//! - *Linking*: offers go out as [`Places::next_offer`](super::places::Places::next_offer) says, and
//!   as many at a time as [`crate::signaling`] allows.
//! - *Bridges*: while none is linked, a browser asks its shell for one: every [`NEED_BRIDGE_MS`] if
//!   it has fewer than two links to browsers or a block to publish; else it can do without, and the
//!   time between two askings doubles up to [`LONGEST_NEED`] times as long.
//!
//! Links are looked after soon after anything happened to them, at most every [`GAP_MS`], and every
//! [`IDLE_MS`] otherwise.

use nano_core::UnixMillis;

use super::contact::{Named, Placed};
use super::forward::Own;
use super::known::Unreached;
use super::nearest::Nearest;
use super::places::{Admission, Candidate, POOR, Seat};
use super::table::Table;
use super::telling::CIRCLE;
use crate::Crypto;
use crate::link::LinkEnd;
use crate::sorted::SortedMap;
use crate::timers::Timer;
use crate::wire::{Ask, MAX_PEERS, Neighbours, Reply, Target, fitting_peers};
use crate::{
    CloseReason, Event, LinkId, LinkOrigin, Node, NodeId, NodeKey, PeerRecord, Point, Role,
    Transport,
};

/// Longest time between two look-ups of our neighbourhood.
pub(crate) const LOOK_UP_MS: u64 = 300_000;
/// Shortest time between two look-ups of our neighbourhood.
pub(crate) const LOOK_UP_POOR_MS: u64 = 5_000;
/// Least time between two look-ups because somebody sees our neighbourhood otherwise.
const DOUBT_MS: u64 = 30_000;
/// How often a bridge is asked for.
pub(crate) const NEED_BRIDGE_MS: u64 = 10_000;
/// The longest time between two askings of a node that can do without, in shortest ones.
const LONGEST_NEED: u32 = 32;
/// Time between two looks at our links when nothing happens.
const IDLE_MS: u64 = 30_000;
/// Least time between two looks at our links.
const GAP_MS: u64 = 200;
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
        self.found_bridge(&record);
        let who = C::contact(record);
        self.table.up(link, who.clone(), leaf, self.now);
        if let Some(peer) = self.table.get_mut(link) {
            peer.links = seat.links;
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
            self.look_again();
        }
        self.was_linked = true;
        self.membership_soon();
        self.timers.set_by(Timer::Replication, self.now.plus(500));
        self.choose_announcers();
        self.catch_up(link);
        self.hand_records(link, id, role);
        self.release_cells(&id);
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
        let unlisted = self.known.link_gone(self.now, link);
        if reason.is_none_or(CloseReason::is_silence) {
            self.ask_whether_there(&unlisted);
        }
        self.session_link_gone(peer.origin);
        if let Some(who) = peer.who {
            if !peer.leaf {
                self.add_news(&who, false);
            }
            let _ = self.known.unlist(link, &[who.id]);
            if reason.is_none_or(CloseReason::is_silence) {
                self.seen_gone(&who.id);
            }
            if self.is_among_nearest(&self.id.point(), &who.id, self.places.near()) {
                self.look_again();
            }
            self.post.held.parted(who.id, self.now);
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
        self.membership_soon();
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
        let Some(peer) = self.table.get_mut(link) else {
            return;
        };
        peer.links = said.links;
        self.moved |= peer.at != said.at;
        peer.at = said.at;
        let who = peer.who.clone();
        let peers = self.verified(said.peers);
        for placed in &peers {
            self.found_bridge(&placed.who.record);
        }
        // Who is one of our circle tells us of its links; who is further away names some once.
        let lists = self.config.role.is_bridge_here()
            || who.is_some_and(|who| {
                who.record.role == Role::Bridge
                    || self.is_among_nearest(&self.id.point(), &who.id, CIRCLE)
            });
        self.known
            .learn(self.now, &self.at, Some(link), lists, peers);
        for gone in self.known.unlist(link, &said.gone) {
            self.seen_gone(&gone);
        }
        let us = self.id.point();
        let replicas = usize::from(self.config.replicas);
        if said
            .gone
            .iter()
            .any(|gone| self.is_among_nearest(&us, gone, replicas))
        {
            self.look_soon();
        }
        self.membership_soon();
        self.timers.set_by(Timer::Replication, self.now.plus(500));
    }

    /// Those of `peers` that are not us, have join work and a record that holds; known ones are not
    /// checked again.
    pub(crate) fn verified(&self, peers: Vec<Named>) -> Vec<Placed> {
        let mut verified = Vec::new();
        for Named { record, at } in peers {
            let ours = record.network == self.config.network
                && record.version == self.record.version
                && record.node_key != self.record.node_key;
            let who = C::contact(record);
            let known = self.known.same(&who.record, &who.id).cloned();
            let sound = || self.stands(&who.record) && self.is_sound(&who.record);
            if ours && (known.is_some() || sound()) {
                let who = known.unwrap_or(who);
                verified.push(Placed { who, at });
            }
        }
        verified
    }

    /// The answer to a look-up of a neighbourhood.
    pub(crate) fn on_neighbourhood(&mut self, body: Reply, via: Option<LinkId>) {
        if let Reply::Nearest(peers) = body {
            let named = self.learn_of(peers, via);
            self.known.confirm(&named);
            if !self.looked_around {
                self.looked_around = true;
                self.status_changed();
            }
        }
        self.membership_soon();
    }

    /// Links are to be looked after soon.
    pub(crate) fn membership_soon(&mut self) {
        self.membership_by(self.now);
    }

    /// Links are to be looked after at `at`, or as soon as they were left alone for long enough.
    pub(crate) fn membership_by(&mut self, at: UnixMillis) {
        let at = at.max(self.attended.plus(GAP_MS)).max(self.now);
        self.timers.set_by(Timer::Membership, at);
    }

    /// Our neighbourhood is to be looked up soon.
    fn look_soon(&mut self) {
        let soon = self.looked_at.plus(LOOK_UP_POOR_MS).max(self.now);
        self.look_next = self.look_next.min(soon);
        self.membership_by(soon);
    }

    /// Somebody takes us for nearer to a place than we do: one of us knows nodes that are gone.
    pub(crate) fn doubt_neighbourhood(&mut self) {
        let soon = self.looked_at.plus(DOUBT_MS).max(self.now);
        self.look_next = self.look_next.min(soon);
        self.membership_by(soon);
    }

    /// Our neighbourhood is to be looked up at once, and again and again.
    pub(crate) fn look_again(&mut self) {
        self.look_wait = LOOK_UP_POOR_MS;
        self.look_soon();
    }

    /// The peers to name to someone who looks for `target`: `others`, those we are linked with and
    /// ourselves, and at a bridge those whom linked bridges list, so that nodes behind different
    /// bridges find each other.
    pub(crate) fn merge_nearest(&self, target: &Point, others: Vec<Named>) -> Vec<Named> {
        let placed = |Named { record, at }| {
            let who = C::contact(record);
            Placed { who, at }
        };
        let mut others: Vec<Placed> = others.into_iter().map(placed).collect();
        others.retain(|placed| self.stands(&placed.who.record));
        if self.is_member() {
            let (record, at) = (self.record.clone(), self.at);
            others.push(placed(Named { record, at }));
        }
        if self.config.role.is_bridge_here() {
            let bridges = self.table.links_of(Role::Bridge);
            others.extend(self.known.listed_by(&bridges).cloned());
        }
        fitting_peers(&self.name_peers(target, others))
    }

    /// `others` and those we are linked with, at most [`MAX_PEERS`]: the nearest to `target`, then
    /// one per bucket around it. Never the node at `target` itself.
    pub(crate) fn name_peers(&self, target: &Point, others: Vec<Placed>) -> Vec<Placed> {
        let mut near = Nearest::new(*target, NEAREST_NAMED);
        let mut spread: SortedMap<u16, Placed> = SortedMap::new();
        for placed in self.table.named().chain(others) {
            let id = placed.who.id;
            if target.distance(&id.point()).shared_bits() == 256 {
                continue;
            }
            if let Some((distance, far)) = near.offer(&id, placed) {
                spread.insert(distance.shared_bits(), far);
            }
        }
        let mut named = near.into_items();
        let nearest = named.len();
        while let Some((_, placed)) = spread.pop_first() {
            if named.len() < MAX_PEERS && self.may_name(&named[nearest..], &placed.who) {
                named.push(placed);
            }
        }
        #[cfg(any(test, feature = "adversary"))]
        let named = self.forged(target, named);
        named
    }

    /// Looks after links.
    pub(crate) fn on_membership_timer(&mut self) {
        self.attended = self.now;
        self.timers
            .set_by(Timer::Membership, self.now.plus(IDLE_MS));
        self.known.expire(self.now);
        self.look_at_standings();
        self.look_at_reach();
        self.shed_alike();
        self.look_for_crowds();
        if std::mem::take(&mut self.moved) {
            self.place_ourselves();
        }
        self.tell_news();
        self.look_around();
        self.make_offers();
        self.ask_for_bridge();
    }

    /// Finds where we lie among round trips from those of our links.
    pub(crate) fn place_ourselves(&mut self) {
        let links = self.table.up_links();
        let measured: Vec<_> = links
            .filter_map(|(_, peer, _)| Some((peer.at, peer.link.rtt_ms()?)))
            .collect();
        let chance = self.rng.next_u64();
        self.at.relax(&measured, chance);
    }

    fn look_around(&mut self) {
        if self.table.count() == 0 {
            self.looked_around = false;
            return;
        }
        if self.config.role.is_bridge_here() {
            return;
        }
        if self.now >= self.look_next {
            self.looked_at = self.now;
            self.look_next = self.now.plus(self.look_wait);
            self.look_wait = (self.look_wait * 2).min(LOOK_UP_MS);
            let target = Target::Near(self.id.point());
            self.ask(Own::Neighbourhood, target, Ask::FindNearest);
            self.look_far();
        }
        self.timers.set_by(Timer::Membership, self.look_next);
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
    fn free_nodes(&self) -> Vec<Candidate> {
        let reachable = self.known.reachable(self.now).filter(|Placed { who, .. }| {
            self.table.link_to(&who.id).is_none()
                && !self.sessions.leads_to(&who.id)
                && !self.bans.holds(&who.record.node_key, self.now)
                && !self.is_too_alike(&who.id, &who.record)
        });
        reachable.map(|placed| self.candidate(placed)).collect()
    }

    fn candidate(&self, Placed { who, at }: &Placed) -> Candidate {
        Candidate {
            id: who.id,
            round_trip: self.at.round_trip(at),
        }
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
        while self.sessions.offers().count() < self.most_offers() {
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
            self.need_bridge = None;
            return;
        }
        let urgent = self.browser_links() < POOR || self.publishing.len() > 0;
        let again = |(asked, times): (UnixMillis, u32)| {
            let times = if urgent { 1 } else { times };
            asked.plus(NEED_BRIDGE_MS * u64::from(times))
        };
        let mut due = self.need_bridge.map_or(self.now, again);
        if due <= self.now {
            let times = self.need_bridge.map_or(1, |(_, times)| times * 2);
            let asked = (self.now, times.min(LONGEST_NEED));
            self.need_bridge = Some(asked);
            self.event(Event::NeedBridge { urgent });
            due = again(asked);
        }
        self.timers.set_by(Timer::Membership, due);
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
