//! No lie is believed; liars are counted and dropped.

use nano_core::{Account, BlockHash};
use nanonet::adversary::Tamper;
use nanonet::testing::TestKeys;
use nanonet::{AccountState, AnswerSource, CloseReason, Event, GetError, GetOptions, Input, Role};

use simulation::world::{Place, Rules};

use crate::World;

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
        let account = world.confirmed_account(number);
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
            world.ledger.balance(&baits[0]),
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
    let other = world.ledger.open(1_000, 1);
    world.ledger.send(&account, &other, 20);
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
    let accounts = world.confirmed_accounts(0..12);
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
            assert_eq!(frontier.balance, world.ledger.balance(account));
        }
    }
    let ids: Vec<_> = liars.iter().map(|liar| world.id(*liar)).collect();
    let mut dropped = 0;
    for place in world.browsers() {
        for event in world.events(place) {
            if let Event::PeerDropped { peer, .. } = event {
                assert!(ids.contains(peer), "only liars are dropped");
                dropped += 1;
            }
        }
    }
    assert!(dropped > 0);
}

/// A victim that can ask a liar only through an honest node, and a bridge that both are linked
/// with; four accounts that the liar alone shall hold.
fn line(seed: u64) -> (World, [Place; 3], Vec<Account>) {
    let mut world = World::with(
        seed,
        Rules {
            replicas: 1,
            redial: false,
            channels: false,
            ..Rules::default()
        },
    );
    world.add(Role::Bridge);
    let [liar, between, victim] = [Role::Browser; 3].map(|role| world.add(role));
    for (from, to) in [(liar, 0), (victim, 0), (victim, between), (between, liar)] {
        world.dial(from, to);
    }
    world.run(5_000);
    let mut baits = Vec::new();
    for number in 0.. {
        if baits.len() == 4 {
            break;
        }
        let account = world.ledger.open(number, 500);
        world.confirm(0, account);
        world.run(500);
        if world.holders(&account) == [liar] {
            baits.push(account);
        }
    }
    (world, [liar, between, victim], baits)
}

#[test]
fn whoever_is_asked_in_between_finds_every_lie_out_and_is_never_blamed_for_it() {
    for (number, kind) in Tamper::ALL.into_iter().enumerate() {
        let (mut world, [liar, between, victim], baits) = line(200 + number as u64);
        world.node_mut(liar).lie(kind, TestKeys::new());
        world.input(liar, Input::Timeout);
        for bait in baits {
            let answer = world.get(victim, bait, GetOptions::default()).unwrap();
            assert!(
                matches!(answer.state, AccountState::Opened { .. }),
                "{kind:?}"
            );
        }
        let dropped = |place| -> Vec<_> {
            let events = world.events(place);
            let dropped = events.filter_map(|event| match event {
                Event::PeerDropped { peer, .. } => Some(*peer),
                _ => None,
            });
            dropped.collect()
        };
        assert_eq!(dropped(victim), [], "{kind:?}");
        let blamed = |event: &Event| matches!(event, Event::Refused { from: Some(_), .. });
        assert!(!world.events(victim).any(blamed), "{kind:?}");
        // An honest record that is older, nobody who knows no newer one can tell.
        if kind != Tamper::OlderProof {
            assert_eq!(dropped(between), [world.id(liar)], "{kind:?}");
        }
    }
}

#[test]
fn a_proof_that_a_newer_weight_table_outdates_is_nobodys_fault() {
    let (mut world, [_, between, victim], baits) = line(240);
    let mut weights = world.ledger.weights();
    weights.as_of = weights.as_of.plus(1);
    // What weighed everything weighs 60 % now, and the threshold is 67 %.
    let stranger = nanonet::testing::account_key(5).account();
    let new = weights.total().number() * 2 / 3;
    weights.weights.insert(stranger, nano_core::Raw::new(new));
    weights.online_weight = weights.total();
    world.input(victim, Input::Weights(Box::new(weights)));
    for bait in baits {
        let _ = world.get(victim, bait, GetOptions::default());
    }
    assert!(refused(&world, victim, "too-little-weight") >= 4);
    assert_eq!(world.drops(victim, CloseReason::BadAnswers), 0);
    let links = world.status(victim).links;
    assert!(links.iter().any(|link| link.peer == world.id(between)));
}

#[test]
fn without_anchors_nobody_is_believed_that_an_account_was_never_opened() {
    let mut world = World::with(
        83,
        Rules {
            anchors: false,
            ..Rules::default()
        },
    );
    world.add(Role::Bridge);
    let browsers: Vec<Place> = (0..4).map(|_| world.add(Role::Browser)).collect();
    for browser in &browsers {
        world.dial(*browser, 0);
    }
    world.run(10_000);
    let nobody = nanonet::testing::account_key(77).account();
    let answer = world.get(browsers[0], nobody, GetOptions::default());
    assert!(
        matches!(answer, Err(GetError::NotFound { bridges: 1, .. })),
        "{answer:?}"
    );
    assert_eq!(refused(&world, browsers[0], "not-an-anchor"), 1);
    assert_eq!(world.drops(browsers[0], CloseReason::BadAnswers), 0);

    world.rules.anchors = true;
    world.tell_anchors();
    let answer = world.get(browsers[0], nobody, GetOptions::default());
    assert!(matches!(
        answer.unwrap().state,
        AccountState::Unopened { .. }
    ));
}

#[test]
fn sightings_of_a_bridge_count_as_soon_as_it_is_an_anchor() {
    let mut world = World::with(
        84,
        Rules {
            anchors: false,
            ..Rules::default()
        },
    );
    world.add(Role::Bridge);
    let browser = world.add(Role::Browser);
    world.dial(browser, 0);
    world.run(5_000);
    let account = world.ledger.open(1, 500);
    let answer = world.get(browser, account, GetOptions::default()).unwrap();
    assert_eq!(answer.as_of, None);
    world.rules.anchors = true;
    world.tell_anchors();
    let answer = world.get(browser, account, GetOptions::default()).unwrap();
    assert!(answer.as_of.is_some());
}

#[test]
fn a_tab_that_calls_itself_a_bridge_gets_no_link() {
    let mut world = World::meshed(85, 2);
    let posing = world.browsers()[0];
    world.node_mut(posing).pose_as_bridge();
    let newcomer = world.add(Role::Browser);
    world.dial(newcomer, 0);
    world.run(20_000);
    let id = world.id(posing);
    assert!(world.drops(newcomer, CloseReason::WrongRole) > 0);
    let links = world.status(newcomer).links;
    assert!(!links.is_empty() && links.iter().all(|link| link.peer != id));
    // Neither does it over a WebSocket of a bridge, which only tabs open.
    let before = world.drops(0, CloseReason::WrongRole);
    world.cut(posing, 0);
    world.dial(posing, 0);
    world.run(2_000);
    assert_eq!(world.drops(0, CloseReason::WrongRole), before + 1);
}

#[test]
fn a_banned_peer_stays_away_under_another_id_of_its_key() {
    let (mut world, [liar, between, victim], baits) = line(241);
    world
        .node_mut(liar)
        .lie(Tamper::AlteredBalance, TestKeys::new());
    for bait in baits {
        world.get(victim, bait, GetOptions::default()).unwrap();
    }
    assert_eq!(world.drops(between, CloseReason::BadAnswers), 1);
    let id = world.id(liar);
    world.stop(liar);
    world.new_nonce(liar);
    world.start(liar);
    assert_ne!(world.id(liar), id);
    world.dial(liar, between);
    world.run(2_000);
    assert_eq!(world.drops(between, CloseReason::Banned), 1);
}
