//! What nodes say to each other over an established link.
//!
//! A message is one of a few kinds:
//! - *neighbours*, *introduction*, *seen*, *watch*, *update*, *unopened*, *news*, *have*, *want*, *announce*,
//!   *catch-up*: between the two ends of a link only;
//! - *request*: travels over several links towards a place in the key space or a node, each hop
//!   remembering where it came from;
//! - *response*: goes back the way its request came, found by the request's id.
//!
//! Every kind has a class of the link, a cost in tokens and limits; [`Message::decode`] enforces
//! the limits, so that nothing above them ever reaches the rest of the node. Ids of requests are
//! random 64-bit numbers: guessing one that is on its way is not practical for anyone who does not
//! already see it pass.
//!
//! Encoding: postcard. All of it belongs to the protocol version of the link's handshake.

mod ask;
mod chunk;
mod fitting;
mod message;
mod news;
mod packed;
mod reply;
#[cfg(test)]
mod tests;

pub(crate) use ask::{Ask, Header, Holder, KeyRange, Name, Request, Target, Voucher, Wanted};
pub(crate) use chunk::Chunk;
pub(crate) use fitting::{fitting, fitting_peers};
pub(crate) use message::{Message, Neighbours};
pub(crate) use news::Pushed;
pub(crate) use packed::{Bytes, Packed};
pub(crate) use reply::{Failure, Found, Reply, Response};

/// Most peer records in one message.
pub(crate) const MAX_PEERS: usize = 24;
/// Most bytes of peer records in one message: leaves room below the control class' 16 KiB.
pub(crate) const MAX_PEER_BYTES: usize = 12 * 1024;
/// Most headers in one message.
pub(crate) const MAX_HEADERS: usize = 256;
/// Most records in one message.
pub(crate) const MAX_RECORDS: usize = 64;
/// Bytes of records in a bulk message before no more are added (one record always fits).
pub(crate) const BATCH_BYTES: usize = 64 * 1024;
/// Most ids of near nodes in a request for a slice.
pub(crate) const MAX_NEAR: usize = 64;
/// Most bytes of a message of a reconciliation.
pub(crate) const MAX_SKETCH: usize = 48 * 1024;
/// Most bytes of records in an answer: a query message of 64 KiB with room for what is around.
pub(crate) const ANSWER_BYTES: usize = 61 * 1024;
/// Most pieces of news in one message.
pub(crate) const MAX_PUSHED: usize = 64;
/// Most ids of news in one message.
pub(crate) const MAX_IDS: usize = 256;
/// Longest filter of news: more than the most news that is kept takes.
pub(crate) const MAX_FILTER: usize = 4096;
/// Most records of keys in an answer.
pub(crate) const MAX_KEYS: usize = 16;
/// Most bytes of a sealed signal.
pub(crate) const MAX_SEALED: usize = 12 * 1024;
/// Most further hops a request may be given.
pub(crate) const MAX_HOPS: u8 = 24;
/// Most forwards a request may be given in all.
pub(crate) const MAX_BUDGET: u8 = 32;
