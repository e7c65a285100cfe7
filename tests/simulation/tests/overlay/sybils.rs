//! Whoever takes all places nearest to a key cannot make its records disappear; bridges that contradict
//! each other are found out.

use nanonet::testing::account_key;
use nanonet::{AccountKey, AccountState, AnswerSource, Event, GetOptions, Role};
use simulation::world::{Place, Rules};

use crate::World;

const HONEST: usize = 30;
const SYBILS: usize = 24;
const REPLICAS: u8 = 4;

fn rules() -> Rules {
    Rules {
        max_links: 16,
        replicas: REPLICAS,
        ..Rules::default()
    }
}

/// A mesh of honest browsers, and Sybils that lie nearer to the key of account 7 than any of them.
fn besieged(seed: u64, sybils: usize) -> (World, Vec<Place>) {
    let point = AccountKey::new(&account_key(7).account()).point();
    let mut world = World::with(seed, rules());
    world.add(Role::Bridge);
    let mut crowd = Vec::new();
    for number in 0..HONEST + sybils {
        let browser = if number < HONEST {
            world.add(Role::Browser)
        } else {
            let sybil = world.add_near(Role::Browser, &point, 9);
            world.node_mut(sybil).withhold();
            crowd.push(sybil);
            sybil
        };
        world.dial(browser, 0);
        world.run(150);
    }
    world.run(150_000);
    (world, crowd)
}

/// Honest nodes that were told of a crowd.
fn told(world: &World, crowd: &[Place]) -> usize {
    let honest = world
        .browsers()
        .into_iter()
        .filter(|place| !crowd.contains(place));
    let crowded = |event: &Event| matches!(event, Event::Crowded { .. });
    honest
        .filter(|place| world.events(*place).any(crowded))
        .count()
}

#[test]
fn a_key_whose_nearest_nodes_are_all_one_attackers_has_its_full_number_of_other_holders() {
    let (mut world, crowd) = besieged(400, SYBILS);
    assert!(told(&world, &crowd) >= 4, "the nodes around it are told");
    let account = world.confirmed_account(7);
    world.run(20_000);
    let honest: Vec<Place> = world
        .holders(&account)
        .into_iter()
        .filter(|place| !crowd.contains(place))
        .collect();
    assert!(honest.len() >= usize::from(REPLICAS), "{honest:?}");
    let askers: Vec<Place> = (1..=HONEST)
        .filter(|place| !honest.contains(place))
        .collect();
    let (mut answered, mut by_bridge) = (0, 0);
    for asker in askers.iter().take(15) {
        let answer = world.get(*asker, account, GetOptions::default()).unwrap();
        answered += 1;
        by_bridge += usize::from(matches!(answer.source, AnswerSource::Bridge { .. }));
    }
    assert!(
        by_bridge * 3 <= answered,
        "{by_bridge} of {answered} needed a bridge"
    );
}

#[test]
fn without_a_crowd_nobody_is_told_of_one_and_records_have_no_more_holders() {
    let (mut world, _) = besieged(401, 0);
    assert_eq!(told(&world, &[]), 0);
    let account = world.confirmed_account(7);
    world.run(20_000);
    assert!(world.holders(&account).len() <= usize::from(REPLICAS) + 3);
}

#[test]
fn a_bridge_that_states_less_than_another_did_before_is_reported_and_asked_last() {
    let mut world = World::with(402, rules());
    let (honest, behind) = (world.add(Role::Bridge), world.add(Role::Bridge));
    world.behind.insert(behind);
    let browser = world.add(Role::Browser);
    world.rules.redial = false;
    world.dial(browser, honest);
    world.run(5_000);
    let [account, another] = [1, 2].map(|number| world.ledger.open(number, 500));
    let fresh = GetOptions {
        fresh: true,
        ..GetOptions::default()
    };
    world.get(browser, account, fresh).unwrap();
    world.cut(browser, honest);
    world.dial(browser, behind);
    world.run(300_000);
    let answer = world.get(browser, account, fresh).unwrap();
    assert!(matches!(answer.state, AccountState::Opened { .. }));
    let key = |place| world.status(place).key;
    let differ = Event::BridgesDiffer {
        account,
        earlier: key(honest),
        later: key(behind),
    };
    let reports = world.events(browser).filter(|event| **event == differ);
    assert_eq!(reports.count(), 1);
    world.dial(browser, honest);
    world.run(5_000);
    let asked = world.id(honest);
    let answer = world.get(browser, another, fresh).unwrap();
    assert!(matches!(answer.source, AnswerSource::Bridge { id, .. } if id == asked));
}
