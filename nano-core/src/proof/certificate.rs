//! Final votes on a block, stored compactly.
//!
//! Votes that were asked for together sign the same list of hashes, so lists stand apart and votes
//! point at them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{ProofError, VoteCache};
use crate::vote::vote_hash;
use crate::{Account, BlockHash, Raw, Signature, Vote, VoteTimestamp, WeightTable};

/// The most votes, and the most lists, of one certificate.
pub const MAX_VOTES: usize = 256;

/// What votes sign: a time and a list of hashes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoteList {
    /// The time of the votes; only the final one proves.
    pub timestamp: VoteTimestamp,
    /// The hashes in the order that was signed, 1 to [`Vote::MAX_HASHES`].
    pub hashes: Vec<BlockHash>,
}

/// One representative's signature over one of the lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateVote {
    /// Who votes.
    pub representative: Account,
    /// Over the list, as [`Vote::signed_hash`].
    pub signature: Signature,
    /// Index into [`Certificate::lists`].
    pub list: u8,
}

/// Votes, and the lists they sign.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// Each list once; at most [`MAX_VOTES`], none unused.
    pub lists: Vec<VoteList>,
    /// At most [`MAX_VOTES`].
    pub votes: Vec<CertificateVote>,
}

/// What a certificate amounts to under a weight table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) weight: Raw,
    pub(super) threshold: Raw,
    pub(super) votes: Vec<(Account, Raw)>,
}

impl Certificate {
    /// A certificate of these votes, in this order, each distinct list stored once. Nothing is
    /// checked; more than 256 distinct lists cannot be pointed at and make it too large to use.
    ///
    /// # Errors
    /// [`ProofError::Malformed`] with more votes or lists than [`MAX_VOTES`].
    pub fn from_votes<'a>(votes: impl IntoIterator<Item = &'a Vote>) -> Result<Self, ProofError> {
        let mut certificate = Self::default();
        let mut places: BTreeMap<(VoteTimestamp, &[BlockHash]), u8> = BTreeMap::new();
        for vote in votes {
            let key = (vote.timestamp, vote.hashes.as_slice());
            let list = if let Some(place) = places.get(&key) {
                *place
            } else {
                let place = u8::try_from(certificate.lists.len())
                    .map_err(|_| ProofError::Malformed("more lists than votes may have"))?;
                certificate.lists.push(VoteList {
                    timestamp: vote.timestamp,
                    hashes: vote.hashes.clone(),
                });
                places.insert(key, place);
                place
            };
            certificate.votes.push(CertificateVote {
                representative: vote.representative,
                signature: vote.signature,
                list,
            });
        }
        certificate.check_form()?;
        Ok(certificate)
    }

    /// The votes one by one, as they were made; those that point at no list are left out.
    pub fn to_votes(&self) -> impl Iterator<Item = Vote> + '_ {
        self.votes.iter().filter_map(|vote| {
            let list = self.lists.get(usize::from(vote.list))?;
            Some(Vote {
                representative: vote.representative,
                signature: vote.signature,
                timestamp: list.timestamp,
                hashes: list.hashes.clone(),
            })
        })
    }

    /// The weight in raw that final votes on `hash` have under `weights`, each representative
    /// counted once and small-order keys not at all. Signatures are *not* checked: this is for
    /// certificates that were verified, under this table or an earlier one.
    #[must_use]
    pub fn weight(&self, hash: &BlockHash, weights: &WeightTable) -> Raw {
        let voters: BTreeSet<_> = self
            .votes
            .iter()
            .filter(|vote| {
                self.lists
                    .get(usize::from(vote.list))
                    .is_some_and(|list| list.timestamp.is_final() && list.hashes.contains(hash))
                    && !vote.representative.public_key().is_small_order()
            })
            .map(|vote| vote.representative)
            .collect();
        voters.iter().fold(Raw::ZERO, |sum, voter| {
            sum.checked_add(weights.weight_of(voter))
                .unwrap_or(Raw::MAX)
        })
    }

    /// The limits that need no cryptography; every decoder and every check begins with them.
    pub(super) fn check_form(&self) -> Result<(), ProofError> {
        if self.votes.len() > MAX_VOTES || self.lists.len() > MAX_VOTES {
            return Err(ProofError::Malformed("more than 256 votes or lists"));
        }
        let mut used = [false; MAX_VOTES];
        for vote in &self.votes {
            used[usize::from(vote.list)] = true;
        }
        if used
            .iter()
            .rposition(|used| *used)
            .map_or(0, |last| last + 1)
            > self.lists.len()
        {
            return Err(ProofError::Malformed("a vote points at no list"));
        }
        if used.iter().take(self.lists.len()).any(|used| !used) {
            return Err(ProofError::Malformed("a list that no vote signs"));
        }
        for list in &self.lists {
            if !(1..=Vote::MAX_HASHES).contains(&list.hashes.len()) {
                return Err(ProofError::Malformed(
                    "a list of no hashes, or of more than 255",
                ));
            }
        }
        Ok(())
    }

    /// Bytes of the binary form.
    pub(super) fn size(&self) -> usize {
        let lists: usize = self
            .lists
            .iter()
            .map(|list| {
                let time = if list.timestamp.is_final() { 0 } else { 8 };
                2 + time + 32 * list.hashes.len()
            })
            .sum();
        2 + lists + 2 + 97 * self.votes.len()
    }

    /// Whether somebody voted here; a signature by a key shows that it is one.
    pub(super) fn has_voter(&self, account: &Account) -> bool {
        self.votes
            .iter()
            .any(|vote| vote.representative == *account)
    }

    /// Checks that the votes prove each of `hashes`. What costs least is checked first.
    pub(super) fn verify(
        &self,
        hashes: &[BlockHash],
        weights: &WeightTable,
        cache: &mut VoteCache,
    ) -> Result<Counted, ProofError> {
        self.check_form()?;
        let mut seen = BTreeSet::new();
        let mut counted = Counted {
            weight: Raw::ZERO,
            threshold: weights.threshold(),
            votes: Vec::with_capacity(self.votes.len()),
        };
        for (vote, list) in self.votes_with_lists() {
            let representative = vote.representative;
            if !list.timestamp.is_final() {
                return Err(ProofError::NotFinal(representative));
            }
            if let Some(hash) = hashes.iter().find(|hash| !list.hashes.contains(hash)) {
                return Err(ProofError::HashNotInList {
                    representative,
                    hash: *hash,
                });
            }
            if !seen.insert(representative) {
                return Err(ProofError::RepeatedRepresentative(representative));
            }
            let weight = weights.weight_of(&representative);
            counted.weight = counted.weight.checked_add(weight).unwrap_or(Raw::MAX);
            counted.votes.push((representative, weight));
        }
        if counted.weight < counted.threshold {
            return Err(ProofError::TooLittleWeight {
                weight: counted.weight,
                threshold: counted.threshold,
            });
        }
        self.verify_signatures(cache)?;
        Ok(counted)
    }

    fn verify_signatures(&self, cache: &mut VoteCache) -> Result<(), ProofError> {
        let signed: Vec<_> = self
            .lists
            .iter()
            .map(|list| vote_hash(list.timestamp, &list.hashes))
            .collect();
        for vote in &self.votes {
            let representative = vote.representative;
            let key = representative.public_key();
            let Some(signed) = signed.get(usize::from(vote.list)) else {
                return Err(ProofError::Malformed("a vote points at no list"));
            };
            cache.check(&representative, &vote.signature, signed, || {
                if key.is_small_order() {
                    return Err(ProofError::SmallOrderKey(representative));
                }
                key.verify(signed, &vote.signature)
                    .map_err(|error| ProofError::BadVoteSignature {
                        representative,
                        error,
                    })
            })?;
        }
        Ok(())
    }

    fn votes_with_lists(&self) -> impl Iterator<Item = (&CertificateVote, &VoteList)> {
        self.votes
            .iter()
            .filter_map(|vote| Some((vote, self.lists.get(usize::from(vote.list))?)))
    }
}
