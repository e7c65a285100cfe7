//! Questions to full nodes: which one is asked, for how long, and who is asked next.
//!
//! A question goes to one open channel, the least busy first; when no answer that fits comes in
//! time, another is asked. Nothing that comes back is believed: it is a hint for [`crate::prove`].

use std::sync::Arc;

use nano_core::message::{AccountInfo, AscPullAnswer, AscPullQuestion, Frontier, PullTarget};
use nano_core::{Account, Block, BlockHash};

use crate::full_node::{ANSWER, AskError, Channel, FullNodes};

/// Full nodes asked one after the other before a question is given up.
const TRIES: usize = 3;

/// Asks full nodes; cloning shares everything.
#[derive(Clone, Debug)]
pub struct Asker {
    full_nodes: FullNodes,
}

impl Asker {
    /// Asks over these channels.
    #[must_use]
    pub const fn new(full_nodes: FullNodes) -> Self {
        Self { full_nodes }
    }

    /// A full node's word on an account: a hint, nothing in it is proven. When one says that it
    /// knows no confirmed block, others are asked before that is passed on.
    ///
    /// # Errors
    /// When nobody answered.
    pub async fn account_info(&self, account: Account) -> Result<AccountInfo, AskError> {
        let mut unknown = None;
        let channels = self.some_channels()?;
        let question = AscPullQuestion::AccountInfo {
            target: PullTarget::Account(account),
        };
        for channel in &channels {
            match channel.pull(question, ANSWER).await {
                Ok(AscPullAnswer::AccountInfo(info)) if info.account == account => {
                    if !info.confirmed_frontier.is_zero() {
                        return Ok(info);
                    }
                    unknown.get_or_insert(info);
                }
                // Nothing, or something else than was asked for, which is worth as much.
                _ => {}
            }
        }
        unknown.ok_or_else(|| silence(&channels))
    }

    /// The account of a block, as full nodes say.
    ///
    /// # Errors
    /// When nobody who answered knows the block.
    pub async fn account_of(&self, block: BlockHash) -> Result<Account, AskError> {
        let channels = self.some_channels()?;
        let question = AscPullQuestion::AccountInfo {
            target: PullTarget::Block(block),
        };
        for channel in &channels {
            if let Ok(AscPullAnswer::AccountInfo(info)) = channel.pull(question, ANSWER).await
                && !info.account.is_zero()
            {
                return Ok(info.account);
            }
        }
        Err(silence(&channels))
    }

    /// Up to `count` (1 to 128) blocks upwards from `start`, which is the first of them; each
    /// follows the one before. Not empty.
    ///
    /// # Errors
    /// When nobody who answered knows the block.
    pub async fn blocks(&self, start: BlockHash, count: u8) -> Result<Vec<Block>, AskError> {
        self.chain(PullTarget::Block(start), count, |first| {
            first.hash() == start
        })
        .await
    }

    /// Up to `count` (1 to 128) blocks upwards from the first block of `account`. Not empty.
    ///
    /// # Errors
    /// When nobody who answered knows the account.
    pub async fn first_blocks(&self, account: Account, count: u8) -> Result<Vec<Block>, AskError> {
        self.chain(PullTarget::Account(account), count, |b| {
            b.account() == Some(account)
        })
        .await
    }

    /// Up to `count` (1 to 1000) accounts with their newest blocks, confirmed or not, in order of
    /// the accounts' keys from `start` on. Empty where the key space ends.
    ///
    /// # Errors
    /// When nobody answered with such a list.
    pub async fn frontiers(&self, start: Account, count: u16) -> Result<Vec<Frontier>, AskError> {
        let channels = self.some_channels()?;
        for channel in &channels {
            let question = AscPullQuestion::Frontiers { start, count };
            if let Ok(AscPullAnswer::Frontiers(list)) = channel.pull(question, ANSWER).await
                && list.first().is_none_or(|first| first.account >= start)
                && list.is_sorted_by(|one, next| one.account < next.account)
            {
                return Ok(list);
            }
        }
        Err(silence(&channels))
    }

    async fn chain(
        &self,
        start: PullTarget,
        count: u8,
        fits: impl Fn(&Block) -> bool,
    ) -> Result<Vec<Block>, AskError> {
        let channels = self.some_channels()?;
        let mut answered = false;
        for channel in &channels {
            let question = AscPullQuestion::Blocks { start, count };
            let Ok(answer) = channel.pull(question, ANSWER).await else {
                continue;
            };
            answered = true;
            let AscPullAnswer::Blocks(mut blocks) = answer else {
                continue;
            };
            if !blocks.first().is_some_and(&fits) {
                continue;
            }
            // The hashes must link; what comes after a gap is of no use.
            let linked = blocks
                .windows(2)
                .take_while(|pair| pair[1].previous() == Some(pair[0].hash()))
                .count();
            blocks.truncate(linked + 1);
            return Ok(blocks);
        }
        Err(if answered {
            AskError::Wrong
        } else {
            silence(&channels)
        })
    }

    fn some_channels(&self) -> Result<Vec<Arc<Channel>>, AskError> {
        let mut channels = self.full_nodes.channels();
        channels.truncate(TRIES);
        if channels.is_empty() {
            Err(AskError::NoFullNode)
        } else {
            Ok(channels)
        }
    }
}

/// Nobody of these gave an answer.
fn silence(channels: &[Arc<Channel>]) -> AskError {
    AskError::TimedOut {
        asked: u8::try_from(channels.len()).unwrap_or(u8::MAX),
    }
}
