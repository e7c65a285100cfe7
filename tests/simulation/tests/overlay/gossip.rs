//! What is told comes to everyone, once, and only if it holds.

use nano_core::{Account, Block, BlockHash, Link, Network, Raw, StateBlock, WorkNonce};
use nanonet::gossip::{News, Parameter, Tell, Topic};
use nanonet::governance::Setting;
use nanonet::testing::account_key;
use nanonet::{Bug, Event, Input, NodeKey};
use simulation::world::Place;

use crate::World;

/// Block `number` of account `place`, signed and with work.
fn block(place: u64, number: u8) -> StateBlock {
    let key = account_key(place);
    let account: Account = key.account();
    let previous = BlockHash::from_bytes([number; 32]);
    let link = Link::from(account_key(place + 1).account());
    let block = StateBlock::unsigned(account, previous, account, Raw::NANO, link).sign(&key);
    let any = Block::State(block);
    let needed = Network::Dev.work_thresholds().entry_of(&any);
    let mut work = (0..).map(WorkNonce::new);
    let enough = work.find(|work| work.difficulty(&any.root()) >= needed);
    block.with_work(enough.unwrap())
}

fn tell(world: &mut World, by: Place, tell: Tell) {
    world.input(by, Input::Tell(Box::new(tell)));
}

fn heard(world: &World, place: Place, topic: Topic) -> Vec<News> {
    let told = world.events(place).filter_map(|event| match event {
        Event::News { news, .. } if news.topic() == topic => Some((**news).clone()),
        _ => None,
    });
    told.collect()
}

fn refused(world: &World, place: Place, reason: &str) -> u64 {
    let refused = world.status(place).refused.into_iter();
    let of_reason = refused.filter(|(code, _)| *code == reason);
    of_reason.map(|(_, count)| count).sum()
}

#[test]
fn a_transaction_comes_to_everyone_once_and_a_bridge_publishes_it() {
    let mut world = World::meshed(50, 12);
    let account = world.confirmed_account(1);
    let other = world.ledger.open(2, 500);
    let Block::State(send) = world.ledger.build_send(&account, &other, 7) else {
        panic!("a state block");
    };
    tell(&mut world, 3, Tell::Transaction(Box::new(send)));
    let published =
        |world: &World| world.ledger.balance(&account) < Raw::new(500 * 10_u128.pow(30));
    assert!(world.run_until(5_000, published));
    world.run(5_000);
    for place in world.browsers() {
        let expected = usize::from(place != 3);
        assert_eq!(heard(&world, place, Topic::Transactions).len(), expected);
    }
    assert_eq!(heard(&world, 0, Topic::Transactions).len(), 1);
}

#[test]
fn what_does_not_hold_is_neither_taken_nor_passed_on_and_its_bringer_is_dropped() {
    let mut world = World::meshed(51, 8);
    world.node_mut(2).plant(Bug::Invents);
    for number in 0..4 {
        tell(&mut world, 2, Tell::Transaction(Box::new(block(9, number))));
        world.run(500);
    }
    world.run(5_000);
    let honest: Vec<Place> = world
        .browsers()
        .into_iter()
        .filter(|place| *place != 2)
        .collect();
    assert!(
        honest
            .iter()
            .all(|place| heard(&world, *place, Topic::Transactions).is_empty())
    );
    let faults: u64 = honest
        .iter()
        .map(|place| refused(&world, *place, "bad-news"))
        .sum();
    assert!(faults >= 3, "{faults}");
    let drops = honest
        .iter()
        .map(|place| world.drops(*place, nanonet::CloseReason::BadAnswers));
    assert!(drops.sum::<u64>() > 0);
}

#[test]
fn an_account_may_tell_only_so_many_transactions_a_minute() {
    let mut world = World::meshed(52, 6);
    for number in 0..12 {
        tell(&mut world, 1, Tell::Transaction(Box::new(block(9, number))));
    }
    world.run(5_000);
    assert_eq!(heard(&world, 4, Topic::Transactions).len(), 8);
    world.run(60_000);
    tell(&mut world, 1, Tell::Transaction(Box::new(block(9, 50))));
    world.run(5_000);
    assert_eq!(heard(&world, 4, Topic::Transactions).len(), 9);
}

#[test]
fn settings_and_bridges_count_by_an_anchors_word_only() {
    let mut world = World::meshed(53, 6);
    let parameter = Parameter {
        name: "minimum".to_owned(),
        value: vec![7],
    };
    tell(&mut world, 0, Tell::Parameter(parameter.clone()));
    tell(&mut world, 2, Tell::Parameter(parameter.clone()));
    world.run(5_000);
    for place in world.browsers() {
        let told = heard(&world, place, Topic::Parameters);
        assert!(matches!(&told[..], [News::Parameter(said)] if said.what == parameter));
    }
    assert_eq!(refused(&world, 2, "unknown-bridge"), 1);
}

#[test]
fn a_setting_is_in_force_at_every_node_once_most_anchors_endorse_it() {
    let mut world = World::meshed(54, 6);
    let anchors: Vec<NodeKey> = (0..3).map(|place| world.status(place).key).collect();
    for place in 0..world.places() {
        world.input(place, Input::Anchors(anchors.clone()));
    }
    let burst = Parameter {
        name: Setting::MessageBurst.name().to_owned(),
        value: b"80".to_vec(),
    };
    for (anchor, expected) in [(0, 60), (1, 80)] {
        tell(&mut world, anchor, Tell::Parameter(burst.clone()));
        world.run(5_000);
        for place in 0..world.places() {
            let value = world.node(place).setting(Setting::MessageBurst);
            assert_eq!(value, expected, "at {place}");
        }
    }
}

#[test]
fn a_node_that_comes_back_catches_up_with_what_was_told_meanwhile() {
    let mut world = World::meshed(54, 8);
    world.stop(5);
    for number in 0..5 {
        tell(
            &mut world,
            1,
            Tell::Transaction(Box::new(block(20 + number, 1))),
        );
    }
    world.run(20_000);
    world.start(5);
    world.dial(5, 0);
    let all_here = |world: &World| heard(world, 5, Topic::Transactions).len() == 5;
    assert!(world.run_until(10_000, all_here));
    world.run(5_000);
    assert!(all_here(&world), "each comes once");
}

#[test]
fn whoever_holds_an_account_sees_its_confirmed_block_and_gets_its_record() {
    let mut world = World::meshed(55, 8);
    let account = world.confirmed_account(1);
    let other = world.ledger.open(2, 500);
    world.run(5_000);
    let holder = world.holders(&account)[0];
    let before = world.ledger.chain(&account).blocks()[0];
    let hash = world.ledger.send(&account, &other, 7);
    let block = world.ledger.chain(&account).blocks()[1];
    world.confirm(0, account);
    let confirmed = Tell::Confirmed {
        block: Box::new(block),
        previous: Some(Box::new(before)),
    };
    tell(&mut world, 0, confirmed);
    let held = |world: &World| world.node(holder).held(&account) == Some(hash);
    assert!(world.run_until(10_000, held));
    let seen: Vec<Option<StateBlock>> = world
        .events(holder)
        .filter_map(|event| match event {
            Event::News { block, .. } => Some(block.as_deref().copied()),
            _ => None,
        })
        .collect();
    assert_eq!(seen.len(), 1);
    // Unless the record itself was quicker, the block was put together from its delta.
    assert!(seen[0].is_none_or(|seen| seen == block));
}
