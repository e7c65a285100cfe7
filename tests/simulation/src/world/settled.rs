//! A world that begins as it would be after an hour: everybody linked as the rules of the overlay want
//! it, without the messages it takes to get there.
//!
//! Who is linked with whom: each browser with the nearest it can connect to, and in every further bucket
//! with the quickest of a few; with two bridges; and bridges with each other. Each knows the browsers
//! nearest to it, as their common neighbours would have told. Coordinates come from the round trips of
//! these links.

use nanonet::{Crypto, LinkId, LinkOrigin, NodeId, Rng, Role, SessionId, Transport, Who};

use super::{Place, World, seed_of};

/// Links to the nearest.
const NEAR: usize = 6;
/// Nearest browsers that are known.
const NEAR_KNOWN: usize = 24;
/// Browsers of a bucket among which the quickest is chosen.
const QUICKEST_OF: usize = 12;
/// Browsers of a bucket that are known besides.
const KNOWN_OF_BUCKET: usize = 3;
/// Links to browsers that each node asks for.
const OWN_LINKS: usize = 15;
/// Bridges a browser is linked with.
const BRIDGES: usize = 2;
/// How often all nodes have found their place among round trips.
const MEASURED: usize = 6;

/// Cryptography whose links can begin as they are after the handshake.
pub trait Settles: Crypto {
    /// An end that is up, with a round trip of so many milliseconds.
    fn settled(round_trip: u32, unordered: bool) -> Self::Link;
}

/// Browsers in order of their ids.
struct Sorted(Vec<(NodeId, Place)>);

impl Sorted {
    /// The range of those who share at least `bits` bits with `id`.
    fn within(&self, id: &NodeId, bits: u16) -> std::ops::Range<usize> {
        let point = id.point();
        let shares = |other: &NodeId| point.distance(&other.point()).shared_bits() >= bits;
        let start = self
            .0
            .partition_point(|(other, _)| other < id && !shares(other));
        let count = self.0[start..].partition_point(|(other, _)| shares(other));
        start..start + count
    }

    /// Those nearest to `id`, nearest first, itself left out; `count` or a few more.
    fn nearest(&self, id: &NodeId, count: usize) -> Vec<Place> {
        let mut bits = 0;
        while self.within(id, bits + 1).len() > count {
            bits += 1;
        }
        let mut near: Vec<_> = self.0[self.within(id, bits)]
            .iter()
            .map(|(other, place)| (id.point().distance(&other.point()), *place))
            .collect();
        near.sort_unstable();
        near.into_iter().skip(1).map(|(_, place)| place).collect()
    }

    /// Those who share exactly `bits` bits.
    fn bucket(&self, id: &NodeId, bits: u16) -> Vec<std::ops::Range<usize>> {
        let (all, inner) = (self.within(id, bits), self.within(id, bits + 1));
        vec![all.start..inner.start, inner.end..all.end]
    }

    /// A few of a bucket.
    fn some_of(&self, id: &NodeId, bits: u16, count: usize, rng: &mut Rng) -> Vec<Place> {
        let ranges = self.bucket(id, bits);
        let all: usize = ranges.iter().map(ExactSizeIterator::len).sum();
        let at = |number: usize| {
            let first = ranges[0].len();
            let range = &ranges[usize::from(number >= first)];
            self.0[range.start
                + if number < first {
                    number
                } else {
                    number - first
                }]
            .1
        };
        if all <= count {
            return (0..all).map(at).collect();
        }
        let below = u32::try_from(all).unwrap_or(u32::MAX);
        (0..count).map(|_| at(rng.below(below) as usize)).collect()
    }
}

impl<C: Settles> World<C> {
    /// Adds `bridges` bridges and `browsers` browsers that have long been linked.
    pub fn settle(&mut self, bridges: usize, browsers: usize) {
        for _ in 0..bridges {
            self.paid_place(Role::Bridge);
        }
        let first = self.members.len();
        for _ in 0..browsers {
            self.paid_place(Role::Browser);
        }
        let everybody = first - bridges..self.members.len();
        for place in everybody.clone() {
            self.build_node(place);
        }
        let contacts: Vec<Who> = everybody
            .clone()
            .map(|place| self.node(place).contact())
            .collect();
        let rng = Rng::from_seed(seed_of(self.seed, Place::MAX, 2));
        let mut settling = Settling {
            world: self,
            first: everybody.start,
            contacts,
            rng,
        };
        settling.link_bridges(bridges);
        settling.link_browsers(bridges);
        settling.measure();
        for place in everybody {
            self.node_mut(place).settle();
            self.wake_first(place);
        }
    }
}

struct Settling<'a, C: Settles> {
    world: &'a mut World<C>,
    first: Place,
    contacts: Vec<Who>,
    rng: Rng,
}

impl<C: Settles> Settling<'_, C> {
    fn link_bridges(&mut self, bridges: usize) {
        for a in self.first..self.first + bridges {
            for b in self.first..a {
                self.link(a, b, Transport::Tcp);
            }
        }
    }

    fn link_browsers(&mut self, bridges: usize) {
        let start = self.first + bridges;
        let ids = (start..self.world.members.len()).map(|place| (self.world.id(place), place));
        let mut sorted = Sorted(ids.collect());
        sorted.0.sort_unstable();
        let most = usize::from(self.world.rules.max_links) - BRIDGES;
        for place in start..self.world.members.len() {
            for number in 0..BRIDGES.min(bridges) {
                let bridge = self.first + (place + number * 7) % bridges;
                self.link(place, bridge, Transport::WebSocket);
            }
        }
        for place in start..self.world.members.len() {
            let id = self.world.id(place);
            let nearest = sorted.nearest(&id, NEAR_KNOWN + NEAR);
            let mut near = 0;
            for other in nearest {
                near += usize::from(self.try_link(place, other, most));
                if near == NEAR {
                    break;
                }
            }
        }
        // Bucket by bucket, so that the far ones of all are not taken by the first nodes.
        for bits in 0..64 {
            for place in start..self.world.members.len() {
                let id = self.world.id(place);
                if sorted.within(&id, bits).len() <= NEAR_KNOWN {
                    continue;
                }
                let mut some = sorted.some_of(&id, bits, QUICKEST_OF, &mut self.rng);
                some.sort_by_key(|other| self.world.latency(place, *other));
                for other in some {
                    if self.browsers_of(place) < OWN_LINKS + NEAR
                        && self.try_link(place, other, most)
                    {
                        break;
                    }
                }
            }
        }
        self.know(&sorted, start);
    }

    /// How many browsers a browser is linked with.
    fn browsers_of(&self, place: Place) -> usize {
        self.world.members[place].links.len() - BRIDGES
    }

    /// Links two browsers if they can connect, have places left and are not linked yet; whether they
    /// are linked now.
    fn try_link(&mut self, a: Place, b: Place, most: usize) -> bool {
        if a == b {
            return false;
        }
        if self.link_between(a, b).is_some() {
            return true;
        }
        let room = self.browsers_of(a) < most && self.browsers_of(b) < most;
        if !room || !self.world.connects(a, b) {
            return false;
        }
        self.link(a, b, Transport::DataChannel);
        true
    }

    fn link_between(&self, a: Place, b: Place) -> Option<LinkId> {
        let links = self.world.members[a].links.iter().copied();
        links
            .into_iter()
            .find(|link| self.world.pipes.get(*link).is_some_and(|pipe| pipe.to == b))
    }

    fn link(&mut self, a: Place, b: Place, transport: Transport) {
        let round_trip = u32::try_from(self.world.latency(a, b) * 2).unwrap_or(u32::MAX);
        let (a_link, b_link) = self.world.pipe(a, b, None, None);
        let origin = |offerer| match transport {
            Transport::DataChannel => LinkOrigin::Signaled {
                session: SessionId(0),
                offerer,
            },
            _ if offerer => LinkOrigin::Dialled,
            _ => LinkOrigin::Accepted,
        };
        let unordered = transport == Transport::DataChannel && self.world.rules.unordered;
        for (us, link, them, offerer) in [(a, a_link, b, true), (b, b_link, a, false)] {
            let who = self.contacts[them - self.first].clone();
            let end = C::settled(round_trip, unordered);
            let node = self.world.node_mut(us);
            node.settle_link(link, end, origin(offerer), transport, who);
        }
    }

    /// Calls `visit` for every link of everybody: whose it is, the link, the other end.
    fn each_link(&mut self, mut visit: impl FnMut(&mut Self, Place, LinkId, Place)) {
        for place in self.first..self.world.members.len() {
            for link in self.world.members[place].links.clone() {
                if let Some(to) = self.world.pipes.get(link).map(|pipe| pipe.to) {
                    visit(self, place, link, to);
                }
            }
        }
    }

    fn measure(&mut self) {
        for _ in 0..MEASURED {
            for place in self.first..self.world.members.len() {
                self.world.node_mut(place).settle_place();
            }
            self.tell();
        }
    }

    /// Everybody has heard where the others are.
    fn tell(&mut self) {
        self.each_link(|settling, place, link, other| {
            settling.with(place, |node, world| {
                node.settle_peer(link, world.node(other))
            });
        });
    }

    /// Everybody knows its nearest, and a few of each further bucket.
    fn know(&mut self, sorted: &Sorted, start: Place) {
        for place in start..self.world.members.len() {
            let id = self.world.id(place);
            for other in sorted.nearest(&id, NEAR_KNOWN).into_iter().take(NEAR_KNOWN) {
                let listing: Vec<LinkId> = self.world.members[place]
                    .links
                    .iter()
                    .copied()
                    .filter(|link| {
                        let pipe = self.world.pipes.get(*link);
                        pipe.is_some_and(|pipe| self.link_between(pipe.to, other).is_some())
                    })
                    .collect();
                self.name(place, None, other);
                for link in listing {
                    self.name(place, Some(link), other);
                }
            }
            for bits in 0..64 {
                if sorted.within(&id, bits).len() <= NEAR_KNOWN {
                    break;
                }
                for other in sorted.some_of(&id, bits, KNOWN_OF_BUCKET, &mut self.rng) {
                    self.name(place, None, other);
                }
            }
        }
    }

    fn name(&mut self, place: Place, by: Option<LinkId>, other: Place) {
        let who = self.contacts[other - self.first].clone();
        let unreachable = !self.world.connects(place, other);
        self.with(place, |node, world| {
            if unreachable {
                node.settle_unreachable(&who);
            }
            node.settle_known(by, by.is_some(), who, world.node(other));
        });
    }

    fn with(&mut self, place: Place, change: impl FnOnce(&mut nanonet::Node<C>, &World<C>)) {
        if let Some(mut node) = self.world.members[place].node.take() {
            change(&mut node, self.world);
            self.world.members[place].node = Some(node);
        }
    }
}
