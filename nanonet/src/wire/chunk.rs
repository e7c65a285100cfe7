//! Records in quantity, compressed.
//!
//! Of the votes and blocks in a batch of records the same few representatives and accounts come
//! again and again, so that LZ4 leaves little more than signatures and hashes. What unpacks to more
//! than [`MAX_UNPACKED`] is refused before it is unpacked.

use serde::{Deserialize, Serialize};

use super::{BATCH_BYTES, Bytes, MAX_RECORDS, Packed};
use crate::MAX_RECORD_BYTES;

/// Most bytes a chunk unpacks to: a full batch whose last record is as long as records may be, and
/// a few bytes for each length.
const MAX_UNPACKED: usize = BATCH_BYTES + MAX_RECORD_BYTES + MAX_RECORDS * 4;

/// Records, compressed: bytes they unpack to (4, least significant first), then an LZ4 block of
/// their encoding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Chunk(Bytes);

impl Chunk {
    /// Packs records, as many as one message takes ([`super::fitting`]).
    pub(crate) fn pack(records: &Vec<Packed>) -> Self {
        // A list of byte strings always has an encoding.
        let plain = postcard::to_allocvec(records).unwrap_or_default();
        Self(Bytes(lz4_flex::block::compress_prepend_size(&plain)))
    }

    /// The records; `None` if these bytes are none, or too many.
    pub(crate) fn unpack(&self) -> Option<Vec<Packed>> {
        let (length, packed) = self.0.0.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        if length > MAX_UNPACKED {
            return None;
        }
        let plain = lz4_flex::block::decompress(packed, length).ok()?;
        let records: Vec<Packed> = postcard::from_bytes(&plain).ok()?;
        (records.len() <= MAX_RECORDS).then_some(records)
    }

    /// Any bytes in place of a chunk.
    #[cfg(test)]
    pub(crate) const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(Bytes(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn records_survive_being_packed(records: Vec<Vec<u8>>) {
            let records: Vec<Packed> =
                records.into_iter().take(MAX_RECORDS).map(Packed::from_bytes).collect();
            prop_assert_eq!(Chunk::pack(&records).unpack(), Some(records));
        }

        #[test]
        fn any_bytes_are_refused_or_records(bytes: Vec<u8>) {
            if let Some(records) = Chunk::from_bytes(bytes).unpack() {
                prop_assert!(records.len() <= MAX_RECORDS);
            }
        }
    }

    #[test]
    fn what_would_unpack_to_too_much_is_refused() {
        let records = vec![Packed::from_bytes(vec![0; MAX_UNPACKED])];
        assert_eq!(Chunk::pack(&records).unpack(), None);
        let mut lies = Chunk::pack(&vec![Packed::from_bytes(vec![7; 100])]).0.0;
        lies[..4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(Chunk::from_bytes(lies).unpack(), None);
    }
}
