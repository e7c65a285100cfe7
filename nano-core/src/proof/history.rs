//! What came before a block, as far as it is needed to know an account or an amount.
//!
//! Only state blocks and legacy sends state a balance. For any other block it is the nearest
//! stated balance before it, or what the open block received, plus what was received since.
//!
//! # What legacy blocks cannot prove
//! A confirmed hash fixes the bytes that were hashed, but not the type: a legacy receive hashes
//! `previous ‖ source`, a legacy change `previous ‖ representative`, so each can be passed off as
//! the other. Two rules keep that from making or hiding money:
//!
//! - A **change** that takes part in a sum counts as one only if its representative is known to be
//!   a key, and so cannot be the hash of a send: zero, the genesis account, the account itself, or
//!   one that votes in the certificate. To be listed in a weight table is not enough, because
//!   anyone with weight can delegate it to any 32 bytes.
//! - A **receive** takes part only in the balance of the account itself, and only if the send it
//!   names is confirmed by the same votes, goes to this account and occurs once in its chain. The
//!   owner could have written a change naming that send; then it is still waiting for him and for
//!   nobody else. In the amount of a *send* a receive never takes part: there the same trick would
//!   make money, so such an amount is refused as ambiguous.
//!
//! Open and send blocks have lengths of their own when hashed and cannot be passed off.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Certificate, ProofError};
use crate::{Account, Block, BlockHash, Network, OpenBlock, Raw};

/// The most blocks of history a proof carries, the proven legacy block included. A longer chain
/// is refused as such: its owner makes it provable by adding one state block.
pub const MAX_LEGACY_CHAIN: usize = 64;
/// The most source sends a proof carries.
pub const MAX_SOURCES: usize = 64;
/// The most blocks before one source send.
pub const MAX_SOURCE_CHAIN: usize = 16;

/// Blocks before a block, and the sends their amounts come from.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// Blocks of one account, oldest first, each the previous of the next.
    pub blocks: Vec<Block>,
    /// Sends that `blocks`, or later entries here, received; a send stands before what builds
    /// upon it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<SourceSend>,
}

/// A send with the blocks before it that give its amount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceSend {
    /// A state block that sends, or a legacy send.
    pub send: Block,
    /// Blocks before it, oldest first: from a stated balance or an open block up to its previous.
    pub before: Vec<Block>,
}

/// The outside knowledge sums are computed with.
pub(super) struct Context<'a> {
    pub(super) network: Network,
    /// Shows which accounts are keys that somebody signs with; its signatures are checked too
    /// before a proof holds.
    pub(super) votes: &'a Certificate,
}

/// A source send, evaluated.
#[derive(Clone, Copy)]
struct Source {
    destination: Account,
    amount: Raw,
}

type Sources = BTreeMap<BlockHash, Source>;

impl From<Block> for History {
    /// A history of one block, which states its balance.
    fn from(block: Block) -> Self {
        Self {
            blocks: vec![block],
            sources: Vec::new(),
        }
    }
}

impl History {
    /// The last block.
    #[must_use]
    pub fn last(&self) -> Option<&Block> {
        self.blocks.last()
    }

    /// The account, named by the open block in front of a chain of legacy blocks.
    pub(super) fn opener(&self) -> Result<Account, ProofError> {
        let broken = |why| Err(ProofError::LegacyChainBroken(why));
        let Some(Block::Open(open)) = self.blocks.first() else {
            return broken("a legacy chain has to begin with its open block");
        };
        if self
            .blocks
            .iter()
            .any(|block| matches!(block, Block::State(_)))
        {
            return broken("a legacy block never follows a state block");
        }
        Ok(open.account)
    }

    /// The representative as the carried blocks read, for a history that begins with open. A
    /// receive could have been passed off as a change, or the other way round: not proven.
    pub(super) fn representative(&self) -> Account {
        self.blocks
            .iter()
            .rev()
            .find_map(Block::representative)
            .unwrap_or(Account::ZERO)
    }

    /// The limits that need no cryptography.
    pub(super) fn check_form(&self) -> Result<(), ProofError> {
        if self.blocks.len() > MAX_LEGACY_CHAIN {
            return Err(ProofError::LegacyChainTooLong(self.blocks.len()));
        }
        if self.sources.len() > MAX_SOURCES {
            return Err(ProofError::Malformed("more than 64 source sends"));
        }
        for source in &self.sources {
            if source.before.len() > MAX_SOURCE_CHAIN {
                return Err(ProofError::Malformed(
                    "more than 16 blocks before a source send",
                ));
            }
        }
        Ok(())
    }

    /// Bytes of the binary form.
    pub(super) fn size(&self) -> usize {
        let sources: usize = self
            .sources
            .iter()
            .map(|source| typed_size(&source.send) + 1 + blocks_size(&source.before))
            .sum();
        1 + blocks_size(&self.blocks) + 1 + sources
    }

    /// The sends whose own confirmation the votes have to show: those of receives that take part
    /// in the last block's balance.
    pub(super) fn counted_sends(&self) -> impl Iterator<Item = BlockHash> + '_ {
        let (_, rest) = split_at_stated(&self.blocks);
        rest.iter().filter_map(|block| match block {
            Block::Receive(receive) => Some(receive.source),
            _ => None,
        })
    }

    /// The balance after the last block of `account`. Sends named by [`History::counted_sends`]
    /// still have to be confirmed by votes.
    pub(super) fn balance(
        &self,
        account: &Account,
        context: &Context<'_>,
    ) -> Result<Raw, ProofError> {
        check_links(&self.blocks)?;
        let sources = self.evaluate_sources(context)?;
        sum(&self.blocks, &sources, context, |receive| {
            let Block::Receive(fields) = receive else {
                return Err(ProofError::LegacyAmbiguous(receive.hash()));
            };
            let mentions = self
                .blocks
                .iter()
                .filter(|block| names(block, &fields.source))
                .count();
            if mentions != 1 {
                return Err(ProofError::LegacySourceMismatch(fields.source));
            }
            received(&sources, &fields.source, account)
        })
    }

    /// The balance after the last block, for the amount of the send after it: no receive may take
    /// part.
    pub(super) fn balance_before_send(&self, context: &Context<'_>) -> Result<Raw, ProofError> {
        check_links(&self.blocks)?;
        let sources = self.evaluate_sources(context)?;
        sum(&self.blocks, &sources, context, |receive| {
            Err(ProofError::LegacyAmbiguous(receive.hash()))
        })
    }

    /// Amount and destination of every source, in order, each from those before it.
    fn evaluate_sources(&self, context: &Context<'_>) -> Result<Sources, ProofError> {
        let mut sources = Sources::new();
        for source in &self.sources {
            check_links(&source.before)?;
            if source.before.last().map(Block::hash) != source.send.previous() {
                return Err(ProofError::LegacyChainBroken(
                    "a source send without the block before it",
                ));
            }
            let before = sum(&source.before, &sources, context, |receive| {
                Err(ProofError::LegacyAmbiguous(receive.hash()))
            })?;
            let (destination, amount) = sent(&source.send, before)?;
            sources.insert(
                source.send.hash(),
                Source {
                    destination,
                    amount,
                },
            );
        }
        Ok(sources)
    }
}

/// Where a send goes and how much it sends, given the balance before it.
pub(super) fn sent(send: &Block, before: Raw) -> Result<(Account, Raw), ProofError> {
    let hash = send.hash();
    let (destination, after) = match send {
        Block::Send(block) => (block.destination, block.balance),
        Block::State(block) if block.balance < before => (block.link.into(), block.balance),
        _ => return Err(ProofError::NotASend(hash)),
    };
    let amount = before
        .checked_sub(after)
        .ok_or(ProofError::LegacyAmount(hash))?;
    Ok((destination, amount))
}

/// The nearest stated balance from the end, and the blocks after it. Without any, all blocks.
fn split_at_stated(blocks: &[Block]) -> (Option<Raw>, &[Block]) {
    match blocks.iter().rposition(|block| block.balance().is_some()) {
        Some(place) => (blocks[place].balance(), &blocks[place + 1..]),
        None => (None, blocks),
    }
}

/// The balance after the last of `blocks`; `receive` says what a legacy receive adds.
fn sum(
    blocks: &[Block],
    sources: &Sources,
    context: &Context<'_>,
    receive: impl Fn(&Block) -> Result<Raw, ProofError>,
) -> Result<Raw, ProofError> {
    let (stated, rest) = split_at_stated(blocks);
    let mut balance = stated.unwrap_or(Raw::ZERO);
    if stated.is_none() && !matches!(rest.first(), Some(Block::Open(_))) {
        return Err(ProofError::LegacyChainBroken(
            "the blocks reach neither a stated balance nor an open block",
        ));
    }
    for block in rest {
        let added = match block {
            Block::Open(open) => opened(open, sources, context.network)?,
            Block::Receive(_) => receive(block)?,
            Block::Change(change) if is_key(&change.representative, blocks, context) => Raw::ZERO,
            Block::Change(_) | Block::Send(_) | Block::State(_) => {
                return Err(ProofError::LegacyAmbiguous(block.hash()));
            }
        };
        balance = balance
            .checked_add(added)
            .ok_or_else(|| ProofError::LegacyAmount(block.hash()))?;
    }
    Ok(balance)
}

fn is_key(representative: &Account, blocks: &[Block], context: &Context<'_>) -> bool {
    let own = matches!(blocks.first(), Some(Block::Open(open)) if open.account == *representative);
    own || representative.is_zero()
        || *representative == context.network.genesis_account()
        || context.votes.has_voter(representative)
}

/// What an open block received.
fn opened(open: &OpenBlock, sources: &Sources, network: Network) -> Result<Raw, ProofError> {
    if open.hash() == network.genesis_hash() {
        return Ok(Raw::MAX);
    }
    received(sources, &open.source, &open.account)
}

fn received(sources: &Sources, send: &BlockHash, account: &Account) -> Result<Raw, ProofError> {
    let source = sources
        .get(send)
        .ok_or(ProofError::LegacySourceMissing(*send))?;
    if source.destination != *account {
        return Err(ProofError::LegacySourceMismatch(*send));
    }
    Ok(source.amount)
}

/// Whether a block's second field is this send, whatever type the block claims to be.
fn names(block: &Block, send: &BlockHash) -> bool {
    match block {
        Block::Receive(block) => block.source == *send,
        Block::Open(block) => block.source == *send,
        Block::Change(block) => block.representative.as_bytes() == send.as_bytes(),
        Block::State(block) => block.link.as_bytes() == send.as_bytes(),
        Block::Send(_) => false,
    }
}

fn check_links(blocks: &[Block]) -> Result<(), ProofError> {
    for pair in blocks.windows(2) {
        if let [before, after] = pair
            && after.previous() != Some(before.hash())
        {
            return Err(ProofError::LegacyChainBroken(
                "a block whose previous is not the block before it",
            ));
        }
    }
    Ok(())
}

fn typed_size(block: &Block) -> usize {
    1 + block.block_type().size()
}

fn blocks_size(blocks: &[Block]) -> usize {
    blocks.iter().map(typed_size).sum()
}
