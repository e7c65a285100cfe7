//! Questions to full nodes over real sockets: whose word wins, who is asked next, and what is not
//! asked twice.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bridge_server::full_node::{AskError, IN_FLIGHT};
use bridge_server::metrics::counted;
use bridge_server::prove::{Proven, Wanted};
use futures_util::future::join_all;
use nano_core::message::{
    AccountInfo, AscPullAck, AscPullAnswer, AscPullQuestion, Message, PullTarget,
};
use nano_core::{Account, BlockHash, Network, Raw};
use nanonet::ResolveFailure;

use crate::common::until;
use crate::played::{Ledger, Played, Stage, asks_about, block, holder, opened, representative};

const ACCOUNTS: std::ops::Range<u8> = 10..18;

fn told(id: u64, info: AccountInfo) -> Vec<Message> {
    let answer = AscPullAnswer::AccountInfo(info);
    vec![AscPullAck { id, answer }.into()]
}

/// Two full nodes, each of which does `wrong` where an account is asked for, one to the lower half
/// of them and one to the upper. Asked at once, both get some of each half, so both are wrong.
async fn two_that_are_wrong(
    ledger: Ledger,
    wrong: impl Fn(u64, Account, &Ledger) -> Vec<Message> + Clone + Send + Sync + 'static,
) -> Stage {
    let played = [0, 1].map(|half| {
        let wrong_about: BTreeSet<Account> = ACCOUNTS
            .filter(|number| (number - ACCOUNTS.start) / 4 == half)
            .map(|number| holder(number).account())
            .collect();
        let (known, wrong) = (ledger.clone(), wrong.clone());
        Played::new(ledger.clone(), vec![representative(half)]).with(move |message| {
            let (id, account) = asks_about(message)?;
            let is_wrong = wrong_about.contains(&account);
            is_wrong.then(|| wrong(id, account, &known))
        })
    });
    Stage::new(played.to_vec(), &[(0, 60), (1, 40)]).await
}

async fn all_are_proven(stage: &Stage, ledger: &Ledger) {
    let accounts: Vec<_> = ACCOUNTS.map(|number| holder(number).account()).collect();
    let asks = accounts.iter().map(|account| stage.record(*account));
    for (record, account) in join_all(asks).await.iter().zip(&accounts) {
        assert_eq!(record.hash(), ledger.head(account), "not the newest block");
        record
            .proof
            .verify(account, Network::Dev, &stage.table)
            .unwrap();
        assert_eq!(record.sightings.len(), 1);
    }
}

#[tokio::test]
async fn a_full_node_that_answers_with_another_account_does_not_win() {
    let ledger = Ledger::new(ACCOUNTS, 3);
    let stage = two_that_are_wrong(ledger.clone(), |id, account, ledger| {
        let other = ledger.chains.keys().find(|other| **other != account);
        told(id, ledger.info(*other.unwrap()))
    })
    .await;
    all_are_proven(&stage, &ledger).await;
    assert!(counted(&stage.metrics.full_node_asks, "wrong") > 0);
}

#[tokio::test]
async fn a_full_node_that_passes_off_anothers_block_does_not_win() {
    let ledger = Ledger::new(ACCOUNTS, 3);
    let stage = two_that_are_wrong(ledger.clone(), |id, account, ledger| {
        let other = ledger.chains.keys().find(|other| **other != account);
        let info = ledger.info(*other.unwrap());
        told(id, AccountInfo { account, ..info })
    })
    .await;
    all_are_proven(&stage, &ledger).await;
}

#[tokio::test]
async fn a_full_node_that_names_an_old_frontier_does_not_win() {
    let ledger = Ledger::new(ACCOUNTS, 3);
    let stage = two_that_are_wrong(ledger.clone(), |id, account, ledger| {
        let old = ledger.chains[&account][0].hash();
        let info = ledger.info(account);
        told(
            id,
            AccountInfo {
                confirmed_frontier: old,
                ..info
            },
        )
    })
    .await;
    all_are_proven(&stage, &ledger).await;
    assert!(counted(&stage.metrics.full_node_asks, "outdated") > 0);
}

#[tokio::test]
async fn when_every_full_node_names_an_old_frontier_the_votes_are_followed() {
    let ledger = Ledger::new([2], 3);
    let known = ledger.clone();
    let account = holder(2).account();
    let liar = Played::new(ledger.clone(), vec![representative(1)]).with(move |message| {
        let (id, asked) = asks_about(message)?;
        let old = known.chains[&account][1].hash();
        let info = known.info(asked);
        (asked == account).then(|| {
            told(
                id,
                AccountInfo {
                    confirmed_frontier: old,
                    ..info
                },
            )
        })
    });
    let stage = Stage::new(vec![liar], &[(1, 100)]).await;
    assert_eq!(stage.record(account).await.hash(), ledger.head(&account));
}

#[tokio::test]
async fn a_full_node_that_says_nothing_does_not_win_and_another_is_asked_before_it_gives_up() {
    let ledger = Ledger::new(ACCOUNTS, 2);
    let stage = two_that_are_wrong(ledger.clone(), |_, _, _| Vec::new()).await;
    all_are_proven(&stage, &ledger).await;
}

#[tokio::test]
async fn a_question_that_takes_longer_than_most_is_asked_of_a_second_full_node() {
    let ledger = Ledger::new(ACCOUNTS, 1);
    let quick = Played::new(ledger.clone(), vec![representative(1)]);
    let silent = quick
        .clone()
        .with(|message| asks_about(message).map(|_| Vec::new()));
    let stage = Stage::new(vec![quick, silent], &[(1, 100)]).await;
    // Asked at the same moment, so that both full nodes are; neither is known to be better yet.
    let asks = ACCOUNTS.map(|number| stage.asker.account_info(holder(number).account()));
    for word in join_all(asks).await {
        assert!(!word.unwrap().info.confirmed_frontier.is_zero());
    }
    assert!(counted(&stage.metrics.full_node_asks, "hedged") > 0);
    assert_eq!(
        counted(&stage.metrics.full_node_asks, "silent"),
        0,
        "nobody was waited for"
    );
}

#[tokio::test]
async fn a_full_node_that_denies_an_account_does_not_win() {
    let ledger = Ledger::new(ACCOUNTS, 2);
    let stage = two_that_are_wrong(ledger.clone(), |id, account, _| {
        told(
            id,
            AccountInfo {
                account,
                ..AccountInfo::default()
            },
        )
    })
    .await;
    all_are_proven(&stage, &ledger).await;
}

#[tokio::test]
async fn what_nobody_knows_is_not_asked_again_at_once() {
    let node = Played::new(Ledger::new([2], 1), vec![representative(1)]);
    let stage = Stage::new(vec![node], &[(1, 100)]).await;
    let nowhere = BlockHash::from_bytes([5; 32]);
    let unknown = Err(AskError::Unknown { asked: 1 });
    assert_eq!(stage.asker.blocks(nowhere, 1).await, unknown);
    let asked = stage.messages();
    assert_eq!(asked, 1);
    assert_eq!(stage.asker.blocks(nowhere, 1).await, unknown);
    assert_eq!(stage.messages(), asked);
}

#[tokio::test]
async fn one_that_does_not_know_beside_others_that_are_silent_is_not_believed() {
    let ledger = Ledger::new([2], 1);
    let never = holder(9).account();
    let denies = Played::new(ledger.clone(), vec![representative(1)]);
    let silent = denies
        .clone()
        .with(|message| asks_about(message).map(|_| Vec::new()));
    let stage = Stage::new(vec![silent.clone(), denies, silent], &[(1, 100)]).await;
    let told = stage.asker.account_info(never).await;
    assert_eq!(told.unwrap_err(), AskError::TimedOut { asked: 3 });
    // Nor is it remembered: who denies is asked again.
    let asked = stage.messages();
    let told = stage.asker.account_info(never).await;
    assert_eq!(told.unwrap_err(), AskError::TimedOut { asked: 3 });
    assert_eq!(stage.messages(), asked + 3);
}

#[tokio::test]
async fn hashes_that_nobody_has_keep_nobody_waiting() {
    let ledger = Ledger::new([2], 1);
    let account = holder(2).account();
    let head = ledger.head(&account);
    let invented: Vec<_> = (100..116)
        .map(|number| BlockHash::from_bytes([number; 32]))
        .collect();
    let looked_up = Arc::new(AtomicUsize::new(0));
    let played = [1, 2].map(|number| {
        let (invented, looked_up) = (invented.clone(), Arc::clone(&looked_up));
        let ordinary = Played::new(ledger.clone(), vec![representative(number)]);
        ordinary.clone().with(move |message| match message {
            Message::AscPullReq(request) => {
                let AscPullQuestion::Blocks {
                    start: PullTarget::Block(hash),
                    ..
                } = request.question
                else {
                    return None;
                };
                let hangs = invented.contains(&hash);
                looked_up.fetch_add(usize::from(hangs), Ordering::SeqCst);
                hangs.then(Vec::new)
            }
            Message::ConfirmReq(request) if number == 2 => {
                let about = request.blocks.iter().any(|pair| pair.hash == head);
                let invention = || crate::played::vote(&representative(2), invented.clone());
                let mut answers: Vec<_> = about.then(invention).into_iter().collect();
                answers.extend(ordinary.ordinary(message));
                Some(answers)
            }
            _ => None,
        })
    });
    let stage = Stage::new(played.to_vec(), &[(1, 80), (2, 20)]).await;
    stage.record(Network::Dev.genesis_account()).await;
    // One after another they would take a minute.
    let record = tokio::time::timeout(Duration::from_secs(20), stage.record(account));
    let record = record.await.expect("a person was kept waiting");
    assert!(looked_up.load(Ordering::SeqCst) >= invented.len());
    assert_eq!(record.sightings[0].weight_answered, Raw::new(80));
}

#[tokio::test]
async fn equal_questions_at_the_same_time_cost_one_message() {
    let ledger = Ledger::new([2], 2);
    let stage = Stage::new(
        vec![Played::new(ledger.clone(), vec![representative(1)])],
        &[(1, 100)],
    )
    .await;
    let head = ledger.head(&holder(2).account());
    let asks = (0..20).map(|_| stage.asker.blocks(head, 1));
    for blocks in join_all(asks).await {
        assert_eq!(blocks.unwrap()[0].hash(), head);
    }
    assert_eq!(stage.messages(), 1);
}

#[tokio::test]
async fn a_channel_never_has_more_than_its_questions_in_flight() {
    let ledger = Ledger::new([2], 1);
    let open: Arc<Mutex<Vec<Message>>> = Arc::default();
    let most = Arc::new(AtomicUsize::new(0));
    let (held, peak) = (Arc::clone(&open), Arc::clone(&most));
    let node = Played::new(ledger.clone(), vec![representative(1)]);
    let ordinary = node.clone();
    // Answers nothing until as many questions are here as there may be, and then all at once.
    let node = node.with(move |message| {
        matches!(message, Message::AscPullReq(_)).then(|| {
            let mut held = held.lock().unwrap();
            held.push(message.clone());
            peak.fetch_max(held.len(), Ordering::SeqCst);
            match held.len() >= IN_FLIGHT {
                true => held
                    .drain(..)
                    .flat_map(|one| ordinary.ordinary(&one))
                    .collect(),
                false => Vec::new(),
            }
        })
    });
    let stage = Stage::new(vec![node], &[(1, 100)]).await;
    let count = u8::try_from(4 * IN_FLIGHT).unwrap();
    let asks = (0..count).map(|number| {
        let asker = stage.asker.clone();
        async move { asker.account_info(holder(100 + number).account()).await }
    });
    for word in join_all(asks).await {
        assert!(word.unwrap().info.confirmed_frontier.is_zero());
    }
    assert_eq!(most.load(Ordering::SeqCst), IN_FLIGHT);
}

#[tokio::test]
async fn a_dropped_request_for_votes_is_made_again() {
    let ledger = Ledger::new([2], 1);
    let account = holder(2).account();
    let head = ledger.head(&account);
    let dropped = Arc::new(AtomicBool::new(false));
    let once = Arc::clone(&dropped);
    let node = Played::new(ledger, vec![representative(1)]).with(move |message| match message {
        Message::ConfirmReq(request) => {
            let about = request.blocks.iter().any(|pair| pair.hash == head);
            (about && !once.swap(true, Ordering::SeqCst)).then(Vec::new)
        }
        _ => None,
    });
    let stage = Stage::new(vec![node], &[(1, 100)]).await;
    let record = stage.record(account).await;
    assert_eq!(record.sightings.len(), 1);
    assert!(dropped.load(Ordering::SeqCst));
    assert_eq!(counted(&stage.metrics.full_node_asks, "votes-again"), 1);
}

#[tokio::test]
async fn a_representative_that_votes_twice_counts_once() {
    let ledger = Ledger::new([2], 1);
    // 40 of 100 behind two full nodes, each of which also repeats its vote with another list.
    let twice = Played::new(ledger.clone(), vec![representative(1), representative(1)]);
    let again = twice.clone();
    let again = again.with(move |message| {
        let mut answers = twice.ordinary(message);
        if let Message::ConfirmReq(request) = message {
            let mut hashes = ledger.votable(&request.blocks);
            hashes.reverse();
            answers.push(crate::played::vote(&representative(1), hashes));
        }
        Some(answers)
    });
    let played = vec![again.clone(), again];
    let stage = Stage::new(played, &[(1, 40), (2, 60)]).await;
    let answer = stage.prover.resolve(holder(2).account(), None).await;
    assert_eq!(answer.unwrap_err(), ResolveFailure::TooFewVotes);
}

#[tokio::test]
async fn two_quorum_certificates_for_one_root_raise_the_alarm_and_neither_wins() {
    let one = Ledger::new([2], 1);
    let account = holder(2).account();
    let first = one.head(&account);
    let mut two = one.clone();
    let mut heads = BTreeSet::new();
    for (ledger, number) in [(&mut two, 8), (&mut one.clone(), 7)] {
        let chain = ledger.chains.get_mut(&account).unwrap();
        chain.push(block(&holder(2), first, number));
        heads.insert(ledger.head(&account));
    }
    let mut seven = one.clone();
    let chain = seven.chains.get_mut(&account).unwrap();
    chain.push(block(&holder(2), first, 7));
    // The same representatives sign one block here and its rival there.
    let all = vec![representative(1), representative(2)];
    let played = vec![Played::new(seven, all.clone()), Played::new(two, all)];
    let stage = Stage::new(played, &[(1, 60), (2, 40)]).await;
    match stage.prover.resolve(account, None).await.unwrap() {
        Proven::Diverged(both) => {
            let found: BTreeSet<_> = both.iter().map(|record| record.hash()).collect();
            assert_eq!(found, heads);
            for record in both.iter() {
                record
                    .proof
                    .verify(&account, Network::Dev, &stage.table)
                    .unwrap();
                assert!(record.sightings.is_empty(), "neither is dated");
            }
        }
        other => panic!("no alarm: {other:?}"),
    }
    assert_eq!(stage.metrics.alarms.get(), 1);
}

#[tokio::test]
async fn a_few_votes_for_a_later_block_nobody_has_do_not_keep_an_account_unproven() {
    let ledger = Ledger::new([2], 1);
    let account = holder(2).account();
    let mut longer = ledger.clone();
    let later = block(&holder(2), ledger.head(&account), 9);
    longer.chains.get_mut(&account).unwrap().push(later);
    let honest = Played::new(ledger.clone(), vec![representative(1)]);
    // Says as the others do what the frontier is, and votes for a block after it.
    let known = ledger.clone();
    let liar = Played::new(longer, vec![representative(2)]).with(move |message| {
        let (id, asked) = asks_about(message)?;
        Some(told(id, known.info(asked)))
    });
    let stage = Stage::new(vec![honest, liar], &[(1, 85), (2, 15)]).await;
    let record = opened(stage.prover.resolve(account, None).await.unwrap());
    assert_eq!(record.hash(), ledger.head(&account));
    let sighting = record.sightings.first().expect("not dated");
    assert_eq!(
        sighting.weight_answered,
        Raw::new(85),
        "who named a later one was not silent"
    );
}

#[tokio::test]
async fn a_person_is_answered_while_everything_the_background_asked_for_hangs() {
    const PERSON: u8 = 9;
    let background: Vec<u8> = (10..210).collect();
    let ledger = Ledger::new(background.iter().copied().chain([PERSON]), 1);
    let theirs: BTreeSet<BlockHash> = background
        .iter()
        .map(|number| ledger.head(&holder(*number).account()))
        .collect();
    let hanging = Arc::new(AtomicUsize::new(0));
    let played = [0, 1].map(|number| {
        let (theirs, hanging) = (theirs.clone(), Arc::clone(&hanging));
        Played::new(ledger.clone(), vec![representative(number)]).with(move |message| {
            let hangs = match message {
                Message::AscPullReq(request) => match request.question {
                    AscPullQuestion::Blocks {
                        start: PullTarget::Block(hash),
                        ..
                    } => theirs.contains(&hash),
                    _ => false,
                },
                _ => false,
            };
            hanging.fetch_add(usize::from(hangs), Ordering::SeqCst);
            hangs.then(Vec::new)
        })
    });
    let stage = Stage::new(played.to_vec(), &[(0, 60), (1, 40)]).await;
    stage.record(Network::Dev.genesis_account()).await;
    let wanted = background.iter().map(|number| {
        let account = holder(*number).account();
        Wanted {
            head: Some(ledger.head(&account)),
            ..Wanted::from(account)
        }
    });
    let mut walk = Box::pin(stage.prover.prove_many(wanted.collect()));
    let asked = until("the background to take its places", async || {
        let hangs = hanging.load(Ordering::SeqCst) >= IN_FLIGHT / 2;
        hangs.then_some(())
    });
    tokio::select! {
        _ = &mut walk => panic!("nothing was to be answered"),
        () = asked => {}
    }
    let person = holder(PERSON).account();
    tokio::select! {
        biased;
        answer = stage.prover.resolve(person, None) => {
            assert_eq!(opened(answer.unwrap()).hash(), ledger.head(&person));
        }
        _ = &mut walk => panic!("the background ended first"),
    }
}
