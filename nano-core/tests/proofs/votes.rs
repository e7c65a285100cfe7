//! One fault at a time in an otherwise valid proof of a state block.

use nano_core::proof::{Certificate, Frontier, ProofError};
use nano_core::{Link, Network, Raw, Signature, StateBlock, Vote, VoteTimestamp};

use crate::world::*;

#[test]
fn a_good_proof_says_all_about_the_frontier() {
    let proven = verify(&state_proof()).unwrap();
    let block = state_block();
    assert_eq!(proven.account, account());
    assert_eq!(proven.hash, block.hash());
    assert_eq!(proven.previous, hash(1));
    assert_eq!(proven.block, block.into());
    assert_eq!(proven.balance, Raw::new(1000));
    assert_eq!(proven.representative, key(1).account());
    // 67 % of 500 is 335; 72 % are collected: 100 + 90 + 80 + 70 = 340 is not enough for 360.
    assert_eq!(proven.threshold, Raw::new(335));
    assert!(proven.weight >= Raw::new(360));
    let sum: u128 = proven.votes.iter().map(|(_, weight)| weight.number()).sum();
    assert_eq!(sum, proven.weight.number());
}

#[test]
fn another_network_is_refused() {
    let proof = state_proof();
    let found = proof.verify(&account(), Network::Live, &table());
    assert_eq!(found.unwrap_err().reason(), "wrong-network");

    let mut live_weights = table();
    live_weights.network = Network::Live;
    let found = proof.verify(&account(), Network::Dev, &live_weights);
    assert_eq!(found.unwrap_err().reason(), "wrong-network");

    let mut relabelled = state_proof();
    relabelled.network = Network::Beta;
    assert_eq!(refusal(&relabelled), "wrong-network");
}

#[test]
fn another_accounts_proof_is_refused() {
    let found = state_proof().verify(&key(21).account(), Network::Dev, &table());
    assert_eq!(found.unwrap_err().reason(), "wrong-account");
}

#[test]
fn the_right_votes_on_an_altered_balance_are_refused() {
    let mut proof = state_proof();
    let mut altered = state_block();
    altered.balance = Raw::new(2000);
    proof.frontier = altered.sign(&owner()).into();
    assert_eq!(refusal(&proof), "hash-not-in-list");
}

#[test]
fn a_block_signed_by_someone_else_is_refused() {
    let mut proof = state_proof();
    proof.frontier = state_block().sign(&key(21)).into();
    assert_eq!(refusal(&proof), "bad-block-signature");
}

#[test]
fn a_damaged_vote_signature_is_refused() {
    let mut proof = state_proof();
    let mut bytes = *proof.certificate.votes[0].signature.as_bytes();
    bytes[3] ^= 1;
    proof.certificate.votes[0].signature = Signature::from_bytes(bytes);
    assert_eq!(refusal(&proof), "bad-vote-signature");
}

#[test]
fn a_vote_put_under_another_name_is_refused() {
    let mut proof = state_proof();
    let unused = (1..=10)
        .map(|number| key(number).account())
        .find(|rep| {
            proof
                .certificate
                .votes
                .iter()
                .all(|vote| vote.representative != *rep)
        })
        .unwrap();
    proof.certificate.votes[0].representative = unused;
    let mut light = table();
    light.online_weight = Raw::ZERO;
    light.weights.insert(unused, Raw::new(150));
    let found = proof.verify(&account(), Network::Dev, &light);
    assert_eq!(found.unwrap_err().reason(), "bad-vote-signature");
}

#[test]
fn a_repeated_representative_is_refused_and_never_counts_twice() {
    let mut proof = state_proof();
    let before = proof.certificate.weight(&proof.hash(), &table());
    let again = proof.certificate.votes[0];
    proof.certificate.votes.push(again);
    assert_eq!(refusal(&proof), "repeated-representative");
    assert_eq!(proof.certificate.weight(&proof.hash(), &table()), before);
}

#[test]
fn one_representative_over_two_lists_is_refused() {
    let block = state_block();
    let mut all = votes(&[block.hash()]);
    all.extend(votes_of([10], &[block.hash(), hash(9)]));
    let mut proof = state_proof();
    proof.certificate = Certificate::from_votes(&all).unwrap();
    assert_eq!(refusal(&proof), "repeated-representative");
}

#[test]
fn a_vote_that_is_not_final_is_refused() {
    let block = state_block();
    let mut all = votes(&[block.hash()]);
    let time = VoteTimestamp::normal(1_700_000_000_000, 9);
    all[2] = Vote::sign(&key(3), time, vec![block.hash()]);
    let mut proof = state_proof();
    proof.certificate = Certificate::from_votes(&all).unwrap();
    assert_eq!(refusal(&proof), "not-final");
}

#[test]
fn the_largest_time_with_another_duration_is_not_final() {
    let block = state_block();
    let mut all = votes(&[block.hash()]);
    let time = VoteTimestamp::from_packed(0xffff_ffff_ffff_fff0);
    all[0] = Vote::sign(&key(1), time, vec![block.hash()]);
    let mut proof = state_proof();
    proof.certificate = Certificate::from_votes(&all).unwrap();
    assert_eq!(refusal(&proof), "not-final");
}

#[test]
fn a_list_without_the_frontier_is_refused() {
    let block = state_block();
    let mut all = votes(&[block.hash()]);
    all[4] = Vote::sign(&key(5), VoteTimestamp::FINAL, vec![hash(7), hash(8)]);
    let mut proof = state_proof();
    proof.certificate = Certificate::from_votes(&all).unwrap();
    assert_eq!(refusal(&proof), "hash-not-in-list");
}

#[test]
fn too_little_weight_is_refused_with_both_numbers() {
    let mut proof = state_proof();
    let all = votes_of([10, 9, 8, 6], &[proof.hash()]);
    proof.certificate = Certificate::from_votes(&all).unwrap();
    assert_eq!(
        verify(&proof),
        Err(ProofError::TooLittleWeight {
            weight: Raw::new(330),
            threshold: Raw::new(335),
        })
    );
    let all = votes_of([10, 9, 8, 6, 1], &[proof.hash()]);
    proof.certificate = Certificate::from_votes(&all).unwrap();
    assert_eq!(verify(&proof).unwrap().weight, Raw::new(340));
}

#[test]
fn no_votes_at_all_prove_nothing_even_under_an_empty_table() {
    let mut proof = state_proof();
    proof.certificate = Certificate::default();
    assert_eq!(refusal(&proof), "too-little-weight");
    let mut empty = table();
    empty.weights.clear();
    empty.online_weight = Raw::ZERO;
    empty.minimum = Raw::ZERO;
    let found = proof.verify(&account(), Network::Dev, &empty);
    assert_eq!(found.unwrap_err().reason(), "too-little-weight");
}

#[test]
fn a_key_that_anyone_can_sign_for_is_refused_whatever_its_weight() {
    let mut weights = table();
    weights.weights.insert(small_order_account(), Raw::new(400));
    let mut proof = state_proof();
    let mut forged = [0; 64];
    forged[0] = 1;
    proof.certificate.votes[0].representative = small_order_account();
    proof.certificate.votes[0].signature = Signature::from_bytes(forged);
    // The signature itself holds, which is what makes such keys dangerous.
    let vote = proof.certificate.to_votes().next().unwrap();
    assert_eq!(vote.verify(), Ok(()));

    let found = proof.verify(&account(), Network::Dev, &weights);
    assert_eq!(found.unwrap_err().reason(), "small-order-key");
    let alone = Certificate::from_votes([&vote]).unwrap();
    assert_eq!(alone.weight(&proof.hash(), &weights), Raw::ZERO);
}

#[test]
fn a_representative_the_table_does_not_list_weighs_nothing() {
    let block = state_block();
    let mut all = votes(&[block.hash()]);
    all.extend(votes_of([30], &[block.hash()]));
    let mut proof = state_proof();
    proof.certificate = Certificate::from_votes(&all).unwrap();
    let proven = verify(&proof).unwrap();
    assert_eq!(proven.weight, Raw::new(550));
    assert!(proven.votes.contains(&(key(30).account(), Raw::ZERO)));
}

#[test]
fn a_send_to_the_address_of_an_epoch_mark_is_the_accounts_own_block() {
    let block = StateBlock::unsigned(
        account(),
        hash(1),
        key(1).account(),
        Raw::new(1),
        nano_core::Epoch::Two.link(),
    )
    .sign(&owner());
    let previous = StateBlock::unsigned(
        account(),
        hash(2),
        key(1).account(),
        Raw::new(5),
        Link::ZERO,
    );
    let frontier = Frontier::state(block, Some(previous.into()));
    assert_eq!(frontier, Frontier::State(block));
    verify(&proof_of(frontier, &votes(&[block.hash()]))).unwrap();
}
