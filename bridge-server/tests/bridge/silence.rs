//! What a sighting may count as silence: a full node that drops requests, and one that answers
//! with what nobody can look up, must not make an old frontier look fresh.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bridge_server::metrics::counted;
use bridge_server::prove::Proven;
use nano_core::message::{
    AscPullAck, AscPullAnswer, AscPullQuestion, Message, PullTarget, RequestedBlock,
};
use nano_core::{Account, BlockHash, Network, Raw, SendBlock};
use nanonet::{AccountRecord, ResolveFailure};

use crate::played::{
    Ledger, Manner, Played, Stage, asks_about, block, holder, representative, vote,
};

fn account() -> Account {
    holder(2).account()
}

/// Two representatives behind two full nodes; the lighter one's has the given manners.
async fn stage(manner: impl FnOnce(&Played) -> Manner) -> Stage {
    let ledger = Ledger::new([2], 3);
    let good = Played::new(ledger.clone(), vec![representative(1)]);
    let mut bad = Played::new(ledger, vec![representative(2)]);
    bad.manner = manner(&bad);
    Stage::new(vec![good, bad], &[(1, 80), (2, 20)]).await
}

/// Whether votes on the account's blocks are asked for.
fn asks_for_votes(message: &Message, played: &Ledger) -> Option<Vec<RequestedBlock>> {
    let head = played.head(&account());
    match message {
        Message::ConfirmReq(request) => {
            let about = request.blocks.iter().any(|pair| pair.hash == head);
            about.then(|| request.blocks.clone())
        }
        _ => None,
    }
}

async fn record(manner: impl FnOnce(&Played) -> Manner) -> AccountRecord {
    let stage = stage(manner).await;
    let record = stage.record(account()).await;
    record
        .proof
        .verify(&account(), Network::Dev, &stage.table)
        .unwrap();
    record
}

#[tokio::test]
async fn silence_beside_an_answer_dates_the_frontier_with_the_weight_that_answered() {
    let record = record(|_| Arc::new(|_| None)).await;
    let sighting = record.sightings.first().expect("not dated");
    sighting.verify().unwrap();
    assert_eq!(sighting.frontier, Some(record.hash()));
    assert_eq!(sighting.weight_asked, Raw::new(100));
    assert_eq!(sighting.weight_answered, Raw::new(100));
}

#[tokio::test]
async fn a_dropped_request_is_no_silence() {
    let record = record(|bad| {
        let ledger = bad.ledger.clone();
        Arc::new(move |message| asks_for_votes(message, &ledger).map(|_| Vec::new()))
    })
    .await;
    let sighting = record.sightings.first().expect("not dated");
    assert_eq!(sighting.weight_asked, Raw::new(100));
    assert_eq!(sighting.weight_answered, Raw::new(80));
}

#[tokio::test]
async fn a_dropped_request_is_no_silence_even_when_votes_come_by_broadcast() {
    let record = record(|bad| {
        let ledger = bad.ledger.clone();
        Arc::new(move |message| {
            asks_for_votes(message, &ledger)
                .map(|_| vec![vote(&representative(2), vec![ledger.head(&account())])])
        })
    })
    .await;
    let sighting = record.sightings.first().expect("not dated");
    assert_eq!(sighting.weight_answered, Raw::new(80));
}

#[tokio::test]
async fn a_vote_for_a_block_that_cannot_be_looked_up_spoils_the_silence_of_its_channel() {
    let record = record(|bad| {
        let bad = bad.clone();
        Arc::new(move |message| {
            asks_for_votes(message, &bad.ledger)?;
            let unknown = BlockHash::from_bytes([9; 32]);
            let mut answers = vec![vote(&representative(2), vec![unknown])];
            answers.extend(bad.ordinary(message));
            Some(answers)
        })
    })
    .await;
    let sighting = record.sightings.first().expect("not dated");
    assert_eq!(sighting.weight_answered, Raw::new(80));
}

#[tokio::test]
async fn when_all_requests_are_dropped_nothing_is_dated_nor_said_to_be_unopened() {
    let ledger = Ledger::new([2], 3);
    let dropping = Arc::new(AtomicBool::new(false));
    let drops = Arc::clone(&dropping);
    let full_node = Played::new(ledger, vec![representative(1)]).with(move |message| {
        let request = matches!(message, Message::ConfirmReq(_));
        (request && drops.load(Ordering::SeqCst)).then(Vec::new)
    });
    let stage = Stage::new(vec![full_node], &[(1, 100)]).await;
    dropping.store(true, Ordering::SeqCst);
    assert!(stage.prover.resolve(account(), None).await.is_err());
    let never = holder(9).account();
    assert!(stage.prover.resolve(never, None).await.is_err());
    assert_eq!(counted(&stage.metrics.proofs, "unopened"), 0);
}

/// A full node of four fifths of the weight that, while the switch is on, drops requests for votes
/// and only says what it would broadcast; beside it one of a fifth that answers.
async fn most_of_the_weight_drops() -> (Stage, Arc<AtomicBool>) {
    let ledger = Ledger::new([2], 3);
    let dropping = Arc::new(AtomicBool::new(false));
    let drops = Arc::clone(&dropping);
    let head = ledger.head(&account());
    let small = Played::new(ledger.clone(), vec![representative(2)]);
    let large = Played::new(ledger, vec![representative(1)]).with(move |message| {
        let request = matches!(message, Message::ConfirmReq(_));
        (request && drops.load(Ordering::SeqCst))
            .then(|| vec![vote(&representative(1), vec![head])])
    });
    let stage = Stage::new(vec![large, small], &[(1, 80), (2, 20)]).await;
    // Learns what is asked for along with everything.
    stage.record(Network::Dev.genesis_account()).await;
    (stage, dropping)
}

#[tokio::test]
async fn what_a_fifth_of_the_weight_is_silent_on_is_proven_and_not_dated() {
    let (stage, dropping) = most_of_the_weight_drops().await;
    dropping.store(true, Ordering::SeqCst);
    let record = stage.record(account()).await;
    assert!(record.sightings.is_empty(), "{:?}", record.sightings);
}

#[tokio::test]
async fn an_account_is_not_unopened_because_a_fifth_of_the_weight_is_silent_on_it() {
    let (stage, dropping) = most_of_the_weight_drops().await;
    let never = holder(9).account();
    dropping.store(true, Ordering::SeqCst);
    let answer = stage.prover.resolve(never, None).await;
    assert_eq!(answer.unwrap_err(), ResolveFailure::TooFewVotes);
    assert_eq!(counted(&stage.metrics.proofs, "unopened"), 0);
}

#[tokio::test]
async fn a_renewal_that_only_a_fifth_of_the_weight_answers_has_no_date() {
    let (stage, dropping) = most_of_the_weight_drops().await;
    let mut record = stage.record(account()).await;
    assert_eq!(record.sightings.len(), 1);
    record.sightings.clear();
    dropping.store(true, Ordering::SeqCst);
    let renewed = stage.prover.renewed(record).await.unwrap();
    let renewed = renewed.expect("moved on");
    assert!(renewed.sightings.is_empty(), "{:?}", renewed.sightings);
}

#[tokio::test]
async fn a_third_of_the_weight_that_names_a_later_block_leaves_a_frontier_undated() {
    // The old frontier has its quorum; the others may be the rest of one for a later block.
    let dated = async |naming: u128| {
        let ledger = Ledger::new([2], 1);
        let mut longer = ledger.clone();
        let later = block(&holder(2), ledger.head(&account()), 9);
        longer.chains.get_mut(&account()).unwrap().push(later);
        let known = ledger.clone();
        let names = Played::new(longer, vec![representative(2)]).with(move |message| {
            let (id, asked) = asks_about(message)?;
            let answer = AscPullAnswer::AccountInfo(known.info(asked));
            Some(vec![AscPullAck { id, answer }.into()])
        });
        let stays = Played::new(ledger, vec![representative(1)]);
        let weights = [(1, 100 - naming), (2, naming), (3, 60)];
        // A third one is in the table and never online.
        let stage = Stage::online(vec![stays, names], &weights, 100).await;
        stage.record(account()).await.sightings.len()
    };
    assert_eq!(dated(19).await, 1);
    assert_eq!(dated(33).await, 0);
}

#[tokio::test]
async fn one_lie_about_the_blocks_that_answers_are_told_by_is_got_over() {
    let ledger = Ledger::new([2], 1);
    let genesis = Network::Dev.genesis_block();
    // Legacy blocks name no account, so nothing but votes tells that these are nowhere.
    let mut invented = vec![genesis];
    for number in 0..4 {
        let previous = invented[number].hash();
        let invention = SendBlock {
            previous,
            destination: holder(3).account(),
            balance: Raw::new(5),
            signature: *genesis.signature(),
            work: genesis.work(),
        };
        invented.push(invention.into());
    }
    let told = Arc::new(AtomicBool::new(false));
    let played = [1, 2].map(|number| {
        let (invented, told) = (invented.clone(), Arc::clone(&told));
        Played::new(ledger.clone(), vec![representative(number)]).with(move |message| {
            let Message::AscPullReq(request) = message else {
                return None;
            };
            let start = PullTarget::Block(Network::Dev.genesis_hash());
            let lies = match request.question {
                AscPullQuestion::Blocks { start: from, count } => from == start && count > 1,
                _ => false,
            };
            // Whoever is asked first.
            (lies && !told.swap(true, Ordering::SeqCst)).then(|| {
                let answer = AscPullAnswer::Blocks(invented.clone());
                let id = request.id;
                vec![AscPullAck { id, answer }.into()]
            })
        })
    });
    let stage = Stage::new(played.to_vec(), &[(1, 60), (2, 40)]).await;
    let answer = stage.prover.resolve(holder(9).account(), None).await;
    assert!(told.load(Ordering::SeqCst), "nobody lied");
    match answer.unwrap() {
        Proven::Unopened(sighting) => assert_eq!(sighting.weight_answered, Raw::new(100)),
        other => panic!("not unopened: {other:?}"),
    }
}

#[tokio::test]
async fn who_cannot_find_a_first_block_by_its_account_is_not_heard_about_unopened_ones() {
    // As full nodes of version 27: for them the zero hash with an account finds nothing.
    let record = |old: bool| async move {
        let bad = move |bad: &Played| -> Manner {
            let bad = bad.clone();
            Arc::new(move |message| match message {
                Message::ConfirmReq(request) if old => {
                    let mut request = request.clone();
                    request.blocks.retain(|pair| !pair.hash.is_zero());
                    Some(bad.ordinary(&request.into()))
                }
                _ => None,
            })
        };
        let stage = stage(bad).await;
        match stage
            .prover
            .resolve(holder(9).account(), None)
            .await
            .unwrap()
        {
            Proven::Unopened(sighting) => sighting,
            other => panic!("not unopened: {other:?}"),
        }
    };
    assert_eq!(record(false).await.weight_answered, Raw::new(100));
    let sighting = record(true).await;
    assert_eq!(sighting.weight_asked, Raw::new(100));
    assert_eq!(sighting.weight_answered, Raw::new(80));
}

#[tokio::test]
async fn an_account_that_full_nodes_deny_but_a_representative_votes_for_is_not_unopened() {
    let known = Ledger::new([2], 1);
    let denied = Ledger::new([], 0);
    let votes = Played::new(known, vec![representative(1)]);
    let denies = votes.ledger.clone();
    // Answers votes from what it knows, but denies the account when asked for it.
    let votes = votes.with(move |message| match message {
        Message::AscPullReq(_) => {
            let (id, account) = crate::played::asks_about(message)?;
            let denied = account == holder(2).account();
            let info = match denied {
                true => nano_core::message::AccountInfo {
                    account,
                    ..Default::default()
                },
                false => denies.info(account),
            };
            let answer = nano_core::message::AscPullAnswer::AccountInfo(info);
            Some(vec![nano_core::message::AscPullAck { id, answer }.into()])
        }
        _ => None,
    });
    let other = Played::new(denied, vec![representative(2)]);
    let stage = Stage::new(vec![votes, other], &[(1, 80), (2, 20)]).await;
    let record = stage.record(account()).await;
    assert_eq!(record.account(), account());
}

#[tokio::test]
async fn the_answer_about_one_account_never_opened_is_none_about_another() {
    let (asked, dropped) = (holder(9).account(), holder(8).account());
    let bad = move |bad: &Played| -> Manner {
        let bad = bad.clone();
        Arc::new(move |message| match message {
            Message::ConfirmReq(request) => {
                let about = |account: Account| {
                    let mut pairs = request.blocks.iter();
                    pairs.any(|pair| pair.root == account.into())
                };
                let mut answers = bad.ordinary(message);
                if about(dropped) {
                    answers.clear();
                }
                Some(answers)
            }
            _ => None,
        })
    };
    let stage = stage(bad).await;
    // Learns what is asked for along with all others.
    stage.record(account()).await;
    // Each leaves at once, by itself.
    let (one, other) = tokio::join!(
        stage.prover.resolve(dropped, None),
        stage.prover.resolve(asked, None)
    );
    let weight = |answer| match answer {
        Ok(Proven::Unopened(sighting)) => sighting.weight_answered,
        other => panic!("not unopened: {other:?}"),
    };
    assert_eq!(weight(one), Raw::new(80));
    assert_eq!(weight(other), Raw::new(100));
}
