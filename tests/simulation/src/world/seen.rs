//! What tests look at.

use std::collections::BTreeSet;

use nano_core::{Account, BlockHash};
use nanonet::Crypto;
use nanonet::gossip::GossipFigures;
use nanonet::{CloseReason, Event, Node, NodeId, PublishState, Rng, Role, Status, StoreKey};

use super::{ANCHORS, Place, World};

impl<C: Crypto> World<C> {
    /// The node at a place.
    pub fn node(&self, place: Place) -> &Node<C> {
        self.members[place].node.as_ref().unwrap()
    }

    /// The node at a place, to change how it behaves.
    pub fn node_mut(&mut self, place: Place) -> &mut Node<C> {
        self.members[place].node.as_mut().unwrap()
    }

    /// Its status.
    pub fn status(&self, place: Place) -> Status {
        self.node(place).status()
    }

    /// Its id.
    pub fn id(&self, place: Place) -> NodeId {
        self.node(place).id()
    }

    /// The place of a node.
    pub fn place_of(&self, id: NodeId) -> Option<Place> {
        (0..self.members.len()).find(|place| self.runs(*place) && self.id(*place) == id)
    }

    /// Whether a node runs.
    pub fn runs(&self, place: Place) -> bool {
        self.members[place].node.is_some()
    }

    /// Browsers that run.
    pub fn browsers(&self) -> Vec<Place> {
        (0..self.members.len())
            .filter(|place| self.runs(*place) && self.members[*place].role == Role::Browser)
            .collect()
    }

    /// A browser that runs, chosen by chance.
    ///
    /// # Panics
    /// If none runs.
    pub fn any_browser(&self, rng: &mut Rng) -> Place {
        let most = u32::try_from(self.members.len()).unwrap_or(u32::MAX);
        loop {
            let place = rng.below(most) as usize;
            if self.is_browser(place) && self.runs(place) {
                return place;
            }
        }
    }

    /// Places of bridges.
    pub fn bridges(&self) -> &[Place] {
        &self.bridges
    }

    /// The bridges whose word counts with everybody: what others put is refused.
    #[must_use]
    pub fn vouchers(&self) -> &[Place] {
        &self.bridges[..self.bridges.len().min(ANCHORS)]
    }

    /// Accounts that a node has in storage.
    pub fn stored_accounts(&self, place: Place) -> BTreeSet<Account> {
        let keys = self.members[place].store.values().map(|entry| entry.key);
        keys.filter_map(|key| match key {
            StoreKey::Account(account) => Some(account),
            _ => None,
        })
        .collect()
    }

    /// Own blocks that a node has in storage.
    pub fn stored_pending(&self, place: Place) -> Vec<BlockHash> {
        let keys = self.members[place].store.values().map(|entry| entry.key);
        keys.filter_map(|key| match key {
            StoreKey::Pending(hash) => Some(hash),
            _ => None,
        })
        .collect()
    }

    /// Browsers that hold an account.
    pub fn holders(&self, account: &Account) -> Vec<Place> {
        let mut places = self.browsers();
        places.retain(|place| self.stored_accounts(*place).contains(account));
        places
    }

    /// What a node told its shell.
    pub fn events(&self, place: Place) -> impl Iterator<Item = &Event> {
        self.members[place].events.iter().map(|(_, event)| event)
    }

    /// What was told about a published block.
    pub fn publish_states(&self, place: Place, of: BlockHash) -> Vec<PublishState> {
        self.events(place)
            .filter_map(|event| match event {
                Event::Publish { hash, state, .. } if *hash == of => Some(*state),
                _ => None,
            })
            .collect()
    }

    /// Whether a node is, or was, a browser.
    pub fn is_browser(&self, place: Place) -> bool {
        self.members[place].role == Role::Browser
    }

    /// How many nodes there ever were.
    pub fn places(&self) -> usize {
        self.members.len()
    }

    /// What all nodes have counted of gossip, those included that are gone.
    pub fn gossip(&self) -> GossipFigures {
        let mut all = self.gossip_gone;
        for member in &self.members {
            if let Some(node) = &member.node {
                all.add(&node.gossip());
            }
        }
        all
    }

    /// Bytes that all nodes have sent to keep replicas, those included that are gone.
    pub fn repair_bytes(&self) -> u64 {
        let nodes = self
            .members
            .iter()
            .filter_map(|member| member.node.as_ref());
        self.repair_gone + nodes.map(|node| node.repair_bytes()).sum::<u64>()
    }

    /// How often a node dropped peers for a reason.
    pub fn drops(&self, place: Place, reason: CloseReason) -> u64 {
        let dropped = self.status(place).dropped.into_iter();
        let of_reason = dropped.filter(|(code, _)| *code == reason.code());
        of_reason.map(|(_, count)| count).sum()
    }

    /// A number over everything that was delivered, in order.
    pub fn trace(&self) -> u64 {
        self.trace.number()
    }
}
