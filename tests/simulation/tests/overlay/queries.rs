//! A question is answered by those who hold the record, over links that stand.

use nanonet::{AccountState, AnswerSource, GetError, GetOptions, Input};

use crate::World;

#[test]
fn an_answer_comes_from_another_browser_and_no_full_node_is_asked() {
    let mut world = World::meshed(2, 20);
    let account = world.confirmed_account(1);
    world.run(5_000);
    let holders = world.holders(&account);
    assert_eq!(holders.len(), 3, "as many as there are replicas");
    for asker in world.browsers() {
        let answer = world.get(asker, account, GetOptions::default()).unwrap();
        let AccountState::Opened { frontier, .. } = &answer.state else {
            panic!("an opened account");
        };
        assert_eq!(frontier.balance, world.ledger.balance(&account));
        match answer.source {
            AnswerSource::OwnSlice => assert!(holders.contains(&asker)),
            AnswerSource::Peer { hops, .. } => assert!(hops >= 1),
            AnswerSource::Bridge { .. } => panic!("browsers come first"),
        }
    }
    assert_eq!(world.resolves, 0);
}

#[test]
fn with_few_links_some_answers_come_over_two_or_more_hops() {
    let mut world = World::meshed(3, 30);
    let mut far = 0;
    for number in 0..4 {
        let account = world.confirmed_account(number);
        world.run(3_000);
        for asker in world.browsers() {
            let answer = world.get(asker, account, GetOptions::default()).unwrap();
            if matches!(answer.source, AnswerSource::Peer { hops: 2.., .. }) {
                far += 1;
            }
        }
    }
    assert!(far >= 20, "{far} answers came over two or more hops");
    assert_eq!(world.resolves, 0);
}

#[test]
fn questions_are_answered_when_the_bridge_is_gone() {
    let mut world = World::meshed(4, 30);
    let accounts = world.confirmed_accounts(0..5);
    world.run(5_000);
    world.stop(0);
    world.run(5_000);
    for asker in world.browsers() {
        for account in &accounts {
            let answer = world.get(asker, *account, GetOptions::default()).unwrap();
            assert!(matches!(answer.state, AccountState::Opened { .. }));
        }
    }
}

#[test]
fn the_full_nodes_are_asked_once_for_an_account_and_then_no_more() {
    let mut world = World::meshed(5, 12);
    let account = world.ledger.open(1, 500);
    let asker = world.browsers()[3];
    let answer = world.get(asker, account, GetOptions::default()).unwrap();
    assert!(matches!(answer.source, AnswerSource::Bridge { .. }));
    assert!(answer.as_of.is_some(), "the bridge is an anchor");
    world.run(3_000);
    for asker in world.browsers() {
        world.get(asker, account, GetOptions::default()).unwrap();
    }
    assert_eq!(world.resolves, 1);
    world
        .get(
            asker,
            account,
            GetOptions {
                fresh: true,
                ..GetOptions::default()
            },
        )
        .unwrap();
    assert_eq!(world.resolves, 2, "a fresh answer is the full nodes'");
}

#[test]
fn an_account_that_was_never_opened_is_said_to_be_so_with_its_receivables() {
    let mut world = World::meshed(6, 8);
    let rich = world.ledger.open(1, 500);
    let nobody = nanonet::testing::account_key(77).account();
    world.ledger.send(&rich, &nobody, 3);
    let asker = world.browsers()[0];
    let answer = world.get(asker, nobody, GetOptions::default()).unwrap();
    assert!(matches!(answer.state, AccountState::Unopened { .. }));
    assert_eq!(answer.receivables.len(), 1);
    assert_eq!(answer.receivables[0].source, rich);
    world.get(asker, nobody, GetOptions::default()).unwrap();
    assert_eq!(world.resolves, 1, "a minute old statement is repeated");
}

#[test]
fn without_bridge_and_record_the_answer_says_what_was_tried() {
    let mut world = World::meshed(7, 8);
    world.rules.redial = false;
    world.stop(0);
    world.run(3_000);
    let unknown = nanonet::testing::account_key(99).account();
    let asker = world.browsers()[0];
    let error = world
        .get(asker, unknown, GetOptions::default())
        .unwrap_err();
    assert!(
        matches!(
            error,
            GetError::NotFound {
                paths: 3..,
                bridges: 0
            }
        ),
        "{error:?}"
    );
}

#[test]
fn a_node_without_links_says_it_is_offline() {
    let mut world = World::new(8);
    let browser = world.add(nanonet::Role::Browser);
    let account = world.ledger.open(1, 5);
    let error = world
        .get(browser, account, GetOptions::default())
        .unwrap_err();
    assert_eq!(error, GetError::Offline);
}

#[test]
fn after_a_restart_the_first_answer_comes_from_the_own_slice_without_any_link() {
    let mut world = World::meshed(9, 8);
    let account = world.confirmed_account(1);
    world.run(3_000);
    let holder = world.holders(&account)[0];
    let id = world.id(holder);
    world.rules.redial = false;
    world.stop(0);
    world.stop(holder);
    world.run(1_000);
    world.start(holder);
    assert_eq!(world.id(holder), id);
    let answer = world.get(holder, account, GetOptions::default()).unwrap();
    assert_eq!(answer.source, AnswerSource::OwnSlice);
    assert_eq!(answer.answers_seen, 1);
    assert!(world.status(holder).links.is_empty());
}

#[test]
fn an_older_proof_never_takes_the_place_of_a_newer_one() {
    let mut world = World::meshed(10, 10);
    let account = world.ledger.open(1, 500);
    let other = world.ledger.open(2, 1);
    let old = world.ledger.record(&account, None).unwrap();
    world.ledger.send(&account, &other, 20);
    world.confirm(0, account);
    world.run(3_000);
    // The bridge is made to spread the old one again.
    let record = Box::new(old);
    world.input(
        0,
        Input::Confirmed {
            record,
            receivable: None,
        },
    );
    world.run(3_000);
    for asker in world.browsers() {
        let answer = world.get(asker, account, GetOptions::default()).unwrap();
        let AccountState::Opened { frontier, .. } = &answer.state else {
            panic!("an opened account");
        };
        assert_eq!(frontier.balance, world.ledger.balance(&account));
    }
    assert!(
        world
            .status(0)
            .refused
            .iter()
            .any(|(reason, count)| *reason == "superseded" && *count > 0)
    );
}

#[test]
fn an_answer_says_whether_the_full_nodes_were_asked_for_it() {
    let mut world = World::meshed(26, 8);
    let account = world.confirmed_account(1);
    world.run(3_000);
    let asker = world.browsers()[0];
    let fresh = GetOptions {
        fresh: true,
        ..GetOptions::default()
    };
    let answer = world.get(asker, account, GetOptions::default()).unwrap();
    assert!(!answer.fresh, "the nanonet held it");
    assert!(world.get(asker, account, fresh).unwrap().fresh);
    let nobody = nanonet::testing::account_key(77).account();
    assert!(world.get(asker, nobody, fresh).unwrap().fresh);
    world.rules.redial = false;
    world.stop(0);
    world.run(3_000);
    let answer = world.get(asker, account, fresh).unwrap();
    assert!(!answer.fresh, "nobody was left to ask them");
}
