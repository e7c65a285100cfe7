//! Records are where they shall be, whoever comes and goes.

use std::collections::BTreeSet;

use nano_core::Account;
use nanonet::{AccountKey, Event, Role};

use crate::World;

/// Holders of a record in a world of a test.
const REPLICAS: usize = 3;

/// Those of `accounts` that browser `place` shall hold.
fn shall_hold(world: &World, place: usize, accounts: &[Account]) -> BTreeSet<Account> {
    let is_near = |account: &&Account| {
        let key = AccountKey::new(account).point();
        let mut places = world.browsers();
        places.sort_by_key(|place| key.distance(&world.id(*place).point()));
        places[..REPLICAS].contains(&place)
    };
    accounts.iter().filter(is_near).copied().collect()
}

fn holds_all(world: &World, place: usize, accounts: &[Account]) -> bool {
    world
        .stored_accounts(place)
        .is_superset(&shall_hold(world, place, accounts))
}

#[test]
fn a_newcomer_has_its_slice_within_seconds_and_says_so() {
    let mut world = World::meshed(60, 12);
    let accounts = world.confirmed_accounts(0..60);
    world.run(5_000);
    let newcomer = world.add(Role::Browser);
    world.dial(newcomer, 0);
    assert!(shall_hold(&world, newcomer, &accounts).len() >= 5);
    assert!(world.run_until(20_000, |world| holds_all(world, newcomer, &accounts)));
    world.run(5_000);
    let last = world.events(newcomer).filter_map(|event| match event {
        Event::Synced {
            records,
            ranges_left,
        } => Some((*records, *ranges_left)),
        _ => None,
    });
    let (records, ranges_left) = last.last().unwrap();
    assert!(records > 0 && ranges_left == 0, "{records} {ranges_left}");
}

#[test]
fn who_returns_gets_what_is_missing_and_little_else() {
    let mut world = World::meshed(61, 12);
    let accounts = world.confirmed_accounts(0..80);
    world.run(60_000);
    let place = world.browsers()[4];
    world.stop(place);
    world.run(20_000);
    // Accounts that nobody knew when it left, and one that has moved on.
    let more = world.confirmed_accounts(100..120);
    let moved = *shall_hold(&world, place, &accounts)
        .first()
        .unwrap_or(&accounts[0]);
    world.ledger.send(&moved, &more[0], 1);
    world.confirm(0, moved);
    world.run(5_000);
    let before = world.repair_bytes();
    world.start(place);
    world.dial(place, 0);
    let all: Vec<Account> = accounts.iter().chain(&more).copied().collect();
    assert!(world.run_until(30_000, |world| holds_all(world, place, &all)));
    let frontier = world.ledger.chain(&moved).blocks().last().unwrap().hash();
    if shall_hold(&world, place, &all).contains(&moved) {
        assert!(
            world.run_until(5_000, |world| world.node(place).held(&moved)
                == Some(frontier))
        );
    }
    // All that it holds would be more than that.
    let spent = world.repair_bytes() - before;
    assert!(spent < 60_000, "{spent}");
}

#[test]
fn when_a_holder_is_gone_another_one_has_its_records_within_seconds() {
    let mut world = World::meshed(62, 16);
    let accounts = world.confirmed_accounts(0..40);
    world.run(60_000);
    let leaver = world.holders(&accounts[0])[0];
    world.stop(leaver);
    let enough = |world: &World| {
        let few = accounts.iter();
        few.clone()
            .all(|account| world.holders(account).len() >= REPLICAS)
    };
    assert!(world.run_until(20_000, enough));
    assert_eq!(world.resolves, 0);
}

#[test]
fn what_no_browser_holds_any_more_comes_back_from_the_bridge() {
    let mut world = World::meshed(63, 14);
    let accounts = world.confirmed_accounts(0..4);
    world.run(5_000);
    for place in world.holders(&accounts[0]) {
        world.stop(place);
    }
    assert!(world.holders(&accounts[0]).is_empty());
    let enough = |world: &World| world.holders(&accounts[0]).len() >= REPLICAS;
    assert!(world.run_until(60_000, enough));
    assert_eq!(world.resolves, 0);
}

#[test]
fn nothing_is_sent_to_keep_replicas_while_nobody_comes_or_goes() {
    let mut world = World::meshed(64, 10);
    world.confirmed_accounts(0..30);
    world.run(300_000);
    let before = world.repair_bytes();
    world.run(600_000);
    let per_node_s = (world.repair_bytes() - before) / 10 / 600;
    // The bridge's walk, and a comparison now and then.
    assert!(per_node_s < 100, "{per_node_s}");
}
