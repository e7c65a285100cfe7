//! Makes the blocks, signatures and proofs that the browser benchmark verifies, and prints them
//! as one JSON object. Everything comes from fixed seeds: two runs print the same.

use std::error::Error;

use nano_core::proof::BalanceProof;
use nano_core::{
    Account, Block, BlockHash, Link, NanoSeed, Network, Raw, StateBlock, UnixMillis, Vote,
    VoteTimestamp, WeightTable,
};
use serde_json::json;

/// Signatures to take turns with, so that no cache of one key helps anybody.
const SIGNATURES: u32 = 64;
/// Equal representatives, of which 16 reach the 72 % that proofs are made with.
const REPRESENTATIVES: u32 = 22;
/// How many votes the measured proof has.
const VOTES: usize = 16;
/// Weight of each representative, in nano.
const WEIGHT_NANO: u128 = 10_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let accounts = NanoSeed::from_bytes([1; 32]);
    let representatives = NanoSeed::from_bytes([2; 32]);
    let weight = Raw::new(Raw::NANO.number() * WEIGHT_NANO);
    let weights = WeightTable {
        network: Network::Dev,
        as_of: UnixMillis::new(0),
        online_weight: Raw::new(weight.number() * u128::from(REPRESENTATIVES)),
        minimum: Raw::ZERO,
        weights: (0..REPRESENTATIVES)
            .map(|index| (representatives.private_key(index).account(), weight))
            .collect(),
    };
    let signatures: Vec<_> = (0..SIGNATURES)
        .map(|index| {
            let block = block(&accounts, index);
            json!({
                "publicKey": block.account.public_key(),
                "hash": block.hash(),
                "block": Block::State(block),
                "signature": block.signature,
            })
        })
        .collect();
    let frontier = block(&accounts, 0);
    let votes: Vec<_> = (0..REPRESENTATIVES)
        .map(|index| {
            let key = representatives.private_key(index);
            Vote::sign(&key, VoteTimestamp::FINAL, vec![frontier.hash()])
        })
        .collect();
    let made = BalanceProof::from_votes(Network::Dev, frontier, &votes, &weights)?;
    if made.proof.certificate.votes.len() != VOTES {
        return Err(format!("{} votes, not {VOTES}", made.proof.certificate.votes.len()).into());
    }
    let material = json!({
        "signatures": signatures,
        "proof": {
            "bytes": hex(&made.proof.to_bytes()?),
            "address": frontier.account,
            "weights": weights.to_json()?,
        },
    });
    println!("{material}");
    Ok(())
}

/// The first block of an account.
fn block(seed: &NanoSeed, index: u32) -> StateBlock {
    let key = seed.private_key(index);
    let source = BlockHash::from_bytes([7; 32]);
    let representative = Account::from(seed.private_key(0).public_key());
    StateBlock::unsigned(
        key.account(),
        BlockHash::ZERO,
        representative,
        Raw::NANO,
        Link::from(source),
    )
    .sign(&key)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
