//! Messages on their way in: chunks become messages, and room taken becomes credit given back.
//!
//! Rules:
//! - messages of a class come one after another, numbered from 0, and no chunk of a message but
//!   the last is shorter than 480 bytes;
//! - what is held of a class (the part of an unfinished message, finished ones not taken yet, a
//!   fixed cost for each) and what is not granted back yet never exceed the class window; a peer
//!   that sends more broke the rules, so memory is bounded whatever it sends;
//! - credit is given back when a message is taken, in steps of an eighth of the window.

use std::collections::VecDeque;

use super::class::{CLASSES, Class, MESSAGE_COST, MIN_CHUNK};
use super::error::LinkError;
use super::outgoing::size;

/// What came of one class.
#[derive(Default)]
struct Reassembly {
    /// The unfinished message; empty between messages, since no chunk is empty.
    partial: Vec<u8>,
    /// Number of the unfinished or next message.
    number: u32,
    /// Bytes held, with the cost of each message.
    held: u32,
    /// Bytes taken whose credit the peer has not got back yet.
    owed: u32,
}

/// Everything received and not taken yet.
#[derive(Default)]
pub(super) struct Incoming {
    classes: [Reassembly; CLASSES],
    ready: VecDeque<(Class, Vec<u8>)>,
}

impl Incoming {
    /// Takes a chunk from the peer.
    pub(super) fn chunk(
        &mut self,
        class: Class,
        number: u32,
        last: bool,
        bytes: &[u8],
    ) -> Result<(), LinkError> {
        let state = &mut self.classes[class.index()];
        if number != state.number {
            return Err(LinkError::OutOfOrder {
                class,
                expected: state.number,
                found: number,
            });
        }
        if !last && bytes.len() < MIN_CHUNK {
            return Err(LinkError::ShortChunk { class });
        }
        if state.partial.len() + bytes.len() > class.message_limit() as usize {
            return Err(LinkError::MessageTooLong { class });
        }
        let start = if state.partial.is_empty() {
            MESSAGE_COST
        } else {
            0
        };
        let held = state.held + size(bytes.len()) + start;
        if held + state.owed > class.window() {
            return Err(LinkError::WindowExceeded { class });
        }
        state.held = held;
        state.partial.extend_from_slice(bytes);
        if last {
            state.number = state.number.wrapping_add(1);
            self.ready
                .push_back((class, std::mem::take(&mut state.partial)));
        }
        Ok(())
    }

    /// The next finished message, in the order in which they were finished.
    pub(super) fn take(&mut self) -> Option<(Class, Vec<u8>)> {
        let (class, message) = self.ready.pop_front()?;
        let state = &mut self.classes[class.index()];
        let cost = size(message.len()) + MESSAGE_COST;
        state.held -= cost;
        state.owed += cost;
        Some((class, message))
    }

    /// Credit to be sent to the peer now; counts as sent.
    pub(super) fn credit(&mut self, class: Class) -> Option<u32> {
        let owed = &mut self.classes[class.index()].owed;
        (*owed >= class.window() / 8).then(|| std::mem::take(owed))
    }

    /// Bytes held for all classes together.
    #[cfg(test)]
    pub(super) fn held(&self, class: Class) -> u32 {
        self.classes[class.index()].held
    }
}

#[cfg(test)]
mod tests {
    use super::super::class::MAX_CHUNK;
    use super::*;

    const CLASS: Class = Class::Query;

    #[test]
    fn chunks_become_the_message_they_were() {
        let mut incoming = Incoming::default();
        incoming.chunk(CLASS, 0, false, &[1; MAX_CHUNK]).unwrap();
        assert_eq!(incoming.take(), None);
        incoming.chunk(CLASS, 0, true, &[2; 3]).unwrap();
        let message = [&[1; MAX_CHUNK][..], &[2; 3]].concat();
        assert_eq!(incoming.take(), Some((CLASS, message)));
        incoming.chunk(CLASS, 1, true, &[3]).unwrap();
        assert_eq!(incoming.take(), Some((CLASS, vec![3])));
    }

    #[test]
    fn classes_do_not_mix() {
        let mut incoming = Incoming::default();
        incoming
            .chunk(Class::Bulk, 0, false, &[1; MAX_CHUNK])
            .unwrap();
        incoming.chunk(Class::Query, 0, true, &[2]).unwrap();
        assert_eq!(incoming.take(), Some((Class::Query, vec![2])));
        incoming.chunk(Class::Bulk, 0, true, &[1]).unwrap();
        assert_eq!(incoming.take(), Some((Class::Bulk, vec![1; MAX_CHUNK + 1])));
    }

    #[test]
    fn a_message_out_of_order_is_refused() {
        let mut incoming = Incoming::default();
        assert_eq!(
            incoming.chunk(CLASS, 1, true, &[1]),
            Err(LinkError::OutOfOrder {
                class: CLASS,
                expected: 0,
                found: 1
            })
        );
    }

    #[test]
    fn a_message_in_needlessly_small_pieces_is_refused() {
        let mut incoming = Incoming::default();
        assert_eq!(
            incoming.chunk(CLASS, 0, false, &[1; MIN_CHUNK - 1]),
            Err(LinkError::ShortChunk { class: CLASS })
        );
    }

    #[test]
    fn a_message_beyond_its_limit_is_refused() {
        for class in Class::ALL {
            let mut incoming = Incoming::default();
            let error = loop {
                if let Err(error) = incoming.chunk(class, 0, false, &[1; MAX_CHUNK]) {
                    break error;
                }
            };
            assert_eq!(error, LinkError::MessageTooLong { class });
            assert!(incoming.held(class) <= class.message_limit() + MESSAGE_COST);
        }
    }

    #[test]
    fn messages_that_nobody_takes_never_exceed_the_window() {
        for class in Class::ALL {
            for length in [1, 1000, MAX_CHUNK.min(class.message_limit() as usize)] {
                let mut incoming = Incoming::default();
                let mut number = 0;
                let error = loop {
                    if let Err(error) = incoming.chunk(class, number, true, &vec![1; length]) {
                        break error;
                    }
                    number += 1;
                };
                assert_eq!(error, LinkError::WindowExceeded { class });
                assert!(incoming.held(class) <= class.window());
            }
        }
    }

    #[test]
    fn what_was_taken_leaves_nothing_behind() {
        let mut incoming = Incoming::default();
        for number in 0..3000 {
            let length = 1 + number as usize % 7;
            incoming
                .chunk(CLASS, number, true, &vec![1; length])
                .unwrap();
            assert_eq!(incoming.held(CLASS), size(length) + MESSAGE_COST);
            incoming.take();
            incoming.credit(CLASS);
            assert_eq!(incoming.held(CLASS), 0);
        }
    }

    #[test]
    fn credit_comes_back_for_what_was_taken_only() {
        let mut incoming = Incoming::default();
        let step = CLASS.window() / 8;
        incoming
            .chunk(CLASS, 0, true, &vec![1; step as usize / 2])
            .unwrap();
        incoming
            .chunk(CLASS, 1, true, &vec![1; step as usize / 2])
            .unwrap();
        assert_eq!(incoming.credit(CLASS), None);
        incoming.take();
        assert_eq!(incoming.credit(CLASS), None);
        incoming.take();
        assert_eq!(incoming.credit(CLASS), Some(step + 2 * MESSAGE_COST));
        assert_eq!(incoming.credit(CLASS), None);
    }
}
