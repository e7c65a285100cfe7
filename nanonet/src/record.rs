//! What nodes keep and pass on: proven frontiers of accounts, and proven sends to them.
//!
//! A record is a proof with what helps its reader: an [`AccountRecord`] carries, besides the proof
//! of the frontier, the blocks that lead to it (the *lineage*, so that a holder of an older
//! frontier sees that it is older) and bridges' [`Sighting`]s (so that the reader knows how current
//! it is). A [`ReceivableRecord`] is the proof of one send, kept under its destination.
//!
//! Decoding checks form and limits only; nothing in a decoded record is true before
//! [`Slice::offer`](crate::slice::Slice::offer) or the proof's own check has said so.
//!
//! Binary form, for the wire and inside stored entries (numbers most significant byte first):
//!
//! ```text
//! version (1) = 1
//! kind (1) = 1 account, 2 receivable
//! proof length (2), proof in the form of nano-core
//! account only: lineage count (1), each block as its type (1) and its fields
//!               sighting count (1), each sighting (fixed length)
//! ```
//!
//! Memory: a decoder reads at most [`MAX_RECORD_BYTES`] bytes and allocates in proportion to the
//! bytes that are really there, never to a count that they claim.

use nano_core::proof::{BalanceProof, ProofError, ReceivableProof};
use nano_core::{Account, Block, BlockHash, BlockType, Raw};
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Sighting;
use crate::reader::Reader;

/// Longest record in bytes: room for the longest proof (60 KiB), and with what a message puts
/// around it still within a query of 64 KiB.
pub const MAX_RECORD_BYTES: usize = 62 * 1024;

/// Most blocks in a lineage.
pub const MAX_LINEAGE: usize = 64;

/// Most sightings in a record.
pub const MAX_SIGHTINGS: usize = 4;

/// First byte of every record.
const VERSION: u8 = 1;

/// Second byte of an account record.
const KIND_ACCOUNT: u8 = 1;

/// Second byte of a receivable record.
const KIND_RECEIVABLE: u8 = 2;

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

/// A proven send, for its destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivableRecord {
    /// Proves that it was sent, not that it can still be received.
    pub proof: ReceivableProof,
}

/// Either kind of record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A frontier.
    Account(Box<AccountRecord>),
    /// A send.
    Receivable(Box<ReceivableRecord>),
}

/// Why bytes are not a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Longer than any record.
    #[error("the record has {length} bytes, at most {MAX_RECORD_BYTES} are read; drop it")]
    TooLong {
        /// Bytes given.
        length: usize,
    },
    /// Another version of the form.
    #[error(
        "the record has version {version}, this node reads version {VERSION}; update the older side"
    )]
    Version {
        /// Version given.
        version: u8,
    },
    /// Neither account nor receivable, or not the kind asked for.
    #[error("the record is of kind {kind}, which does not belong here; drop it")]
    Kind {
        /// Kind given.
        kind: u8,
    },
    /// Bytes missing or left over, or a field with an impossible value.
    #[error("the record is cut short, too long inside, or has an impossible {field}; drop it")]
    Malformed {
        /// Which field.
        field: &'static str,
    },
    /// More blocks or sightings than allowed.
    #[error("the record carries {count} of {field}, more than allowed; drop it")]
    TooMany {
        /// Which field.
        field: &'static str,
        /// How many it says there are.
        count: usize,
    },
    /// The proof inside cannot be read.
    #[error("the proof inside the record cannot be read: {0}")]
    Proof(ProofError),
}

impl RecordError {
    /// Kebab-case code for counters and logs.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::TooLong { .. } | Self::TooMany { .. } => "too-large",
            Self::Version { .. } => "unknown-version",
            Self::Kind { .. } | Self::Malformed { .. } => "malformed",
            Self::Proof(error) => error.reason(),
        }
    }
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

    fn read(reader: &mut Reader<'_>) -> Result<Self, RecordError> {
        let proof = BalanceProof::from_bytes(proof_bytes(reader)?).map_err(RecordError::Proof)?;
        let count = count(reader, "lineage", MAX_LINEAGE)?;
        let mut lineage = Vec::new();
        for _ in 0..count {
            lineage.push(block(reader).ok_or(RecordError::Malformed { field: "lineage" })?);
        }
        let count = self::count(reader, "sightings", MAX_SIGHTINGS)?;
        let mut sightings = Vec::new();
        for _ in 0..count {
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

    /// The binary form; empty under the condition of [`AccountRecord::to_bytes`].
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

    fn read(reader: &mut Reader<'_>) -> Result<Self, RecordError> {
        let proof =
            ReceivableProof::from_bytes(proof_bytes(reader)?).map_err(RecordError::Proof)?;
        Ok(Self { proof })
    }
}

impl Record {
    /// Under which account it is kept.
    #[must_use]
    pub fn account(&self) -> Account {
        match self {
            Self::Account(record) => record.account(),
            Self::Receivable(record) => record.destination(),
        }
    }

    /// Its identity: the hash of the frontier or of the send.
    #[must_use]
    pub fn hash(&self) -> BlockHash {
        match self {
            Self::Account(record) => record.hash(),
            Self::Receivable(record) => record.hash(),
        }
    }

    /// The binary form; empty under the condition of [`AccountRecord::to_bytes`].
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Account(record) => record.to_bytes(),
            Self::Receivable(record) => record.to_bytes(),
        }
    }

    /// Reads [`Record::to_bytes`]; nothing is verified.
    ///
    /// # Errors
    /// [`RecordError`] for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        let (kind, mut reader) = open(bytes)?;
        let record = match kind {
            KIND_ACCOUNT => Self::Account(Box::new(AccountRecord::read(&mut reader)?)),
            KIND_RECEIVABLE => Self::Receivable(Box::new(ReceivableRecord::read(&mut reader)?)),
            kind => return Err(RecordError::Kind { kind }),
        };
        close(&reader)?;
        Ok(record)
    }
}

/// What both kinds begin with.
fn begin(kind: u8, proof: Result<Vec<u8>, ProofError>) -> Option<Vec<u8>> {
    let proof = proof.ok()?;
    let length = u16::try_from(proof.len()).ok()?;
    let mut bytes = Vec::with_capacity(proof.len() + 64);
    bytes.extend([VERSION, kind]);
    bytes.extend(length.to_be_bytes());
    bytes.extend(proof);
    Some(bytes)
}

fn put_count(bytes: &mut Vec<u8>, count: usize) {
    bytes.push(u8::try_from(count).unwrap_or(u8::MAX));
}

/// Checks length and version; returns the kind and what follows it.
fn open(bytes: &[u8]) -> Result<(u8, Reader<'_>), RecordError> {
    if bytes.len() > MAX_RECORD_BYTES {
        return Err(RecordError::TooLong {
            length: bytes.len(),
        });
    }
    let mut reader = Reader::new(bytes);
    let short = RecordError::Malformed { field: "start" };
    match (reader.byte(), reader.byte()) {
        (Some(VERSION), Some(kind)) => Ok((kind, reader)),
        (Some(version), Some(_)) => Err(RecordError::Version { version }),
        _ => Err(short),
    }
}

fn close(reader: &Reader<'_>) -> Result<(), RecordError> {
    if reader.is_empty() {
        Ok(())
    } else {
        Err(RecordError::Malformed { field: "end" })
    }
}

fn proof_bytes<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], RecordError> {
    reader
        .u16()
        .and_then(|length| reader.take(usize::from(length)))
        .ok_or(RecordError::Malformed { field: "proof" })
}

fn count(reader: &mut Reader<'_>, field: &'static str, most: usize) -> Result<usize, RecordError> {
    let count = reader
        .byte()
        .map(usize::from)
        .ok_or(RecordError::Malformed { field })?;
    if count > most {
        return Err(RecordError::TooMany { field, count });
    }
    Ok(count)
}

fn block(reader: &mut Reader<'_>) -> Option<Block> {
    let kind = BlockType::from_number(reader.byte()?)?;
    Block::parse(kind, reader.take(kind.size())?).ok()
}

/// Inside messages a value travels as its own binary form, so that there is one form only and the
/// message codec cannot be made to allocate for a count that a sender claims.
macro_rules! serde_as_bytes {
    ($($name:ty),+) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let bytes = self.to_bytes();
                if bytes.is_empty() {
                    return Err(S::Error::custom("the record's proof is beyond its limits"));
                }
                serializer.serialize_bytes(&bytes)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let bytes = <&[u8]>::deserialize(deserializer)?;
                Self::from_bytes(bytes).map_err(D::Error::custom)
            }
        }
    )+};
}

serde_as_bytes!(AccountRecord, ReceivableRecord, Record, Sighting);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{TEST_TIME, TestChain, TestKeys, account_key, bridge};
    use nano_core::proof::Certificate;
    use nano_core::{Network, Vote, VoteTimestamp};
    use proptest::prelude::*;

    fn account_record(lineage: usize, sightings: u8) -> AccountRecord {
        let chain = TestChain::of_length(1, Raw::NANO, lineage + 1);
        let mut record = TestKeys::new().record(&chain, lineage, lineage);
        for place in 0..sightings {
            record.sightings.push(Sighting::sign(
                &bridge(place),
                Network::Dev,
                chain.account(),
                Some(record.hash()),
                TEST_TIME,
                Raw::NANO,
                Raw::NANO,
            ));
        }
        record
    }

    fn receivable_record() -> ReceivableRecord {
        let mut chain = TestChain::open(1, Raw::NANO);
        chain.send(&account_key(2).account(), Raw::new(7));
        TestKeys::new().receivable(&chain, 1)
    }

    #[test]
    fn records_survive_their_binary_form() {
        let record = account_record(3, 2);
        assert_eq!(
            AccountRecord::from_bytes(&record.to_bytes()),
            Ok(record.clone())
        );
        let record = Record::Account(Box::new(record));
        assert_eq!(Record::from_bytes(&record.to_bytes()), Ok(record));
        let record = receivable_record();
        assert_eq!(
            ReceivableRecord::from_bytes(&record.to_bytes()),
            Ok(record.clone())
        );
        let record = Record::Receivable(Box::new(record));
        assert_eq!(Record::from_bytes(&record.to_bytes()), Ok(record));
    }

    #[test]
    fn records_travel_inside_messages_in_the_same_form() {
        let record = Record::Account(Box::new(account_record(1, 1)));
        let message = postcard::to_allocvec(&(7_u8, vec![record.clone()])).unwrap();
        let form = record.to_bytes();
        assert!(message.windows(form.len()).any(|window| window == form));
        let (_, read): (u8, Vec<Record>) = postcard::from_bytes(&message).unwrap();
        assert_eq!(read, [record]);
    }

    #[test]
    fn one_kind_is_not_read_as_the_other() {
        let kind = |kind| Err(RecordError::Kind { kind });
        let receivable = receivable_record().to_bytes();
        assert_eq!(
            AccountRecord::from_bytes(&receivable),
            kind(KIND_RECEIVABLE)
        );
        let account = account_record(0, 0).to_bytes();
        assert_eq!(
            ReceivableRecord::from_bytes(&account),
            Err(RecordError::Kind { kind: KIND_ACCOUNT })
        );
    }

    #[test]
    fn another_version_is_told_apart_from_damage() {
        let mut bytes = account_record(0, 0).to_bytes();
        bytes[0] = 2;
        let error = AccountRecord::from_bytes(&bytes).unwrap_err();
        assert_eq!(error, RecordError::Version { version: 2 });
        assert_eq!(error.reason(), "unknown-version");
    }

    #[test]
    fn limits_hold_while_decoding() {
        let bytes = account_record(MAX_LINEAGE + 1, 0).to_bytes();
        let error = AccountRecord::from_bytes(&bytes).unwrap_err();
        assert_eq!(error.reason(), "too-large");
        let sightings = u8::try_from(MAX_SIGHTINGS).unwrap() + 1;
        let bytes = account_record(0, sightings).to_bytes();
        assert_eq!(
            AccountRecord::from_bytes(&bytes),
            Err(RecordError::TooMany {
                field: "sightings",
                count: MAX_SIGHTINGS + 1
            })
        );
        let bytes = vec![1; MAX_RECORD_BYTES + 1];
        assert_eq!(
            Record::from_bytes(&bytes),
            Err(RecordError::TooLong {
                length: bytes.len()
            })
        );
    }

    #[test]
    fn the_amount_of_a_receivable_is_the_difference_of_balances() {
        assert_eq!(receivable_record().amount(), Raw::new(7));
    }

    #[test]
    fn a_record_that_grew_too_long_gives_up_its_oldest_lineage() {
        let mut record = account_record(60, 0);
        let keys = TestKeys::new();
        // Seven votes with lists of their own: a certificate of 57 KB.
        let votes: Vec<Vote> = (0_u8..7)
            .map(|place| {
                let mut hashes = vec![BlockHash::from_bytes([place; 32]); Vote::MAX_HASHES - 1];
                hashes.push(record.hash());
                let key = &keys.representatives()[usize::from(place)];
                Vote::sign(key, VoteTimestamp::FINAL, hashes)
            })
            .collect();
        record.proof.certificate = Certificate::from_votes(&votes).unwrap();
        let newest = record.lineage[59];
        assert!(record.to_bytes().len() > MAX_RECORD_BYTES);
        record.shorten();
        assert!(record.to_bytes().len() <= MAX_RECORD_BYTES);
        assert!(record.lineage.len() > 10, "no more than needed");
        assert_eq!(record.lineage.last(), Some(&newest));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_back_exactly_or_refused(
            bytes in proptest::collection::vec(any::<u8>(), 0..400),
        ) {
            if let Ok(record) = Record::from_bytes(&bytes) {
                prop_assert_eq!(record.to_bytes(), bytes);
            }
        }

        #[test]
        fn an_altered_record_is_read_back_exactly_or_refused(
            place: prop::sample::Index, bits in 1_u8..,
        ) {
            let mut bytes = account_record(2, 1).to_bytes();
            let place = place.index(bytes.len());
            bytes[place] ^= bits;
            if let Ok(record) = AccountRecord::from_bytes(&bytes) {
                prop_assert_eq!(record.to_bytes(), bytes);
            }
        }

        #[test]
        fn a_cut_record_is_refused(place: prop::sample::Index) {
            let mut bytes = account_record(2, 1).to_bytes();
            bytes.truncate(place.index(bytes.len()));
            prop_assert!(AccountRecord::from_bytes(&bytes).is_err());
        }
    }
}
