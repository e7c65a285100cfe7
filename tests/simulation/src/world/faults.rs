//! What is broken or hostile outside of nodes: split networks, bridges whose full nodes are gone,
//! and bridges that misuse what they are handed. And what nodes tell their shells of it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use nano_core::{Account, Block, WorkNonce};
use nanonet::gossip::News;
use nanonet::{
    AccountRecord, Crypto, Event, Identity, NodeKey, RelayId, Role, join_period, join_root,
};

use super::{Answered, Place, World};

/// Everything that is wrong.
#[derive(Default)]
pub struct Faults {
    /// While the network is split: the side of each place, in order; whoever came later is on the
    /// first one's.
    pub sides: Vec<bool>,
    /// Messages that a split has swallowed.
    pub swallowed: u64,
    /// Bridges whose full nodes lie on the small side of a split: nothing is confirmed there.
    pub stranded: BTreeSet<Place>,
    /// Bridges that state, with today's date, what was the frontier of an account at first.
    pub replaying: BTreeSet<Place>,
    /// Bridges that say a block was accepted, and do nothing with it.
    pub sinks: BTreeSet<Place>,
    /// Bridges that are nobody's anchors.
    pub strangers: BTreeSet<NodeKey>,
    /// Whether what nodes tell their shells is kept in `told`.
    pub listening: bool,
    /// What nodes told their shells of their own blocks, of alarms, splits, crowds and weights.
    pub told: Vec<Answered>,
    /// Links to browsers that came up, by place.
    pub links_made: BTreeMap<Place, u32>,
    /// Blocks that stranded bridges have accepted.
    held_back: Vec<(Place, RelayId, Block)>,
}

impl Faults {
    /// Whether nothing gets from one to the other.
    pub(super) fn severed(&self, a: Place, b: Place) -> bool {
        let side = |place| self.sides.get(place).or(self.sides.first());
        side(a) != side(b)
    }

    /// A node told its shell something.
    pub(super) fn hear(&mut self, told: &Answered) {
        if !self.listening {
            return;
        }
        match &told.event {
            Event::LinkUp { role, .. } if *role == Role::Browser => {
                *self.links_made.entry(told.place).or_default() += 1;
            }
            Event::Publish { .. }
            | Event::Conflict { .. }
            | Event::Split { .. }
            | Event::Crowded { .. }
            | Event::PeerDropped { .. }
            | Event::BridgesDiffer { .. } => self.told.push(told.clone()),
            Event::News { news, .. } if matches!(**news, News::Weights(_)) => {
                self.told.push(told.clone());
            }
            _ => {}
        }
    }

    pub(super) fn hold_back(&mut self, place: Place, request: RelayId, block: Block) {
        self.held_back.push((place, request, block));
    }
}

/// An address in a network of its own.
pub(super) fn own_address(place: Place) -> IpAddr {
    let [low, high, ..] = place.to_le_bytes();
    Ipv4Addr::new(60 + high, low, 7, 7).into()
}

impl<C: Crypto> World<C> {
    /// Who a node is, to sign in its name.
    pub fn identity(&self, place: Place) -> Identity {
        Identity::from_bytes(&self.members[place].identity).unwrap()
    }

    /// Whether an identity has its join work.
    pub fn has_paid(&self, identity: &Identity) -> bool {
        let key = identity.node_key();
        let root = join_root(&key, join_period(&key, self.now));
        WorkNonce::new(identity.nonce()).difficulty(&root) >= self.rules.join_threshold
    }

    /// Adds a node under one key whose nonce is `wanted`.
    pub fn add_with(&mut self, role: Role, wanted: impl Fn(&Self, &Identity) -> bool) -> Place {
        let place = self.place_with(role, wanted);
        self.begin(place)
    }

    /// A place for a node that has long been there, and so has long paid.
    pub(super) fn paid_place(&mut self, role: Role) -> Place {
        self.place_with(role, Self::has_paid)
    }

    fn place_with(&mut self, role: Role, wanted: impl Fn(&Self, &Identity) -> bool) -> Place {
        let mut rng = self.chance_of(self.places());
        let mut identity = Identity::generate(&mut rng);
        while !wanted(self, &identity) {
            identity = identity.moved(rng.next_u64());
        }
        self.place_as(role, identity, rng)
    }

    /// What bridges that replay say of an account, all of them.
    pub fn replayed(&self, account: &Account) -> Option<AccountRecord> {
        let liars = self.faults.replaying.iter();
        let liars: Vec<Identity> = liars.map(|place| self.identity(*place)).collect();
        self.ledger.replay(&liars, self.now, account)
    }

    /// Splits the network; transports notice it after [`Rules::notice_ms`](super::Rules::notice_ms), as
    /// data channels do whose other end no longer consents.
    pub fn split(&mut self, sides: Vec<bool>) {
        self.faults.sides = sides;
        let at = self.now.plus(self.rules.notice_ms);
        for place in 0..self.places() {
            for link in self.members[place].links.clone() {
                let to = self.pipes.get(link).map(|pipe| pipe.to);
                if to.is_some_and(|to| self.faults.severed(place, to)) {
                    self.break_pipe(place, link, at);
                }
            }
        }
    }

    /// Bridges whose full nodes were cut off reach the others again, and publish what they accepted.
    pub fn rejoin_full_nodes(&mut self) {
        self.faults.stranded.clear();
        for (place, request, block) in std::mem::take(&mut self.faults.held_back) {
            self.relay(place, request, block);
        }
    }
}
