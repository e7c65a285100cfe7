//! How the slice is written to storage.
//!
//! One entry per account and one per receivable. An entry holds what was offered, so that its
//! proof is checked again when it is read, and what only this node knows: the weights it was
//! proven under (a proof outlives the weight table it was made for), remembered ancestors and
//! tombstones. The latter cannot be proven again, so every entry starts with a checksum; it
//! guards against damage, not against someone who can write to this node's storage.
//!
//! Form (numbers most significant byte first):
//!
//! ```text
//! version (1) = 1, checksum (8): first bytes of BLAKE2b-256 of what follows
//! account:    diverged (1), frontiers (1), each:
//!               weights (below), record length (2), record, ancestors (1), hash (32) each
//!             tombstones (2), hash (32) each
//! receivable: weights, record length (2), record
//! weights:    table date (8), threshold (16), votes (1), weight (16) of each in order of account
//! ```

use std::collections::BTreeMap;

use nano_core::proof::Certificate;
use nano_core::{Account, BlockHash, Network, Raw, UnixMillis, WeightTable};

use super::held::{HeldAccount, HeldFrontier, MAX_TOMBSTONES};
use super::order::REMEMBERED_ANCESTORS;
use super::receivables::HeldReceivable;
use crate::id::hash;
use crate::reader::Reader;
use crate::sorted::SortedSet;
use crate::{AccountRecord, MAX_RECORD_BYTES, ReceivableRecord};

/// First byte of every entry.
const VERSION: u8 = 1;

/// Bytes of checksum.
pub(super) const CHECKSUM_BYTES: usize = 8;

/// Bytes of an account's entry that are there for any: version, checksum, three counts.
pub(super) const ENTRY_BYTES: usize = 1 + CHECKSUM_BYTES + 1 + 1 + 2;

/// Bytes of a frontier in an entry, ancestors left out.
pub(super) fn stored_length(record: &AccountRecord) -> usize {
    let voters = voters(&record.proof.certificate).len();
    let weights = 8 + 16 + 1 + voters.min(usize::from(u8::MAX)) * 16;
    weights + 2 + record.to_bytes().len() + 1
}

/// The weights that a proof was accepted with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredWeights {
    /// Date of the table.
    pub(crate) as_of: UnixMillis,
    /// Its threshold.
    pub(crate) threshold: Raw,
    /// Weight of each voter in ascending order of account; zero for one the table did not list.
    pub(crate) votes: Vec<Raw>,
}

impl StoredWeights {
    fn of(
        as_of: UnixMillis,
        threshold: Raw,
        certificate: &Certificate,
        votes: &[(Account, Raw)],
    ) -> Self {
        Self {
            as_of,
            threshold,
            votes: voters(certificate)
                .iter()
                .map(|voter| {
                    let vote = votes.iter().find(|(account, _)| account == voter);
                    vote.map_or(Raw::ZERO, |(_, weight)| *weight)
                })
                .collect(),
        }
    }

    /// The part of the table of that day that concerns these votes; `None` if the numbers of
    /// votes differ. Its own threshold means nothing, [`StoredWeights::threshold`] counts.
    pub(crate) fn table(&self, network: Network, certificate: &Certificate) -> Option<WeightTable> {
        let voters = voters(certificate);
        let mut weights = BTreeMap::new();
        for (voter, weight) in voters.iter().zip(&self.votes) {
            if !weight.is_zero() {
                weights.insert(*voter, *weight);
            }
        }
        (voters.len() == self.votes.len()).then_some(WeightTable {
            network,
            as_of: self.as_of,
            online_weight: Raw::ZERO,
            minimum: Raw::ZERO,
            weights,
        })
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.as_of.number().to_be_bytes());
        bytes.extend_from_slice(&self.threshold.to_bytes());
        bytes.push(u8::try_from(self.votes.len()).unwrap_or(u8::MAX));
        for weight in self.votes.iter().take(usize::from(u8::MAX)) {
            bytes.extend_from_slice(&weight.to_bytes());
        }
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let as_of = UnixMillis(reader.u64()?);
        let threshold = Raw::from_bytes(reader.array()?);
        let count = reader.byte()?;
        let mut votes = Vec::new();
        for _ in 0..count {
            votes.push(Raw::from_bytes(reader.array()?));
        }
        Some(Self {
            as_of,
            threshold,
            votes,
        })
    }
}

/// A frontier read from storage, not verified yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredFrontier {
    pub(crate) weights: StoredWeights,
    pub(crate) record: AccountRecord,
    pub(crate) ancestors: Vec<BlockHash>,
}

/// An account's entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredAccount {
    pub(crate) diverged: bool,
    pub(crate) frontiers: Vec<StoredFrontier>,
    pub(crate) received: Vec<BlockHash>,
}

/// A receivable's entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredReceivable {
    pub(crate) weights: StoredWeights,
    pub(crate) record: ReceivableRecord,
}

impl StoredFrontier {
    fn of(held: &HeldFrontier) -> Self {
        let proven = held.proven();
        Self {
            weights: StoredWeights::of(
                held.weights_as_of(),
                proven.threshold,
                &held.record().proof.certificate,
                &proven.votes,
            ),
            record: held.record().clone(),
            ancestors: held.chain.ancestors().to_vec(),
        }
    }
}

impl StoredAccount {
    /// The entry of what is held.
    pub(crate) fn of(held: &HeldAccount) -> Self {
        Self {
            diverged: held.order() == super::ChainOrder::Diverged,
            frontiers: held
                .frontiers()
                .iter()
                .map(|frontier| StoredFrontier::of(frontier))
                .collect(),
            received: held.received().copied().collect(),
        }
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![
            u8::from(self.diverged),
            u8::try_from(self.frontiers.len()).unwrap_or(u8::MAX),
        ];
        for frontier in &self.frontiers {
            frontier.weights.write(&mut bytes);
            write_record(&mut bytes, &frontier.record.to_bytes());
            bytes.push(u8::try_from(frontier.ancestors.len()).unwrap_or(u8::MAX));
            write_hashes(&mut bytes, &frontier.ancestors);
        }
        let count = u16::try_from(self.received.len()).unwrap_or(u16::MAX);
        bytes.extend_from_slice(&count.to_be_bytes());
        write_hashes(&mut bytes, &self.received);
        seal(&bytes)
    }

    /// `None` for anything damaged.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut reader = unseal(bytes)?;
        let diverged = match reader.byte()? {
            0 => false,
            1 => true,
            _ => return None,
        };
        let count = reader.byte().filter(|count| (1..=2).contains(count))?;
        let mut frontiers = Vec::new();
        for _ in 0..count {
            let weights = StoredWeights::read(&mut reader)?;
            let record = AccountRecord::from_bytes(read_record(&mut reader)?).ok()?;
            let count = usize::from(reader.byte()?);
            frontiers.push(StoredFrontier {
                weights,
                record,
                ancestors: read_hashes(&mut reader, count, REMEMBERED_ANCESTORS)?,
            });
        }
        let count = usize::from(reader.u16()?);
        let received = read_hashes(&mut reader, count, MAX_TOMBSTONES)?;
        reader.is_empty().then_some(Self {
            diverged,
            frontiers,
            received,
        })
    }
}

impl StoredReceivable {
    /// The entry of what is held.
    pub(crate) fn of(held: &HeldReceivable) -> Self {
        let proven = held.proven();
        Self {
            weights: StoredWeights::of(
                held.weights_as_of(),
                proven.threshold,
                &held.record().proof.certificate,
                &proven.votes,
            ),
            record: held.record().clone(),
        }
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.weights.write(&mut bytes);
        write_record(&mut bytes, &self.record.to_bytes());
        seal(&bytes)
    }

    /// `None` for anything damaged.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut reader = unseal(bytes)?;
        let weights = StoredWeights::read(&mut reader)?;
        let record = ReceivableRecord::from_bytes(read_record(&mut reader)?).ok()?;
        reader.is_empty().then_some(Self { weights, record })
    }
}

fn voters(certificate: &Certificate) -> SortedSet<Account> {
    certificate
        .votes
        .iter()
        .map(|vote| vote.representative)
        .collect()
}

pub(super) fn seal(content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    bytes.extend_from_slice(&hash(&[content])[..CHECKSUM_BYTES]);
    bytes.extend_from_slice(content);
    bytes
}

fn unseal(bytes: &[u8]) -> Option<Reader<'_>> {
    let (version, rest) = bytes.split_first()?;
    let (checksum, content) = rest.split_first_chunk::<CHECKSUM_BYTES>()?;
    let whole = *version == VERSION && hash(&[content]).starts_with(checksum);
    whole.then_some(Reader::new(content))
}

fn write_record(bytes: &mut Vec<u8>, record: &[u8]) {
    // The slice refuses records that are longer, so the length field always fits.
    let length = u16::try_from(record.len()).unwrap_or(u16::MAX);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(record);
}

fn read_record<'a>(reader: &mut Reader<'a>) -> Option<&'a [u8]> {
    let length = usize::from(reader.u16()?);
    reader.take(length).filter(|_| length <= MAX_RECORD_BYTES)
}

fn write_hashes(bytes: &mut Vec<u8>, hashes: &[BlockHash]) {
    for hash in hashes {
        bytes.extend_from_slice(hash.as_bytes());
    }
}

fn read_hashes(reader: &mut Reader<'_>, count: usize, most: usize) -> Option<Vec<BlockHash>> {
    let bytes = reader.take(count.checked_mul(32)?)?;
    let hashes = bytes.as_chunks::<32>().0.iter();
    (count <= most).then(|| hashes.copied().map(BlockHash::from_bytes).collect())
}
