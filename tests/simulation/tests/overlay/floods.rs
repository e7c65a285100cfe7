//! Whoever sends too much or garbage is dropped; whoever sends much in order is served.

use nanonet::adversary::Tamper;
use nanonet::testing::TestKeys;
use nanonet::{CloseReason, GetOptions, Input, Role};

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
