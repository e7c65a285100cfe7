//! The parts of the binary form that both kinds share.

use nano_core::proof::ProofError;
use nano_core::{Block, BlockType};

use super::{MAX_RECORD_BYTES, RecordError};
use crate::reader::Reader;

/// First byte of every record.
pub(super) const VERSION: u8 = 1;

/// Second byte of an account record.
pub(super) const KIND_ACCOUNT: u8 = 1;

/// Second byte of a receivable record.
pub(super) const KIND_RECEIVABLE: u8 = 2;

/// What both kinds begin with.
pub(super) fn begin(kind: u8, proof: Result<Vec<u8>, ProofError>) -> Option<Vec<u8>> {
    let proof = proof.ok()?;
    let length = u16::try_from(proof.len()).ok()?;
    let mut bytes = Vec::with_capacity(proof.len() + 64);
    bytes.extend([VERSION, kind]);
    bytes.extend(length.to_be_bytes());
    bytes.extend(proof);
    Some(bytes)
}

pub(super) fn put_count(bytes: &mut Vec<u8>, count: usize) {
    bytes.push(u8::try_from(count).unwrap_or(u8::MAX));
}

/// Checks length and version; returns the kind and what follows it.
pub(super) fn open(bytes: &[u8]) -> Result<(u8, Reader<'_>), RecordError> {
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

pub(super) fn close(reader: &Reader<'_>) -> Result<(), RecordError> {
    if reader.is_empty() {
        Ok(())
    } else {
        Err(RecordError::Malformed { field: "end" })
    }
}

pub(super) fn proof_bytes<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], RecordError> {
    reader
        .u16()
        .and_then(|length| reader.take(usize::from(length)))
        .ok_or(RecordError::Malformed { field: "proof" })
}

pub(super) fn count(
    reader: &mut Reader<'_>,
    field: &'static str,
    most: usize,
) -> Result<usize, RecordError> {
    let count = reader
        .byte()
        .map(usize::from)
        .ok_or(RecordError::Malformed { field })?;
    if count > most {
        return Err(RecordError::TooMany { field, count });
    }
    Ok(count)
}

pub(super) fn block(reader: &mut Reader<'_>) -> Option<Block> {
    let kind = BlockType::from_number(reader.byte()?)?;
    Block::parse(kind, reader.take(kind.size())?).ok()
}
