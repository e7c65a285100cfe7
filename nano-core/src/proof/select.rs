//! Choosing votes: the most weight in the fewest bytes.
//!
//! A vote costs 97 bytes, and its list is paid once however many votes share it. So lists are
//! taken best weight per byte first, counting those who share them, until the target is reached;
//! then the lightest votes that are not needed for it go again.

use std::collections::{BTreeMap, BTreeSet};

use super::{Certificate, MAX_VOTES, ProofError, VoteCache};
use crate::vote::vote_hash;
use crate::{Account, BlockHash, Raw, Vote, WeightTable};

/// The most votes that are looked at; those beyond are ignored.
const MAX_CANDIDATES: usize = 4096;
const VOTE_BYTES: u128 = 97;

/// A proof just made, with what it weighs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assembled<P> {
    /// The proof.
    pub proof: P,
    /// Weight of its votes in raw, under the table it was made with; at least the threshold.
    pub weight: Raw,
}

/// A certificate for all of `hashes` out of `votes`, and its weight. Signatures of votes that
/// `cache` has seen hold are not checked again.
pub(super) fn assemble(
    hashes: &[BlockHash],
    votes: &[Vote],
    weights: &WeightTable,
    cache: &mut VoteCache,
) -> Result<(Certificate, Raw), ProofError> {
    let mut lists = group_by_list(hashes, votes, weights);
    let target = weights.collection_target();
    let mut taken = Vec::new();
    let mut voters = BTreeSet::new();
    let mut weight = Raw::ZERO;
    while weight < target && taken.len() < MAX_VOTES {
        for list in lists.values_mut() {
            list.retain(|candidate| !voters.contains(&candidate.vote.representative));
        }
        lists.retain(|_, list| !list.is_empty());
        let best = lists
            .iter()
            .max_by_key(|(hashes, list)| weight_per_byte(hashes, list))
            .map(|(hashes, _)| *hashes);
        let Some(list) = best.and_then(|hashes| lists.remove(hashes)) else {
            break;
        };
        for candidate in list {
            if weight >= target || taken.len() == MAX_VOTES {
                break;
            }
            // The signature is checked only for votes that would be taken.
            if holds(candidate.vote, cache) && voters.insert(candidate.vote.representative) {
                weight = add(weight, candidate.weight);
                taken.push(candidate);
            }
        }
    }
    let threshold = weights.threshold();
    if weight < threshold {
        return Err(ProofError::TooLittleWeight { weight, threshold });
    }
    let enough = target.min(weight);
    drop_needless(&mut taken, &mut weight, enough);
    let certificate = Certificate::from_votes(taken.iter().map(|candidate| candidate.vote))?;
    Ok((certificate, weight))
}

#[derive(Clone, Copy)]
struct Candidate<'a> {
    vote: &'a Vote,
    weight: Raw,
}

type Lists<'a> = BTreeMap<&'a [BlockHash], Vec<Candidate<'a>>>;

/// Usable votes by list, the heaviest first.
fn group_by_list<'a>(hashes: &[BlockHash], votes: &'a [Vote], weights: &WeightTable) -> Lists<'a> {
    let mut lists = Lists::new();
    for vote in votes.iter().take(MAX_CANDIDATES) {
        let weight = weights.weight_of(&vote.representative);
        let usable = vote.timestamp.is_final()
            && vote.hashes.len() <= Vote::MAX_HASHES
            && !weight.is_zero()
            && hashes.iter().all(|hash| vote.hashes.contains(hash));
        if usable {
            let list = lists.entry(vote.hashes.as_slice()).or_default();
            list.push(Candidate { vote, weight });
        }
    }
    for list in lists.values_mut() {
        list.sort_by_key(|candidate| {
            (
                core::cmp::Reverse(candidate.weight),
                candidate.vote.representative,
            )
        });
    }
    lists
}

/// The best ratio of weight to bytes that the heaviest votes of a list reach, as whole and 65,536th
/// parts: a list is worth its bytes only together with those who share it.
fn weight_per_byte(hashes: &[BlockHash], list: &[Candidate<'_>]) -> (u128, u128) {
    let mut bytes = list_bytes(hashes);
    let mut weight = Raw::ZERO;
    let mut best = (0, 0);
    for candidate in list {
        bytes += VOTE_BYTES;
        weight = add(weight, candidate.weight);
        let (whole, rest) = (weight.number() / bytes, weight.number() % bytes);
        best = best.max((whole, (rest << 16) / bytes));
    }
    best
}

/// What a list costs once; only lists of at most [`Vote::MAX_HASHES`] get here.
fn list_bytes(hashes: &[BlockHash]) -> u128 {
    hashes.iter().fold(2, |bytes, _| bytes + 32)
}

fn holds(vote: &Vote, cache: &mut VoteCache) -> bool {
    let key = vote.representative.public_key();
    let signed = vote_hash(vote.timestamp, &vote.hashes);
    let check = || match key.is_small_order() {
        true => Err(()),
        false => key.verify(&signed, &vote.signature).map_err(|_| ()),
    };
    cache
        .check(&vote.representative, &vote.signature, &signed, check)
        .is_ok()
}

/// Takes out votes, the lightest first, as long as `enough` weight stays.
fn drop_needless(taken: &mut Vec<Candidate<'_>>, weight: &mut Raw, enough: Raw) {
    let mut lightest_first: Vec<(Raw, Account)> = taken
        .iter()
        .map(|candidate| (candidate.weight, candidate.vote.representative))
        .collect();
    lightest_first.sort_unstable();
    let mut needless = BTreeSet::new();
    for (light, representative) in lightest_first {
        match weight.checked_sub(light) {
            Some(rest) if rest >= enough => {
                *weight = rest;
                needless.insert(representative);
            }
            _ => break,
        }
    }
    taken.retain(|candidate| !needless.contains(&candidate.vote.representative));
}

/// Stays at the largest value, where only a table that no decoder accepts could lead.
fn add(sum: Raw, weight: Raw) -> Raw {
    sum.checked_add(weight).unwrap_or(Raw::MAX)
}
