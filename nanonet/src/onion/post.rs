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
//! - A node passes no cell of its own circuits on between others, nor any to a node through which it is
//!   reached: the hop that gets it would meet its name, perhaps beside the other end's.
//! - The first leg and the last go over the link between the two alone: nobody passes them on.
//! - A node that neither registers nor writes sends no loops and has no doors.
//!
//! Limits: [`MAX_TALKS`] keys at once (one that is idle gives way), [`MAX_LOOPS`] loops, [`MAX_TAKEN`] names of
//! messages that came (the oldest goes), circuits as
//! [`super::relay`] says.

use std::collections::VecDeque;

use nano_core::UnixMillis;

use super::CircuitId;
use super::held::Held;
use super::letter::Address;
use super::loops::Loop;
use super::ranks::Ranks;
use super::relay::Relays;
use super::route::{Circuit, MAX_RELAYS};
use super::talk::{MAX_MESSAGE_BYTES, MAX_WAITING, Talk};
use crate::governance::Setting;
use crate::registry::{KeyRecord, LookupError};
use crate::sorted::SortedMap;
use crate::timers::Timer;
use crate::{Crypto, Event, Node, NodeId, NodeKey, RequestId};

/// Most keys we talk with at once.
const MAX_TALKS: usize = 64;
/// Most loops under way.
pub(super) const MAX_LOOPS: usize = 32;
/// Guards and doors.
pub(super) const GUARDS: usize = 3;
/// Paths at once.
pub(super) const PATHS: usize = 2;
/// Relays of a path where nobody says otherwise.
pub const USUAL_RELAYS: u8 = 3;
/// Circuits that lead through a browser, and through a bridge.
const CIRCUITS_IN_BROWSER: usize = 2_048;
const CIRCUITS_IN_BRIDGE: usize = 65_536;
/// How long a loop may take.
pub(super) const LOOP_MS: u64 = 4_000;
/// Time between two looks while something is under way, and after which a guard is tried again.
const LOOK_MS: u64 = 1_000;
pub(super) const TRY_AGAIN_MS: u64 = 60_000;
/// Proven relays beyond which no more are looked for.
pub(super) const ENOUGH: usize = 12;
/// How soon what came is acknowledged: the copy over the other path may come meanwhile.
pub(super) const ACK_MS: u64 = 40;
/// Names of messages that are remembered; a message sent again after so many others came is a new one.
const MAX_TAKEN: usize = 1_024;
/// How long a cell of ours may still be on its way to a hop after it went out.
const MADE_MS: u64 = 60_000;
/// Most legs of circuits remembered for that: of all talks' paths twice over.
const MAX_MADE: usize = 2 * MAX_TALKS * PATHS * (MAX_RELAYS + 1);
/// How long after a look-up of a key we write to the next one begins, if it is still not reached.
pub(super) const LOOK_UP_AGAIN_MS: u64 = 3_000;
/// What a bridge's rank is less than a browser's.
pub(super) const SPARE_BRIDGES: u16 = 300;

/// A message to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outbound {
    /// To whom.
    pub to: NodeKey,
    /// Its name, drawn by chance: what is sent again under its name, by this node or one that goes on in
    /// its place, comes once.
    pub name: u64,
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
    /// With the sender its name.
    pub name: u64,
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

/// Everything of private messages that a node keeps.
pub(crate) struct Post {
    pub(super) active: bool,
    pub(super) relays: Relays,
    pub(super) ranks: Ranks,
    pub(super) guards: Vec<NodeId>,
    pub(super) doors: Vec<NodeId>,
    pub(super) talks: SortedMap<NodeKey, Talk>,
    pub(super) loops: SortedMap<u64, Loop>,
    /// Names of messages that came, oldest first.
    taken: VecDeque<(NodeKey, u64)>,
    /// Our circuits' numbers on each leg, and when a cell of them went out last.
    pub(super) made: SortedMap<CircuitId, UnixMillis>,
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
            taken: VecDeque::new(),
            made: SortedMap::new(),
            held: Held::default(),
            looked: UnixMillis(0),
            last_session: 0,
            #[cfg(any(test, feature = "adversary", feature = "bridge"))]
            glimpses: None,
        }
    }
}

impl Post {
    /// Notes the name of a message that came; false if one of this name came before.
    pub(super) fn take_name(&mut self, from: NodeKey, name: u64) -> bool {
        let named = (from, name);
        if self.taken.contains(&named) {
            return false;
        }
        if self.taken.len() >= MAX_TAKEN {
            self.taken.pop_front();
        }
        self.taken.push_back(named);
        true
    }

    /// Notes that a cell of a circuit of ours goes out now.
    pub(super) fn note_made(&mut self, now: UnixMillis, circuit: &Circuit) {
        self.made.retain(|_, at| now.since(*at) < MADE_MS);
        for leg in circuit.legs() {
            if self.made.len() < MAX_MADE || self.made.contains_key(&leg) {
                self.made.insert(leg, now);
            }
        }
    }

    /// Who sends over a circuit that ends here.
    pub(super) fn sender_over(&self, circuit: u64) -> Option<NodeKey> {
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
    #[cfg_attr(target_family = "wasm", inline(never))]
    pub(crate) fn on_send(&mut self, request: RequestId, message: Outbound) {
        if let Err(error) = self.enter(request, message) {
            self.failed(request, error);
        }
    }

    pub(super) fn failed(&mut self, request: RequestId, error: SendFailure) {
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
        talk.add(request, message.name, &message.body, until);
        self.post.active = true;
        self.post_soon();
        Ok(())
    }

    /// The talk with a key, a new one if need be; `None` if all that there may be are busy.
    pub(super) fn talk_with(&mut self, key: NodeKey) -> Option<&mut Talk> {
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
        let burst = self.setting(Setting::MessageBurst);
        let talk = self.post.talks.get_mut(&key)?;
        talk.burst = burst;
        Some(talk)
    }

    /// A look-up has ended.
    #[cfg_attr(target_family = "wasm", inline(never))]
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
    #[cfg_attr(target_family = "wasm", inline(never))]
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
}
