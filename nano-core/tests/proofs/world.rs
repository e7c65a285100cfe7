//! A small dev network to prove things about: ten representatives of uneven weight and an account.

use std::collections::BTreeMap;

use nano_core::proof::{BalanceProof, Frontier, ProofError, ProvenFrontier};
use nano_core::{
    Account, Block, BlockHash, Link, Network, PrivateKey, PublicKey, Raw, StateBlock, UnixMillis,
    Vote, VoteTimestamp, WeightTable,
};

/// The key numbered `number`; 1 to 10 are the representatives, 20 is the account.
pub(crate) fn key(number: u8) -> PrivateKey {
    PrivateKey::from_bytes([number; 32])
}

pub(crate) fn owner() -> PrivateKey {
    key(20)
}

pub(crate) fn account() -> Account {
    owner().account()
}

pub(crate) fn hash(byte: u8) -> BlockHash {
    BlockHash::from_bytes([byte; 32])
}

/// Representative n weighs 10 n raw: 550 in all, 100 of it with the heaviest.
pub(crate) fn table() -> WeightTable {
    let weights: BTreeMap<_, _> = (1..=10)
        .map(|number| (key(number).account(), Raw::new(10 * u128::from(number))))
        .collect();
    WeightTable {
        network: Network::Dev,
        as_of: UnixMillis::new(1_700_000_000_000),
        online_weight: Raw::new(500),
        minimum: Raw::new(100),
        weights,
    }
}

/// The account's frontier: a receive that leaves it with 1,000 raw.
pub(crate) fn state_block() -> StateBlock {
    StateBlock::unsigned(
        account(),
        hash(1),
        key(1).account(),
        Raw::new(1000),
        Link::from_bytes([5; 32]),
    )
    .sign(&owner())
}

/// Final votes of these representatives for these hashes.
pub(crate) fn votes_of(numbers: impl IntoIterator<Item = u8>, hashes: &[BlockHash]) -> Vec<Vote> {
    numbers
        .into_iter()
        .map(|number| Vote::sign(&key(number), VoteTimestamp::FINAL, hashes.to_vec()))
        .collect()
}

/// Final votes of all ten.
pub(crate) fn votes(hashes: &[BlockHash]) -> Vec<Vote> {
    votes_of(1..=10, hashes)
}

pub(crate) fn proof_of(frontier: impl Into<Frontier>, votes: &[Vote]) -> BalanceProof {
    BalanceProof::from_votes(Network::Dev, frontier, votes, &table())
        .unwrap()
        .proof
}

/// A proof that holds.
pub(crate) fn state_proof() -> BalanceProof {
    let block = state_block();
    proof_of(block, &votes(&[hash(7), block.hash(), hash(8)]))
}

pub(crate) fn verify(proof: &BalanceProof) -> Result<ProvenFrontier, ProofError> {
    proof.verify(&account(), Network::Dev, &table())
}

/// Why the proof is refused.
pub(crate) fn refusal(proof: &BalanceProof) -> &'static str {
    verify(proof).unwrap_err().reason()
}

/// A point of small order, as a representative somebody has delegated to.
pub(crate) fn small_order_account() -> Account {
    let mut bytes = [0; 32];
    bytes[0] = 1;
    assert!(PublicKey::from_bytes(bytes).is_small_order());
    Account::from_bytes(bytes)
}

/// Signs any block with any key.
pub(crate) fn signed(block: impl Into<Block>, key: &PrivateKey) -> Block {
    let mut block = block.into();
    block.set_signature(key.sign(block.hash().as_bytes()));
    block
}
