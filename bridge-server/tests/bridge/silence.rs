//! What a sighting may count as silence: a full node that drops requests, and one that answers
//! with what nobody can look up, must not make an old frontier look fresh.

use std::sync::atomic::{AtomicBool, Ordering};

use bridge_server::metrics::counted;
use bridge_server::prove::Proven;
use nano_core::message::{Message, RequestedBlock};
use nano_core::{Account, BlockHash, Network, Raw};
use nanonet::AccountRecord;

use crate::played::{Ledger, Manner, Played, Stage, holder, representative, vote};

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
    let record = record(|_| std::sync::Arc::new(|_| None)).await;
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
        std::sync::Arc::new(move |message| asks_for_votes(message, &ledger).map(|_| Vec::new()))
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
        std::sync::Arc::new(move |message| {
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
        std::sync::Arc::new(move |message| {
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
    let dropping = std::sync::Arc::new(AtomicBool::new(false));
    let drops = std::sync::Arc::clone(&dropping);
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

#[tokio::test]
async fn who_cannot_find_a_first_block_by_its_account_is_not_heard_about_unopened_ones() {
    // As full nodes of version 27: for them the zero hash with an account finds nothing.
    let record = |old: bool| async move {
        let bad = move |bad: &Played| -> Manner {
            let bad = bad.clone();
            std::sync::Arc::new(move |message| match message {
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
        std::sync::Arc::new(move |message| match message {
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
