//! Proven sends and what becomes of them when they are received.

use nano_core::Account;

use super::*;
use crate::ReceivableRecord;
use crate::slice::{MAX_RECEIVABLES, Refusal};
use crate::testing::account_key;

const RICH: u64 = 900;

/// An account that sends `amounts` to `destination`, and the proofs of these sends.
fn sends(keys: &TestKeys, destination: &Account, amounts: &[Raw]) -> Vec<ReceivableRecord> {
    let mut chain = TestChain::open(RICH, nano(100_000));
    for amount in amounts {
        chain.send(destination, *amount);
    }
    (1..=amounts.len())
        .map(|height| keys.receivable(&chain, height))
        .collect()
}

fn offer_send(slice: &mut Slice, keys: &TestKeys, record: ReceivableRecord) -> Outcome {
    let destination = record.destination();
    slice.offer_receivable(NOW, &destination, record, keys.weights())
}

fn amounts(slice: &Slice, account: &Account) -> Vec<Raw> {
    slice
        .receivables(account)
        .map(|send| send.proven().amount)
        .collect()
}

#[test]
fn receivables_are_listed_largest_first() {
    let keys = TestKeys::new();
    let owner = account_key(1).account();
    let mut slice = slice();
    for record in sends(&keys, &owner, &[nano(2), nano(9), nano(4)]) {
        assert_eq!(offer_send(&mut slice, &keys, record), Outcome::Stored);
    }
    assert_eq!(amounts(&slice, &owner), [nano(9), nano(4), nano(2)]);
    assert_eq!(slice.receivable_count(), 3);
}

#[test]
fn the_same_send_again_is_held_already() {
    let keys = TestKeys::new();
    let owner = account_key(1).account();
    let mut slice = slice();
    let record = sends(&keys, &owner, &[nano(2)]).remove(0);
    offer_send(&mut slice, &keys, record.clone());
    assert_eq!(offer_send(&mut slice, &keys, record), Outcome::AlreadyHeld);
    assert_eq!(slice.receivable_count(), 1);
}

#[test]
fn a_send_to_someone_else_is_refused() {
    let keys = TestKeys::new();
    let record = sends(&keys, &account_key(1).account(), &[nano(2)]).remove(0);
    let other = account_key(2).account();
    let outcome = slice().offer_receivable(NOW, &other, record, keys.weights());
    assert!(outcome.is_fault(), "{outcome:?}");
}

#[test]
fn an_amount_below_the_minimum_is_kept_for_watched_accounts_only() {
    let keys = TestKeys::new();
    let owner = account_key(1).account();
    let minimum = config().minimum_receivable;
    let dust = Raw::new(minimum.number() - 1);
    let mut slice = slice();
    let records = sends(&keys, &owner, &[dust, minimum]);
    let refused = Outcome::Refused(Refusal::BelowMinimum { minimum });
    assert_eq!(offer_send(&mut slice, &keys, records[0].clone()), refused);
    assert_eq!(
        offer_send(&mut slice, &keys, records[1].clone()),
        Outcome::Stored
    );
    assert!(slice.watch(&owner));
    assert_eq!(
        offer_send(&mut slice, &keys, records[0].clone()),
        Outcome::Stored
    );
}

#[test]
fn a_proven_receive_removes_the_receivable_and_leaves_a_tombstone() {
    let keys = TestKeys::new();
    let mut owner = TestChain::open(1, nano(1));
    let records = sends(&keys, &owner.account(), &[nano(2), nano(3)]);
    let mut slice = slice();
    for record in &records {
        offer_send(&mut slice, &keys, record.clone());
    }
    owner.receive(records[0].hash(), nano(2));
    offer(&mut slice, &keys, &owner, keys.record(&owner, 1, 0));
    assert_eq!(amounts(&slice, &owner.account()), [nano(3)]);
    let outcome = offer_send(&mut slice, &keys, records[0].clone());
    assert_eq!(outcome, Outcome::AlreadyReceived);
    assert_eq!(outcome.reason(), Some("already-received"));
    assert_eq!(slice.receivable_count(), 1);
}

#[test]
fn a_receive_in_the_lineage_counts_as_well() {
    let keys = TestKeys::new();
    let mut owner = TestChain::open(1, nano(1));
    let record = sends(&keys, &owner.account(), &[nano(2)]).remove(0);
    owner.receive(record.hash(), nano(2));
    owner.send(&account_key(5).account(), nano(1));
    let mut slice = slice();
    offer(&mut slice, &keys, &owner, keys.record(&owner, 2, 1));
    assert_eq!(
        offer_send(&mut slice, &keys, record),
        Outcome::AlreadyReceived
    );
}

#[test]
fn a_receive_in_a_superseded_record_counts_as_well() {
    let keys = TestKeys::new();
    let mut owner = TestChain::open(1, nano(1));
    let record = sends(&keys, &owner.account(), &[nano(2)]).remove(0);
    owner.receive(record.hash(), nano(2));
    owner.send(&account_key(5).account(), nano(1));
    let mut slice = slice();
    offer_send(&mut slice, &keys, record);
    offer(&mut slice, &keys, &owner, keys.record(&owner, 2, 0));
    assert_eq!(slice.receivable_count(), 1);
    offer(&mut slice, &keys, &owner, keys.record(&owner, 1, 0));
    assert_eq!(slice.receivable_count(), 0);
}

#[test]
fn a_full_destination_gives_up_the_smallest_for_a_larger_one() {
    let keys = TestKeys::new();
    let owner = account_key(1).account();
    let mut many: Vec<Raw> = (0..MAX_RECEIVABLES)
        .map(|place| nano(u128::try_from(place).unwrap() + 2))
        .collect();
    many.extend([nano(2), nano(1), nano(50_000)]);
    let mut config = config();
    config.budget_bytes = 1 << 30;
    let mut slice = Slice::new(config);
    let records = sends(&keys, &owner, &many);
    let (all, late) = records.split_at(MAX_RECEIVABLES);
    for record in all {
        assert_eq!(
            offer_send(&mut slice, &keys, record.clone()),
            Outcome::Stored
        );
    }
    for record in &late[..2] {
        let outcome = offer_send(&mut slice, &keys, record.clone());
        assert_eq!(outcome, Outcome::Refused(Refusal::DestinationFull));
        assert!(!outcome.is_fault());
    }
    assert_eq!(
        offer_send(&mut slice, &keys, late[2].clone()),
        Outcome::Stored
    );
    let held = amounts(&slice, &owner);
    assert_eq!(held.len(), MAX_RECEIVABLES);
    assert_eq!(
        (held[0], held[MAX_RECEIVABLES - 1]),
        (nano(50_000), nano(3))
    );
}
