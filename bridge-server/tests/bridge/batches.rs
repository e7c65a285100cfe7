//! What proofs cost, in messages and bytes, with 16 voting full nodes over real sockets.

use std::collections::BTreeSet;
use std::sync::Arc;

use bridge_server::ask::{Item, Priority};
use bridge_server::metrics::counted;
use bridge_server::prove::Wanted;
use futures_util::future::join_all;
use nano_core::message::{Message, RequestedBlock};
use nano_core::{Account, Network, Vote, VoteTimestamp};

use crate::played::{Ledger, Noted, Played, Stage, holder, opened, representative};

const CHANNELS: u8 = 16;
const ACCOUNTS: std::ops::Range<u8> = 100..164;

/// 16 full nodes of one representative each, of uneven weight, that note every list they are
/// asked to vote for.
async fn stage(ledger: &Ledger) -> (Stage, Vec<Noted<Vec<RequestedBlock>>>) {
    let lists: Vec<Noted<Vec<RequestedBlock>>> = (0..CHANNELS).map(|_| Noted::default()).collect();
    let played = (0..CHANNELS).zip(&lists).map(|(number, lists)| {
        let lists = Arc::clone(lists);
        Played::new(ledger.clone(), vec![representative(number)]).with(move |message| {
            if let Message::ConfirmReq(request) = message {
                lists.lock().unwrap().push(request.blocks.clone());
            }
            None
        })
    });
    let weights: Vec<_> = (0..CHANNELS)
        .map(|n| (n, 100 - 4 * u128::from(n)))
        .collect();
    (Stage::new(played.collect(), &weights).await, lists)
}

fn accounts() -> Vec<Account> {
    ACCOUNTS.map(|number| holder(number).account()).collect()
}

fn per_account(messages: u64) -> f64 {
    let messages = u32::try_from(messages).unwrap();
    f64::from(messages) / f64::from(u32::try_from(ACCOUNTS.len()).unwrap())
}

#[tokio::test]
async fn accounts_never_seen_cost_at_most_three_messages_each_and_4096_bytes() {
    let ledger = Ledger::new(ACCOUNTS, 2);
    let (stage, lists) = stage(&ledger).await;
    // What is learned once for all accounts.
    stage.record(Network::Dev.genesis_account()).await;
    let before = stage.messages();
    let wanted = accounts().into_iter().map(Wanted::from).collect();
    let answers = stage.prover.prove_many(wanted).await;
    let cost = per_account(stage.messages() - before);
    assert!(cost <= 3.0, "{cost} messages for each proof");
    for (place, (account, answer)) in answers.into_iter().enumerate() {
        assert_eq!(
            account,
            accounts()[place],
            "the order is that of the question"
        );
        let record = opened(answer.unwrap());
        record
            .proof
            .verify(&account, Network::Dev, &stage.table)
            .unwrap();
        assert_eq!(record.sightings[0].weight_answered, stage.table.total());
        let size = record.proof.to_bytes().unwrap().len();
        assert!(size <= 4_096, "{size} bytes");
        assert_eq!(
            record.proof.certificate.lists.len(),
            1,
            "one list for all votes"
        );
    }
    // Everybody was asked for the same lists in the same order.
    let first = lists[0].lock().unwrap().clone();
    for other in &lists {
        assert_eq!(*other.lock().unwrap(), first);
    }
}

#[tokio::test]
async fn a_walk_over_frontiers_saves_the_question_for_each_account() {
    let ledger = Ledger::new(ACCOUNTS, 2);
    let (stage, _) = stage(&ledger).await;
    stage.record(Network::Dev.genesis_account()).await;
    let before = stage.messages();
    let walk = stage.asker.at(Priority::Background);
    let listing = walk.frontiers(Account::ZERO, 1_000, &BTreeSet::new()).await;
    let listing = listing.unwrap();
    assert_eq!(listing.rows.len(), ledger.chains.len());
    assert!(listing.is_last);
    let wanted: Vec<_> = listing
        .rows
        .into_iter()
        .map(|row| Wanted {
            head: Some(row.head),
            ..Wanted::from(row.account)
        })
        .collect();
    for (_, answer) in stage.prover.prove_many(wanted).await {
        opened(answer.unwrap());
    }
    let cost = per_account(stage.messages() - before);
    assert!(cost <= 2.2, "{cost} messages for each proof");
    assert_eq!(counted(&stage.metrics.full_node_requests, "frontiers"), 2);
}

#[tokio::test]
async fn blocks_and_votes_of_the_live_stream_cost_at_most_one_message_each_with_their_date() {
    let ledger = Ledger::new(ACCOUNTS, 1);
    let (stage, _) = stage(&ledger).await;
    stage.record(Network::Dev.genesis_account()).await;
    let before = stage.messages();
    let live = accounts().into_iter().map(|account| {
        let block = ledger.chains[&account][0];
        let votes = (0..CHANNELS).map(|number| {
            let hashes = vec![block.hash()];
            Vote::sign(&representative(number), VoteTimestamp::FINAL, hashes)
        });
        stage.prover.confirmed(block, votes.collect())
    });
    let records = join_all(live).await;
    assert_eq!(
        stage.messages(),
        before,
        "nothing is asked for the proof itself"
    );
    let renewals = records.into_iter().map(|made| {
        let (record, _) = made.unwrap();
        assert!(record.sightings.is_empty());
        stage.prover.renewed(record)
    });
    for renewed in join_all(renewals).await {
        let record = renewed.unwrap().expect("moved on");
        assert_eq!(record.sightings[0].weight_answered, stage.table.total());
    }
    let cost = per_account(stage.messages() - before);
    assert!(cost <= 1.0, "{cost} messages for each proof");
}

#[tokio::test]
async fn who_waits_is_not_held_back_and_takes_the_background_along() {
    let ledger = Ledger::new(ACCOUNTS, 1);
    let (stage, _) = stage(&ledger).await;
    stage.record(Network::Dev.genesis_account()).await;
    let item = |account: Account| {
        let block = ledger.chains[&account][0];
        Item {
            account,
            silent: block.hash().into(),
            blocks: vec![RequestedBlock {
                hash: block.hash(),
                root: block.root(),
            }],
        }
    };
    let before = counted(&stage.metrics.full_node_requests, "confirm_req");
    let spare = stage.asker.at(Priority::Spare);
    let lingering = accounts()[..4].to_vec();
    let lingering = lingering
        .into_iter()
        .map(|account| spare.ballot(item(account)));
    let waits = accounts()[9];
    // The lingering ones are polled first, so they are here when the other comes.
    let (rode, waited) = tokio::join!(join_all(lingering), stage.asker.ballot(item(waits)));
    assert_eq!(waited.unwrap().votes.len(), usize::from(CHANNELS));
    for ballot in rode {
        assert_eq!(ballot.unwrap().votes.len(), usize::from(CHANNELS));
    }
    // One request for all of them, so the others did not linger on.
    let requests = counted(&stage.metrics.full_node_requests, "confirm_req") - before;
    assert_eq!(requests, u64::from(CHANNELS));
}
