//! Nodes find each other through one bridge, and no longer need it afterwards.

use std::collections::BTreeSet;

use nanonet::Role;

use crate::harness::{Place, World};

/// Everyone reachable from the first browser over links between browsers.
fn reachable(world: &World) -> BTreeSet<Place> {
    let browsers = world.browsers();
    let mut found = BTreeSet::from([browsers[0]]);
    let mut open = vec![browsers[0]];
    while let Some(place) = open.pop() {
        for link in world.status(place).links {
            if link.role == Role::Browser
                && let Some(next) = world.place_of(link.peer)
                && found.insert(next)
            {
                open.push(next);
            }
        }
    }
    found
}

#[test]
fn thirty_browsers_mesh_through_one_bridge_within_their_places() {
    let world = World::meshed(1, 30);
    assert_eq!(
        reachable(&world).len(),
        30,
        "links between browsers connect everyone"
    );
    for place in world.browsers() {
        let links = world.status(place).links;
        let browsers = links
            .iter()
            .filter(|link| link.role == Role::Browser)
            .count();
        assert!(links.len() <= 6);
        assert!(
            (2..=5).contains(&browsers),
            "{place} has {browsers} browsers"
        );
        assert!(links.iter().any(|link| link.role == Role::Bridge));
    }
}
