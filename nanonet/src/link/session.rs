//! A link whose handshake is done: what each frame of the peer means, and what goes out next.
//!
//! Rules, besides those of the parts:
//! - a query that came in chunks is acknowledged with the next frame, which goes out in the same
//!   moment; it is never sent again, since nothing is lost on its way;
//! - queries that fit go over the unordered channel while both ends say that they have one;
//! - a frame of the unordered channel that came before is dropped; one that is not the peer's is
//!   dropped as well, and [`MAX_FORGED`] of them end the link.

use std::collections::VecDeque;

use nano_core::UnixMillis;

use super::alive::Alive;
use super::channel::{Channel, QueryNumber};
use super::class::{ACKS, Class, LINK_ITEMS, SEND_CREDIT, TAG};
use super::datagram::{Datagrams, MAX_DATAGRAM, extend, low};
use super::error::{LinkError, SendError};
use super::frame::{Item, Items};
use super::incoming::Incoming;
use super::noise::{Cipher, Unread};
use super::outgoing::{Outgoing, size};
use super::pace::Pace;
use super::rtt::RoundTrip;
use super::{LinkOutput, LinkStats};
use crate::rng::Rng;

/// Frames of the unordered channel that are not the peer's, until the link ends. Nobody but the
/// peer can put one there, since the transport is encrypted as well.
pub const MAX_FORGED: u32 = 100;

/// What an established link consists of.
pub(super) struct Session {
    pub(super) cipher: Cipher,
    pub(super) outgoing: Outgoing,
    pub(super) incoming: Incoming,
    pub(super) alive: Alive,
    pub(super) pace: Pace,
    pub(super) trip: RoundTrip,
    pub(super) receipts: Receipts,
    pub(super) unordered: Unordered,
}

/// Queries over the ordered channel: which the peer has, and which we have.
#[derive(Default)]
pub(super) struct Receipts {
    /// How many were sent: the number of the next.
    next: u64,
    /// A query sent while nothing waited, for its time.
    timed: Option<(u32, UnixMillis)>,
    /// Numbers of the peer's queries to be acknowledged. Bounded as those queries are: the credit
    /// for more goes the same way.
    due: VecDeque<u32>,
    /// What the peer has, not told yet: as many as a frame holds.
    acked: VecDeque<u32>,
}

/// The unordered channel.
#[derive(Default)]
pub(super) struct Unordered {
    /// Whether our transport has it.
    ours: bool,
    /// Whether the peer says so of its own.
    theirs: bool,
    /// Whether the peer is to be told of ours.
    tell: bool,
    pub(super) datagrams: Datagrams,
    forged: u32,
}

impl Session {
    pub(super) fn new(now: UnixMillis, cipher: Cipher, trip: RoundTrip, rng: &mut Rng) -> Self {
        let pace = Pace::new();
        let mut outgoing = Outgoing::new();
        outgoing.set_bulk_share(pace.share());
        Self {
            cipher,
            outgoing,
            incoming: Incoming::default(),
            alive: Alive::new(now, rng),
            pace,
            trip,
            receipts: Receipts::default(),
            unordered: Unordered::default(),
        }
    }

    /// Our transport has an unordered channel, or no longer.
    pub(super) fn set_unordered(&mut self, open: bool) {
        if self.unordered.ours != open {
            self.unordered.ours = open;
            self.unordered.tell = true;
            self.look_after_unordered();
        }
    }

    /// What is on its way over a channel that is gone is given up.
    fn look_after_unordered(&mut self) {
        if !self.unordered.is_open() {
            self.unordered.datagrams.abandon();
        }
    }

    /// Takes a message to be sent; a query gets a number.
    pub(super) fn push(
        &mut self,
        now: UnixMillis,
        class: Class,
        message: Vec<u8>,
        unwritten: u32,
    ) -> Result<Option<QueryNumber>, SendError> {
        if class != Class::Query {
            self.outgoing.push(class, message)?;
            return Ok(None);
        }
        if self.unordered.is_open() && Datagrams::fits(message.len()) {
            let number = self.unordered.datagrams.push(message)?;
            let channel = Channel::Unordered;
            return Ok(Some(QueryNumber { channel, number }));
        }
        let nothing_waits = unwritten == 0 && self.outgoing.queued(class) == 0;
        self.outgoing.push(class, message)?;
        let number = low(self.receipts.next);
        self.receipts.next += 1;
        if nothing_waits && self.receipts.timed.is_none() {
            self.receipts.timed = Some((number, now));
        }
        let channel = Channel::Ordered;
        Ok(Some(QueryNumber { channel, number }))
    }

    /// Takes a frame of the ordered channel.
    pub(super) fn receive(
        &mut self,
        now: UnixMillis,
        frame: &[u8],
        stats: &mut LinkStats,
    ) -> Result<(), LinkError> {
        let items = self.cipher.open(frame)?;
        self.alive.heard(now);
        for item in Items::new(&items) {
            match item? {
                Item::Chunk {
                    class,
                    number,
                    last,
                    bytes,
                } => {
                    self.incoming.chunk(class, number, last, bytes)?;
                    stats.messages_in += u64::from(last);
                    if last && class == Class::Query {
                        self.receipts.due.push_back(number);
                    }
                }
                Item::Credit { class, amount } => self.outgoing.grant(class, amount)?,
                Item::Ping { token } => self.alive.ping(token),
                Item::Pong { token } => self.alive.pong(now, token, &mut self.trip),
                Item::Ack { number } => self.receipts.acked(now, number, &mut self.trip)?,
                Item::Unordered { open } => {
                    self.unordered.theirs = open;
                    self.look_after_unordered();
                }
                Item::Close { code } => return Err(LinkError::ClosedByPeer { code }),
            }
        }
        Ok(())
    }

    /// Takes a frame of the unordered channel.
    pub(super) fn receive_datagram(
        &mut self,
        now: UnixMillis,
        frame: &[u8],
        stats: &mut LinkStats,
    ) -> Result<(), LinkError> {
        match self.cipher.open_datagram(frame) {
            Ok(datagram) => {
                self.alive.heard(now);
                let datagrams = &mut self.unordered.datagrams;
                datagrams.receive(now, &datagram, &mut self.trip)
            }
            Err(why) => {
                stats.unread = stats.unread.saturating_add(1);
                self.unordered.forged += u32::from(why == Unread::Forged);
                if self.unordered.forged > MAX_FORGED {
                    return Err(LinkError::Forged);
                }
                Ok(())
            }
        }
    }

    /// What the node is to be told next: what the peer has, then what it says.
    pub(super) fn tell(&mut self, stats: &mut LinkStats) -> Option<LinkOutput> {
        let acked = |channel, number| LinkOutput::Acked(QueryNumber { channel, number });
        if let Some(number) = self.receipts.acked.pop_front() {
            return Some(acked(Channel::Ordered, number));
        }
        if let Some(number) = self.unordered.datagrams.next_acked() {
            return Some(acked(Channel::Unordered, number));
        }
        if let Some(bytes) = self.unordered.datagrams.next_message() {
            stats.messages_in += 1;
            let class = Class::Query;
            return Some(LinkOutput::Message { class, bytes });
        }
        let (class, bytes) = self.incoming.take()?;
        Some(LinkOutput::Message { class, bytes })
    }

    /// The next frame, if there is something to say and room to say it.
    pub(super) fn next_frame(
        &mut self,
        now: UnixMillis,
        unwritten: u32,
    ) -> Result<Option<LinkOutput>, LinkError> {
        if let Some(frame) = self.next_datagram(now, unwritten)? {
            return Ok(Some(LinkOutput::Transmit {
                channel: Channel::Unordered,
                bytes: frame,
            }));
        }
        let mut items = Vec::new();
        if unwritten + size(LINK_ITEMS + TAG) <= SEND_CREDIT {
            self.write_link_items(&mut items);
        }
        let used = unwritten + size(items.len() + TAG);
        self.outgoing.fill(used, &mut items);
        if items.is_empty() {
            return Ok(None);
        }
        let channel = Channel::Ordered;
        let bytes = self.cipher.seal(&items)?;
        Ok(Some(LinkOutput::Transmit { channel, bytes }))
    }

    fn next_datagram(
        &mut self,
        now: UnixMillis,
        unwritten: u32,
    ) -> Result<Option<Vec<u8>>, LinkError> {
        let room = unwritten + size(MAX_DATAGRAM) <= Class::Query.transport_share();
        if !room || !self.unordered.ours {
            return Ok(None);
        }
        let datagram = self.unordered.datagrams.next_datagram(now, &self.trip);
        datagram
            .map(|datagram| self.cipher.seal_datagram(&datagram))
            .transpose()
    }

    /// Appends what the link itself has to say, at most [`LINK_ITEMS`] bytes.
    fn write_link_items(&mut self, items: &mut Vec<u8>) {
        if std::mem::take(&mut self.unordered.tell) {
            let open = self.unordered.ours;
            Item::Unordered { open }.write(items);
        }
        for class in Class::ALL {
            if let Some(amount) = self.incoming.credit(class) {
                Item::Credit { class, amount }.write(items);
            }
        }
        self.alive.write(items);
        let due = &mut self.receipts.due;
        for number in due.drain(..due.len().min(ACKS)) {
            Item::Ack { number }.write(items);
        }
    }

    pub(super) fn next_timeout(&self) -> UnixMillis {
        let alive = self.alive.next_timeout();
        let again = self.unordered.datagrams.next_timeout();
        again.map_or(alive, |again| again.min(alive))
    }

    pub(super) fn handle_timeout(
        &mut self,
        now: UnixMillis,
        waiting: bool,
        rng: &mut Rng,
    ) -> Result<(), LinkError> {
        self.unordered.datagrams.handle_timeout(now);
        self.alive.handle_timeout(now, waiting, rng)
    }

    /// Bytes of a class that wait to be sent or acknowledged, 64 for each message or part included.
    pub(super) fn queued(&self, class: Class) -> u32 {
        let datagrams = match class {
            Class::Query => self.unordered.datagrams.queued(),
            _ => 0,
        };
        self.outgoing.queued(class) + datagrams
    }
}

impl Unordered {
    const fn is_open(&self) -> bool {
        self.ours && self.theirs
    }
}

impl Receipts {
    /// The peer has a query.
    fn acked(
        &mut self,
        now: UnixMillis,
        number: u32,
        trip: &mut RoundTrip,
    ) -> Result<(), LinkError> {
        if extend(number, self.next).is_none_or(|number| number >= self.next) {
            return Err(LinkError::BadAck);
        }
        if let Some((_, sent)) = self.timed.take_if(|(timed, _)| *timed == number) {
            trip.sample(sent, now);
        }
        self.acked.push_back(number);
        Ok(())
    }
}
