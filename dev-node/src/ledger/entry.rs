//! What the ledger keeps about blocks, accounts and receivable sends.

use nano_core::{Account, Block, BlockHash, BlockKind, Epoch, Raw};

/// A block in the ledger with what was computed when it came in ("sideband").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The block.
    pub block: Block,
    /// Its account, which only some block types name.
    pub account: Account,
    /// Place in the account's chain; the first block has 1.
    pub height: u64,
    /// The account's balance after this block.
    pub balance: Raw,
    /// How much it sent or received; 0 for the other kinds.
    pub amount: Raw,
    /// What it did.
    pub kind: BlockKind,
    /// Epoch of the account after this block; `None` is epoch 0.
    pub epoch: Option<Epoch>,
    /// The account's representative after this block.
    pub representative: Account,
    /// The block that named that representative.
    pub representative_block: BlockHash,
    /// The next block of the account, if any.
    pub successor: Option<BlockHash>,
    /// When this node took it in, in seconds since 1970.
    pub local_timestamp: u64,
}

impl Entry {
    /// The send that this block took: `None` unless it is a receive or open.
    #[must_use]
    pub fn source(&self) -> Option<BlockHash> {
        match (&self.block, self.kind) {
            (Block::State(state), BlockKind::Open | BlockKind::Receive) => Some(state.link.into()),
            (Block::Receive(receive), _) => Some(receive.source),
            // The genesis block names itself as its source, which is no block.
            (Block::Open(open), _) if open.source.as_bytes() != open.account.as_bytes() => {
                Some(open.source)
            }
            _ => None,
        }
    }

    /// The account that this block sent to: `None` unless it is a send.
    #[must_use]
    pub fn destination(&self) -> Option<Account> {
        match (&self.block, self.kind) {
            (Block::State(state), BlockKind::Send) => Some(state.link.into()),
            (Block::Send(send), _) => Some(send.destination),
            _ => None,
        }
    }

    /// The full node's word for what the block did; an open is a receive there.
    #[must_use]
    pub const fn subtype(&self) -> &'static str {
        match self.kind {
            BlockKind::Send => "send",
            BlockKind::Open | BlockKind::Receive => "receive",
            BlockKind::Change => "change",
            BlockKind::Epoch(_) => "epoch",
        }
    }

    /// The account's epoch after this block as a number, 0 to 2.
    #[must_use]
    pub const fn epoch_number(&self) -> u8 {
        epoch_number(self.epoch)
    }
}

/// An epoch as a number, 0 to 2.
const fn epoch_number(epoch: Option<Epoch>) -> u8 {
    match epoch {
        None => 0,
        Some(Epoch::One) => 1,
        Some(Epoch::Two) => 2,
    }
}

/// The state of an account at its newest block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountInfo {
    /// The newest block, confirmed or not.
    pub head: BlockHash,
    /// The first block.
    pub open_block: BlockHash,
    /// Number of blocks.
    pub block_count: u64,
    /// When the newest block came in, in seconds since 1970.
    pub modified: u64,
    /// How many blocks from the first one on are confirmed.
    pub confirmation_height: u64,
    /// The newest confirmed block; zero when there is none.
    pub confirmation_frontier: BlockHash,
}

/// A send that was not received yet, stored under its destination and hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceivableInfo {
    /// The account that sent.
    pub source: Account,
    /// How much.
    pub amount: Raw,
    /// Epoch of the sending account at the send; `None` is epoch 0.
    pub epoch: Option<Epoch>,
}

impl ReceivableInfo {
    /// The epoch as a number, 0 to 2: an account that receives this is at least at it.
    #[must_use]
    pub const fn epoch_number(&self) -> u8 {
        epoch_number(self.epoch)
    }
}
