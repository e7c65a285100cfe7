//! Which news a node has, in few bits: a Golomb-coded set.
//!
//! Each id is mixed with a salt to a number below 2^16 times their count; the numbers are sorted
//! and the gaps between them written in Golomb-Rice code: about 18 bits an id, and one of 65,536
//! others is taken for one of them. Another salt the next time gives that one another chance.

use crate::gossip::NewsId;
use crate::reader::Reader;

/// Bits of each gap that are written as they are.
const LOW_BITS: u32 = 16;
/// Bytes in front: salt and count.
const HEAD: usize = 8 + 2;

/// The filter of `ids`, at most 65,535 of them.
pub(super) fn filter(ids: impl Iterator<Item = NewsId>, salt: u64) -> Vec<u8> {
    let ids: Vec<NewsId> = ids.take(usize::from(u16::MAX)).collect();
    let count = u16::try_from(ids.len()).unwrap_or(u16::MAX);
    let mut numbers: Vec<u64> = ids.iter().map(|id| number(*id, salt, count)).collect();
    numbers.sort_unstable();
    let mut bytes = salt.to_be_bytes().to_vec();
    bytes.extend_from_slice(&count.to_be_bytes());
    let mut bits = 0_u32;
    let mut put = |bit: bool| {
        if bits.is_multiple_of(8) {
            bytes.push(0);
        }
        if let Some(last) = bytes.last_mut() {
            *last |= u8::from(bit) << (7 - bits % 8);
        }
        bits += 1;
    };
    let mut before = 0;
    for number in numbers {
        let gap = number - before;
        before = number;
        (0..gap >> LOW_BITS).for_each(|_| put(true));
        put(false);
        (0..LOW_BITS)
            .rev()
            .for_each(|place| put(gap >> place & 1 == 1));
    }
    bytes
}

fn number(id: NewsId, salt: u64, count: u16) -> u64 {
    // Two rounds of a multiplication mix well enough for what need not withstand anybody: whoever
    // makes a node miss something by its filter could as well send it nothing.
    let mut mixed = id.0 ^ salt;
    for _ in 0..2 {
        mixed = (mixed ^ (mixed >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    let range = u128::from(count) << LOW_BITS;
    u64::try_from((u128::from(mixed) * range) >> 64).unwrap_or(0)
}

/// Reads a filter: those of `ids` that are not in it; `None` if the bytes are no filter.
pub(super) fn missing(bytes: &[u8], ids: impl Iterator<Item = NewsId>) -> Option<Vec<NewsId>> {
    let mut reader = Reader::new(bytes);
    let (salt, count) = (reader.u64()?, reader.u16()?);
    let bits = bytes.get(HEAD..)?;
    let mut at = 0;
    let mut take = || {
        let byte: u8 = *bits.get(at / 8)?;
        at += 1;
        Some(byte >> (8 - (at - 1) % 8 - 1) & 1 == 1)
    };
    let mut numbers = Vec::new();
    let mut before: u64 = 0;
    for _ in 0..count {
        let mut gap = 0_u64;
        while take()? {
            gap += 1;
        }
        for _ in 0..LOW_BITS {
            gap = gap << 1 | u64::from(take()?);
        }
        before = before.checked_add(gap)?;
        numbers.push(before);
    }
    if at.div_ceil(8) != bits.len() {
        return None;
    }
    let lacks = |id: &NewsId| numbers.binary_search(&number(*id, salt, count)).is_err();
    Some(ids.filter(lacks).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ids(numbers: &[u64]) -> impl Iterator<Item = NewsId> {
        numbers.iter().map(|number| NewsId(*number))
    }

    proptest! {
        #[test]
        fn what_is_in_a_filter_is_never_missing(held: Vec<u64>, salt: u64) {
            let bytes = filter(ids(&held), salt);
            prop_assert_eq!(missing(&bytes, ids(&held)), Some(Vec::new()));
            prop_assert!(bytes.len() <= HEAD + 1 + held.len() * 18 / 8 + held.len() / 2);
        }

        #[test]
        fn any_bytes_are_a_filter_or_none(bytes: Vec<u8>) {
            missing(&bytes, ids(&[1, 2, 3]));
        }
    }

    #[test]
    fn almost_everything_else_is_missing() {
        let held: Vec<u64> = (0..500).map(|n| n * 0x1234_5678_9abc).collect();
        let others: Vec<u64> = (1..5_000).map(|n| n * 0x7777_7777_7777 + 5).collect();
        let bytes = filter(ids(&held), 7);
        let missing = missing(&bytes, ids(&others)).unwrap();
        assert!(missing.len() >= others.len() - 3, "{}", missing.len());
        assert!(missing.len() <= others.len());
    }

    #[test]
    fn a_cut_filter_is_none() {
        let bytes = filter(ids(&[5, 6, 7]), 1);
        assert_eq!(missing(&bytes[..bytes.len() - 1], ids(&[1])), None);
        assert_eq!(missing(&[], ids(&[1])), None);
        assert_eq!(missing(&[bytes, vec![0]].concat(), ids(&[1])), None);
    }
}
