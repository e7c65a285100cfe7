//! One function per decoder of this crate, for the fuzzer and for the test that replays the corpus.
//!
//! Each takes any bytes and tells whether they were accepted. It panics when the code under test
//! does, or when what was accepted does not come back from its own encoder. Exists in tests and
//! with the feature `adversary` only.

mod node;
mod seeds;
mod values;

pub use self::node::node;
pub use self::seeds::{Seed, seeds};
pub use self::values::{
    cell, key_record, letter, news, overlay_message, peer_record, record, sealed, sighting,
};
pub use crate::link::decoders::{handshake, link};
pub use crate::slice::decoders::{stored_account, stored_receivable};

use nano_core::{Network, UnixMillis};

use crate::testing::TEST_TIME;
use crate::{Addresses, Identity, PeerRecord, Rng, Role};

/// A decoder under test.
pub type Decoder = fn(&[u8]) -> bool;

/// Every decoder by the name of its folder in the corpus.
pub const DECODERS: [(&str, Decoder); 14] = [
    ("cell", cell),
    ("handshake", handshake),
    ("key_record", key_record),
    ("letter", letter),
    ("link", link),
    ("news", news),
    ("node", node),
    ("overlay_message", overlay_message),
    ("peer_record", peer_record),
    ("record", record),
    ("sealed", sealed),
    ("sighting", sighting),
    ("stored_account", stored_account),
    ("stored_receivable", stored_receivable),
];

/// When everything under test begins.
pub(crate) const START: UnixMillis = TEST_TIME;

/// Who meets the bytes (1), and who sends them (2).
pub(crate) fn identity(place: u8) -> Identity {
    Identity::generate(&mut Rng::from_seed([place; 32]))
}

/// How one of them introduces itself.
pub(crate) fn introduction(identity: &Identity, role: Role) -> PeerRecord {
    identity.peer_record(role, Network::Dev, Addresses::default(), START)
}

/// Bytes as a list of steps, so that a fuzzer can vary, repeat and reorder them: what to do (1),
/// length (2, most significant byte first), content. A last step that is cut short has what is
/// left.
pub(crate) struct Steps<'a>(pub(crate) &'a [u8]);

impl<'a> Iterator for Steps<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (&[what, high, low], rest) = self.0.split_first_chunk::<3>()?;
        let length = usize::from(u16::from_be_bytes([high, low])).min(rest.len());
        let (content, rest) = rest.split_at(length);
        self.0 = rest;
        Some((what, content))
    }
}

/// The first two bytes of a step's content as a number; 0 if there are fewer.
pub(crate) fn number(content: &[u8]) -> u16 {
    content
        .first_chunk()
        .map_or(0, |bytes| u16::from_be_bytes(*bytes))
}
