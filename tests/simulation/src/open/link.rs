//! A link that is neither encrypted nor proven: three greetings, then messages as they are.
//!
//! It stands in for [`nanonet::link::Link`] in worlds so large that encryption would take most of
//! the time. It takes the other side's record at its word, so nothing here can show that an
//! impostor is refused; every scenario also runs with real links.
//!
//! States: *greeting* until the other side's record is here, *up*, *ended*. Frames: a kind byte, then
//! a record (greeting), a class byte and a message, or a code (farewell).

use std::collections::VecDeque;

use nano_core::UnixMillis;
use nanonet::link::{
    HANDSHAKE_TIMEOUT_MS, LinkConfig, LinkEnd, LinkError, LinkOutput, LinkStats, SendError,
};
use nanonet::{Class, Identity, PeerRecord, Rng};

const HELLO: u8 = 0;
const WELCOME: u8 = 1;
const READY: u8 = 2;
const MESSAGE: u8 = 3;
const FAREWELL: u8 = 4;

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
    /// Smoothed round trip, from the greeting.
    rtt_ms: Option<u32>,
    /// When the other side was welcomed, until it is ready.
    greeted: Option<UnixMillis>,
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
            rtt_ms: None,
            greeted: None,
            stats: LinkStats::default(),
        }
    }

    fn say(&mut self, kind: u8, bytes: &[u8]) {
        let mut frame = Vec::with_capacity(bytes.len() + 1);
        frame.push(kind);
        frame.extend_from_slice(bytes);
        self.stats.bytes_out += frame.len() as u64;
        self.outputs.push_back(LinkOutput::Transmit(frame));
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
            self.rtt_ms = Some(u32::try_from(now.since(*since)).unwrap_or(u32::MAX));
            self.say(READY, &[]);
        }
        self.phase = Phase::Up;
        self.outputs
            .push_back(LinkOutput::Established(Box::new(theirs)));
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
                    self.rtt_ms = Some(u32::try_from(now.since(since)).unwrap_or(u32::MAX));
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
                Ok(())
            }
            _ => Err(LinkError::ClosedByPeer {
                code: bytes.first().copied().unwrap_or(0),
            }),
        }
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

    fn receive(&mut self, now: UnixMillis, frame: &[u8]) {
        self.stats.bytes_in += frame.len() as u64;
        if matches!(self.phase, Phase::Ended) {
            return;
        }
        if let Err(error) = self.take(now, frame) {
            self.end(error);
        }
    }

    fn written(&mut self, _: UnixMillis, _: u32) {}

    fn send(&mut self, class: Class, message: Vec<u8>) -> Result<(), SendError> {
        if !matches!(self.phase, Phase::Up) {
            return Err(SendError::NotEstablished);
        }
        self.stats.messages_out += 1;
        let mut bytes = Vec::with_capacity(message.len() + 1);
        bytes.push(class as u8);
        bytes.extend_from_slice(&message);
        self.say(MESSAGE, &bytes);
        Ok(())
    }

    fn close(&mut self, code: u8) {
        if !matches!(self.phase, Phase::Ended) {
            self.say(FAREWELL, &[code]);
            self.end(LinkError::ClosedHere);
        }
    }

    fn poll(&mut self) -> Option<LinkOutput> {
        let output = self.outputs.pop_front();
        if output.is_none() {
            self.outputs = VecDeque::new();
        }
        output
    }

    fn next_timeout(&self) -> Option<UnixMillis> {
        match &self.phase {
            Phase::Greeting { since, .. } => Some(since.plus(HANDSHAKE_TIMEOUT_MS)),
            Phase::Up | Phase::Ended => None,
        }
    }

    fn handle_timeout(&mut self, now: UnixMillis) {
        if self.next_timeout().is_some_and(|at| at <= now) {
            self.end(LinkError::HandshakeTimeout);
        }
    }

    fn rtt_ms(&self) -> Option<u32> {
        self.rtt_ms
    }

    fn stats(&self) -> LinkStats {
        self.stats
    }
}
