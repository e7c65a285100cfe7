//! After the faults there is one network, and everyone in it knows the same.
//!
//! - Honest nodes and anchors, with the links among them, are connected.
//! - Of the browsers nearest to each key, three quarters hold its newest frontier, and at most a
//!   sixth an older one: at the edge two nodes may differ in who is among the nearest. A browser whose router lets it have no link to another browser
//!   is known to bridges only, and so to none of these.

use std::collections::{BTreeMap, BTreeSet};

use nano_core::Account;
use nanonet::{AccountKey, Crypto, NodeId, Role};

use super::Violations;
use crate::world::{Place, World};

/// The checker's name.
pub const NAME: &str = "convergence";

/// Places in the largest connected part of the honest nodes, and honest nodes in all.
#[must_use]
pub fn largest_part<C: Crypto>(world: &World<C>, honest: &[Place]) -> (usize, usize) {
    let ids: BTreeMap<NodeId, Place> = honest.iter().map(|at| (world.id(*at), *at)).collect();
    let mut left: BTreeSet<Place> = honest.iter().copied().collect();
    let mut largest = 0;
    while let Some(first) = left.pop_first() {
        let mut part = 1;
        let mut edge = vec![first];
        while let Some(place) = edge.pop() {
            for link in world.status(place).links {
                if let Some(other) = ids.get(&link.peer)
                    && left.remove(other)
                {
                    part += 1;
                    edge.push(*other);
                }
            }
        }
        largest = largest.max(part);
    }
    (largest, honest.len())
}

/// Whether a node has a link to a browser.
#[must_use]
pub fn has_browser_link<C: Crypto>(world: &World<C>, place: Place) -> bool {
    let links = world.status(place).links;
    links.iter().any(|link| link.role == Role::Browser)
}

/// Honest browsers nearest to an account's key.
#[must_use]
pub fn nearest<C: Crypto>(
    world: &World<C>,
    honest: &[Place],
    account: &Account,
    count: usize,
) -> Vec<Place> {
    let point = AccountKey::new(account).point();
    let mut places: Vec<Place> = honest.to_vec();
    places.sort_by_key(|place| point.distance(&world.id(*place).point()));
    places.truncate(count);
    places
}

/// Looks, when everything should be well again.
pub fn look<C: Crypto>(
    world: &World<C>,
    honest: &[Place],
    anchors: &[Place],
    accounts: &[Account],
    replicas: usize,
    broken: &mut Violations,
) {
    let (largest, all) = largest_part(world, &[honest, anchors].concat());
    if largest < all {
        broken.add(world.now, NAME, || {
            format!(
                "{} of {all} honest nodes are not connected with the others",
                all - largest
            )
        });
    }
    for account in accounts {
        let newest = world.ledger.chain(account).blocks().last();
        let newest = newest.map(nano_core::StateBlock::hash);
        let mut near = nearest(world, honest, account, replicas);
        near.retain(|place| has_browser_link(world, *place));
        let held: Vec<_> = near
            .iter()
            .map(|place| world.node(*place).held(account))
            .collect();
        let right = held.iter().filter(|held| **held == newest).count();
        let old: Vec<Place> = near
            .iter()
            .zip(&held)
            .filter(|(_, held)| held.is_some() && **held != newest)
            .map(|(place, _)| *place)
            .collect();
        if right * 4 < near.len() * 3 || old.len() * 6 > near.len() {
            broken.add(world.now, NAME, || {
                let nearest = near.len();
                format!(
                    "of the {nearest} nearest to {account} {right} hold what is newest, and {old:?} what was"
                )
            });
        }
    }
}
