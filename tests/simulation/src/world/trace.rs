//! A number over everything that happened, in order: equal in two runs of one seed.

use nano_core::UnixMillis;
use nanonet::{Input, LinkId};

use super::Place;

/// The number so far.
pub(super) struct Trace(u64);

impl Trace {
    /// Nothing happened yet.
    pub(super) const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// The number.
    pub(super) const fn number(&self) -> u64 {
        self.0
    }

    /// A message was delivered.
    pub(super) fn deliver(&mut self, now: UnixMillis, place: Place, link: LinkId, bytes: &[u8]) {
        self.word(now.0);
        self.word(place as u64);
        self.word(link.0);
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.word(u64::from_le_bytes(*word));
        }
        for byte in rest {
            self.word(u64::from(*byte));
        }
    }

    /// A node was woken.
    pub(super) fn wake(&mut self, now: UnixMillis, place: Place) {
        self.word(now.0);
        self.word(place as u64);
    }

    /// Anything else was handed to a node.
    pub(super) fn input(&mut self, now: UnixMillis, place: Place, input: &Input) {
        self.deliver(
            now,
            place,
            LinkId(u64::MAX),
            format!("{input:?}").as_bytes(),
        );
    }

    fn word(&mut self, word: u64) {
        // Mixes well enough to tell runs apart; nobody forges a simulation.
        let mixed = (self.0 ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 29);
    }
}
