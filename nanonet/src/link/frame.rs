//! What is inside a decrypted frame: items, one after another, until the frame ends.
//!
//! The first byte of an item tells its kind in the high half and a class in the low half (0 where
//! the kind has no class); numbers are little-endian:
//!
//! | first byte | item | rest |
//! |---|---|---|
//! | `0x1c` | chunk of a message of class c, more follow | number u32, length u16, bytes |
//! | `0x2c` | last chunk of a message of class c | number u32, length u16, bytes |
//! | `0x3c` | credit for class c | amount u32 |
//! | `0x40` | ping | token u64 |
//! | `0x50` | pong | the ping's token u64 |
//! | `0x60` | close, last item of its frame | code u8 |
//! | `0x70` | acknowledgement of a query that came in chunks | its number u32 |
//! | `0x80` | whether the sender takes datagrams (see [`super::datagram`]) | 0 or 1 |
//!
//! Anything else, a frame without items and an empty chunk are malformed.

use super::class::{CHUNK_HEADER, Class};
use super::error::LinkError;

const CHUNK: u8 = 0x10;
const LAST_CHUNK: u8 = 0x20;
const CREDIT: u8 = 0x30;
const PING: u8 = 0x40;
const PONG: u8 = 0x50;
const CLOSE: u8 = 0x60;
const ACK: u8 = 0x70;
const UNORDERED: u8 = 0x80;

/// One item of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item<'a> {
    /// Part of a message.
    Chunk {
        class: Class,
        /// Counts the messages of the class in this direction, from 0, wrapping.
        number: u32,
        last: bool,
        bytes: &'a [u8],
    },
    /// The receiver of the class has room for so many more bytes.
    Credit { class: Class, amount: u32 },
    /// Answer with a pong.
    Ping { token: u64 },
    /// The answer.
    Pong { token: u64 },
    /// The peer is done with this link.
    Close { code: u8 },
    /// The query with this number arrived.
    Ack { number: u32 },
    /// Whether the sender takes datagrams from now on.
    Unordered { open: bool },
}

impl Item<'_> {
    /// Appends the item to a frame.
    pub(super) fn write(&self, frame: &mut Vec<u8>) {
        match *self {
            Item::Chunk {
                class,
                number,
                last,
                bytes,
            } => {
                frame.push(if last { LAST_CHUNK } else { CHUNK } | class as u8);
                frame.extend_from_slice(&number.to_le_bytes());
                let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
                frame.extend_from_slice(&length.to_le_bytes());
                frame.extend_from_slice(bytes);
            }
            Item::Credit { class, amount } => {
                frame.push(CREDIT | class as u8);
                frame.extend_from_slice(&amount.to_le_bytes());
            }
            Item::Ping { token } => {
                frame.push(PING);
                frame.extend_from_slice(&token.to_le_bytes());
            }
            Item::Pong { token } => {
                frame.push(PONG);
                frame.extend_from_slice(&token.to_le_bytes());
            }
            Item::Close { code } => frame.extend_from_slice(&[CLOSE, code]),
            Item::Ack { number } => {
                frame.push(ACK);
                frame.extend_from_slice(&number.to_le_bytes());
            }
            Item::Unordered { open } => frame.extend_from_slice(&[UNORDERED, u8::from(open)]),
        }
    }
}

/// Reads the items of one decrypted frame; ends after the first error.
pub(super) struct Items<'a> {
    frame: &'a [u8],
    at: usize,
    failed: bool,
}

impl<'a> Items<'a> {
    pub(super) const fn new(frame: &'a [u8]) -> Self {
        Self {
            frame,
            at: 0,
            failed: false,
        }
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let bytes = self.frame.get(self.at..)?.first_chunk::<N>()?;
        self.at += N;
        Some(*bytes)
    }

    fn item(&mut self) -> Option<Item<'a>> {
        let [first] = self.take()?;
        let kind = first & 0xf0;
        let class = *Class::ALL.get(usize::from(first & 0x0f))?;
        let item = match kind {
            CHUNK | LAST_CHUNK => {
                let number = u32::from_le_bytes(self.take()?);
                let length = usize::from(u16::from_le_bytes(self.take()?));
                let bytes = self.frame.get(self.at..self.at + length)?;
                if bytes.is_empty() {
                    return None;
                }
                self.at += length;
                Item::Chunk {
                    class,
                    number,
                    last: kind == LAST_CHUNK,
                    bytes,
                }
            }
            CREDIT => Item::Credit {
                class,
                amount: u32::from_le_bytes(self.take()?),
            },
            _ if first & 0x0f != 0 => return None,
            PING => Item::Ping {
                token: u64::from_le_bytes(self.take()?),
            },
            PONG => Item::Pong {
                token: u64::from_le_bytes(self.take()?),
            },
            CLOSE => {
                let [code] = self.take()?;
                if self.at != self.frame.len() {
                    return None;
                }
                Item::Close { code }
            }
            ACK => Item::Ack {
                number: u32::from_le_bytes(self.take()?),
            },
            UNORDERED => match self.take()? {
                [open @ (0 | 1)] => Item::Unordered { open: open == 1 },
                _ => return None,
            },
            _ => return None,
        };
        Some(item)
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Result<Item<'a>, LinkError>;

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.at;
        if self.failed || (start == self.frame.len() && start != 0) {
            return None;
        }
        let item = self.item();
        self.failed = item.is_none();
        Some(item.ok_or(LinkError::MalformedFrame { at: start }))
    }
}

/// Bytes a chunk of `length` takes in a frame.
pub(super) const fn chunk_size(length: usize) -> usize {
    CHUNK_HEADER + length
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(frame: &[u8]) -> Result<Vec<Item<'_>>, LinkError> {
        Items::new(frame).collect()
    }

    fn class() -> impl Strategy<Value = Class> {
        prop::sample::select(Class::ALL.to_vec())
    }

    #[test]
    fn a_frame_without_items_is_malformed() {
        assert_eq!(read(&[]), Err(LinkError::MalformedFrame { at: 0 }));
    }

    #[test]
    fn nothing_may_follow_a_close() {
        let mut frame = Vec::new();
        Item::Close { code: 3 }.write(&mut frame);
        assert_eq!(read(&frame), Ok(vec![Item::Close { code: 3 }]));
        Item::Ping { token: 1 }.write(&mut frame);
        assert_eq!(read(&frame), Err(LinkError::MalformedFrame { at: 0 }));
    }

    #[test]
    fn an_empty_chunk_an_unknown_kind_and_an_unknown_class_are_malformed() {
        let mut frame = Vec::new();
        Item::Chunk {
            class: Class::Bulk,
            number: 0,
            last: true,
            bytes: &[],
        }
        .write(&mut frame);
        for frame in [
            &frame[..],
            &[0x00],
            &[0x70, 0, 0, 0],
            &[0x80, 2],
            &[0x90, 0],
            &[0x34, 1, 0, 0, 0],
            &[0x61, 0],
        ] {
            assert_eq!(read(frame), Err(LinkError::MalformedFrame { at: 0 }));
        }
    }

    proptest! {
        #[test]
        fn items_survive_a_frame(
            class in class(), number: u32, last: bool,
            bytes in prop::collection::vec(any::<u8>(), 1..300),
            amount: u32, token: u64, code: u8,
        ) {
            let items = vec![
                Item::Credit { class, amount },
                Item::Ping { token },
                Item::Pong { token },
                Item::Ack { number },
                Item::Unordered { open: last },
                Item::Chunk { class, number, last, bytes: &bytes },
                Item::Close { code },
            ];
            let mut frame = Vec::new();
            for item in &items {
                item.write(&mut frame);
            }
            prop_assert_eq!(read(&frame), Ok(items));
            // Cut anywhere but between two items, a frame is malformed.
            let cut = frame.len() - 1;
            prop_assert!(read(&frame[..cut]).is_err());
        }

        #[test]
        fn any_frame_reads_as_exactly_what_it_says_or_is_malformed(
            frame in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            if let Ok(items) = read(&frame) {
                let mut again = Vec::new();
                for item in &items {
                    item.write(&mut again);
                }
                prop_assert_eq!(again, frame);
            }
        }

        #[test]
        fn any_tagged_frame_reads_as_exactly_what_it_says_or_is_malformed(
            kind in 1_u8..9, class in 0_u8..5, rest in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let mut frame = vec![kind << 4 | class];
            frame.extend_from_slice(&rest);
            if let Ok(items) = read(&frame) {
                let mut again = Vec::new();
                for item in &items {
                    item.write(&mut again);
                }
                prop_assert_eq!(again, frame);
            }
        }
    }
}
