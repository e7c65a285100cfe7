//! Nodes that begin where others come to by protocol: with links, neighbours and coordinates.
//!
//! Worlds of many thousands of nodes would spend most of their time on everyone's joining. Here a
//! simulation sets up what a node that has run for an hour would have; everything that happens
//! afterwards goes by protocol. Exists in tests and with the feature `adversary` only.

use nano_core::UnixMillis;

use crate::link::datagram::whole_message;
use crate::routing::contact::{Placed, Who};
use crate::routing::known::Unreached;
use crate::routing::membership::LOOK_UP_MS;
use crate::routing::table::Peer;
use crate::timers::Timer;
use crate::wire::Message;
use crate::{Class, Crypto, LinkId, LinkOrigin, Node, Transport};

impl<C: Crypto> Node<C> {
    /// Browser or bridge.
    #[must_use]
    pub const fn role(&self) -> crate::Role {
        self.config.role
    }

    /// How it introduces itself.
    #[must_use]
    pub fn contact(&self) -> Who {
        C::contact(self.record.clone())
    }

    /// A link to `who` stands; `end` is up.
    pub fn settle_link(
        &mut self,
        link: LinkId,
        end: C::Link,
        origin: LinkOrigin,
        transport: Transport,
        who: Who,
    ) {
        self.table
            .open(link, Peer::new(end, origin, transport, self.now));
        self.table.up(link, who, false, self.now);
        self.was_linked = true;
        self.looked_around = true;
    }

    /// Finds where it lies among round trips, from what its peers have said.
    pub fn settle_place(&mut self) {
        self.place_ourselves();
    }

    /// The peer behind `link` has said where it is and how many links it has.
    pub fn settle_peer(&mut self, link: LinkId, other: &Self) {
        let links = other.browser_links();
        if let Some(peer) = self.table.get_mut(link) {
            peer.at = other.at;
            peer.links = links;
        }
    }

    /// `other` was named over `link`; `lists`: by one who is linked with it.
    pub fn settle_known(&mut self, link: Option<LinkId>, lists: bool, who: Who, other: &Self) {
        let named = vec![Placed { who, at: other.at }];
        self.known.learn(self.now, &self.at, link, lists, named);
    }

    /// It has often tried to connect to `who`, and could not.
    pub fn settle_unreachable(&mut self, who: &Who) {
        let longest = Unreached::NO_WAY.longest();
        let most = u32::try_from(longest).unwrap_or(u32::MAX);
        let ago = u64::from(self.rng.below(most));
        self.known
            .settle_unreachable(who.id, self.now.plus(ago), longest);
    }

    /// The rest is as after an hour; what is done now and then is due at any time from now on.
    pub fn settle(&mut self) {
        let mut within = |most: u64| {
            let most = u32::try_from(most).unwrap_or(u32::MAX);
            UnixMillis(self.now.0 + u64::from(self.rng.below(most)))
        };
        let (looked, replicated, looked_after) =
            (within(LOOK_UP_MS), within(60_000), within(30_000));
        self.look_next = looked;
        self.look_wait = LOOK_UP_MS;
        self.timers.set(Timer::Membership, looked_after.min(looked));
        self.timers.set(Timer::Replication, replicated);
        self.look_at_reach();
        self.settle_telling();
        self.choose_announcers();
    }
}

/// What kind of message a datagram of a link that is not encrypted carries.
#[must_use]
pub fn kind_of_datagram(datagram: &[u8]) -> &'static str {
    match whole_message(datagram) {
        None => "ack",
        Some(None) => "part",
        Some(Some(message)) => kind_of(Class::Query, message),
    }
}

/// What kind of message the bytes are that a link carried in `class`.
#[must_use]
pub fn kind_of(class: Class, bytes: &[u8]) -> &'static str {
    Message::decode(class, bytes).map_or("malformed", |message| message.name())
}
