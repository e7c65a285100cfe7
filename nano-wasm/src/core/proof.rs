//! Checking balance proofs without a node.

use std::collections::BTreeSet;

use nano_core::WeightTable;
use nano_core::proof::{BalanceProof, Certificate, ProofError};
use serde::Serialize;
use wasm_bindgen::prelude::wasm_bindgen;

use super::account::{account, json};
use super::block::network;
use crate::fault::Fault;

/// What a valid proof proves.
#[derive(Serialize)]
struct Proven {
    account: String,
    frontier: String,
    balance: String,
    representative: String,
    weight: String,
    threshold: String,
    #[serde(rename = "networkTotal")]
    network_total: String,
    #[serde(rename = "weightsAsOf")]
    weights_as_of: u64,
    votes: Vec<Voted>,
}

/// What a proof says it is about, before anything of it is checked.
#[derive(Serialize)]
struct Subject {
    account: String,
    network: String,
}

#[derive(Serialize)]
struct Voted {
    representative: String,
    weight: String,
}

impl From<ProofError> for Fault {
    fn from(error: ProofError) -> Self {
        Self::coded(error.reason())(error)
    }
}

fn table(weights: Option<&str>) -> Result<WeightTable, Fault> {
    weights.map_or_else(
        || Ok(WeightTable::live_snapshot()),
        |text| WeightTable::from_json(text).map_err(Fault::coded("bad-weights")),
    )
}

fn verify(
    proof: &BalanceProof,
    address: &str,
    network_name: &str,
    weights: Option<&str>,
) -> Result<String, Fault> {
    let weights = table(weights)?;
    let mut proven = proof.verify(&account(address)?, network(network_name)?, &weights)?;
    proven
        .votes
        .sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
    json(&Proven {
        account: proven.account.to_string(),
        frontier: proven.hash.to_string(),
        balance: proven.balance.to_string(),
        representative: proven.representative.to_string(),
        weight: proven.weight.to_string(),
        threshold: proven.threshold.to_string(),
        network_total: weights.total().to_string(),
        weights_as_of: weights.as_of.number(),
        votes: proven
            .votes
            .iter()
            .map(|(representative, weight)| Voted {
                representative: representative.to_string(),
                weight: weight.to_string(),
            })
            .collect(),
    })
}

/// What the proof in its JSON form proves, as JSON; `weights` absent: the live network's that the
/// package ships.
#[wasm_bindgen(js_name = verifyProofText)]
pub fn verify_proof_text(
    proof: &str,
    address: &str,
    network: &str,
    weights: Option<String>,
) -> Result<String, Fault> {
    let proof = BalanceProof::from_json(proof)?;
    verify(&proof, address, network, weights.as_deref())
}

/// The same for the binary form.
#[wasm_bindgen(js_name = verifyProofBytes)]
pub fn verify_proof_bytes(
    proof: &[u8],
    address: &str,
    network: &str,
    weights: Option<String>,
) -> Result<String, Fault> {
    let proof = BalanceProof::from_bytes(proof)?;
    verify(&proof, address, network, weights.as_deref())
}

/// Account and network that the binary form of a proof names, as JSON.
#[wasm_bindgen(js_name = proofSubject)]
pub fn proof_subject(proof: &[u8]) -> Result<String, Fault> {
    let proof = BalanceProof::from_bytes(proof)?;
    let account = proof
        .frontier
        .account()
        .ok_or(ProofError::Malformed("no block that names an account"))?;
    json(&Subject {
        account: account.to_string(),
        network: proof.network.to_string(),
    })
}

/// The binary form of a proof in its JSON form, checked, with no more votes than it takes to reach the threshold.
#[wasm_bindgen(js_name = packProof)]
pub fn pack_proof(
    proof: &str,
    address: &str,
    network_name: &str,
    weights: Option<String>,
) -> Result<Vec<u8>, Fault> {
    let mut proof = BalanceProof::from_json(proof)?;
    let table = table(weights.as_deref())?;
    let mut proven = proof.verify(&account(address)?, network(network_name)?, &table)?;
    proven
        .votes
        .sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
    let mut weight = nano_core::Raw::ZERO;
    let mut needed = BTreeSet::new();
    for (representative, more) in &proven.votes {
        if weight >= proven.threshold {
            break;
        }
        weight = weight.checked_add(*more).unwrap_or(nano_core::Raw::MAX);
        needed.insert(*representative);
    }
    let votes: Vec<_> = proof
        .certificate
        .to_votes()
        .filter(|vote| needed.contains(&vote.representative))
        .collect();
    proof.certificate = Certificate::from_votes(&votes)?;
    Ok(proof.to_bytes()?)
}

#[cfg(test)]
mod tests {
    use nano_core::{
        Account, BlockHash, Link, Network, PrivateKey, Raw, StateBlock, UnixMillis, Vote,
        VoteTimestamp,
    };

    use super::*;

    fn key(number: u8) -> PrivateKey {
        PrivateKey::from_bytes([number; 32])
    }

    /// Two representatives with two thirds and one third of all weight.
    fn weights() -> WeightTable {
        WeightTable {
            network: Network::Dev,
            as_of: UnixMillis::new(1),
            online_weight: Raw::new(90),
            minimum: Raw::new(1),
            weights: [
                (key(1).account(), Raw::new(60)),
                (key(2).account(), Raw::new(30)),
            ]
            .into(),
        }
    }

    fn proof() -> (Account, BalanceProof) {
        let account = key(9).account();
        let block = StateBlock::unsigned(
            account,
            BlockHash::ZERO,
            key(1).account(),
            Raw::new(5),
            Link::from_bytes([3; 32]),
        )
        .sign(&key(9));
        let votes: Vec<Vote> = [1, 2]
            .map(|number| Vote::sign(&key(number), VoteTimestamp::FINAL, vec![block.hash()]))
            .into();
        let proof = BalanceProof::from_votes(
            Network::Dev,
            nano_core::proof::Frontier::state(block, None),
            &votes,
            &weights(),
        );
        (account, proof.unwrap().proof)
    }

    #[test]
    fn both_forms_of_a_proof_prove_the_same() {
        let (account, proof) = proof();
        let (address, table) = (account.to_string(), weights().to_json().unwrap());
        let text = proof.to_json().unwrap();
        let one = verify_proof_text(&text, &address, "dev", Some(table.clone())).unwrap();
        let bytes = proof.to_bytes().unwrap();
        let other = verify_proof_bytes(&bytes, &address, "dev", Some(table)).unwrap();
        assert_eq!(one, other);
        assert!(one.contains(r#""balance":"5""#), "{one}");
    }

    #[test]
    fn a_packed_proof_proves_the_same_with_the_votes_it_needs() {
        let (account, proof) = proof();
        let (address, mut table) = (account.to_string(), weights());
        // One more who is not needed.
        table.weights.insert(key(1).account(), Raw::new(80));
        let table = table.to_json().unwrap();
        let text = proof.to_json().unwrap();
        let packed = pack_proof(&text, &address, "dev", Some(table.clone())).unwrap();
        assert!(packed.len() < proof.to_bytes().unwrap().len());
        assert!(proof_subject(&packed).unwrap().contains(&address));
        let proven = verify_proof_bytes(&packed, &address, "dev", Some(table)).unwrap();
        assert!(proven.contains(r#""balance":"5""#), "{proven}");
        assert_eq!(proven.matches("representative").count(), 2);
        let cut = &packed[..packed.len() - 1];
        assert_eq!(proof_subject(cut).unwrap_err().code, "malformed");
    }

    #[test]
    fn a_refused_proof_says_its_reason() {
        let (account, proof) = proof();
        let (text, table) = (proof.to_json().unwrap(), weights().to_json().unwrap());
        let code = |address: &str, network: &str| {
            verify_proof_text(&text, address, network, Some(table.clone()))
                .unwrap_err()
                .code
        };
        assert_eq!(code(&key(8).account().to_string(), "dev"), "wrong-account");
        assert_eq!(code(&account.to_string(), "live"), "wrong-network");
        assert_eq!(code("nano_1", "dev"), "bad-address");
        let refused = verify_proof_text("{}", &account.to_string(), "dev", None);
        assert_eq!(refused.unwrap_err().code, "malformed");
    }
}
