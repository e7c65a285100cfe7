//! The blocks a proof carries besides the frontier.
//!
//! A state block signed by its account needs none. An epoch block needs what states the balance
//! before it; a legacy block the whole chain back to its open block, and for each amount that its
//! balance counts on the send it came from, with what states that sender's balance. All of it is
//! fetched by hash, and the proof's own check decides whether it holds; here it is only bounded:
//! what does not fit a proof is reported as unprovable.

use std::collections::VecDeque;

use nano_core::proof::{
    Frontier, History, MAX_LEGACY_CHAIN, MAX_SOURCE_CHAIN, MAX_SOURCES, SourceSend,
};
use nano_core::{Account, Block, BlockHash, Network};
use nanonet::ResolveFailure;

use super::failure;
use crate::ask::Asker;

/// Looks blocks up.
pub(super) struct Chains<'a> {
    pub(super) asker: &'a Asker,
    pub(super) network: Network,
}

impl Chains<'_> {
    /// One block by its hash.
    pub(super) async fn block(&self, hash: BlockHash) -> Result<Block, ResolveFailure> {
        self.asker.block(hash).await.map_err(failure)
    }

    /// The frontier as a proof carries it.
    pub(super) async fn frontier(
        &self,
        account: Account,
        block: Block,
    ) -> Result<Frontier, ResolveFailure> {
        let Block::State(state) = block else {
            let blocks = self.up_from_open(account, block.hash()).await?;
            return Ok(Frontier::Legacy(self.with_sources(blocks).await?));
        };
        if state.link.epoch().is_none() {
            return Ok(state.into());
        }
        let Some(previous) = block.previous() else {
            return Ok(Frontier::state(state, None));
        };
        let previous = self.block(previous).await?;
        if previous.balance().is_some() {
            return Ok(Frontier::state(state, Some(previous)));
        }
        // The first state block after legacy ones: marks epoch 1 and states no change, or else it
        // is signed by its account and refused as what it is not.
        let blocks = self.back_to_stated(previous, MAX_LEGACY_CHAIN).await?;
        Ok(Frontier::Epoch {
            block: state,
            history: self.with_sources(blocks).await?,
        })
    }

    /// What gives the amount of `block` if it is a send of `account`; `None` if it is not.
    pub(super) async fn before_send(
        &self,
        account: Account,
        block: Block,
    ) -> Result<Option<History>, ResolveFailure> {
        let Some(previous) = block.previous() else {
            return Ok(None);
        };
        match block {
            Block::Send(_) => {
                let blocks = self.up_from_open(account, previous).await?;
                Ok(Some(self.with_sources(blocks).await?))
            }
            Block::State(state) => {
                let previous = self.block(previous).await?;
                match previous.balance() {
                    Some(balance) if state.balance < balance => Ok(Some(previous.into())),
                    Some(_) => Ok(None),
                    None => {
                        let blocks = self.back_to_stated(previous, MAX_LEGACY_CHAIN).await?;
                        Ok(Some(self.with_sources(blocks).await?))
                    }
                }
            }
            Block::Receive(_) | Block::Open(_) | Block::Change(_) => Ok(None),
        }
    }

    /// All blocks of an account up to `last`.
    async fn up_from_open(
        &self,
        account: Account,
        last: BlockHash,
    ) -> Result<Vec<Block>, ResolveFailure> {
        let most = u8::try_from(MAX_LEGACY_CHAIN).unwrap_or(u8::MAX);
        let mut blocks = self
            .asker
            .first_blocks(account, most)
            .await
            .map_err(failure)?;
        let end = blocks
            .iter()
            .position(|block| block.hash() == last)
            .ok_or(ResolveFailure::Unprovable)?;
        blocks.truncate(end + 1);
        Ok(blocks)
    }

    /// Blocks up to `last`, from the nearest that states a balance or opens the account.
    async fn back_to_stated(&self, last: Block, most: usize) -> Result<Vec<Block>, ResolveFailure> {
        let mut blocks = VecDeque::from([last]);
        let mut first = last;
        while first.balance().is_none()
            && let Some(previous) = first.previous()
        {
            if blocks.len() >= most {
                return Err(ResolveFailure::Unprovable);
            }
            first = self.block(previous).await?;
            blocks.push_front(first);
        }
        Ok(blocks.into())
    }

    /// Adds the sends that the balance after the last block counts on. A send stands before what
    /// builds upon it.
    async fn with_sources(&self, blocks: Vec<Block>) -> Result<History, ResolveFailure> {
        let mut wanted = VecDeque::from(self.received(&blocks));
        let mut found: Vec<SourceSend> = Vec::new();
        let mut steps = 0;
        while let Some(hash) = wanted.pop_front() {
            steps += 1;
            if steps > 2 * MAX_SOURCES {
                return Err(ResolveFailure::Unprovable);
            }
            let source = match found.iter().position(|source| source.send.hash() == hash) {
                // Needed by a deeper one, too: it moves further to the front.
                Some(place) => found.remove(place),
                None => self.source(hash).await?,
            };
            wanted.extend(self.received(&source.before));
            found.push(source);
            if found.len() > MAX_SOURCES {
                return Err(ResolveFailure::Unprovable);
            }
        }
        found.reverse();
        Ok(History {
            blocks,
            sources: found,
        })
    }

    async fn source(&self, hash: BlockHash) -> Result<SourceSend, ResolveFailure> {
        let send = self.block(hash).await?;
        let previous = send.previous().ok_or(ResolveFailure::Unprovable)?;
        let previous = self.block(previous).await?;
        let before = self.back_to_stated(previous, MAX_SOURCE_CHAIN).await?;
        Ok(SourceSend { send, before })
    }

    /// The sends that opened or were received since the last stated balance.
    fn received(&self, blocks: &[Block]) -> Vec<BlockHash> {
        since_stated(blocks)
            .iter()
            .filter_map(|block| match block {
                Block::Receive(receive) => Some(receive.source),
                Block::Open(open) if open.hash() != self.network.genesis_hash() => {
                    Some(open.source)
                }
                _ => None,
            })
            .collect()
    }
}

/// The sends that every vote of a proof has to list besides the frontier, and where they are.
pub(super) fn counted_sends(frontier: &Frontier) -> Vec<Block> {
    let history = match frontier {
        Frontier::State(_) => return Vec::new(),
        Frontier::Epoch { history, .. } | Frontier::Legacy(history) => history,
    };
    since_stated(&history.blocks)
        .iter()
        .filter_map(|block| match block {
            Block::Receive(receive) => history
                .sources
                .iter()
                .map(|source| source.send)
                .find(|send| send.hash() == receive.source),
            _ => None,
        })
        .collect()
}

/// The blocks after the last one that states a balance.
fn since_stated(blocks: &[Block]) -> &[Block] {
    match blocks.iter().rposition(|block| block.balance().is_some()) {
        Some(place) => &blocks[place + 1..],
        None => blocks,
    }
}
