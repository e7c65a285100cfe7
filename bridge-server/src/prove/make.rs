//! Putting together what was found: proofs, receivables, sightings, and the alarm.

use std::collections::BTreeSet;

use nano_core::proof::{BalanceProof, Frontier, History, ProofError, ReceivableProof};
use nano_core::{Account, Block, BlockHash, Raw, Root, Vote, WeightTable};
use nanonet::{AccountRecord, ReceivableRecord, ResolveFailure, Sighting};

use super::chain::{Chains, counted_sends};
use super::{Alarm, Inner, lock};
use crate::ask::{Asker, Ballot};
use crate::clock;

impl Inner {
    /// A proof that verifies.
    pub(super) fn proof(
        &self,
        account: Account,
        frontier: Frontier,
        votes: &[Vote],
        table: &WeightTable,
    ) -> Result<BalanceProof, ResolveFailure> {
        let mut cache = lock(&self.votes);
        let made =
            BalanceProof::from_votes_cached(self.network, frontier, votes, table, &mut cache)
                .and_then(|made| {
                    made.proof
                        .verify_cached(&account, self.network, table, &mut cache)
                        .map(|_| made.proof)
                });
        drop(cache);
        made.map_err(|error| {
            tracing::debug!(%error, %account, votes = votes.len(), "no proof");
            match error {
                ProofError::TooLittleWeight { .. } => ResolveFailure::TooFewVotes,
                _ => ResolveFailure::Unprovable,
            }
        })
    }

    /// The proof of a send for its destination.
    pub(super) fn receivable(
        &self,
        send: Block,
        history: History,
        votes: &[Vote],
        table: &WeightTable,
    ) -> Result<ReceivableRecord, ProofError> {
        let mut cache = lock(&self.votes);
        let proof = ReceivableProof::from_votes_cached(
            self.network,
            send,
            history,
            votes,
            table,
            &mut cache,
        )?
        .proof;
        let destination = proof
            .destination()
            .ok_or(ProofError::NotASend(send.hash()))?;
        proof.verify_cached(&destination, self.network, table, &mut cache)?;
        Ok(ReceivableRecord { proof })
    }

    /// Dates what a ballot saw. `None` unless more weight was silent than can be missing from a
    /// quorum: then no later block can be confirmed without one of those who were silent on it.
    /// `None` as well when that much weight named a later block, which then may be confirmed.
    pub(super) fn sighting(
        &self,
        account: Account,
        frontier: Option<BlockHash>,
        ballot: &Ballot,
        table: &WeightTable,
    ) -> Option<Sighting> {
        let answered = weight(&ballot.silent, table);
        let named: BTreeSet<Account> = ballot.later.values().flatten().copied().collect();
        let rest = table.quorum_rest();
        let doubtful = !named.is_empty() && weight(&named, table) >= rest;
        if answered <= rest || doubtful {
            return None;
        }
        Some(Sighting::sign(
            &self.signer.0,
            self.network,
            account,
            frontier,
            ballot.at,
            weight(&ballot.asked, table),
            answered,
        ))
    }

    /// The record of another block with the same root, if it is proven as well.
    pub(super) async fn rival(
        &self,
        account: Account,
        ballot: &Ballot,
        asker: &Asker,
    ) -> Option<AccountRecord> {
        let table = self.weights.current();
        let rival = ballot.rivals.iter().find(|rival| {
            let who = rival.votes.iter().map(|vote| vote.representative);
            weight(&who.collect(), &table) >= table.threshold()
        })?;
        let chains = Chains {
            asker,
            network: self.network,
        };
        let block = chains.block(rival.hash).await.ok()?;
        let frontier = chains.frontier(account, block).await.ok()?;
        // What its balance counts on was not asked for along with it; mostly that is nothing.
        if !counted_sends(&frontier).is_empty() {
            return None;
        }
        let proof = self.proof(account, frontier, &rival.votes, &table).ok()?;
        Some(AccountRecord {
            proof,
            lineage: Vec::new(),
            sightings: Vec::new(),
        })
    }

    /// Remembers what was proven for a root. Gives back both records when another block was, now
    /// (`rival`) or earlier.
    pub(super) fn note_proven(
        &self,
        root: Root,
        record: &AccountRecord,
        rival: Option<AccountRecord>,
    ) -> Option<[AccountRecord; 2]> {
        let now = clock::now();
        let frontier = &record.proof.frontier;
        let all = frontier.block().into_iter().chain(counted_sends(frontier));
        all.for_each(|block| self.roots.learn_proven(&block));
        let mut proven = lock(&self.proven);
        let before = proven.get(&root, now).cloned();
        let other = rival
            .or(before)
            .filter(|other| other.hash() != record.hash());
        let Some(other) = other else {
            proven.put(root, record.clone(), now);
            return None;
        };
        drop(proven);
        let alarm = Alarm {
            root,
            first: other.hash(),
            second: record.hash(),
        };
        self.metrics.alarms.inc();
        tracing::error!(%alarm, "two quorum certificates for one root");
        Some([other, record.clone()])
    }
}

/// Weight of several representatives together.
pub(super) fn weight(representatives: &BTreeSet<Account>, table: &WeightTable) -> Raw {
    let sum = representatives
        .iter()
        .map(|who| table.weight_of(who).number());
    Raw::new(sum.fold(0, u128::saturating_add))
}
