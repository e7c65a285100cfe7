//! The record of a send, kept under its destination.

use nano_core::proof::ReceivableProof;
use nano_core::{Account, Block, BlockHash, Raw};

use super::RecordError;
use super::form::{KIND_RECEIVABLE, begin, close, open, proof_bytes};
use crate::reader::Reader;

/// A proven send, for its destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivableRecord {
    /// Proves that it was sent, not that it can still be received.
    pub proof: ReceivableProof,
}

impl ReceivableRecord {
    /// The destination it claims; zero where its block cannot be a send.
    #[must_use]
    pub fn destination(&self) -> Account {
        self.proof.destination().unwrap_or(Account::ZERO)
    }

    /// Hash of the send block.
    #[must_use]
    pub fn hash(&self) -> BlockHash {
        self.proof.send.hash()
    }

    /// The amount it claims, by the balances of its blocks; [`Raw::MAX`] where they do not tell.
    #[must_use]
    pub fn amount(&self) -> Raw {
        let before = self.proof.history.last().and_then(Block::balance);
        let after = self.proof.send.balance();
        before
            .zip(after)
            .and_then(|(before, after)| before.checked_sub(after))
            .unwrap_or(Raw::MAX)
    }

    /// The binary form; empty under the condition of
    /// [`AccountRecord::to_bytes`](crate::AccountRecord::to_bytes).
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        begin(KIND_RECEIVABLE, self.proof.to_bytes()).unwrap_or_default()
    }

    /// Reads [`ReceivableRecord::to_bytes`]; nothing is verified.
    ///
    /// # Errors
    /// [`RecordError`] for anything else, an account record included.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        let (kind, mut reader) = open(bytes)?;
        if kind != KIND_RECEIVABLE {
            return Err(RecordError::Kind { kind });
        }
        let record = Self::read(&mut reader)?;
        close(&reader)?;
        Ok(record)
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, RecordError> {
        let proof =
            ReceivableProof::from_bytes(proof_bytes(reader)?).map_err(RecordError::Proof)?;
        Ok(Self { proof })
    }
}
