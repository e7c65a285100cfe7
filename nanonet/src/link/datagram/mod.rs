//! Queries over an unordered channel: numbered, acknowledged at once, sent again by us.
//!
//! Waiting for a transport to send again what was lost takes a second or more, in which everything
//! behind it waits as well. Here each message stands alone, and what is not acknowledged is sent
//! again after twice the round trip. What this module says is carried by [`super::Link`] encrypted
//! and by a simulation as it is.
//!
//! - [`Datagrams`] is one end: what goes out in `outbox`, what comes in in `inbox`;
//! - `form` is the form of a datagram, `window` the memory of numbers seen.
//!
//! Rules:
//! - a message is cut into parts of [`PART`] bytes, at most [`MAX_PARTS`]; a part is a datagram,
//!   small enough to travel in one packet, and is numbered, acknowledged and sent again by itself, so
//!   that a lost packet costs one part and not the message. Longer messages go the ordered way;
//! - a part is acknowledged as soon as it arrives, with whatever goes out next in the same moment; one
//!   that arrives again is acknowledged again and otherwise ignored;
//! - a part without acknowledgement is sent again after twice the smoothed round trip and
//!   [`SLACK_MS`], then after twice that and so on up to [`MAX_WAIT_MS`]; after
//!   [`MAX_RESENDS`] times the whole message is given up;
//! - at most [`MAX_FLYING`] parts are on their way and the newest is less than [`SPAN`] numbers
//!   ahead of the oldest; the others wait. A message is refused as full beyond the queue limit of
//!   [`Class::Query`];
//! - a message arrives at most once, in no promised order. While more than the window of
//!   [`Class::Query`] waits to be taken, parts are neither kept nor acknowledged;
//! - of messages that are not complete no more is held than [`SPAN`] numbers and one message's worth of
//!   parts: what its sender cannot complete any more is forgotten;
//! - an acknowledgement of what was never sent breaks the rules.

mod form;
mod inbox;
mod outbox;
#[cfg(test)]
mod tests;
mod window;

use nano_core::UnixMillis;

use self::form::Form;
use self::inbox::Inbox;
use self::outbox::Outbox;
pub(super) use self::window::{Seen, Window, extend, low};
use super::class::Class;
use super::error::{LinkError, SendError};
use super::rtt::RoundTrip;

/// Longest frame on an unordered channel, in bytes: with what SCTP, DTLS, UDP and IP add it fits
/// the packets of 1,200 bytes that browsers send.
pub const MAX_DATAGRAM: usize = 1_100;

/// Bytes of a part; only the last of a message may be shorter.
pub(super) const PART: usize = 1_024;

/// Most parts of a message.
pub(super) const MAX_PARTS: u8 = 16;

/// Most acknowledgements in a datagram.
pub(super) const MAX_ACKS: usize = 10;

/// How many numbers back a receiver remembers what it has seen.
pub(super) const SPAN: u64 = 128;

/// Most parts on their way and not acknowledged: 32 KiB for each round trip.
pub(super) const MAX_FLYING: usize = 32;

/// How often a part is sent again.
pub(super) const MAX_RESENDS: u8 = 4;

/// Milliseconds added to twice the round trip: shells tell time in steps, and tabs are busy.
pub(super) const SLACK_MS: u64 = 10;

/// Longest wait for an acknowledgement, in milliseconds.
pub(super) const MAX_WAIT_MS: u64 = 1_000;

/// Round trip assumed before the first is known, in milliseconds.
pub(super) const FIRST_TRIP_MS: u64 = 200;

/// What happened on the unordered channel of a link, in datagrams of messages' parts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DatagramStats {
    /// Datagrams received, acknowledgements included.
    pub received: u32,
    /// Datagrams sent, acknowledgements and repetitions included.
    pub sent: u32,
    /// Parts sent again.
    pub resent: u32,
    /// Parts that arrived again.
    pub repeated: u32,
    /// Messages given up.
    pub given_up: u32,
}

/// One end of an unordered channel; see the module for its rules.
///
/// How to drive it: hand in messages ([`Datagrams::push`]), what arrived ([`Datagrams::receive`])
/// and time ([`Datagrams::handle_timeout`] at [`Datagrams::next_timeout`]), then take what it has
/// until it has nothing more: [`Datagrams::next_message`], [`Datagrams::next_acked`],
/// [`Datagrams::next_datagram`].
#[derive(Debug, Default)]
pub struct Datagrams {
    outbox: Outbox,
    inbox: Inbox,
    stats: DatagramStats,
}

impl Datagrams {
    /// Whether a message of `length` bytes goes this way at all.
    #[must_use]
    pub const fn fits(length: usize) -> bool {
        length > 0 && length <= PART * MAX_PARTS as usize
    }

    /// Takes a message and gives its number. One that does not fit ([`Datagrams::fits`]) is
    /// refused.
    ///
    /// # Errors
    /// [`SendError::Full`], [`SendError::TooLong`] or [`SendError::Empty`]: it is not taken.
    pub fn push(&mut self, message: Vec<u8>) -> Result<u32, SendError> {
        let (class, length) = (Class::Query, message.len());
        match length {
            0 => Err(SendError::Empty),
            _ if !Self::fits(length) => Err(SendError::TooLong { class, length }),
            _ => self.outbox.push(message),
        }
    }

    /// Takes a datagram of the peer.
    ///
    /// # Errors
    /// [`LinkError::MalformedFrame`] or [`LinkError::BadAck`]: the peer broke the rules.
    pub fn receive(
        &mut self,
        now: UnixMillis,
        datagram: &[u8],
        trip: &mut RoundTrip,
    ) -> Result<(), LinkError> {
        count(&mut self.stats.received);
        let form = Form::read(datagram).ok_or(LinkError::MalformedFrame { at: 0 })?;
        for number in form.acks() {
            self.outbox.acked(now, number, trip)?;
        }
        if let Some(part) = form.part
            && !self.inbox.take(&part)
        {
            count(&mut self.stats.repeated);
        }
        Ok(())
    }

    /// The next message that arrived.
    pub fn next_message(&mut self) -> Option<Vec<u8>> {
        self.inbox.next_message()
    }

    /// The number of a message whose parts have all been acknowledged, each once.
    pub fn next_acked(&mut self) -> Option<u32> {
        self.outbox.next_acked()
    }

    /// The next datagram to be sent.
    pub fn next_datagram(&mut self, now: UnixMillis, trip: &RoundTrip) -> Option<Vec<u8>> {
        let acks = self.inbox.acks();
        let part = self.outbox.next_part(now, trip);
        if acks.is_empty() && part.is_none() {
            return None;
        }
        count(&mut self.stats.sent);
        if part.as_ref().is_some_and(|(_, again)| *again) {
            count(&mut self.stats.resent);
        }
        Some(form::write(&acks, part.map(|(part, _)| part)))
    }

    /// When [`Datagrams::handle_timeout`] is to be called next; `None` while nothing is waited for.
    #[must_use]
    pub fn next_timeout(&self) -> Option<UnixMillis> {
        self.outbox.next_timeout()
    }

    /// Lets be sent again what was not acknowledged in time, and gives up what never was.
    pub fn handle_timeout(&mut self, now: UnixMillis) {
        for _ in 0..self.outbox.handle_timeout(now) {
            count(&mut self.stats.given_up);
        }
    }

    /// Gives up everything that waits or is on its way: the channel is gone. What arrived stays.
    pub fn abandon(&mut self) {
        for _ in 0..self.outbox.abandon() {
            count(&mut self.stats.given_up);
        }
    }

    /// Bytes that wait or are on their way, 64 for each part included.
    #[must_use]
    pub const fn queued(&self) -> u32 {
        self.outbox.queued()
    }

    /// What happened so far.
    #[must_use]
    pub const fn stats(&self) -> DatagramStats {
        self.stats
    }

    /// Bytes held of what arrived.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.inbox.held()
    }
}

/// Counts up.
fn count(counter: &mut u32) {
    *counter = counter.saturating_add(1);
}

/// The message of a datagram that carries all of it: `None` without a part, `Some(None)` for a part of
/// several.
#[cfg(any(test, feature = "adversary"))]
pub(crate) fn whole_message(datagram: &[u8]) -> Option<Option<&[u8]>> {
    let part = Form::read(datagram)?.part?;
    Some((part.count == 1).then_some(part.bytes))
}
