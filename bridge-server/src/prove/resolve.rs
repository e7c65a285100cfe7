//! The way of one account.
//!
//! A full node's word on an account is a hint that may be old or a lie; what is proven and dated
//! decides. So a word is dropped, its full node remembered as worse, and another full node asked,
//! when its block cannot be had, its votes do not suffice, or a later block was voted for. When all
//! say the same and still a quorum voted for a later block, that block is gone on with. What was
//! proven on the way is kept: a few representatives that name a later block nobody can prove must
//! not keep an account from being proven at all.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use nano_core::message::RequestedBlock;
use nano_core::{Account, Block, BlockHash};
use nanonet::{AccountRecord, ResolveFailure};

use super::chain::{Chains, counted_sends};
use super::{Answer, Inner, Proven, Wanted, failure};
use crate::ask::{Asker, Ballot, Item, Priority, Word};
use crate::full_node::{AskError, ChannelId};

/// How long a question waits for enough representatives to be reachable.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// Attempts before an account that keeps moving, or votes that do not suffice, are given up.
const ATTEMPTS: usize = 4;

/// Blocks of the genesis account that tell answers apart.
const WITNESSES: u8 = 16;

/// What one attempt gave.
enum Attempt {
    /// The newest, as far as anybody says.
    Newest(Proven),
    /// Proven, but somebody voted for a later block.
    Passed {
        record: Box<AccountRecord>,
        later: BTreeMap<BlockHash, BTreeSet<Account>>,
    },
    /// Said to be without blocks, but somebody voted for a first one.
    Opened {
        later: BTreeMap<BlockHash, BTreeSet<Account>>,
    },
}

impl Inner {
    pub(super) async fn find(&self, wanted: Wanted, asker: &Asker) -> Answer {
        self.full_nodes.reachable(PATIENCE).await;
        let account = wanted.account;
        let mut last = ResolveFailure::TooFewVotes;
        let mut doubted = BTreeSet::new();
        let mut tried = BTreeSet::new();
        let mut proven = None;
        let mut hint = wanted.head;
        let mut passed_by = None;
        for _ in 0..ATTEMPTS {
            let (frontier, by) = match hint.take() {
                Some(hash) => (Some(hash), None),
                None => {
                    let word = match word(asker, account, &doubted).await {
                        Ok(word) => word,
                        Err(error) => {
                            // What was proven on the way is better than nothing.
                            last = failure(error);
                            break;
                        }
                    };
                    let frontier = word.info.confirmed_frontier;
                    ((!frontier.is_zero()).then_some(frontier), word.by)
                }
            };
            // Everybody repeats what is no good: follow the votes instead, if they named a block.
            let repeated = tried.contains(&frontier);
            let frontier = match passed_by.take() {
                Some(later) if repeated => Some(later),
                _ => frontier,
            };
            tried.insert(frontier);
            let attempt = match frontier {
                None => self.unopened(account, asker).await,
                Some(hash) => self.frontier(account, hash, wanted.held, asker).await,
            };
            match attempt {
                Ok(Attempt::Newest(found)) => return Ok(found),
                Ok(Attempt::Passed { record, later }) => {
                    passed_by = self.named_by_most(&later);
                    proven = Some(record);
                }
                Ok(Attempt::Opened { later }) => passed_by = self.named_by_most(&later),
                Err(busy @ (ResolveFailure::NoFullNode | ResolveFailure::Busy)) => {
                    return Err(busy);
                }
                Err(other) => last = other,
            }
            if let Some(by) = by {
                asker.blame(by);
                doubted.insert(by);
            }
        }
        proven.map_or(Err(last), |record| Ok(Proven::Opened(record)))
    }

    /// The block that most weight named.
    fn named_by_most(&self, later: &BTreeMap<BlockHash, BTreeSet<Account>>) -> Option<BlockHash> {
        let table = self.weights.current();
        let most = later
            .iter()
            .max_by_key(|(_, who)| super::make::weight(who, &table));
        most.map(|(hash, _)| *hash)
    }

    /// Proves that `hash` is confirmed.
    async fn frontier(
        &self,
        account: Account,
        hash: BlockHash,
        held: Option<BlockHash>,
        asker: &Asker,
    ) -> Result<Attempt, ResolveFailure> {
        let chains = Chains {
            asker,
            network: self.network,
        };
        let block = chains.block(hash).await?;
        // Before anybody is asked for votes on another's block.
        if block.account().is_some_and(|named| named != account) {
            return Err(ResolveFailure::Unprovable);
        }
        let frontier = chains.frontier(account, block).await?;
        let needed = std::iter::once(block).chain(counted_sends(&frontier));
        let ballot = self.ballot(account, block, needed, asker).await?;
        let table = self.weights.current();
        let votes = ballot.votes.values().map(|vote| vote.as_ref().clone());
        let proof = self.proof(account, frontier, &votes.collect::<Vec<_>>(), &table)?;
        let lineage = match held {
            Some(held) if held != hash => lineage(asker, held, hash).await,
            _ => Vec::new(),
        };
        let mut record = AccountRecord {
            proof,
            lineage,
            sightings: Vec::new(),
        };
        let rival = self.rival(account, &ballot, asker).await;
        if let Some(both) = self.note_proven(block.root(), &record, rival) {
            return Ok(Attempt::Newest(Proven::Diverged(Box::new(both))));
        }
        let sighting = self.sighting(account, Some(hash), &ballot, &table);
        record.sightings.extend(sighting);
        self.renew_if_weak(&record, &table);
        let record = Box::new(record);
        Ok(match ballot.later.is_empty() {
            true => Attempt::Newest(Proven::Opened(record)),
            false => Attempt::Passed {
                record,
                later: ballot.later.clone(),
            },
        })
    }

    /// States that the account was never opened.
    async fn unopened(&self, account: Account, asker: &Asker) -> Result<Attempt, ResolveFailure> {
        self.mark().await;
        let item = Item {
            account,
            silent: account.into(),
            blocks: Vec::new(),
        };
        let ballot = asker.ballot(item).await.ok_or(ResolveFailure::Busy)?;
        if !ballot.later.is_empty() {
            return Ok(Attempt::Opened {
                later: ballot.later.clone(),
            });
        }
        let table = self.weights.current();
        match self.sighting(account, None, &ballot, &table) {
            Some(sighting) => Ok(Attempt::Newest(Proven::Unopened(sighting))),
            None => Err(ResolveFailure::TooFewVotes),
        }
    }

    /// Asks for votes on a block and those a proof of it counts on, and for what comes after it.
    pub(super) async fn ballot(
        &self,
        account: Account,
        block: Block,
        needed: impl Iterator<Item = Block>,
        asker: &Asker,
    ) -> Result<std::sync::Arc<Ballot>, ResolveFailure> {
        self.mark().await;
        let item = Item {
            account,
            silent: block.hash().into(),
            blocks: needed.map(requested).collect(),
        };
        asker.ballot(item).await.ok_or(ResolveFailure::Busy)
    }

    /// Finds the block that is asked for along with every list, so that every representative can
    /// vote for it: the genesis account's newest when first needed, and beside it that account's
    /// first ones. All of them are a full node's word until a quorum has voted for them together;
    /// where it does not, nothing is set, those whose word it was are asked later than others, and
    /// the next question begins anew. While there is none nobody's silence counts.
    async fn mark(&self) {
        let asker = self.asker.at(Priority::Waiting);
        let found = self.marked.get_or_try_init(|| async {
            let genesis = self.network.genesis_hash();
            let account = self.network.genesis_account();
            let word = asker.account_info(account).await.map_err(failure)?;
            let first = asker.blocks_by(genesis, WITNESSES).await;
            let (first, by) = first.map_err(failure)?;
            let witnesses = self.voted_together(account, &word, first, &asker).await;
            if witnesses.is_err() {
                word.by
                    .into_iter()
                    .chain([by])
                    .for_each(|by| asker.blame(by));
            }
            asker.mark(witnesses?);
            Ok::<(), ResolveFailure>(())
        });
        if let Err(error) = found.await {
            tracing::debug!(reason = error.code(), "no block to tell answers by");
        }
    }

    /// What full nodes say are an account's newest block and its `first` ones, if a quorum votes
    /// for them; the newest first.
    async fn voted_together(
        &self,
        account: Account,
        word: &Word,
        first: Vec<Block>,
        asker: &Asker,
    ) -> Result<Vec<RequestedBlock>, ResolveFailure> {
        let chains = Chains {
            asker,
            network: self.network,
        };
        let block = chains.block(word.info.confirmed_frontier).await?;
        let frontier = chains.frontier(account, block).await?;
        let newest = requested(block);
        // What follows the newest confirmed one is not confirmed.
        let first = first.into_iter();
        let before: Vec<Block> = first
            .take_while(|other| requested(*other) != newest)
            .collect();
        let others = before.iter().copied().map(requested);
        let counted = counted_sends(&frontier).into_iter().map(requested);
        let mut blocks: Vec<RequestedBlock> = Vec::new();
        for asked in std::iter::once(newest).chain(counted).chain(others.clone()) {
            if !blocks.contains(&asked) {
                blocks.push(asked);
            }
        }
        let item = Item {
            account,
            silent: block.hash().into(),
            blocks,
        };
        let ballot = asker.ballot(item).await.ok_or(ResolveFailure::Busy)?;
        let votes = ballot.votes.values().map(|vote| vote.as_ref().clone());
        let votes: Vec<_> = votes.collect();
        // Whose vote is here has voted for all of them, so what proves one proves the rest.
        self.proof(account, frontier, &votes, &self.weights.current())?;
        let proven = before.iter().chain(std::iter::once(&block));
        proven.for_each(|block| self.roots.learn_proven(block));
        Ok(std::iter::once(newest).chain(others).collect())
    }
}

/// A word of somebody who has not given one that was no good, if there still is one.
async fn word(
    asker: &Asker,
    account: Account,
    doubted: &BTreeSet<ChannelId>,
) -> Result<Word, AskError> {
    if doubted.is_empty() {
        return asker.account_info(account).await;
    }
    match asker.other_account_info(account, doubted).await {
        Err(AskError::NoFullNode) => asker.account_info(account).await,
        other => other,
    }
}

/// The blocks between `held` and `frontier`, both excluded; empty when they are too many or
/// `held` is not before it.
async fn lineage(asker: &Asker, held: BlockHash, frontier: BlockHash) -> Vec<Block> {
    let count = u8::try_from(nanonet::MAX_LINEAGE + 2).unwrap_or(u8::MAX);
    let Ok(blocks) = asker.blocks(held, count).await else {
        return Vec::new();
    };
    match blocks.iter().position(|block| block.hash() == frontier) {
        Some(end) if end > 1 => blocks[1..end].to_vec(),
        _ => Vec::new(),
    }
}

pub(super) fn requested(block: Block) -> RequestedBlock {
    RequestedBlock {
        hash: block.hash(),
        root: block.root(),
    }
}
