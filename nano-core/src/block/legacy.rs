//! The four block types of before state blocks. Nobody makes them any more, but old accounts end
//! in them, so their history must be readable.

use crate::block::codec::{Reader, Writer};
use crate::hash::blake2b_256;
use crate::{Account, BlockHash, Raw, Signature, WorkNonce};

/// A legacy send: names the balance left, not the amount sent nor the account sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendBlock {
    /// The block before.
    pub previous: BlockHash,
    /// Who can receive.
    pub destination: Account,
    /// Balance after this block, in raw.
    pub balance: Raw,
    /// Signature of the account's key over the hash.
    pub signature: Signature,
    /// Work over the previous hash.
    pub work: WorkNonce,
}

/// A legacy receive: pockets what the source block sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiveBlock {
    /// The block before.
    pub previous: BlockHash,
    /// The send being received.
    pub source: BlockHash,
    /// Signature of the account's key over the hash.
    pub signature: Signature,
    /// Work over the previous hash.
    pub work: WorkNonce,
}

/// A legacy open: the first block of an account, a receive that names account and representative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenBlock {
    /// The send being received; the genesis block has the account's key here.
    pub source: BlockHash,
    /// Who votes with the balance.
    pub representative: Account,
    /// The account being opened.
    pub account: Account,
    /// Signature of the account's key over the hash.
    pub signature: Signature,
    /// Work over the account's public key.
    pub work: WorkNonce,
}

/// A legacy change of representative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeBlock {
    /// The block before.
    pub previous: BlockHash,
    /// Who votes with the balance from now on.
    pub representative: Account,
    /// Signature of the account's key over the hash.
    pub signature: Signature,
    /// Work over the previous hash.
    pub work: WorkNonce,
}

impl SendBlock {
    /// The block's hash.
    #[must_use]
    pub fn hash(&self) -> BlockHash {
        BlockHash::from_bytes(blake2b_256(&[
            self.previous.as_bytes(),
            self.destination.as_bytes(),
            &self.balance.to_bytes(),
        ]))
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            previous: BlockHash::from_bytes(reader.take()?),
            destination: Account::from_bytes(reader.take()?),
            balance: Raw::from_bytes(reader.take()?),
            signature: Signature::from_bytes(reader.take()?),
            work: WorkNonce::new(u64::from_le_bytes(reader.take()?)),
        })
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.put(self.previous.as_bytes());
        writer.put(self.destination.as_bytes());
        writer.put(&self.balance.to_bytes());
        writer.put(self.signature.as_bytes());
        writer.put(&self.work.number().to_le_bytes());
    }
}

impl ReceiveBlock {
    /// The block's hash.
    #[must_use]
    pub fn hash(&self) -> BlockHash {
        BlockHash::from_bytes(blake2b_256(&[
            self.previous.as_bytes(),
            self.source.as_bytes(),
        ]))
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            previous: BlockHash::from_bytes(reader.take()?),
            source: BlockHash::from_bytes(reader.take()?),
            signature: Signature::from_bytes(reader.take()?),
            work: WorkNonce::new(u64::from_le_bytes(reader.take()?)),
        })
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.put(self.previous.as_bytes());
        writer.put(self.source.as_bytes());
        writer.put(self.signature.as_bytes());
        writer.put(&self.work.number().to_le_bytes());
    }
}

impl OpenBlock {
    /// The block's hash.
    #[must_use]
    pub fn hash(&self) -> BlockHash {
        BlockHash::from_bytes(blake2b_256(&[
            self.source.as_bytes(),
            self.representative.as_bytes(),
            self.account.as_bytes(),
        ]))
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            source: BlockHash::from_bytes(reader.take()?),
            representative: Account::from_bytes(reader.take()?),
            account: Account::from_bytes(reader.take()?),
            signature: Signature::from_bytes(reader.take()?),
            work: WorkNonce::new(u64::from_le_bytes(reader.take()?)),
        })
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.put(self.source.as_bytes());
        writer.put(self.representative.as_bytes());
        writer.put(self.account.as_bytes());
        writer.put(self.signature.as_bytes());
        writer.put(&self.work.number().to_le_bytes());
    }
}

impl ChangeBlock {
    /// The block's hash.
    #[must_use]
    pub fn hash(&self) -> BlockHash {
        BlockHash::from_bytes(blake2b_256(&[
            self.previous.as_bytes(),
            self.representative.as_bytes(),
        ]))
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            previous: BlockHash::from_bytes(reader.take()?),
            representative: Account::from_bytes(reader.take()?),
            signature: Signature::from_bytes(reader.take()?),
            work: WorkNonce::new(u64::from_le_bytes(reader.take()?)),
        })
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.put(self.previous.as_bytes());
        writer.put(self.representative.as_bytes());
        writer.put(self.signature.as_bytes());
        writer.put(&self.work.number().to_le_bytes());
    }
}
