//! Whoever sends too much or garbage is dropped; whoever sends much in order is served.

use nanonet::adversary::Tamper;
use nanonet::testing::TestKeys;
use nanonet::{Channel, CloseReason, GetOptions, Input, Role};
use simulation::world::{Place, Rules};

use crate::World;

#[test]
fn a_flood_drops_the_peer_and_others_are_still_answered() {
    let mut world = World::meshed(90, 8);
    let account = world.confirmed_account(1);
    world.run(3_000);
    let flooder = world.browsers()[0];
    let victims: Vec<_> = {
        let links = world.status(flooder).links;
        let places = links.iter().map(|link| world.place_of(link.peer).unwrap());
        places.collect()
    };
    world.node_mut(flooder).lie(Tamper::Flood, TestKeys::new());
    world.input(flooder, Input::Timeout);
    world.run(5_000);
    for victim in victims {
        assert!(world.drops(victim, CloseReason::Flood) >= 1);
    }
    for asker in world.browsers() {
        if asker != flooder {
            world.get(asker, account, GetOptions::default()).unwrap();
        }
    }
}

#[test]
fn bytes_that_are_no_frame_end_their_link_only() {
    let mut world = World::meshed(91, 4);
    let victim = world.browsers()[0];
    let links = world.status(victim).links;
    let link = links[0].link;
    world.input(
        victim,
        Input::LinkReceived {
            link,
            channel: Channel::Ordered,
            bytes: vec![7; 300],
        },
    );
    assert_eq!(world.drops(victim, CloseReason::LinkFailed), 1);
    assert_eq!(world.status(victim).links.len(), links.len() - 1);
}

#[test]
fn a_question_is_answered_while_a_link_moves_records_in_bulk() {
    let mut world = World::meshed(92, 6);
    world.rules.bandwidth = 100;
    let accounts = world.confirmed_accounts(0..150);
    world.run(20_000);
    let newcomer = world.add(Role::Browser);
    world.dial(newcomer, 0);
    let pulls = |world: &World| world.stored_accounts(newcomer).len() >= 10;
    assert!(
        world.run_until(60_000, pulls),
        "records are on their way to the newcomer"
    );
    let held = world.stored_accounts(newcomer);
    let wanted = accounts
        .iter()
        .find(|account| !held.contains(account))
        .unwrap();
    let asked = world.now;
    world.get(newcomer, *wanted, GetOptions::default()).unwrap();
    assert!(world.now.since(asked) < 1_000);
}

/// How often a node answered that it is busy.
fn busy(world: &World, place: Place) -> u64 {
    let refused = world.status(place).refused.into_iter();
    let busy = refused.filter(|(reason, _)| *reason == "busy");
    busy.map(|(_, count)| count).sum()
}

#[test]
fn under_load_who_has_answered_well_is_served_and_a_stranger_is_told_that_we_are_busy() {
    let rules = Rules {
        replicas: 1,
        redial: false,
        channels: false,
        ..Rules::default()
    };
    let mut world = World::with(93, rules);
    world.add(Role::Bridge);
    let [holder, friend, stranger] = [Role::Browser; 3].map(|role| world.add(role));
    for (from, to) in [(holder, 0), (friend, holder), (stranger, holder)] {
        world.dial(from, to);
    }
    world.run(5_000);
    // Time goes on, so it numbers accounts.
    let held = |world: &mut World, by: Place| loop {
        let account = world.confirmed_account(world.now.number());
        world.run(500);
        if world.holders(&account) == [by] {
            break account;
        }
    };
    let ours = held(&mut world, holder);
    let another = held(&mut world, holder);
    let friends = held(&mut world, friend);
    world.get(holder, friends, GetOptions::default()).unwrap();
    // Seven eighths of what it can carry: no time for strangers.
    world.node_mut(holder).burden(7_900);
    world.get(friend, ours, GetOptions::default()).unwrap();
    assert_eq!(busy(&world, holder), 0);
    world.node_mut(holder).burden(7_900);
    let answer = world.get(stranger, another, GetOptions::default());
    assert!(answer.is_err(), "it knows nobody else: {answer:?}");
    assert!(busy(&world, holder) >= 1, "it is told so");
    world.run(3_000);
    world.get(stranger, another, GetOptions::default()).unwrap();
}
