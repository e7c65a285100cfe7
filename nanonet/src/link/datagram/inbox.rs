//! What came over an unordered channel: parts become messages, once each.

use std::collections::VecDeque;

use super::form::Part;
use super::{MAX_ACKS, SPAN, Seen, Window};
use crate::link::class::{Class, MESSAGE_COST};
use crate::link::outgoing::size;

/// A part of a message that is not complete.
#[derive(Debug)]
struct Piece {
    /// Number of the first part of its message.
    first: u64,
    index: u8,
    count: u8,
    bytes: Vec<u8>,
}

/// Everything that came.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    window: Window,
    /// Parts of unfinished messages, each of another number within [`SPAN`]: bounded by that.
    pieces: Vec<Piece>,
    ready: VecDeque<Vec<u8>>,
    /// Bytes of `ready` with the cost of each.
    ready_bytes: u32,
    /// Numbers to be acknowledged.
    acks: VecDeque<u32>,
}

impl Inbox {
    /// Takes a part; false if it had come before.
    pub(super) fn take(&mut self, part: &Part<'_>) -> bool {
        // Below 0, or earlier than its own place in its message: nothing an honest peer numbers so.
        let Some(number) = self.window.extend(part.number) else {
            return true;
        };
        let Some(first) = number.checked_sub(u64::from(part.index)) else {
            return true;
        };
        match self.window.seen(number) {
            Seen::Old => return false,
            Seen::Before => {
                self.acknowledge(part.number);
                return false;
            }
            Seen::New => {}
        }
        if self.ready_bytes > Class::Query.window() {
            return true;
        }
        self.window.note(number);
        self.acknowledge(part.number);
        if part.count == 1 {
            self.finish(part.bytes.to_vec());
            return true;
        }
        let window = &self.window;
        // The sender has given up what lies behind the window.
        self.pieces
            .retain(|piece| !window.is_past(piece.first + u64::from(piece.count)));
        self.pieces.push(Piece {
            first,
            index: part.index,
            count: part.count,
            bytes: part.bytes.to_vec(),
        });
        self.assemble(first, part.count);
        true
    }

    fn acknowledge(&mut self, number: u32) {
        // Taken out with every datagram; what is dropped here is asked for again.
        if self.acks.len() as u64 >= SPAN {
            self.acks.pop_front();
        }
        self.acks.push_back(number);
    }

    /// Finishes a message if all of its parts are here.
    fn assemble(&mut self, first: u64, count: u8) {
        let belongs = |piece: &Piece| piece.first == first && piece.count == count;
        let here = self.pieces.iter().filter(|piece| belongs(piece)).count();
        if here < usize::from(count) {
            return;
        }
        let mut parts = Vec::new();
        self.pieces.retain_mut(|piece| {
            let belongs = belongs(piece);
            if belongs {
                parts.push((piece.index, std::mem::take(&mut piece.bytes)));
            }
            !belongs
        });
        parts.sort_unstable_by_key(|(index, _)| *index);
        let message = parts.into_iter().flat_map(|(_, bytes)| bytes).collect();
        self.finish(message);
        if self.pieces.is_empty() {
            self.pieces = Vec::new();
        }
    }

    fn finish(&mut self, message: Vec<u8>) {
        self.ready_bytes += size(message.len()) + MESSAGE_COST;
        self.ready.push_back(message);
    }

    pub(super) fn next_message(&mut self) -> Option<Vec<u8>> {
        let message = self.ready.pop_front()?;
        self.ready_bytes -= size(message.len()) + MESSAGE_COST;
        Some(message)
    }

    /// Acknowledgements for the next datagram; they count as sent.
    pub(super) fn acks(&mut self) -> Vec<u32> {
        let count = self.acks.len().min(MAX_ACKS);
        self.acks.drain(..count).collect()
    }

    /// Bytes held of parts and messages.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        let pieces = self.pieces.iter().map(|piece| piece.bytes.len());
        let ready = self.ready.iter().map(Vec::len);
        pieces.chain(ready).sum()
    }
}
