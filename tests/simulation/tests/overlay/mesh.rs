//! Nodes find each other through one bridge, and no longer need it afterwards.

use std::collections::BTreeSet;

use nanonet::{NodeState, Role};

use simulation::world::Place;

use crate::World;

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

#[test]
fn a_link_that_breaks_is_replaced() {
    let mut world = World::meshed(11, 12);
    let browser = world.browsers()[4];
    let peers: Vec<Place> = world
        .status(browser)
        .links
        .iter()
        .filter(|link| link.role == Role::Browser)
        .map(|link| world.place_of(link.peer).unwrap())
        .collect();
    for peer in &peers {
        world.cut(browser, *peer);
    }
    world.run(15_000);
    let links = world.status(browser).links;
    let browsers = links.iter().filter(|link| link.role == Role::Browser);
    assert!(browsers.count() >= 2);
}

#[test]
fn nodes_that_know_no_better_links_say_they_are_meshed() {
    let world = World::meshed(12, 8);
    for place in world.browsers() {
        assert_eq!(world.status(place).state, NodeState::Meshed);
    }
}

#[test]
fn two_bridges_make_one_nanonet() {
    let mut world = World::new(13);
    let first = world.add(Role::Bridge);
    let second = world.add(Role::Bridge);
    world.dial(second, first);
    for number in 0..10 {
        let browser = world.add(Role::Browser);
        world.dial(browser, if number % 2 == 0 { first } else { second });
        world.run(150);
    }
    world.run(20_000);
    assert_eq!(reachable(&world).len(), 10);
}
