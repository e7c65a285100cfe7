//! Why the ledger refuses a block.

use nano_core::{Account, BlockHash};

/// One variant per verdict of a full node; [`ProcessError::rpc_text`] is the text its RPC gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProcessError {
    /// The signature is not the account's (for an epoch block: not the epoch signer's).
    #[error("block {0} carries a wrong signature; sign it with the account's key")]
    BadSignature(BlockHash),
    /// The block is in the ledger already.
    #[error("block {0} is in the ledger already; nothing to do")]
    Old(BlockHash),
    /// A legacy send would raise the balance.
    #[error("legacy send {0} spends less than nothing; its balance must not exceed the account's")]
    NegativeSpend(BlockHash),
    /// Another block took this place.
    #[error(
        "block {0} competes with another block for the same place; build on the account's frontier"
    )]
    Fork(BlockHash),
    /// The source is no receivable send to this account, or not one that a legacy block may take.
    #[error("block {block} receives {source_block}, which is not receivable by its account")]
    Unreceivable {
        /// The refused block.
        block: BlockHash,
        /// What it wants to receive.
        source_block: BlockHash,
    },
    /// The previous block is unknown.
    #[error("block {block} follows {previous}, which is unknown; send that first")]
    GapPrevious {
        /// The refused block.
        block: BlockHash,
        /// The unknown block.
        previous: BlockHash,
    },
    /// The source block is unknown.
    #[error("block {block} receives {source_block}, which is unknown; send that first")]
    GapSource {
        /// The refused block.
        block: BlockHash,
        /// The unknown block.
        source_block: BlockHash,
    },
    /// An epoch block opens an account that has nothing to receive.
    #[error("epoch block {block} opens {account}, which has nothing receivable")]
    GapEpochOpenPending {
        /// The refused block.
        block: BlockHash,
        /// The account to open.
        account: Account,
    },
    /// The balance does not follow from the previous one and the amount.
    #[error("block {0} states a balance that does not follow from the amount; compute it again")]
    BalanceMismatch(BlockHash),
    /// An epoch block names another representative than the account's.
    #[error("epoch block {0} changes the representative, which epoch blocks must not")]
    RepresentativeMismatch(BlockHash),
    /// A legacy block after a state block, or an epoch out of order.
    #[error(
        "block {0} cannot stand at this place of the chain (legacy after state, or epoch order)"
    )]
    BlockPosition(BlockHash),
    /// The work does not reach the threshold of this kind and epoch.
    #[error("block {0} carries too little work for its kind and epoch; compute work again")]
    InsufficientWork(BlockHash),
    /// The block opens the account of all zero bytes.
    #[error("block {0} opens the burn account, which nobody owns")]
    OpenedBurnAccount(BlockHash),
}

impl ProcessError {
    /// The text that a full node's RPC `process` answers, letter by letter.
    #[must_use]
    pub const fn rpc_text(&self) -> &'static str {
        match self {
            Self::BadSignature(_) => "Bad signature",
            Self::Old(_) => "Old block",
            Self::NegativeSpend(_) => "Negative spend",
            Self::Fork(_) => "Fork",
            Self::Unreceivable { .. } => "Unreceivable",
            Self::GapPrevious { .. } => "Gap previous block",
            Self::GapSource { .. } => "Gap source block",
            Self::GapEpochOpenPending { .. } => "Gap pending for open epoch block",
            Self::BalanceMismatch(_) => "Balance and amount delta do not match",
            Self::RepresentativeMismatch(_) => "Error processing block",
            Self::BlockPosition(_) => "This block cannot follow the previous block",
            Self::InsufficientWork(_) => "Block work is insufficient",
            Self::OpenedBurnAccount(_) => "Block attempts to open the burn account",
        }
    }
}
