//! Choosing votes: most weight in fewest bytes, nothing that would spoil the proof.

use nano_core::proof::{BalanceProof, ProofError};
use nano_core::{Account, Network, Raw, Signature, Vote, VoteTimestamp};

use crate::world::*;

fn assemble(votes: &[Vote]) -> Result<(BalanceProof, Raw), ProofError> {
    let made = BalanceProof::from_votes(Network::Dev, state_block(), votes, &table())?;
    Ok((made.proof, made.weight))
}

fn voters(proof: &BalanceProof) -> Vec<Account> {
    proof
        .certificate
        .votes
        .iter()
        .map(|vote| vote.representative)
        .collect()
}

#[test]
fn no_more_votes_are_taken_than_reach_the_target() {
    let (proof, weight) = assemble(&votes(&[state_block().hash()])).unwrap();
    // 72 % of 500 is 360: 100, 90, 80, 70 and 60 reach 400; 4 x 10 more than needed stay out.
    assert_eq!(weight, Raw::new(400));
    assert_eq!(voters(&proof).len(), 5);
    assert_eq!(proof.certificate.weight(&proof.hash(), &table()), weight);
    assert_eq!(verify(&proof).unwrap().weight, weight);
}

#[test]
fn lists_that_many_share_are_preferred() {
    let frontier = state_block().hash();
    let shared = votes(&[frontier, hash(2)]);
    let mut all: Vec<Vote> = (1..=10)
        .flat_map(|number| votes_of([number], &[frontier, hash(100 + number)]))
        .collect();
    all.extend(shared);
    let (proof, _) = assemble(&all).unwrap();
    assert_eq!(proof.certificate.lists.len(), 1);
    assert_eq!(proof.certificate.lists[0].hashes, [frontier, hash(2)]);
}

#[test]
fn votes_that_would_spoil_the_proof_are_left_out() {
    let frontier = state_block().hash();
    let mut all = votes(&[frontier]);
    all[9].signature = Signature::ZERO;
    all[8] = Vote::sign(
        &key(9),
        VoteTimestamp::normal(1_700_000_000_000, 9),
        vec![frontier],
    );
    all[7] = Vote::sign(&key(8), VoteTimestamp::FINAL, vec![hash(2)]);
    all[6].representative = small_order_account();
    all.extend(votes_of([30], &[frontier]));
    let Err(ProofError::TooLittleWeight { weight, threshold }) = assemble(&all) else {
        panic!("the rest weighs 210");
    };
    assert_eq!((weight, threshold), (Raw::new(210), Raw::new(335)));

    all.extend(votes(&[frontier, hash(4)]));
    let (proof, _) = assemble(&all).unwrap();
    verify(&proof).unwrap();
    assert!(!voters(&proof).contains(&key(30).account()));
}

#[test]
fn a_representative_is_taken_once_however_often_it_voted() {
    let frontier = state_block().hash();
    let mut all = votes(&[frontier]);
    all.extend(votes(&[frontier]));
    all.extend(votes(&[frontier, hash(4)]));
    let (proof, weight) = assemble(&all).unwrap();
    assert_eq!(verify(&proof).unwrap().weight, weight);
}

#[test]
fn between_threshold_and_target_the_proof_is_made_of_all_there_is() {
    let frontier = state_block().hash();
    let (proof, weight) = assemble(&votes_of([10, 9, 8, 7], &[frontier])).unwrap();
    assert_eq!(weight, Raw::new(340));
    verify(&proof).unwrap();
}

#[test]
fn a_typical_proof_is_small() {
    let (proof, _) = assemble(&votes(&[state_block().hash()])).unwrap();
    assert_eq!(
        proof.to_bytes().unwrap().len(),
        4 + 216 + 2 + 34 + 2 + 5 * 97
    );
}
