//! A block is kept until it is proven, and everyone who watches sees it.

use nano_core::{Network, WorkNonce};
use nanonet::{AccountState, GetOptions, Input, PublishState};

use crate::harness::World;

#[test]
fn a_published_send_is_proven_and_both_accounts_see_it() {
    let mut world = World::meshed(20, 10);
    let (alice, bob) = (world.oracle.open(1, 100), world.oracle.open(2, 50));
    let (a, b) = (world.browsers()[1], world.browsers()[6]);
    for (place, account) in [(a, alice), (b, bob)] {
        world.input(place, Input::Watch { account });
        world.get(place, account, GetOptions::default()).unwrap();
    }
    let block = world.oracle.build_send(&alice, &bob, 7);
    let hash = world.publish(a, block);
    assert_eq!(
        world.stored_pending(a),
        [hash],
        "stored before anything else"
    );
    world.run(3_000);
    let states = world.publish_states(a, hash);
    assert_eq!(
        states,
        [
            PublishState::Sent { bridges: 1 },
            PublishState::Accepted { full_nodes: 2 },
            PublishState::Confirmed,
        ]
    );
    assert!(world.stored_pending(a).is_empty());
    let answer = world.get(a, alice, GetOptions::default()).unwrap();
    let AccountState::Opened { frontier, .. } = answer.state else {
        panic!("an opened account");
    };
    assert_eq!(frontier.hash, hash);
    let answer = world.get(b, bob, GetOptions::default()).unwrap();
    assert_eq!(answer.receivables.len(), 1);
    assert_eq!(answer.receivables[0].hash, hash);
}

#[test]
fn a_block_waits_for_a_bridge_survives_a_restart_and_is_sent_then() {
    let mut world = World::meshed(21, 6);
    let (alice, bob) = (world.oracle.open(1, 100), world.oracle.open(2, 50));
    let a = world.browsers()[0];
    world.get(a, alice, GetOptions::default()).unwrap();
    world.stop(0);
    world.run(2_000);
    let block = world.oracle.build_send(&alice, &bob, 7);
    let hash = world.publish(a, block);
    world.run(2_000);
    let states = world.publish_states(a, hash);
    assert_eq!(states.last(), Some(&PublishState::Waiting));
    world.stop(a);
    world.run(2_000);
    world.start(a);
    world.start(0);
    let confirmed = |world: &World| {
        world
            .publish_states(a, hash)
            .contains(&PublishState::Confirmed)
    };
    assert!(world.run_until(30_000, confirmed));
    assert!(world.stored_pending(a).is_empty());
    assert_eq!(
        world.oracle.chain(&alice).blocks().last().unwrap().hash(),
        hash
    );
}

#[test]
fn a_block_without_work_is_refused_before_it_leaves() {
    let mut world = World::meshed(22, 3);
    let (alice, bob) = (world.oracle.open(1, 100), world.oracle.open(2, 50));
    let a = world.browsers()[0];
    let mut block = world.oracle.build_send(&alice, &bob, 7);
    let needed = Network::Dev.work_thresholds().entry_of(&block);
    let root = block.root();
    let mut work = (0..).map(WorkNonce::new);
    block.set_work(work.find(|work| work.difficulty(&root) < needed).unwrap());
    let hash = world.publish(a, block);
    let states = world.publish_states(a, hash);
    assert_eq!(
        states,
        [PublishState::Invalid(nanonet::RelayRefusal::WorkTooLow)]
    );
    assert!(world.stored_pending(a).is_empty());
}
