//! A block is kept until it is proven, and everyone who watches sees it.

use nano_core::{Account, BlockHash, Network, Raw, WorkNonce};
use nanonet::{AccountState, GetOptions, Input, PublishState, RelayId, RelayRefusal, RelayState};

use simulation::world::Place;

use crate::World;

#[test]
fn a_published_send_is_proven_and_both_accounts_see_it() {
    let mut world = World::meshed(20, 10);
    let (alice, bob) = (world.ledger.open(1, 100), world.ledger.open(2, 50));
    let (a, b) = (world.browsers()[1], world.browsers()[6]);
    for (place, account) in [(a, alice), (b, bob)] {
        world.input(place, Input::Watch { account });
        world.get(place, account, GetOptions::default()).unwrap();
    }
    let block = world.ledger.build_send(&alice, &bob, 7);
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
    let (alice, bob) = (world.ledger.open(1, 100), world.ledger.open(2, 50));
    let a = world.browsers()[0];
    world.get(a, alice, GetOptions::default()).unwrap();
    world.stop(0);
    world.run(2_000);
    let block = world.ledger.build_send(&alice, &bob, 7);
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
        world.ledger.chain(&alice).blocks().last().unwrap().hash(),
        hash
    );
}

#[test]
fn a_block_without_work_is_refused_before_it_leaves() {
    let mut world = World::meshed(22, 3);
    let (alice, bob) = (world.ledger.open(1, 100), world.ledger.open(2, 50));
    let a = world.browsers()[0];
    let mut block = world.ledger.build_send(&alice, &bob, 7);
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

/// A node whose block lost against two others that were published elsewhere: the world, the node, the
/// account, the block that lost and the winner.
fn loser(seed: u64) -> (World, Place, Account, BlockHash, BlockHash) {
    let mut world = World::meshed(seed, 6);
    let (alice, bob) = (world.ledger.open(1, 100), world.ledger.open(2, 50));
    let a = world.browsers()[1];
    world.get(a, alice, GetOptions::default()).unwrap();
    let block = world.ledger.build_send(&alice, &bob, 7);
    // The same keys elsewhere were faster, and went on.
    let winner = world.ledger.send(&alice, &bob, 3);
    world.ledger.send(&alice, &bob, 2);
    let hash = world.publish(a, block);
    let superseded = PublishState::Superseded { winner };
    let told = |world: &World| world.publish_states(a, hash).contains(&superseded);
    assert!(world.run_until(10_000, told));
    assert_eq!(world.publish_states(a, hash).last(), Some(&superseded));
    (world, a, alice, hash, winner)
}

#[test]
fn the_loser_of_a_fork_is_handed_back_on_the_proof_of_the_winner() {
    let (mut world, a, alice, hash, winner) = loser(23);
    assert_eq!(world.node(a).pending().count(), 0);
    let returned: Vec<_> = world.node(a).returned().copied().collect();
    assert_eq!(returned.len(), 1);
    assert_eq!((returned[0].hash, returned[0].winner), (hash, winner));
    assert_eq!(
        world.stored_pending(a),
        [hash],
        "the person has not decided"
    );
    let answer = world.get(a, alice, GetOptions::default()).unwrap();
    let AccountState::Opened { frontier, .. } = answer.state else {
        panic!("an opened account");
    };
    assert_eq!(frontier.previous, winner);
}

#[test]
fn a_block_that_lost_is_built_anew_when_the_person_agrees() {
    let (mut world, a, alice, hash, _) = loser(28);
    let before = world.ledger.balance(&alice);
    let rebuilt = world.node(a).rebuilt(&hash).unwrap();
    let block = world.ledger.complete(rebuilt);
    let again = world.publish(a, block);
    assert_eq!(world.node(a).returned().count(), 0);
    let confirmed = PublishState::Confirmed;
    let told = |world: &World| world.publish_states(a, again).contains(&confirmed);
    assert!(world.run_until(10_000, told));
    let seven = Raw::new(7 * Raw::NANO.number());
    assert_eq!(
        world.ledger.balance(&alice),
        before.checked_sub(seven).unwrap()
    );
    assert!(world.stored_pending(a).is_empty());
}

#[test]
fn a_block_that_lost_is_let_go_or_known_again_after_a_restart() {
    let (mut world, a, _, hash, _) = loser(29);
    world.stop(a);
    world.run(1_000);
    world.start(a);
    world.dial(a, 0);
    let back = |world: &World| {
        world
            .node(a)
            .returned()
            .any(|returned| returned.hash == hash)
    };
    assert!(world.run_until(30_000, back));
    world.input(a, Input::LetGo { hash });
    assert_eq!(world.node(a).returned().count(), 0);
    assert!(world.stored_pending(a).is_empty());
    assert_eq!(world.node(a).rebuilt(&hash), None);
}

/// What the author is told when the bridge says `word` after it accepted, before the proof comes.
fn after_accepting(seed: u64, word: RelayState) -> Vec<PublishState> {
    let mut world = World::meshed(seed, 3);
    let (alice, bob) = (world.ledger.open(1, 100), world.ledger.open(2, 50));
    let a = world.browsers()[0];
    world.get(a, alice, GetOptions::default()).unwrap();
    let block = world.ledger.build_send(&alice, &bob, 7);
    let hash = world.publish(a, block);
    let accepted = PublishState::Accepted { full_nodes: 2 };
    assert!(world.run_until(1_000, |world| {
        world.publish_states(a, hash).contains(&accepted)
    }));
    let request = RelayId(1);
    world.input(
        0,
        Input::RelayProgress {
            request,
            state: word,
        },
    );
    world.run(200);
    assert_eq!(world.stored_pending(a), [hash], "a word is not a proof");
    world.run(10_000);
    assert!(world.stored_pending(a).is_empty());
    let mut states = world.publish_states(a, hash);
    states.retain(|state| !matches!(state, PublishState::Sent { .. }) && *state != accepted);
    states
}

#[test]
fn a_refusal_after_acceptance_reaches_the_author_and_only_a_proof_ends_the_block() {
    let refused = RelayRefusal::Invalid;
    assert_eq!(
        after_accepting(24, RelayState::Refused(refused)),
        [PublishState::Refused(refused), PublishState::Confirmed]
    );
    assert_eq!(
        after_accepting(25, RelayState::GivenUp),
        [PublishState::GivenUp, PublishState::Confirmed]
    );
}

#[test]
fn a_bridge_that_claims_a_rival_without_proof_changes_nothing() {
    let winner = nano_core::BlockHash::from_bytes([9; 32]);
    assert_eq!(
        after_accepting(26, RelayState::Superseded { winner }),
        [PublishState::Confirmed]
    );
}

#[test]
fn a_second_block_in_the_place_of_a_pending_one_is_refused() {
    let mut world = World::meshed(27, 6);
    let (alice, bob) = (world.ledger.open(1, 100), world.ledger.open(2, 50));
    let a = world.browsers()[0];
    world.get(a, alice, GetOptions::default()).unwrap();
    world.stop(0);
    world.run(2_000);
    let first = world.ledger.build_send(&alice, &bob, 7);
    let rival = world.ledger.build_send(&alice, &bob, 8);
    let hash = world.publish(a, first);
    // A tab that was closed in between knows its block again, and so keeps to it.
    world.stop(a);
    world.start(a);
    let refused = world.publish(a, rival);
    world.run(1_000);
    assert_eq!(world.publish_states(a, refused), [PublishState::Rival]);
    assert_eq!(world.stored_pending(a), [hash]);
    let pending: Vec<_> = world.node(a).pending().map(|(hash, _)| hash).collect();
    assert_eq!(pending, [hash]);
    world.start(0);
    assert!(world.run_until(30_000, |world| world.node(a).pending().next().is_none()));
    let next = world.ledger.build_send(&alice, &bob, 8);
    let next = world.publish(a, next);
    assert!(world.run_until(30_000, |world| {
        world
            .publish_states(a, next)
            .contains(&PublishState::Confirmed)
    }));
}
