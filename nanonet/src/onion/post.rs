//! The node's part in private messages: what it sends, relays and receives.
//!
//! - *Guards*: the few linked nodes over which all our circuits begin, kept as long as they relay; *doors*:
//!   the few over which others reach us. Both are found by *loops*: cells that come back to us, first over
//!   one linked node, then over a guard, any node and a door. A node that brought loops and letters back is
//!   preferred ([`super::ranks`]).
//! - A cell goes to a linked node over that link only, so that nobody else sees who hands what to whom; to
//!   another it is passed on as any request to one node, each leg acknowledged.
//! - A message goes over two paths at once that share no relay, as far as there are enough nodes.
//! - What a path did not bring in time is sent over another; its relays lose rank.
//! - A node passes no cell of its own circuits on between others, or the hop that gets it would meet its
//!   name a second time, perhaps beside the recipient's.
//! - A node that neither registers nor writes sends no loops and has no doors.
//!
//! Limits: [`MAX_TALKS`] keys at once (one that is idle gives way), [`MAX_LOOPS`] loops, circuits as
//! [`super::relay`] says.

use nano_core::UnixMillis;

use super::held::Held;
use super::letter::{ANSWER_DOORS, Address, Hello, Letter, Parcel};
use super::ranks::{POOR, Ranks};
use super::relay::{Payload, Peeled, Relays};
use super::route::{Circuit, Hop, MAX_RELAYS};
use super::talk::{MAX_MESSAGE_BYTES, MAX_WAITING, Path, Talk};
use super::{CellError, IDLE_MS};
use crate::registry::{Door, KeyRecord, LookupError, MAX_DOORS, Route};
use crate::routing::forward::{Own, Upstream};
use crate::sorted::SortedMap;
use crate::timers::Timer;
use crate::wire::{Ask, Failure, Reply, Target};
use crate::{Bug, Crypto, Event, LinkId, Node, NodeId, NodeKey, RequestId, Role};

/// Most keys we talk with at once.
const MAX_TALKS: usize = 64;
/// Most loops under way.
const MAX_LOOPS: usize = 32;
/// Guards and doors.
const GUARDS: usize = 3;
/// Paths at once.
const PATHS: usize = 2;
/// Relays of a path where nobody says otherwise.
pub const USUAL_RELAYS: u8 = 3;
/// Circuits that lead through a browser, and through a bridge.
const CIRCUITS_IN_BROWSER: usize = 2_048;
const CIRCUITS_IN_BRIDGE: usize = 65_536;
/// How long a loop may take.
const LOOP_MS: u64 = 4_000;
/// Time between two looks while something is under way, and after which a guard is tried again.
const LOOK_MS: u64 = 1_000;
const TRY_AGAIN_MS: u64 = 60_000;
/// Proven relays beyond which no more are looked for.
const ENOUGH: usize = 12;
/// How soon what came is acknowledged: the copy over the other path may come meanwhile.
const ACK_MS: u64 = 40;
/// What a bridge's rank is less than a browser's.
const SPARE_BRIDGES: u16 = 300;

/// A message to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outbound {
    /// To whom.
    pub to: NodeKey,
    /// What, at most [`MAX_MESSAGE_BYTES`].
    pub body: Vec<u8>,
    /// Relays of each path, 1 to [`MAX_RELAYS`]; two or more, or one of them knows both ends.
    pub relays: u8,
    /// How long it is tried, in milliseconds.
    pub patience_ms: u64,
}

/// A message that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// From whom; proven.
    pub from: NodeKey,
    /// With the sender its name: no two messages of it have the same.
    pub id: (u64, u32),
    /// What.
    pub body: Vec<u8>,
}

/// Why a message was not delivered, as far as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendFailure {
    /// Nobody knows the recipient.
    #[error("the recipient cannot be found: {0}")]
    Unknown(LookupError),
    /// Longer than [`MAX_MESSAGE_BYTES`].
    #[error("a message of {length} bytes is too long: at most 8192 fit")]
    TooLong {
        /// Its length.
        length: usize,
    },
    /// No relay, or more than [`MAX_RELAYS`].
    #[error("a route has 1 to 5 relays, not {relays}")]
    BadRoute {
        /// Relays wanted.
        relays: u8,
    },
    /// Too much is under way already.
    #[error("64 messages to this key, or to 64 keys, wait to be acknowledged: wait for some")]
    TooMany,
    /// To ourselves.
    #[error("a node does not write to itself")]
    Ourselves,
    /// Too few nodes are known for a route of this length.
    #[error("too few nodes are known for such a route: wait for more links, or take fewer relays")]
    NoRoute,
    /// The recipient says it takes no more.
    #[error("the recipient takes no more messages of ours now: try again later")]
    InboxFull,
    /// No acknowledgement came.
    #[error(
        "the recipient has not acknowledged it in time; it may still arrive, held by a neighbour"
    )]
    Unanswered,
}

impl SendFailure {
    /// Kebab-case code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unknown(error) => error.code(),
            Self::TooLong { .. } => "message-too-long",
            Self::BadRoute { .. } => "bad-route",
            Self::TooMany => "too-many-messages",
            Self::Ourselves => "message-to-self",
            Self::NoRoute => "no-route",
            Self::InboxFull => "inbox-full",
            Self::Unanswered => "message-unanswered",
        }
    }
}

/// A loop under way.
struct Loop {
    relays: Vec<NodeId>,
    /// Whom it is about.
    about: NodeId,
    sent: UnixMillis,
}

/// Everything of private messages that a node keeps.
pub(crate) struct Post {
    active: bool,
    relays: Relays,
    ranks: Ranks,
    guards: Vec<NodeId>,
    doors: Vec<NodeId>,
    talks: SortedMap<NodeKey, Talk>,
    loops: SortedMap<u64, Loop>,
    pub(crate) held: Held,
    looked: UnixMillis,
    last_session: u64,
    /// What it saw of cells, if that is wanted.
    #[cfg(any(test, feature = "adversary", feature = "bridge"))]
    pub(super) glimpses: Option<Vec<super::Glimpse>>,
}

impl Post {
    /// Nothing yet.
    pub(crate) fn new(bridge: bool) -> Self {
        let most = if bridge {
            CIRCUITS_IN_BRIDGE
        } else {
            CIRCUITS_IN_BROWSER
        };
        Self {
            active: false,
            relays: Relays::new(most),
            ranks: Ranks::default(),
            guards: Vec::new(),
            doors: Vec::new(),
            talks: SortedMap::new(),
            loops: SortedMap::new(),
            held: Held::default(),
            looked: UnixMillis(0),
            last_session: 0,
            #[cfg(any(test, feature = "adversary", feature = "bridge"))]
            glimpses: None,
        }
    }
}

impl Post {
    /// Whether a cell with this number in front is of a circuit of ours.
    pub(crate) fn made(&self, circuit: super::CircuitId) -> bool {
        let mut paths = self.talks.values().flat_map(|talk| &talk.paths);
        paths.any(|path| path.circuit.has(circuit))
    }

    /// Who sends over a circuit that ends here.
    fn sender_over(&self, circuit: u64) -> Option<NodeKey> {
        let mut talks = self.talks.iter();
        let found = talks.find(|(_, talk)| talk.their_circuits.contains(&circuit));
        found.map(|(key, _)| *key)
    }
}

impl<C: Crypto> Node<C> {
    /// Looks after messages now.
    pub(crate) fn post_soon(&mut self) {
        self.timers.set_by(Timer::Post, self.now);
    }

    /// The shell writes to somebody.
    pub(crate) fn on_send(&mut self, request: RequestId, message: Outbound) {
        if let Err(error) = self.enter(request, message) {
            self.failed(request, error);
        }
    }

    fn failed(&mut self, request: RequestId, error: SendFailure) {
        let result = Err(error);
        self.event(Event::Sent { request, result });
    }

    fn enter(&mut self, request: RequestId, message: Outbound) -> Result<(), SendFailure> {
        let length = message.body.len();
        if length > MAX_MESSAGE_BYTES {
            return Err(SendFailure::TooLong { length });
        }
        let relays = usize::from(message.relays);
        if !(1..=MAX_RELAYS).contains(&relays) {
            let relays = message.relays;
            return Err(SendFailure::BadRoute { relays });
        }
        if message.to == self.identity.node_key() {
            return Err(SendFailure::Ourselves);
        }
        let until = self.now.plus(message.patience_ms);
        let now = self.now;
        let talk = self.talk_with(message.to).ok_or(SendFailure::TooMany)?;
        if talk.waiting() >= MAX_WAITING {
            return Err(SendFailure::TooMany);
        }
        if talk.relays != relays && talk.waiting() == 0 {
            talk.relays = relays;
            talk.paths.clear();
        }
        talk.used = now;
        talk.add(request, &message.body, until);
        self.post.active = true;
        self.post_soon();
        Ok(())
    }

    /// The talk with a key, a new one if need be; `None` if all that there may be are busy.
    fn talk_with(&mut self, key: NodeKey) -> Option<&mut Talk> {
        if !self.post.talks.contains_key(&key) {
            if self.post.talks.len() >= MAX_TALKS {
                let idle = self.post.talks.iter().filter(|(_, talk)| talk.is_idle());
                let oldest = idle.min_by_key(|(_, talk)| talk.used).map(|(key, _)| *key);
                self.post.talks.remove(&oldest?);
            }
            // The time, so that a restarted node's sessions are later ones.
            let session = self.now.0.max(self.post.last_session + 1);
            self.post.last_session = session;
            let talk = Talk::new(self.now, session, usize::from(USUAL_RELAYS));
            self.post.talks.insert(key, talk);
        }
        self.post.talks.get_mut(&key)
    }

    /// A look-up has ended.
    pub(crate) fn address_found(&mut self, key: NodeKey, result: Result<KeyRecord, LookupError>) {
        let Some(talk) = self.post.talks.get_mut(&key) else {
            return;
        };
        match result {
            Ok(record) => {
                talk.record = record.sequence;
                talk.address = Some(Address {
                    nonce: record.nonce,
                    noise_key: record.noise_key,
                    doors: record.doors,
                });
            }
            Err(error) if talk.address.is_none() => {
                for request in talk.fail_all() {
                    self.failed(request, SendFailure::Unknown(error));
                }
            }
            Err(_) => {}
        }
        self.post_soon();
    }

    /// Does what is due.
    pub(crate) fn on_post_timer(&mut self) {
        let mut next = self.look_after_lookups();
        let mut by = |at: Option<UnixMillis>| {
            if let Some(at) = at {
                next = Some(next.map_or(at, |next| next.min(at)));
            }
        };
        if self.post.active || self.publication.wanted.is_some() {
            self.post.active = true;
            if self.now.since(self.post.looked) >= LOOK_MS {
                self.post.looked = self.now;
                self.post.relays.expire(self.now);
                self.registry.expire(self.now);
                self.choose();
                self.look_at_loops();
                self.publish_record();
            }
            by(Some(self.now.plus(LOOK_MS)));
        }
        let keys: Vec<NodeKey> = self.post.talks.keys().copied().collect();
        for key in keys {
            if let Some(mut talk) = self.post.talks.remove(&key) {
                self.drive(key, &mut talk);
                by(talk.next(self.now));
                self.post.talks.insert(key, talk);
            }
        }
        if let Some(next) = next {
            // Something that is due and cannot be done is tried again a little later.
            let next = next.max(self.now.plus(20));
            self.timers.set_by(Timer::Post, next);
        }
    }

    // Guards, doors and relays.

    /// Linked nodes that may be guards or doors, best first.
    fn contacts(&self) -> Vec<(u16, Hop)> {
        let links = self.table.up_links();
        let contacts = links
            .filter(|(_, peer, who)| !peer.leaf || who.record.role == Role::Bridge)
            .map(|(_, _, who)| {
                let rank = self.post.ranks.of(&who.id).reliability;
                let spared = match who.record.role {
                    Role::Bridge => SPARE_BRIDGES,
                    Role::Browser => 0,
                };
                let hop = Hop {
                    id: who.id,
                    noise_key: who.record.noise_key,
                };
                (rank.saturating_sub(spared), hop)
            });
        in_order(contacts)
    }

    /// Chooses guards and doors anew where one is gone or does not relay.
    fn choose(&mut self) {
        let contacts = self.contacts();
        let (ranks, table) = (&self.post.ranks, &self.table);
        let good = |id: &NodeId| table.link_to(id).is_some() && ranks.of(id).reliability >= POOR;
        let mut guards = std::mem::take(&mut self.post.guards);
        let mut doors = std::mem::take(&mut self.post.doors);
        guards.retain(good);
        doors.retain(good);
        // With few links one node has to be both.
        let apart = contacts.len() >= 2 * GUARDS;
        let fill = |chosen: &mut Vec<NodeId>, others: &[NodeId], most: usize, proven: bool| {
            for (_, hop) in &contacts {
                let taken = chosen.contains(&hop.id) || (apart && others.contains(&hop.id));
                let known = !proven || ranks.of(&hop.id).proven;
                if chosen.len() < most && !taken && known {
                    chosen.push(hop.id);
                }
            }
        };
        // Doors are told to others, so only those that were seen to relay.
        fill(&mut guards, &doors, GUARDS, true);
        fill(&mut doors, &guards, MAX_DOORS, true);
        if guards.is_empty() {
            fill(&mut guards, &doors, 1, false);
        }
        self.post.guards = guards;
        self.post.doors = doors;
    }

    /// Through whom we are reached.
    pub(crate) fn own_doors(&self) -> Vec<Door> {
        let doors = self.post.doors.iter();
        doors
            .filter_map(|id| self.linked_hop(id))
            .map(|hop| Door {
                id: hop.id,
                noise_key: hop.noise_key,
            })
            .collect()
    }

    fn linked_hop(&self, id: &NodeId) -> Option<Hop> {
        let peer = self.table.get(self.table.link_to(id)?)?;
        let who = peer.who.as_ref()?;
        Some(Hop {
            id: who.id,
            noise_key: who.record.noise_key,
        })
    }

    fn ourselves(&self) -> Hop {
        Hop {
            id: self.id,
            noise_key: self.identity.noise_key(),
        }
    }

    /// A node that may stand in the middle of a route: the best of a few chosen by chance.
    fn middle(&mut self, avoid: &[NodeId]) -> Option<Hop> {
        let chance = self.rng.next_u64();
        let known = self.known.certain(self.now);
        let linked = self.table.up_links().map(|(_, _, who)| who);
        let all: Vec<Hop> = known
            .chain(linked)
            .filter(|who| !avoid.contains(&who.id) && who.id != self.id)
            .map(|who| Hop {
                id: who.id,
                noise_key: who.record.noise_key,
            })
            .collect();
        // A start by chance, then every so-manyth: eight to choose from.
        let count = all.len();
        let start = usize::try_from(chance % (count.max(1) as u64)).unwrap_or(0);
        let step = (count / 8).max(1);
        let drawn = (0..count.min(8)).map(|place| all[(start + place * step) % count]);
        drawn.max_by_key(|hop| self.post.ranks.of(&hop.id).reliability)
    }

    /// A route to a node, relays first: a guard, nodes in the middle, a door of the recipient. Relays in
    /// `avoid` are left out, but for a guard or a door if there is no other.
    fn route(
        &mut self,
        to: &Hop,
        doors: &[Door],
        relays: usize,
        avoid: &[NodeId],
    ) -> Option<Vec<Hop>> {
        let mut avoid: Vec<NodeId> = avoid.to_vec();
        avoid.extend([self.id, to.id]);
        let score = |id: &NodeId| self.post.ranks.of(id).reliability;
        let usable = |avoid: &[NodeId], id: &NodeId| !avoid.contains(id);
        let guard = if relays > 1 {
            let guards = self.post.guards.iter().filter(|id| usable(&avoid, id));
            let guard = guards.max_by_key(|id| score(id)).copied()?;
            avoid.push(guard);
            Some(self.linked_hop(&guard)?)
        } else {
            None
        };
        let door = if doors.is_empty() {
            // Who names none is looked for by the last relay.
            self.middle(&avoid)?
        } else {
            let doors = doors.iter().filter(|door| usable(&avoid, &door.id));
            Hop::from(*doors.max_by_key(|door| score(&door.id))?)
        };
        avoid.push(door.id);
        let mut route: Vec<Hop> = guard.into_iter().collect();
        while route.len() + 1 < relays {
            let middle = self.middle(&avoid)?;
            avoid.push(middle.id);
            route.push(middle);
        }
        route.push(door);
        if self.has_bug(Bug::ShortRoutes) {
            route.truncate(1);
        }
        route.push(*to);
        Some(route)
    }

    /// Ways to a node, best first, as they would be taken now.
    pub(crate) fn routes_to(&mut self, record: &KeyRecord) -> Vec<Route> {
        self.post.active = true;
        if self.post.guards.is_empty() {
            self.choose();
        }
        let to = Hop {
            id: record.node_id(),
            noise_key: record.noise_key,
        };
        let mut used = Vec::new();
        let mut routes: Vec<(u16, Route)> = Vec::new();
        for _ in 0..GUARDS {
            let Some(hops) = self.route(&to, &record.doors, usize::from(USUAL_RELAYS), &used)
            else {
                break;
            };
            let hops: Vec<NodeId> = hops[..hops.len() - 1].iter().map(|hop| hop.id).collect();
            used.extend(&hops);
            let ranks: Vec<_> = hops.iter().map(|id| self.post.ranks.of(id)).collect();
            let reliability = ranks.iter().fold(1_000_u32, |all, rank| {
                all * u32::from(rank.reliability) / 1_000
            });
            let measured = ranks.iter().all(|rank| rank.latency_ms > 0);
            let latency: u32 = ranks.iter().map(|rank| rank.latency_ms).sum();
            let reliability = u16::try_from(reliability).unwrap_or(0);
            routes.push((
                reliability,
                Route {
                    hops,
                    latency_ms: if measured { latency } else { 0 },
                    reliability,
                },
            ));
        }
        let routes = in_order(routes.into_iter()).into_iter();
        routes.map(|(_, route)| route).collect()
    }

    // Loops.

    fn look_at_loops(&mut self) {
        let late: Vec<u64> = self
            .post
            .loops
            .iter()
            .filter(|(_, way)| self.now.since(way.sent) >= LOOP_MS)
            .map(|(number, _)| *number)
            .collect();
        for number in late {
            self.loop_failed(number);
        }
        let under_way = |post: &Post, id: &NodeId| post.loops.values().any(|way| way.about == *id);
        let mut contacts = self.contacts();
        contacts.truncate(4 * GUARDS);
        for (_, hop) in contacts {
            let rank = self.post.ranks.of(&hop.id);
            let relied_on = self.post.guards.contains(&hop.id) || self.post.doors.contains(&hop.id);
            let due = !rank.proven && rank.at == UnixMillis(0)
                || (self.now.since(rank.at) >= TRY_AGAIN_MS && (relied_on || !rank.proven));
            if due && !under_way(&self.post, &hop.id) {
                self.send_loop(vec![hop], hop.id);
            }
        }
        if self.post.ranks.proven() < ENOUGH
            && let Some(guard) = self.post.guards.first().and_then(|id| self.linked_hop(id))
            && let Some(door) = self
                .own_doors()
                .into_iter()
                .find(|door| door.id != guard.id)
            && let Some(middle) = self.middle(&[guard.id, door.id])
            && !self.post.ranks.of(&middle.id).proven
            && !under_way(&self.post, &middle.id)
        {
            self.send_loop(vec![guard, middle, door.into()], middle.id);
        }
    }

    fn send_loop(&mut self, mut route: Vec<Hop>, about: NodeId) {
        if self.post.loops.len() >= MAX_LOOPS {
            return;
        }
        let relays = route.iter().map(|hop| hop.id).collect();
        route.push(self.ourselves());
        let Ok(mut circuit) = Circuit::new(&route, &mut self.rng) else {
            return;
        };
        let number = circuit.end().0;
        let payload = Parcel::Loop(number).to_bytes();
        let Ok(cell) = circuit.cell(self.now, &payload) else {
            return;
        };
        let sent = self.now;
        let way = Loop {
            relays,
            about,
            sent,
        };
        self.post.loops.insert(number, way);
        self.hand_on(circuit.first(), cell, number);
    }

    fn loop_failed(&mut self, number: u64) {
        if let Some(way) = self.post.loops.remove(&number) {
            self.post.ranks.bad(self.now, &[way.about]);
        }
    }

    // Cells.

    /// Hands a cell to a node: over its own link if it is linked, else as a request to it. `number`: the
    /// circuit, if it is ours.
    pub(crate) fn hand_on(&mut self, to: NodeId, cell: super::Cell, number: u64) {
        let direct = self.table.link_to(&to);
        let avoid: Vec<LinkId> = if direct.is_some() {
            let links = self.table.up_links().map(|(link, ..)| link);
            links.filter(|link| Some(*link) != direct).collect()
        } else {
            Vec::new()
        };
        let body = Ask::Cell(cell);
        self.ask_over(Own::Leg(number), Target::Exactly(to), body, &avoid);
    }

    /// Hands on a letter's cell, where it begins its way.
    #[cfg_attr(
        not(any(test, feature = "adversary", feature = "bridge")),
        allow(unused_variables, reason = "not looked at in browsers")
    )]
    fn hand_first(&mut self, to: NodeId, cell: super::Cell, number: u64, payload: &[u8]) {
        #[cfg(any(test, feature = "adversary", feature = "bridge"))]
        self.glimpse_made(&cell, payload);
        self.hand_on(to, cell, number);
    }

    /// The next hop has a cell, or cannot be reached.
    pub(crate) fn on_leg_reply(&mut self, number: u64, body: &Reply) {
        if matches!(body, Reply::Delivered) {
            return;
        }
        self.counters.refuse("leg-failed");
        if self.post.loops.contains_key(&number) {
            return self.loop_failed(number);
        }
        let now = self.now;
        for (_, talk) in self.post.talks.iter_mut() {
            let place = talk
                .paths
                .iter()
                .position(|path| path.circuit.end().0 == number);
            if let Some(place) = place {
                let path = talk.paths.remove(place);
                self.post.ranks.bad(now, &path.relays[..1]);
                talk.send_again();
                break;
            }
        }
        self.post_soon();
    }

    /// A cell came here.
    pub(crate) fn serve_cell(&mut self, upstream: Upstream, id: u64, cell: super::Cell) {
        #[cfg(any(test, feature = "adversary"))]
        if self.swallows_cells() {
            return self.reply(upstream, id, Reply::Delivered);
        }
        #[cfg(any(test, feature = "adversary", feature = "bridge"))]
        let before = cell.clone();
        let peeled = self.post.relays.peel(&self.identity, self.now, cell);
        #[cfg(any(test, feature = "adversary", feature = "bridge"))]
        self.glimpse_peeled(&before, &peeled);
        match peeled {
            Ok(Peeled::Onward { next, cell }) => {
                self.reply(upstream, id, Reply::Delivered);
                let linked = self.table.link_to(&next).is_some();
                if linked || !self.post.held.hold(next, self.now, &cell) {
                    self.hand_on(next, cell, 0);
                }
            }
            Ok(Peeled::Here(payload)) => {
                self.reply(upstream, id, Reply::Delivered);
                self.on_payload(payload);
            }
            Err(error) => {
                self.counters.refuse(error.code());
                // A copy of what is here is no reason to send it again.
                let reply = match error {
                    CellError::Replayed => Reply::Delivered,
                    _ => Reply::Failed {
                        why: Failure::Refused,
                        budget: 0,
                    },
                };
                self.reply(upstream, id, reply);
            }
        }
    }

    /// A node is linked: it gets what was held for it.
    pub(crate) fn release_cells(&mut self, id: &NodeId) {
        for cell in self.post.held.release(id, self.now) {
            self.hand_on(*id, cell, 0);
        }
    }

    // Letters.

    fn on_payload(&mut self, payload: Payload) {
        match Parcel::from_bytes(&payload.bytes) {
            Some(Parcel::Loop(number)) => {
                if number == payload.circuit.0
                    && let Some(way) = self.post.loops.remove(&number)
                {
                    let millis = self.now.since(way.sent);
                    self.post.ranks.good(self.now, &way.relays, millis);
                    self.post_soon();
                }
            }
            Some(Parcel::Letter(letter)) => self.on_letter(&payload, letter),
            None => self.counters.refuse("letter-malformed"),
        }
    }

    fn on_letter(&mut self, payload: &Payload, letter: Letter) {
        let circuit = payload.circuit.0;
        let from = match &letter.hello {
            Some(hello) if hello.holds(&payload.binding) => Some(hello.from),
            Some(_) => {
                return self.counters.refuse("letter-not-signed");
            }
            None => self.post.sender_over(circuit),
        };
        let Some(from) = from.filter(|from| *from != self.identity.node_key()) else {
            return self.counters.refuse("letter-of-nobody");
        };
        let twice = self.has_bug(Bug::DeliversTwice);
        let now = self.now;
        self.post.active = true;
        let Some(talk) = self.talk_with(from) else {
            return self.counters.refuse("too-many-talks");
        };
        let new = letter.hello.is_some();
        if let Some(hello) = letter.hello {
            if !talk.begin(hello.session) {
                return self.counters.refuse("letter-of-old-session");
            }
            talk.address = Some(hello.address);
        }
        talk.used = now;
        talk.hear(circuit, new);
        let mut confirmed: Vec<(Vec<NodeId>, u64)> = Vec::new();
        let mut done = Vec::new();
        if let Some(ack) = &letter.ack {
            done = talk.acknowledged(ack);
            for path in &mut talk.paths {
                if ack.heard.contains(&path.circuit.end().0) {
                    path.heard = true;
                    if let Some(since) = path.unheard_since.take() {
                        confirmed.push((path.relays.clone(), now.since(since)));
                    }
                }
            }
            for (_, millis) in &confirmed {
                talk.measured(*millis);
            }
        }
        let mut whole = Vec::new();
        if !letter.parts.is_empty() {
            let due = now.plus(ACK_MS);
            talk.ack_due = Some(talk.ack_due.map_or(due, |before| before.min(due)));
            for part in letter.parts {
                whole.extend(talk.take(now, part));
            }
        }
        let session = talk.their_session;
        for (relays, millis) in confirmed {
            // Half of the way was the other side's.
            self.post.ranks.good(now, &relays, millis / 2);
        }
        for request in done {
            let result = Ok(());
            self.event(Event::Sent { request, result });
        }
        for message in whole {
            let received = Received {
                from,
                id: (session, message.number),
                body: message.bytes,
            };
            if twice {
                self.event(Event::Message(Box::new(received.clone())));
            }
            self.event(Event::Message(Box::new(received)));
        }
        self.post_soon();
    }

    /// Sends what is due to one key.
    fn drive(&mut self, key: NodeKey, talk: &mut Talk) {
        let refused = talk.is_refused();
        for request in talk.overdue(self.now) {
            let error = if refused {
                SendFailure::InboxFull
            } else if talk.address.is_some() && talk.paths.is_empty() {
                SendFailure::NoRoute
            } else {
                SendFailure::Unanswered
            };
            self.failed(request, error);
        }
        self.retire_paths(talk);
        let (mut due, again) = talk.due_parts(self.now);
        if !again && talk.must_wait() {
            due.clear();
        }
        let ack_is_due = talk.ack_due.is_some_and(|at| at <= self.now);
        if due.is_empty() && !ack_is_due {
            return;
        }
        let Some(address) = talk.address.clone() else {
            return self.start_lookup_of(key, talk);
        };
        if again && talk.record > 0 {
            // Its doors may be others by now.
            self.start_lookup_of(key, talk);
        }
        // Before anything was acknowledged only the first part goes out, and a circuit that may not be
        // set up carries nothing.
        if !talk.is_established() {
            due.truncate(1);
        }
        let ack = talk.ack(self.now);
        let mut sent = Vec::new();
        for place in 0..talk.paths.len() {
            sent = self.write(talk, place, ack.clone(), &due);
        }
        while talk.paths.len() < PATHS {
            match self.open_path(key, talk, &address, ack.clone(), &due) {
                // What went over one is under way.
                Some(parts) if parts.len() >= sent.len() => sent = parts,
                Some(_) => {}
                None => break,
            }
        }
        for number in sent {
            talk.sent(number, self.now);
        }
        talk.used = self.now;
    }

    fn start_lookup_of(&mut self, key: NodeKey, talk: &mut Talk) {
        // A look-up may end at once, and then looks for the talk.
        let placeholder = Talk::new(self.now, talk.session, talk.relays);
        let real = std::mem::replace(talk, placeholder);
        let after = real.record;
        self.post.talks.insert(key, real);
        self.start_lookup(None, key, after);
        if let Some(real) = self.post.talks.remove(&key) {
            *talk = real;
        }
    }

    /// Paths that have not brought a letter in time go, and so do those unused for so long that a hop
    /// may have forgotten them.
    fn retire_paths(&mut self, talk: &mut Talk) {
        let (wait, now) = (talk.wait(), self.now);
        let ranks = &mut self.post.ranks;
        talk.paths.retain(|path| {
            let late = path
                .unheard_since
                .is_some_and(|since| now.since(since) >= wait);
            if late {
                // The guard is judged by loops: it is not to blame for a recipient that is away.
                ranks.bad(now, path.relays.get(1..).unwrap_or_default());
            }
            let limit = if path.heard {
                IDLE_MS - IDLE_MS / 4
            } else {
                wait
            };
            !late && now.since(path.used) < limit
        });
    }

    /// Sends a letter over a path; the parts that fit.
    fn write(
        &mut self,
        talk: &mut Talk,
        place: usize,
        ack: Option<super::letter::Ack>,
        due: &[u32],
    ) -> Vec<u32> {
        let Some(path) = talk.paths.get(place) else {
            return Vec::new();
        };
        let room = path.circuit.room();
        let (letter, sent) = fill(talk, None, ack, due, room);
        let payload = Parcel::Letter(letter).to_bytes();
        let Some(path) = talk.paths.get_mut(place) else {
            return Vec::new();
        };
        let Ok(cell) = path.circuit.cell(self.now, &payload) else {
            return Vec::new();
        };
        path.used = self.now;
        if !sent.is_empty() {
            path.unheard_since.get_or_insert(self.now);
        }
        let (first, number) = (path.circuit.first(), path.circuit.end().0);
        self.hand_first(first, cell, number, &payload);
        sent
    }

    /// Opens one more path, and sends a letter over it; the parts that fit, `None` if there is no way.
    fn open_path(
        &mut self,
        key: NodeKey,
        talk: &mut Talk,
        address: &Address,
        ack: Option<super::letter::Ack>,
        due: &[u32],
    ) -> Option<Vec<u32>> {
        let to = Hop {
            id: address.id(&key),
            noise_key: address.noise_key,
        };
        if self.post.guards.is_empty() {
            self.choose();
        }
        let used: Vec<NodeId> = talk
            .paths
            .iter()
            .flat_map(|path| path.relays.iter().copied())
            .collect();
        let route = self.route(&to, &address.doors, talk.relays, &used)?;
        let relays = route[..route.len() - 1].iter().map(|hop| hop.id).collect();
        let circuit = Circuit::new(&route, &mut self.rng).ok()?;
        let mut doors = self.own_doors();
        doors.truncate(ANSWER_DOORS);
        let ours = Address {
            nonce: self.identity.nonce(),
            noise_key: self.identity.noise_key(),
            doors,
        };
        let binding = circuit.binding();
        let hello = Hello::sign(&self.identity, &binding, talk.session, ours);
        let room = circuit.room();
        let (letter, sent) = fill(talk, Some(Box::new(hello)), ack, due, room);
        let payload = Parcel::Letter(letter).to_bytes();
        let mut path = Path {
            circuit,
            relays,
            used: self.now,
            unheard_since: (!sent.is_empty()).then_some(self.now),
            heard: false,
        };
        let cell = path.circuit.cell(self.now, &payload).ok()?;
        let (first, number) = (path.circuit.first(), path.circuit.end().0);
        talk.paths.push(path);
        self.hand_first(first, cell, number, &payload);
        Some(sent)
    }
}

/// The few items, the highest number first; of equals, in their order.
fn in_order<T>(items: impl Iterator<Item = (u16, T)>) -> Vec<(u16, T)> {
    let mut sorted: Vec<(u16, T)> = Vec::new();
    for item in items {
        let place = sorted.partition_point(|other| other.0 >= item.0);
        sorted.insert(place, item);
    }
    sorted
}

/// A letter of at most `room` bytes, and the parts in it.
fn fill(
    talk: &Talk,
    hello: Option<Box<Hello>>,
    ack: Option<super::letter::Ack>,
    due: &[u32],
    room: usize,
) -> (Letter, Vec<u32>) {
    let mut letter = Letter {
        hello,
        ack,
        parts: Vec::new(),
    };
    let mut sent = Vec::new();
    for number in due {
        let Some(part) = talk.part(*number) else {
            continue;
        };
        letter.parts.push(part);
        if Parcel::Letter(letter.clone()).to_bytes().len() > room {
            letter.parts.pop();
            break;
        }
        sent.push(*number);
    }
    (letter, sent)
}
