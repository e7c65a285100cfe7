//! Proofs of blocks that the live stream saw confirmed.
//!
//! Block and votes are here already, so mostly no full node is asked anything: the proof goes out
//! at once, and its date follows when there is time ([`super::renew`]). What the stream did not
//! bring, votes up to the threshold or the blocks around, is asked for.

use std::collections::BTreeMap;

use nano_core::{Account, Block, Vote};
use nanonet::{AccountRecord, ReceivableRecord, ResolveFailure};

use super::chain::{Chains, counted_sends};
use super::{Inner, failure, lock};
use crate::ask::{Priority, may_be_signed};

impl Inner {
    pub(super) async fn confirmed(
        &self,
        block: Block,
        votes: Vec<Vote>,
    ) -> Result<(AccountRecord, Option<ReceivableRecord>), ResolveFailure> {
        let asker = self.asker.at(Priority::Background);
        let chains = Chains {
            asker: &asker,
            network: self.network,
        };
        let hash = block.hash();
        // Anyone could have published it with a spoiled signature, which its hash does not cover.
        let block = if may_be_signed(&block, self.network) {
            self.roots.learn_signed(&block);
            block
        } else {
            let blocks = asker.blocks(hash, 1).await.map_err(failure)?;
            blocks.first().copied().ok_or(ResolveFailure::TimedOut)?
        };
        let account = match block.account() {
            Some(account) => account,
            None => asker.account_of(hash).await.map_err(failure)?,
        };
        lock(&self.unopened).remove(&account);
        lock(&self.failed).remove(&account);
        let frontier = chains.frontier(account, block).await?;
        let history = chains.before_send(account, block).await?;
        let table = self.weights.current();
        let mut all: BTreeMap<Account, Vote> = BTreeMap::new();
        for vote in votes {
            all.entry(vote.representative).or_insert(vote);
        }
        let heard: Vec<Vote> = all.values().cloned().collect();
        let mut sightings = Vec::new();
        let (proof, votes) = match self.proof(account, frontier.clone(), &heard, &table) {
            Ok(proof) => (proof, heard),
            Err(ResolveFailure::TooFewVotes) => {
                let needed = std::iter::once(block).chain(counted_sends(&frontier));
                let ballot = self.ballot(account, block, needed, &asker).await?;
                for (who, vote) in &ballot.votes {
                    all.insert(*who, vote.as_ref().clone());
                }
                let votes: Vec<Vote> = all.into_values().collect();
                let proof = self.proof(account, frontier, &votes, &table)?;
                sightings.extend(self.sighting(account, Some(hash), &ballot, &table));
                (proof, votes)
            }
            Err(other) => return Err(other),
        };
        let receivable =
            history.and_then(
                |history| match self.receivable(block, history, &votes, &table) {
                    Ok(record) => Some(record),
                    Err(error) => {
                        tracing::debug!(%error, %hash, "no receivable proof");
                        None
                    }
                },
            );
        let record = AccountRecord {
            proof,
            lineage: Vec::new(),
            sightings,
        };
        // Both are in the overlay then: this one by its caller, the other since it was proven.
        let _ = self.note_proven(block.root(), &record, None);
        if record.sightings.is_empty() {
            self.renewals.put(&record, &self.metrics);
        }
        Ok((record, receivable))
    }
}
