//! A link that is neither encrypted nor proven: three greetings, then messages as they are.
//!
//! It stands in for [`nanonet::link::Link`] in worlds so large that encryption would take most of
//! the time. It takes the other side's record at its word, so nothing here can show that an
//! impostor is refused; every scenario also runs with real links.
//!
//! States: *greeting* until the other side's record is here, *up*, *ended*. Frames of the ordered
//! channel: a kind byte, then a record (greeting), a class byte and a message, the number of a query
//! (acknowledgement), whether there is an unordered channel, or a code (farewell). Over the unordered
//! channel go the product's own datagrams, not encrypted.

use std::collections::VecDeque;

use nano_core::UnixMillis;
use nanonet::link::datagram::Datagrams;
use nanonet::link::{
    HANDSHAKE_TIMEOUT_MS, LinkConfig, LinkEnd, LinkError, LinkOutput, LinkStats, RoundTrip,
    SendError,
};
use nanonet::{Channel, Class, Identity, PeerRecord, QueryNumber, Rng};

const HELLO: u8 = 0;
const WELCOME: u8 = 1;
const READY: u8 = 2;
const MESSAGE: u8 = 3;
const FAREWELL: u8 = 4;
const ACK: u8 = 5;
const UNORDERED: u8 = 6;

enum Phase {
    Greeting {
        ours: Box<LinkConfig>,
        since: UnixMillis,
    },
    Up,
    Ended,
}

/// One end.
pub struct OpenLink {
    phase: Phase,
    outputs: VecDeque<LinkOutput>,
    /// From the greeting, and from what goes over the unordered channel.
    trip: RoundTrip,
    /// When the other side was welcomed, until it is ready.
    greeted: Option<UnixMillis>,
    /// The latest time that was told.
    now: UnixMillis,
    /// Queries sent and received over the ordered channel.
    asked: u32,
    heard: u32,
    /// Whether there is an unordered channel here, and there.
    ours: bool,
    theirs: bool,
    /// What goes over it; most links of a large world are quiet.
    datagrams: Option<Box<Datagrams>>,
    stats: LinkStats,
}

impl OpenLink {
    fn new(ours: LinkConfig, now: UnixMillis) -> Self {
        Self {
            phase: Phase::Greeting {
                ours: Box::new(ours),
                since: now,
            },
            outputs: VecDeque::new(),
            trip: RoundTrip::default(),
            greeted: None,
            now,
            asked: 0,
            heard: 0,
            ours: false,
            theirs: false,
            datagrams: None,
            stats: LinkStats::default(),
        }
    }

    /// An end that has long been up.
    pub(super) fn settled(round_trip: u32, unordered: bool) -> Self {
        let mut trip = RoundTrip::default();
        trip.sample(UnixMillis::new(0), UnixMillis::new(round_trip.into()));
        Self {
            phase: Phase::Up,
            outputs: VecDeque::new(),
            trip,
            greeted: None,
            now: UnixMillis::new(0),
            asked: 0,
            heard: 0,
            ours: unordered,
            theirs: unordered,
            datagrams: None,
            stats: LinkStats::default(),
        }
    }

    fn say(&mut self, kind: u8, bytes: &[u8]) {
        let mut frame = Vec::with_capacity(bytes.len() + 1);
        frame.push(kind);
        frame.extend_from_slice(bytes);
        self.transmit(Channel::Ordered, frame);
    }

    fn transmit(&mut self, channel: Channel, bytes: Vec<u8>) {
        self.stats.bytes_out += bytes.len() as u64;
        self.outputs
            .push_back(LinkOutput::Transmit { channel, bytes });
    }

    fn datagrams(&mut self) -> &mut Datagrams {
        self.datagrams.get_or_insert_default()
    }

    /// Tells the other side whether there is an unordered channel here.
    fn say_unordered(&mut self) {
        self.say(UNORDERED, &[u8::from(self.ours)]);
    }

    /// What is on its way over a channel that is gone is given up.
    fn look_after_unordered(&mut self) {
        if !(self.ours && self.theirs)
            && let Some(datagrams) = &mut self.datagrams
        {
            datagrams.abandon();
        }
    }

    /// What the unordered channel has to say.
    fn poll_datagrams(&mut self) -> Option<LinkOutput> {
        let (now, ours) = (self.now, self.ours);
        let datagrams = self.datagrams.as_mut()?;
        let channel = Channel::Unordered;
        if let Some(number) = datagrams.next_acked() {
            return Some(LinkOutput::Acked(QueryNumber { channel, number }));
        }
        if let Some(bytes) = datagrams.next_message() {
            self.stats.messages_in += 1;
            let class = Class::Query;
            return Some(LinkOutput::Message { class, bytes });
        }
        if !ours {
            return None;
        }
        let bytes = datagrams.next_datagram(now, &self.trip)?;
        self.stats.bytes_out += bytes.len() as u64;
        Some(LinkOutput::Transmit { channel, bytes })
    }

    fn end(&mut self, error: LinkError) {
        if !matches!(self.phase, Phase::Ended) {
            self.phase = Phase::Ended;
            self.outputs.push_back(LinkOutput::Failed(error));
        }
    }

    fn greet(&mut self, now: UnixMillis, kind: u8, record: &[u8]) -> Result<(), LinkError> {
        let Phase::Greeting { ours, since } = &self.phase else {
            return Err(LinkError::BadHandshake { message: 1 });
        };
        let theirs: PeerRecord = postcard::from_bytes(record).map_err(|_| LinkError::BadRecord)?;
        if theirs.network != ours.record.network {
            return Err(LinkError::OtherNetwork {
                ours: ours.record.network,
                theirs: theirs.network.id(),
            });
        }
        if theirs.node_key == ours.record.node_key {
            return Err(LinkError::Ourselves);
        }
        if let Some(expected) = ours
            .expected
            .filter(|expected| *expected != theirs.node_key)
        {
            return Err(LinkError::OtherPeer {
                expected,
                found: theirs.node_key,
            });
        }
        if kind == HELLO {
            let record = postcard::to_allocvec(&ours.record).unwrap_or_default();
            self.say(WELCOME, &record);
            self.greeted = Some(now);
        } else {
            self.trip.sample(*since, now);
            self.say(READY, &[]);
        }
        self.phase = Phase::Up;
        self.outputs
            .push_back(LinkOutput::Established(Box::new(theirs)));
        if self.ours {
            self.say_unordered();
        }
        Ok(())
    }

    fn take(&mut self, now: UnixMillis, frame: &[u8]) -> Result<(), LinkError> {
        let (kind, bytes) = frame
            .split_first()
            .ok_or(LinkError::MalformedFrame { at: 0 })?;
        match *kind {
            HELLO | WELCOME => self.greet(now, *kind, bytes),
            READY => {
                if let Some(since) = self.greeted.take() {
                    self.trip.sample(since, now);
                }
                Ok(())
            }
            MESSAGE => {
                let (class, bytes) = bytes
                    .split_first()
                    .ok_or(LinkError::MalformedFrame { at: 0 })?;
                let class = Class::ALL
                    .get(usize::from(*class))
                    .ok_or(LinkError::MalformedFrame { at: 0 })?;
                self.stats.messages_in += 1;
                self.outputs.push_back(LinkOutput::Message {
                    class: *class,
                    bytes: bytes.to_vec(),
                });
                if *class == Class::Query {
                    let number = self.heard;
                    self.heard = number.wrapping_add(1);
                    self.say(ACK, &number.to_le_bytes());
                }
                Ok(())
            }
            ACK => {
                let number = bytes.try_into().map(u32::from_le_bytes);
                let number = number.map_err(|_| LinkError::MalformedFrame { at: 1 })?;
                let channel = Channel::Ordered;
                self.outputs
                    .push_back(LinkOutput::Acked(QueryNumber { channel, number }));
                Ok(())
            }
            UNORDERED => {
                self.theirs = bytes == [1];
                self.look_after_unordered();
                Ok(())
            }
            _ => Err(LinkError::ClosedByPeer {
                code: bytes.first().copied().unwrap_or(0),
            }),
        }
    }
}

/// What kind of frame it is: of a message, what kind of message.
#[must_use]
pub fn kind_of(channel: Channel, frame: &[u8]) -> &'static str {
    match frame {
        datagram if channel == Channel::Unordered => nanonet::settling::kind_of_datagram(datagram),
        [ACK, ..] => "ack",
        [MESSAGE, class, message @ ..] => Class::ALL
            .get(usize::from(*class))
            .map_or("malformed", |class| {
                nanonet::settling::kind_of(*class, message)
            }),
        [FAREWELL, ..] => "farewell",
        _ => "greeting",
    }
}

impl LinkEnd for OpenLink {
    fn initiator(_: &Identity, config: LinkConfig, _: &mut Rng, now: UnixMillis) -> Self {
        let record = postcard::to_allocvec(&config.record).unwrap_or_default();
        let mut link = Self::new(config, now);
        link.say(HELLO, &record);
        link
    }

    fn responder(_: &Identity, config: LinkConfig, _: &mut Rng, now: UnixMillis) -> Self {
        Self::new(config, now)
    }

    fn receive(&mut self, now: UnixMillis, channel: Channel, frame: &[u8]) {
        self.now = now;
        self.stats.bytes_in += frame.len() as u64;
        let taken = match (&self.phase, channel) {
            (Phase::Greeting { .. } | Phase::Up, Channel::Ordered) => self.take(now, frame),
            (Phase::Up, Channel::Unordered) => {
                let datagrams = self.datagrams.get_or_insert_default();
                datagrams.receive(now, frame, &mut self.trip)
            }
            (Phase::Greeting { .. }, Channel::Unordered) => {
                self.stats.unread += 1;
                Ok(())
            }
            (Phase::Ended, _) => Ok(()),
        };
        if let Err(error) = taken {
            self.end(error);
        }
    }

    fn set_unordered(&mut self, now: UnixMillis, open: bool) {
        self.now = now;
        if self.ours != open {
            self.ours = open;
            self.look_after_unordered();
            if matches!(self.phase, Phase::Up) {
                self.say_unordered();
            }
        }
    }

    fn written(&mut self, _: UnixMillis, _: u32) {}

    fn send(
        &mut self,
        now: UnixMillis,
        class: Class,
        message: Vec<u8>,
    ) -> Result<Option<QueryNumber>, SendError> {
        self.now = now;
        if !matches!(self.phase, Phase::Up) {
            return Err(SendError::NotEstablished);
        }
        let query = class == Class::Query;
        if query && self.ours && self.theirs && Datagrams::fits(message.len()) {
            let number = self.datagrams().push(message)?;
            self.stats.messages_out += 1;
            let channel = Channel::Unordered;
            return Ok(Some(QueryNumber { channel, number }));
        }
        self.stats.messages_out += 1;
        let mut bytes = Vec::with_capacity(message.len() + 1);
        bytes.push(class as u8);
        bytes.extend_from_slice(&message);
        self.say(MESSAGE, &bytes);
        Ok(query.then(|| {
            let (channel, number) = (Channel::Ordered, self.asked);
            self.asked = number.wrapping_add(1);
            QueryNumber { channel, number }
        }))
    }

    fn close(&mut self, code: u8) {
        if !matches!(self.phase, Phase::Ended) {
            self.say(FAREWELL, &[code]);
            self.end(LinkError::ClosedHere);
        }
    }

    fn poll(&mut self) -> Option<LinkOutput> {
        if let Some(output) = self.outputs.pop_front() {
            return Some(output);
        }
        self.outputs = VecDeque::new();
        match self.phase {
            Phase::Up => self.poll_datagrams(),
            Phase::Greeting { .. } | Phase::Ended => None,
        }
    }

    fn next_timeout(&self) -> Option<UnixMillis> {
        match &self.phase {
            Phase::Greeting { since, .. } => Some(since.plus(HANDSHAKE_TIMEOUT_MS)),
            Phase::Up => self.datagrams.as_ref()?.next_timeout(),
            Phase::Ended => None,
        }
    }

    fn handle_timeout(&mut self, now: UnixMillis) {
        self.now = now;
        if self.next_timeout().is_none_or(|at| at > now) {
            return;
        }
        match self.phase {
            Phase::Greeting { .. } => self.end(LinkError::HandshakeTimeout),
            Phase::Up | Phase::Ended => self.datagrams().handle_timeout(now),
        }
    }

    fn rtt_ms(&self) -> Option<u32> {
        self.trip.smoothed_ms()
    }

    fn stats(&self) -> LinkStats {
        let mut stats = self.stats;
        if let Some(datagrams) = &self.datagrams {
            stats.datagrams = datagrams.stats();
        }
        stats
    }
}
