//! The form of a datagram, before encryption.
//!
//! | bytes | what |
//! |---|---|
//! | 1 | how many acknowledgements follow, at most [`MAX_ACKS`] |
//! | 4 each | the number of a part that arrived, u32 little-endian |
//! | 4 | number of the part that follows, u32 little-endian |
//! | 1 | its place in its message, from 0 |
//! | 1 | how many parts the message has, 1 to [`MAX_PARTS`] |
//! | the rest | its bytes: [`PART`], in the last part 1 to [`PART`] |
//!
//! The part may be missing where something is acknowledged. Anything else is malformed.

use super::{MAX_ACKS, MAX_PARTS, PART};

/// A part of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part<'a> {
    pub(super) number: u32,
    pub(super) index: u8,
    pub(super) count: u8,
    pub(super) bytes: &'a [u8],
}

/// A datagram as it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Form<'a> {
    acks: &'a [[u8; 4]],
    pub(super) part: Option<Part<'a>>,
}

impl<'a> Form<'a> {
    /// Reads a datagram; `None` if it is malformed.
    pub(super) fn read(datagram: &'a [u8]) -> Option<Self> {
        let (&count, rest) = datagram.split_first()?;
        let count = usize::from(count);
        let (acks, rest) = rest.split_at_checked(4 * count)?;
        let (acks, _) = acks.as_chunks();
        if count > MAX_ACKS || (count == 0 && rest.is_empty()) {
            return None;
        }
        let part = if rest.is_empty() {
            None
        } else {
            Some(Part::read(rest)?)
        };
        Some(Self { acks, part })
    }

    /// The numbers it acknowledges.
    pub(super) fn acks(&self) -> impl Iterator<Item = u32> {
        self.acks.iter().map(|bytes| u32::from_le_bytes(*bytes))
    }
}

impl<'a> Part<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let (number, rest) = bytes.split_first_chunk()?;
        let (&[index, count], bytes) = rest.split_first_chunk()?;
        let last = index.checked_add(1)? == count;
        let whole = bytes.len() == PART || (last && (1..PART).contains(&bytes.len()));
        (whole && index < count && count <= MAX_PARTS).then_some(Self {
            number: u32::from_le_bytes(*number),
            index,
            count,
            bytes,
        })
    }
}

/// Writes a datagram; `acks` are at most [`MAX_ACKS`].
pub(super) fn write(acks: &[u32], part: Option<Part<'_>>) -> Vec<u8> {
    let length = part.map_or(0, |part| 6 + part.bytes.len());
    let mut datagram = Vec::with_capacity(1 + 4 * acks.len() + length);
    datagram.push(u8::try_from(acks.len()).unwrap_or(u8::MAX));
    for number in acks {
        datagram.extend_from_slice(&number.to_le_bytes());
    }
    if let Some(part) = part {
        datagram.extend_from_slice(&part.number.to_le_bytes());
        datagram.extend_from_slice(&[part.index, part.count]);
        datagram.extend_from_slice(part.bytes);
    }
    datagram
}

#[cfg(test)]
mod tests {
    use super::super::MAX_DATAGRAM;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_largest_datagram_fits_with_nonce_and_tag() {
        let part = Part {
            number: 0,
            index: 0,
            count: MAX_PARTS,
            bytes: &[1; PART],
        };
        let datagram = write(&[0; MAX_ACKS], Some(part));
        assert!(datagram.len() + 4 + 16 <= MAX_DATAGRAM);
    }

    #[test]
    fn what_breaks_the_form_is_malformed() {
        let full = [&[0, 9, 0, 0, 0, 0, 2][..], &[1; PART]].concat();
        assert!(Form::read(&full).is_some());
        assert_eq!(Form::read(&[]), None);
        // Neither acknowledgement nor part.
        assert_eq!(Form::read(&[0]), None);
        // Fewer acknowledgements than announced, more than allowed.
        assert_eq!(Form::read(&[1, 2, 3]), None);
        assert_eq!(Form::read(&[&[11][..], &[0; 44]].concat()), None);
        // A short part that is not the last, an empty one, one too long.
        assert_eq!(Form::read(&full[..full.len() - 1]), None);
        assert_eq!(Form::read(&[0, 9, 0, 0, 0, 0, 1]), None);
        let long = [&[0, 9, 0, 0, 0, 0, 1][..], &[1; PART + 1]].concat();
        assert_eq!(Form::read(&long), None);
        // A place outside the message, a message of too many parts or none.
        for places in [[2, 2], [16, 17], [0, 0], [255, 0]] {
            let datagram = [&[0, 9, 0, 0, 0][..], &places, &[1; PART]].concat();
            assert_eq!(Form::read(&datagram), None);
        }
    }

    proptest! {
        #[test]
        fn any_datagram_reads_as_exactly_what_it_says_or_is_malformed(
            acks in 0_u8..12, index in 0_u8..18, count in 0_u8..18,
            rest in prop::collection::vec(any::<u8>(), 0..80), full: bool,
        ) {
            let mut datagram = vec![acks];
            datagram.extend(vec![7; 4 * usize::from(acks)]);
            datagram.extend([1, 2, 3, 4, index, count]);
            datagram.extend(if full { vec![3; PART] } else { rest });
            if let Some(form) = Form::read(&datagram) {
                let acks: Vec<u32> = form.acks().collect();
                prop_assert_eq!(write(&acks, form.part), datagram);
            }
        }
    }
}
