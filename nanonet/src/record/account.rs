//! The record of an account: its proven frontier, what leads to it, and who saw it when.

use nano_core::proof::BalanceProof;
use nano_core::{Account, Block, BlockHash};

use super::form::{KIND_ACCOUNT, begin, block, close, count, open, proof_bytes, put_count};
use super::{MAX_LINEAGE, MAX_RECORD_BYTES, MAX_SIGHTINGS, RecordError};
use crate::Sighting;
use crate::reader::Reader;

/// A proven frontier of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRecord {
    /// Proves the frontier.
    pub proof: BalanceProof,
    /// Blocks that lead from an older frontier to this one, oldest first, the last one directly
    /// before the frontier; at most [`MAX_LINEAGE`], may be empty.
    pub lineage: Vec<Block>,
    /// What bridges saw of this frontier; at most [`MAX_SIGHTINGS`].
    pub sightings: Vec<Sighting>,
}

impl AccountRecord {
    /// A record that says no more than its proof.
    #[must_use]
    pub const fn new(proof: BalanceProof) -> Self {
        Self {
            proof,
            lineage: Vec::new(),
            sightings: Vec::new(),
        }
    }

    /// Whose frontier it claims to be; zero where its proof names no account.
    #[must_use]
    pub fn account(&self) -> Account {
        self.proof.account()
    }

    /// The frontier it claims; zero where its proof has no block.
    #[must_use]
    pub fn hash(&self) -> BlockHash {
        self.proof.hash()
    }

    /// The binary form. Empty, which no reader accepts, if the proof is beyond the limits of
    /// proofs; never for one that was decoded, verified or made from votes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let Some(mut bytes) = begin(KIND_ACCOUNT, self.proof.to_bytes()) else {
            return Vec::new();
        };
        put_count(&mut bytes, self.lineage.len());
        for block in &self.lineage {
            bytes.extend_from_slice(&block.serialized_typed());
        }
        put_count(&mut bytes, self.sightings.len());
        for sighting in &self.sightings {
            bytes.extend_from_slice(&sighting.to_bytes());
        }
        bytes
    }

    /// Gives up lineage, oldest blocks first, until the record is no longer than records may be.
    pub(crate) fn shorten(&mut self) {
        while self.to_bytes().len() > MAX_RECORD_BYTES && !self.lineage.is_empty() {
            self.lineage.remove(0);
        }
    }

    /// Reads [`AccountRecord::to_bytes`]; nothing is verified.
    ///
    /// # Errors
    /// [`RecordError`] for anything else, a receivable record included.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        let (kind, mut reader) = open(bytes)?;
        if kind != KIND_ACCOUNT {
            return Err(RecordError::Kind { kind });
        }
        let record = Self::read(&mut reader)?;
        close(&reader)?;
        Ok(record)
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, RecordError> {
        let proof = BalanceProof::from_bytes(proof_bytes(reader)?).map_err(RecordError::Proof)?;
        let mut lineage = Vec::new();
        for _ in 0..count(reader, "lineage", MAX_LINEAGE)? {
            lineage.push(block(reader).ok_or(RecordError::Malformed { field: "lineage" })?);
        }
        let mut sightings = Vec::new();
        for _ in 0..count(reader, "sightings", MAX_SIGHTINGS)? {
            let sighting = Sighting::read(reader);
            sightings.push(sighting.ok_or(RecordError::Malformed { field: "sightings" })?);
        }
        Ok(Self {
            proof,
            lineage,
            sightings,
        })
    }
}
