//! A place in the overlay costs work; whoever has not paid asks and is answered.

use nano_core::{Difficulty, UnixMillis};
use nanonet::testing::TEST_TIME;
use nanonet::{AnswerSource, Event, GetOptions, NodeId, NodeKey, PERIOD_MS, Role, Standing};
use nanonet::{CloseReason, join_period};
use simulation::world::{Place, Rules};

use crate::World;

/// A thousand hashes.
const EASY: Difficulty = Difficulty::new(0xffc0_0000_0000_0000);

/// A bridge at place 0 and browsers that join through it from `now` on; `idle` of them find no work.
fn mesh(seed: u64, browsers: usize, idle: &[Place], now: UnixMillis) -> World {
    let rules = Rules {
        join_threshold: EASY,
        ..Rules::default()
    };
    let mut world = World::with(seed, rules);
    world.now = now;
    world.idle.extend(idle);
    world.add(Role::Bridge);
    for _ in 0..browsers {
        let browser = world.add(Role::Browser);
        // Its work is found before it says anything.
        world.run(10);
        world.dial(browser, 0);
        world.run(150);
    }
    world.run(20_000);
    world
}

/// Links that a node has lost so far, and why.
fn lost(world: &World, place: Place) -> Vec<Option<CloseReason>> {
    let lost = world.events(place).filter_map(|event| match event {
        Event::LinkDown { reason, .. } => Some(*reason),
        _ => None,
    });
    lost.collect()
}

/// Whether a node has a link to this id.
fn is_linked(world: &World, place: Place, id: NodeId) -> bool {
    let links = world.status(place).links;
    links.iter().any(|link| link.peer == id)
}

#[test]
fn a_node_without_work_asks_and_is_answered_and_has_no_place_with_others() {
    let leaf = 4;
    let mut world = mesh(300, 10, &[leaf], TEST_TIME);
    assert_eq!(world.status(leaf).standing, Standing::Searching);
    assert_eq!(world.status(leaf + 1).standing, Standing::Member);
    let accounts = world.confirmed_accounts(0..12);
    world.run(20_000);
    assert_eq!(world.stored_accounts(leaf).len(), 0, "it holds no replica");
    for account in &accounts {
        let answer = world.get(leaf, *account, GetOptions::default()).unwrap();
        assert!(!matches!(answer.source, AnswerSource::OwnSlice));
    }
    // The others mesh, hold everything and do not come to it: all its links are its own doing.
    let id = world.id(leaf);
    for account in &accounts {
        assert!(world.holders(account).len() >= 3);
    }
    let with_it = |place: &Place| is_linked(&world, *place, id);
    assert!(
        world
            .browsers()
            .iter()
            .filter(|place| with_it(place))
            .count()
            <= 2
    );
    assert_eq!(world.status(leaf).forwarded, 0, "nobody goes through it");
    assert_eq!(world.status(leaf).answers_served, 0);
    for place in world.browsers() {
        assert_eq!(world.drops(place, CloseReason::BadAnswers), 0);
    }
}

#[test]
fn a_leaf_becomes_a_member_with_its_work_and_keeps_its_links() {
    let leaf = 3;
    let mut world = mesh(301, 10, &[leaf], TEST_TIME);
    world.confirmed_accounts(0..12);
    world.run(5_000);
    let (before, links) = (world.id(leaf), world.status(leaf).links);
    let lost_before = lost(&world, leaf);
    world.idle.clear();
    let joined = |world: &World| world.status(leaf).standing == Standing::Member;
    assert!(world.run_until(700_000, joined), "it is asked for again");
    let id = world.id(leaf);
    assert_ne!(id, before);
    world.run(1_000);
    for link in &links {
        let peer = world.place_of(link.peer).unwrap();
        assert!(is_linked(&world, peer, id), "{peer} knows it by its new id");
        assert!(!is_linked(&world, peer, before));
    }
    assert_eq!(lost(&world, leaf), lost_before);
    world.run(90_000);
    let others = world
        .browsers()
        .into_iter()
        .filter(|place| is_linked(&world, *place, id));
    assert!(others.count() >= 2, "others link with it now");
    assert!(
        !world.stored_accounts(leaf).is_empty(),
        "and it holds replicas"
    );
}

#[test]
fn work_is_found_once_and_kept_over_a_restart() {
    let mut world = mesh(302, 4, &[], TEST_TIME);
    assert_eq!(world.works_found, 5);
    let (node, id) = (2, world.id(2));
    world.stop(node);
    world.run(1_000);
    world.start(node);
    world.dial(node, 0);
    world.run(5_000);
    assert_eq!((world.id(node), world.works_found), (id, 5));
    assert_eq!(world.status(node).standing, Standing::Member);
}

/// When the next period of a key begins.
fn next_turn(key: &NodeKey) -> UnixMillis {
    let (mut before, mut after) = (TEST_TIME.0, TEST_TIME.0 + PERIOD_MS);
    let now = join_period(key, TEST_TIME);
    while after - before > 1 {
        let middle = before.midpoint(after);
        if join_period(key, UnixMillis::new(middle)) == now {
            before = middle;
        } else {
            after = middle;
        }
    }
    UnixMillis::new(after)
}

#[test]
fn when_its_period_turns_a_node_moves_without_losing_links_or_answers() {
    let mover = 4;
    let key = mesh(303, 8, &[], TEST_TIME).status(mover).key;
    let turn = next_turn(&key);
    let mut world = mesh(303, 8, &[], UnixMillis::new(turn.0 - 60_000));
    assert_eq!(world.status(mover).key, key);
    let accounts = world.confirmed_accounts(0..12);
    let before = world.id(mover);
    let lost_before = lost(&world, mover);
    while world.now <= turn.plus(20_000) {
        for account in accounts.iter().take(2) {
            world.get(mover, *account, GetOptions::default()).unwrap();
        }
        world.run(2_000);
    }
    let id = world.id(mover);
    assert_ne!(id, before);
    assert_eq!(world.status(mover).standing, Standing::Member);
    let mut lost_now = lost(&world, mover).split_off(lost_before.len());
    // Somebody may hear of the new id, and offer it a link, before it has introduced itself there.
    lost_now.retain(|reason| *reason != Some(CloseReason::Duplicate));
    assert_eq!(lost_now, [], "its links moved with it");
    for place in world.browsers() {
        assert!(
            !is_linked(&world, place, before),
            "{place} calls it by its new id"
        );
        let lapsed = world.status(place).standing != Standing::Member;
        assert!(!lapsed, "work of the last period counts");
    }
    world.run(120_000);
    for asker in world.browsers() {
        for account in &accounts {
            world.get(asker, *account, GetOptions::default()).unwrap();
        }
    }
}

#[test]
fn a_node_that_does_not_pay_again_becomes_a_leaf_when_its_work_is_two_periods_old() {
    let late = 4;
    let key = mesh(304, 6, &[], TEST_TIME).status(late).key;
    let turn = next_turn(&key);
    // It joined long before; since then its shell has found nothing.
    let mut world = mesh(304, 6, &[], UnixMillis::new(turn.0 - PERIOD_MS / 2));
    world.idle.insert(late);
    for place in world.browsers().into_iter().chain([0]) {
        world.stop(place);
    }
    world.now = UnixMillis::new(turn.0 + PERIOD_MS - 60_000);
    for place in 0..7 {
        world.start(place);
        world.run(10);
    }
    for place in 1..7 {
        world.dial(place, 0);
    }
    world.run(20_000);
    assert_eq!(world.status(late).standing, Standing::Member);
    world.run(60_000);
    assert_eq!(world.status(late).standing, Standing::Lapsed);
    let account = world.confirmed_account(1);
    world.run(20_000);
    assert!(world.stored_accounts(late).is_empty());
    world.get(late, account, GetOptions::default()).unwrap();
}
