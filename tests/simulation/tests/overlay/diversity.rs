//! Nobody fills a node's links, or all places of a record, from one network of addresses.

use std::net::{IpAddr, Ipv4Addr};

use nanonet::{AccountKey, Role};
use simulation::world::{Place, Rules};

use crate::World;

const BROWSERS: u8 = 40;
/// An eighth of all links, but no fewer than two.
const ALIKE: usize = 2;
/// Links to the nearest nodes, which are exempt.
const NEAR: usize = 6;

fn home(number: u8) -> IpAddr {
    Ipv4Addr::new(198, 51, number, 7).into()
}

fn farm(number: u8) -> IpAddr {
    Ipv4Addr::new(203, 0, 113, number).into()
}

/// Forty browsers, of which `farmed` share one network; where `known` is false no bridge sees addresses.
fn mesh(seed: u64, farmed: impl Fn(u8) -> bool, known: bool) -> (World, Vec<Place>) {
    let rules = Rules {
        max_links: 16,
        replicas: 3,
        ..Rules::default()
    };
    let mut world = World::with(seed, rules);
    world.add(Role::Bridge);
    let mut farm_places = Vec::new();
    for number in 0..BROWSERS {
        let browser = world.add(Role::Browser);
        if farmed(number) {
            farm_places.push(browser);
        }
        if known {
            let address = if farmed(number) {
                farm(number)
            } else {
                home(number)
            };
            world.addresses.insert(browser, address);
        }
        world.dial(browser, 0);
        world.run(150);
    }
    world.run(60_000);
    (world, farm_places)
}

/// The most links to the farm that a node outside of it has beside those to its nearest nodes.
fn most_farmed(world: &World, farm: &[Place]) -> usize {
    let farmed = |place: Place| {
        let us = world.id(place).point();
        let mut others = world.browsers();
        others.retain(|other| *other != place);
        others.sort_by_key(|other| us.distance(&world.id(*other).point()));
        let near: Vec<_> = others
            .iter()
            .take(NEAR)
            .map(|place| world.id(*place))
            .collect();
        let links = world.status(place).links.into_iter();
        let farmed = links.filter(|link| {
            let of_farm = farm.iter().any(|place| world.id(*place) == link.peer);
            of_farm && !near.contains(&link.peer)
        });
        farmed.count()
    };
    let honest = world
        .browsers()
        .into_iter()
        .filter(|place| !farm.contains(place));
    honest.map(farmed).max().unwrap()
}

#[test]
fn a_network_of_addresses_gets_few_of_a_nodes_long_links() {
    let half = |number: u8| number.is_multiple_of(2);
    let (world, farm) = mesh(500, half, true);
    let most = most_farmed(&world, &farm);
    assert!(most <= ALIKE, "{most} links to one network");
    for place in world
        .browsers()
        .into_iter()
        .filter(|place| !farm.contains(place))
    {
        let links = world.status(place).links.len();
        assert!(
            links > NEAR,
            "{place} has enough links all the same: {links}"
        );
    }
    let (world, farm) = mesh(500, half, false);
    assert!(
        most_farmed(&world, &farm) > 2 * ALIKE,
        "where nobody tells groups there is no limit"
    );
}

#[test]
fn a_record_whose_nearest_nodes_are_one_network_is_held_outside_as_well() {
    // Who lies nearest to which account is known before anybody has an address.
    let (plain, _) = mesh(501, |_| false, false);
    let account = nanonet::testing::account_key(9).account();
    let point = AccountKey::new(&account).point();
    let mut places = plain.browsers();
    places.sort_by_key(|place| point.distance(&plain.id(*place).point()));
    let nearest: Vec<Place> = places.into_iter().take(3).collect();
    let farmed = |number: u8| nearest.contains(&(usize::from(number) + 1));
    let (mut world, farm) = mesh(501, farmed, true);
    assert_eq!(farm.len(), 3);
    assert_eq!(world.confirmed_account(9), account);
    world.run(30_000);
    let outside = world
        .holders(&account)
        .into_iter()
        .filter(|place| !farm.contains(place));
    assert!(outside.count() >= 3);
}
