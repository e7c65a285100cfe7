//! Nodes come and go; records stay.

use nanonet::{AccountState, GetOptions};

use crate::World;

#[test]
fn replicas_are_restored_when_their_holders_leave() {
    let mut world = World::meshed(30, 20);
    let accounts = world.confirmed_accounts(0..10);
    world.run(5_000);
    // Of every account two of three holders go at once, the bridge with them.
    world.rules.redial = false;
    world.stop(0);
    let first = world.holders(&accounts[0]);
    for place in &first[..2] {
        world.stop(*place);
    }
    let restored = |world: &World| world.holders(&accounts[0]).len() >= 3;
    assert!(world.run_until(120_000, restored));
    for place in world.browsers() {
        for account in &accounts {
            let answer = world.get(place, *account, GetOptions::default());
            assert!(matches!(answer.unwrap().state, AccountState::Opened { .. }));
        }
    }
}

#[test]
fn a_newcomer_gets_the_records_it_shall_hold() {
    let mut world = World::meshed(31, 8);
    let accounts = world.confirmed_accounts(0..40);
    world.run(5_000);
    let newcomer = world.add(nanonet::Role::Browser);
    world.dial(newcomer, 0);
    let shall = accounts
        .iter()
        .filter(|account| {
            let key = nanonet::AccountKey::new(account).point();
            let mut places = world.browsers();
            places.sort_by_key(|place| key.distance(&world.id(*place).point()));
            places[..3].contains(&newcomer)
        })
        .count();
    assert!(shall >= 5, "chance gives it about a third");
    let full = |world: &World| world.stored_accounts(newcomer).len() >= shall;
    assert!(world.run_until(90_000, full));
    assert_eq!(world.resolves, 0);
}

#[test]
fn the_mesh_heals_under_churn() {
    let mut world = World::meshed(32, 16);
    let account = world.confirmed_account(1);
    world.run(3_000);
    for round in 0..6 {
        let browsers = world.browsers();
        let leaver = browsers[round * 5 % browsers.len()];
        world.stop(leaver);
        world.run(2_000);
        let newcomer = world.add(nanonet::Role::Browser);
        world.dial(newcomer, 0);
        world.run(6_000);
    }
    world.run(20_000);
    for asker in world.browsers() {
        assert!(world.status(asker).links.len() >= 3);
        world.get(asker, account, GetOptions::default()).unwrap();
    }
    assert_eq!(world.resolves, 0);
}

#[test]
fn nodes_that_fall_silent_are_noticed_and_questions_find_another_way() {
    let mut world = World::meshed(33, 16);
    let account = world.confirmed_account(1);
    world.run(3_000);
    world.rules.redial = false;
    let holders = world.holders(&account);
    let silent: Vec<_> = world
        .browsers()
        .into_iter()
        .filter(|place| !holders.contains(place))
        .take(4)
        .collect();
    let ids: Vec<_> = silent.iter().map(|place| world.id(*place)).collect();
    for place in [0, holders[0]].into_iter().chain(silent) {
        world.freeze(place);
    }
    for asker in world.browsers() {
        world.get(asker, account, GetOptions::default()).unwrap();
    }
    world.run(120_000);
    for place in world.browsers() {
        let links = world.status(place).links;
        assert!(links.iter().all(|link| !ids.contains(&link.peer)));
        assert!(links.len() >= 2);
    }
}
