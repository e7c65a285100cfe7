//! Remembered vote checks change the cost of a verification, never its outcome.

use nano_core::proof::{BalanceProof, VoteCache};
use nano_core::{Network, Raw, Signature, StateBlock};

use crate::world::*;

fn verify(proof: &BalanceProof, cache: &mut VoteCache) -> Result<Raw, &'static str> {
    proof
        .verify_cached(&proof.account(), Network::Dev, &table(), cache)
        .map(|proven| proven.weight)
        .map_err(|error| error.reason())
}

/// Proofs of four neighbouring accounts out of one batch of votes.
fn neighbours() -> Vec<BalanceProof> {
    let blocks: Vec<_> = (50..54)
        .map(|number| {
            StateBlock {
                account: key(number).account(),
                ..state_block()
            }
            .sign(&key(number))
        })
        .collect();
    let hashes: Vec<_> = blocks.iter().map(StateBlock::hash).collect();
    let votes = votes(&hashes);
    blocks
        .iter()
        .map(|block| proof_of(*block, &votes))
        .collect()
}

#[test]
fn proofs_that_share_votes_check_each_vote_once() {
    let mut cache = VoteCache::new(1000);
    let proofs = neighbours();
    for proof in &proofs {
        verify(proof, &mut cache).unwrap();
        assert_eq!(cache.len(), proofs[0].certificate.votes.len());
    }
}

#[test]
fn a_damaged_vote_is_refused_after_its_sound_twin_was_remembered() {
    let mut cache = VoteCache::new(1000);
    let mut proof = neighbours().remove(0);
    verify(&proof, &mut cache).unwrap();
    proof.certificate.votes[0].signature = Signature::ZERO;
    assert_eq!(verify(&proof, &mut cache), Err("bad-vote-signature"));
    assert_eq!(verify(&proof, &mut cache), Err("bad-vote-signature"));
}

#[test]
fn the_cache_never_grows_beyond_its_limit() {
    let mut cache = VoteCache::new(3);
    for proof in neighbours() {
        verify(&proof, &mut cache).unwrap();
        assert_eq!(cache.len(), 3);
    }
    let mut nothing = VoteCache::new(0);
    verify(&state_proof(), &mut nothing).unwrap();
    assert!(nothing.is_empty());
}
