//! Who introduces whom: a bridge those who know nobody, peers everyone else.

use std::collections::BTreeSet;

use nanonet::{Event, Input, LinkInfo, Role};
use simulation::world::{Place, Rules};

use crate::World;

/// The links to browsers that a node asked for, oldest first.
fn asked(world: &World, place: Place) -> Vec<LinkInfo> {
    let mut links = world.status(place).links;
    links.retain(|link| link.introducer.is_some_and(|by| by.asked));
    links.sort_by_key(|link| (link.since, link.link));
    links
}

/// Links that a bridge introduced their asker to although it had two or more: whose, and the how-manieth.
fn uncalled_for(world: &World) -> Vec<(Place, usize)> {
    let mut found = Vec::new();
    for place in world.browsers() {
        for (number, link) in asked(world, place).iter().enumerate() {
            let carriers = link.introducer.map(|by| by.carriers);
            if carriers == Some(Role::Bridge) && number >= 2 {
                found.push((place, number));
            }
        }
    }
    found
}

fn browser_links(world: &World, place: Place) -> usize {
    let links = world.status(place).links;
    links
        .iter()
        .filter(|link| link.role == Role::Browser)
        .count()
}

/// How many different browsers are reached from the first one over links between browsers.
fn reached(world: &World) -> usize {
    let first = world.browsers()[0];
    let mut found = BTreeSet::from([first]);
    let mut open = vec![first];
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
    found.len()
}

#[test]
fn after_the_first_two_links_peers_introduce() {
    for seed in 0..3 {
        let world = World::meshed(400 + seed, 30);
        assert_eq!(uncalled_for(&world), []);
        let all: Vec<_> = world
            .browsers()
            .into_iter()
            .flat_map(|place| asked(&world, place))
            .collect();
        let by_peers = all.iter().filter(|link| {
            let by = link.introducer.map(|by| by.carriers);
            by == Some(Role::Browser)
        });
        assert!(
            by_peers.count() * 3 >= all.len(),
            "many links are made by peers"
        );
    }
}

#[test]
fn both_ends_of_a_link_tell_alike_who_introduced_them() {
    let world = World::meshed(404, 16);
    let bridge = world.id(0);
    for place in world.browsers() {
        for link in world.status(place).links {
            if link.role == Role::Bridge {
                assert_eq!(link.introducer, None);
                continue;
            }
            let ours = link.introducer.unwrap();
            let other = world.place_of(link.peer).unwrap();
            let back = world.status(other).links;
            let back = back.iter().find(|back| back.peer == world.id(place));
            let theirs = back.unwrap().introducer.unwrap();
            assert_eq!(ours.carriers, theirs.carriers);
            assert_ne!(ours.asked, theirs.asked);
            if ours.carriers == Role::Browser {
                assert_ne!(ours.by, bridge);
            }
        }
    }
}

#[test]
fn without_a_bridge_lost_links_are_replaced_through_peers() {
    let mut world = World::meshed(405, 14);
    world.stop(0);
    world.run(1_000);
    let browser = world.browsers()[5];
    let before = asked(&world, browser);
    let mut peers = Vec::new();
    for link in world.status(browser).links {
        peers.extend(world.place_of(link.peer));
    }
    for peer in &peers[1..] {
        world.stop(*peer);
    }
    world.run(40_000);
    assert!(browser_links(&world, browser) >= 2);
    let new = asked(&world, browser)
        .into_iter()
        .filter(|link| before.iter().all(|old| old.link != link.link));
    for link in new {
        assert_eq!(link.introducer.unwrap().carriers, Role::Browser);
    }
}

#[test]
fn offers_that_cross_make_one_link() {
    for seed in 0..8 {
        let mut world = World::new(410 + seed);
        world.add(Role::Bridge);
        for _ in 0..2 {
            let browser = world.add(Role::Browser);
            world.dial(browser, 0);
        }
        world.run(5_000);
        assert_eq!(world.channels_made, 1);
        for place in world.browsers() {
            assert_eq!(browser_links(&world, place), 1);
        }
    }
}

#[test]
fn the_halves_of_a_torn_mesh_find_each_other_through_the_bridge() {
    let mut world = World::meshed(420, 16);
    let browsers = world.browsers();
    for a in &browsers {
        for b in &browsers {
            if a % 2 != b % 2 {
                world.cut(*a, *b);
            }
        }
    }
    let whole = |world: &World| reached(world) == 16;
    assert!(!whole(&world));
    assert!(world.run_until(120_000, whole), "one mesh again");
}

/// How often a node asked its shell for a bridge in the last `millis`, and how often urgently.
fn needs(world: &mut World, place: Place, millis: u64) -> (usize, usize) {
    let urgency = |world: &World| -> Vec<bool> {
        let events = world.events(place);
        let needs = events.filter_map(|event| match event {
            Event::NeedBridge { urgent } => Some(*urgent),
            _ => None,
        });
        needs.collect()
    };
    let before = urgency(world).len();
    world.run(millis);
    let new = urgency(world).split_off(before);
    (new.len(), new.iter().filter(|urgent| **urgent).count())
}

#[test]
fn a_meshed_node_asks_for_a_bridge_less_and_less_and_at_once_when_its_links_are_few() {
    let rules = Rules {
        redial: false,
        ..Rules::default()
    };
    let mut world = World::with(430, rules);
    world.add(Role::Bridge);
    for _ in 0..8 {
        let browser = world.add(Role::Browser);
        world.dial(browser, 0);
        world.run(300);
    }
    world.run(20_000);
    let browser = world.browsers()[3];
    world.stop(0);
    let (asked, urgent) = needs(&mut world, browser, 600_000);
    assert!((4..=20).contains(&asked), "{asked} times in ten minutes");
    assert_eq!(urgent, 0);
    for other in world.browsers() {
        if other != browser {
            world.stop(other);
        }
    }
    let (asked, urgent) = needs(&mut world, browser, 60_000);
    assert!(urgent >= 5 && urgent == asked, "{urgent} of {asked}");
}

#[test]
fn who_was_remembered_is_offered_a_link_through_the_first_one() {
    let mut world = World::meshed(440, 10);
    let friend = world.browsers()[9];
    let remembered = vec![world.node(friend).record().clone()];
    let newcomer = world.add(Role::Browser);
    world.input(newcomer, Input::Introduced(remembered));
    assert_eq!(world.status(newcomer).known_peers, 1);
    let mut forged = world.node(friend).record().clone();
    forged.issued_at.0 += 1;
    let other = world.add(Role::Browser);
    world.input(other, Input::Introduced(vec![forged]));
    assert_eq!(
        world.status(other).known_peers,
        0,
        "its signature does not hold"
    );
}
