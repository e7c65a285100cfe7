//! State blocks: every block carries its account's whole state.

use blake2::Digest as _;

use crate::block::codec::{Reader, Writer};
use crate::hash::Blake2b256;
use crate::{
    Account, BlockHash, Epoch, Link, Network, PrivateKey, PublicKey, Raw, Root, Signature,
    WorkNonce,
};

/// Sets state blocks' hashes apart from those of legacy blocks: the type number as 32 bytes.
const PREAMBLE: [u8; 32] = {
    let mut preamble = [0; 32];
    preamble[31] = 6;
    preamble
};

/// A state block, 216 bytes on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateBlock {
    /// The account whose state this is.
    pub account: Account,
    /// The block before; zero in the account's first block.
    pub previous: BlockHash,
    /// Who votes with the balance.
    pub representative: Account,
    /// Balance after this block, in raw.
    pub balance: Raw,
    /// Destination, source or epoch mark, by kind; see [`BlockKind`].
    pub link: Link,
    /// Signature over the hash, by the account's key or, in epoch blocks, by the epoch signer.
    pub signature: Signature,
    /// Work over [`StateBlock::root`].
    pub work: WorkNonce,
}

/// What a state block does, which shows only in comparison with the balance before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BlockKind {
    /// The first block of an account, receiving; link is the hash of the send.
    Open,
    /// Receiving; link is the hash of the send.
    Receive,
    /// Sending; link is the destination.
    Send,
    /// Only the representative changes; link is zero.
    Change,
    /// An upgrade signed by the epoch signer instead of the account.
    Epoch(Epoch),
}

impl core::fmt::Display for BlockKind {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str(match self {
            Self::Open => "open",
            Self::Receive => "receive",
            Self::Send => "send",
            Self::Change => "change",
            Self::Epoch(_) => "epoch",
        })
    }
}

impl StateBlock {
    /// A block without signature and work (both zero).
    #[must_use]
    pub const fn unsigned(
        account: Account,
        previous: BlockHash,
        representative: Account,
        balance: Raw,
        link: Link,
    ) -> Self {
        Self {
            account,
            previous,
            representative,
            balance,
            link,
            signature: Signature::ZERO,
            work: WorkNonce::new(0),
        }
    }

    /// The same block, signed. Any key signs; whether it is the right one shows when verified.
    #[must_use]
    pub fn sign(mut self, key: &PrivateKey) -> Self {
        self.signature = key.sign(self.hash().as_bytes());
        self
    }

    /// The same block with this work; hash and signature do not depend on it.
    #[must_use]
    pub const fn with_work(mut self, work: WorkNonce) -> Self {
        self.work = work;
        self
    }

    /// The block's hash.
    #[must_use]
    pub fn hash(&self) -> BlockHash {
        let mut hasher = Blake2b256::new();
        hasher.update(PREAMBLE);
        hasher.update(self.account.as_bytes());
        hasher.update(self.previous.as_bytes());
        hasher.update(self.representative.as_bytes());
        hasher.update(self.balance.to_bytes());
        hasher.update(self.link.as_bytes());
        BlockHash::from_bytes(hasher.finalize().into())
    }

    /// What work and elections are about: previous, or the account in its first block.
    #[must_use]
    pub fn root(&self) -> Root {
        if self.previous.is_zero() {
            self.account.into()
        } else {
            self.previous.into()
        }
    }

    /// What the block does, given the balance before it (zero for the first block).
    ///
    /// A description, not a check: a ledger would still refuse a receive of a wrong amount.
    #[must_use]
    pub fn kind(&self, previous_balance: Raw) -> BlockKind {
        if self.balance < previous_balance {
            return BlockKind::Send;
        }
        if self.balance == previous_balance {
            if let Some(epoch) = self.link.epoch() {
                return BlockKind::Epoch(epoch);
            }
            if self.link.is_zero() && !self.previous.is_zero() {
                return BlockKind::Change;
            }
        }
        if self.previous.is_zero() {
            BlockKind::Open
        } else {
            BlockKind::Receive
        }
    }

    /// The key that has to have signed this block: the epoch signer's for an epoch block,
    /// otherwise the account's own.
    #[must_use]
    pub fn signer(&self, network: Network, previous_balance: Raw) -> PublicKey {
        match self.kind(previous_balance) {
            BlockKind::Epoch(epoch) => network.epoch_signer(epoch),
            _ => self.account.public_key(),
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            account: Account::from_bytes(reader.take()?),
            previous: BlockHash::from_bytes(reader.take()?),
            representative: Account::from_bytes(reader.take()?),
            balance: Raw::from_bytes(reader.take()?),
            link: Link::from_bytes(reader.take()?),
            signature: Signature::from_bytes(reader.take()?),
            work: WorkNonce::new(u64::from_be_bytes(reader.take()?)),
        })
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.put(self.account.as_bytes());
        writer.put(self.previous.as_bytes());
        writer.put(self.representative.as_bytes());
        writer.put(&self.balance.to_bytes());
        writer.put(self.link.as_bytes());
        writer.put(self.signature.as_bytes());
        // Big-endian here, little-endian in legacy blocks: so it is on the wire.
        writer.put(&self.work.number().to_be_bytes());
    }
}
