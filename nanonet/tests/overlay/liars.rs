//! No lie is believed; liars are counted and dropped.

use nano_core::{Account, BlockHash};
use nanonet::adversary::Tamper;
use nanonet::testing::TestKeys;
use nanonet::{AccountState, AnswerSource, CloseReason, GetOptions, Role};

use crate::harness::{Place, Rules, World};

/// A bridge, a liar that alone shall hold some accounts, and a victim that has to ask it first.
fn den(seed: u64, accounts: usize) -> (World, Place, Place, Vec<Account>) {
    let mut world = World::with(
        seed,
        Rules {
            replicas: 1,
            ..Rules::default()
        },
    );
    world.add(Role::Bridge);
    let liar = world.add(Role::Browser);
    let victim = world.add(Role::Browser);
    world.dial(liar, 0);
    world.dial(victim, 0);
    world.run(5_000);
    let mut baits = Vec::new();
    for number in 0.. {
        if baits.len() == accounts {
            break;
        }
        let account = world.oracle.open(number, 500);
        world.confirm(0, account);
        world.run(500);
        if world.holders(&account) == [liar] {
            baits.push(account);
        }
    }
    (world, liar, victim, baits)
}

fn hash(state: &AccountState) -> BlockHash {
    match state {
        AccountState::Opened { frontier, .. } => frontier.hash,
        other => panic!("{other:?} is not opened"),
    }
}

fn refused(world: &World, place: Place, reason: &str) -> u64 {
    let refused = world.status(place).refused.into_iter();
    let of_reason = refused.filter(|(code, _)| *code == reason);
    of_reason.map(|(_, count)| count).sum()
}

#[test]
fn every_kind_of_lie_is_refused_by_its_reason_and_the_truth_is_found() {
    for (number, kind) in Tamper::ALL.into_iter().enumerate() {
        let Some(reason) = kind.reason().filter(|_| kind != Tamper::OlderProof) else {
            continue;
        };
        let (mut world, liar, victim, baits) = den(50 + number as u64, 1);
        world.node_mut(liar).lie(kind, TestKeys::new());
        let answer = world.get(victim, baits[0], GetOptions::default()).unwrap();
        let AccountState::Opened { frontier, .. } = &answer.state else {
            panic!("an opened account");
        };
        assert_eq!(
            frontier.balance,
            world.oracle.balance(&baits[0]),
            "{kind:?}"
        );
        assert!(
            matches!(answer.source, AnswerSource::Bridge { .. }),
            "{kind:?}"
        );
        assert!(
            refused(&world, victim, reason) > 0,
            "{kind:?} is refused as {reason}"
        );
    }
}

#[test]
fn a_peer_that_keeps_lying_is_dropped_and_kept_away() {
    let (mut world, liar, victim, baits) = den(80, 4);
    world
        .node_mut(liar)
        .lie(Tamper::AlteredBalance, TestKeys::new());
    for bait in baits {
        let answer = world.get(victim, bait, GetOptions::default()).unwrap();
        assert!(matches!(answer.source, AnswerSource::Bridge { .. }));
    }
    assert_eq!(world.drops(victim, CloseReason::BadAnswers), 1);
    world.run(60_000);
    let liar = world.id(liar);
    let links = world.status(victim).links;
    assert!(links.iter().all(|link| link.peer != liar));
}

#[test]
fn an_older_proof_is_refused_by_who_knows_the_newer_one() {
    let (mut world, liar, victim, baits) = den(81, 1);
    let account = baits[0];
    let other = world.oracle.open(1_000, 1);
    world.oracle.send(&account, &other, 20);
    world.confirm(0, account);
    world.run(1_000);
    let newest = world.get(victim, account, GetOptions::default()).unwrap();
    world
        .node_mut(liar)
        .lie(Tamper::OlderProof, TestKeys::new());
    for fresh in [false, true, false] {
        let options = GetOptions {
            fresh,
            ..GetOptions::default()
        };
        let answer = world.get(victim, account, options).unwrap();
        assert_eq!(hash(&answer.state), hash(&newest.state));
    }
    assert!(refused(&world, victim, "superseded") > 0);
    assert_eq!(
        world.drops(victim, CloseReason::BadAnswers),
        0,
        "it may not know better"
    );
}

#[test]
fn whoever_passes_a_lie_on_is_at_fault_so_honest_nodes_check_first() {
    let mut world = World::meshed(82, 20);
    let accounts: Vec<Account> = (0..12)
        .map(|number| {
            let account = world.oracle.open(number, 500);
            world.confirm(0, account);
            account
        })
        .collect();
    world.run(5_000);
    let liars: Vec<Place> = world.browsers().into_iter().take(3).collect();
    for liar in &liars {
        world
            .node_mut(*liar)
            .lie(Tamper::WrongVoteSignature, TestKeys::new());
    }
    for asker in world.browsers() {
        for account in &accounts {
            let answer = world.get(asker, *account, GetOptions::default()).unwrap();
            let AccountState::Opened { frontier, .. } = &answer.state else {
                panic!("an opened account");
            };
            assert_eq!(frontier.balance, world.oracle.balance(account));
        }
    }
    let ids: Vec<_> = liars.iter().map(|liar| world.id(*liar)).collect();
    let mut dropped = 0;
    for place in world.browsers() {
        for event in world.events(place) {
            if let nanonet::Event::PeerDropped { peer, .. } = event {
                assert!(ids.contains(peer), "only liars are dropped");
                dropped += 1;
            }
        }
    }
    assert!(dropped > 0);
}
