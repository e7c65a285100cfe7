//! A link: one encrypted, flow-controlled connection between two nodes, as a protocol without I/O.
//!
//! Below a link lies any transport that keeps message boundaries and order and loses nothing: a
//! WebSocket, a data channel, length-prefixed TCP. Beside it there may be a second [`Channel`] that
//! loses, repeats and reorders, which queries then take ([`datagram`]). The link turns both into
//! messages of four [`Class`]es between two proven nodes.
//!
//! A link is *handshaking* (Noise XX, see `noise`), then *established*, then *ended*, by an error,
//! a timeout, the peer or [`Link::close`]; it never goes back. It ends with exactly one
//! [`LinkOutput::Failed`] as its last output.
//!
//! How to drive it: hand in what happened ([`Link::receive`], [`Link::written`],
//! [`Link::set_unordered`], [`Link::send`], [`Link::handle_timeout`] at [`Link::next_timeout`]), each
//! time followed by [`Link::poll`] until it gives nothing more.
//!
//! Rules:
//! - messages of one class arrive whole and in order; between classes the more urgent one
//!   overtakes (see `outgoing`), up to the bound that keeps the less urgent from starving;
//! - queries arrive whole and at most once; over the unordered channel in no promised order, and one
//!   in very many not at all;
//! - every query is acknowledged as soon as it has arrived, which its sender is told
//!   ([`LinkOutput::Acked`]): it is in the peer's hands, not more;
//! - the receiver grants credit for each class and holds no more than that (see `incoming`);
//!   messages that are not taken by [`Link::poll`] stop the peer, each class when its window is
//!   full;
//! - at most [`SEND_CREDIT`] bytes lie at the transport unwritten;
//! - every rule broken by the peer ends the link with the [`LinkError`] that names it.

mod alive;
mod channel;
mod class;
pub mod datagram;
#[cfg(any(test, feature = "adversary"))]
pub(crate) mod decoders;
mod end;
mod error;
mod frame;
mod incoming;
mod noise;
mod outgoing;
mod pace;
mod resolver;
mod rtt;
mod session;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use nano_core::UnixMillis;

pub use self::alive::{PING_INTERVAL_MS, SILENCE_TIMEOUT_MS};
pub use self::channel::{Channel, QueryNumber};
pub use self::class::{Class, MAX_FRAME, SEND_CREDIT};
use self::class::{LINK_ITEMS, TAG};
use self::datagram::DatagramStats;
pub use self::end::LinkEnd;
pub use self::error::{LinkError, SendError};
use self::noise::{Handshake, Refused, Step};
use self::outgoing::size;
pub use self::rtt::RoundTrip;
pub use self::session::MAX_FORGED;
use self::session::Session;
use crate::id::NodeKey;
use crate::identity::Identity;
use crate::peer::PeerRecord;
use crate::rng::Rng;

/// Milliseconds a handshake may take.
pub const HANDSHAKE_TIMEOUT_MS: u64 = 10_000;

/// The code with which a link closes itself when the peer broke its rules; callers of
/// [`Link::close`] use others.
pub const RULES_BROKEN: u8 = 0;

/// What a link is to know at its start.
#[derive(Debug, Clone)]
pub struct LinkConfig {
    /// How this node introduces itself, made by [`Identity::peer_record`] of the same identity.
    pub record: PeerRecord,
    /// Whom the link shall lead to; `None` takes anybody.
    pub expected: Option<NodeKey>,
}

/// What a link wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkOutput {
    /// Send this one message over the transport and report it with [`Link::written`] when the
    /// transport has taken it.
    Transmit {
        /// Over which channel; unordered only after [`Link::set_unordered`].
        channel: Channel,
        /// At most [`MAX_FRAME`] bytes, on the unordered channel at most
        /// [`datagram::MAX_DATAGRAM`].
        bytes: Vec<u8>,
    },
    /// The handshake is done: this is the peer, its record verified.
    Established(Box<PeerRecord>),
    /// The peer sent a message.
    Message {
        /// Its class.
        class: Class,
        /// 1 to [`Class::message_limit`] bytes.
        bytes: Vec<u8>,
    },
    /// The peer has this query, which [`Link::send`] numbered so.
    Acked(QueryNumber),
    /// The link has ended; close the transport once it has taken what was transmitted.
    Failed(LinkError),
}

/// What went over a link, frames and messages as they are, without what the transport adds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LinkStats {
    /// Bytes of frames received.
    pub bytes_in: u64,
    /// Bytes of frames sent.
    pub bytes_out: u64,
    /// Whole messages received.
    pub messages_in: u64,
    /// Messages taken for sending.
    pub messages_out: u64,
    /// What went over the unordered channel.
    pub datagrams: DatagramStats,
    /// Frames of the unordered channel that were dropped: not the peer's, come before, or come
    /// before the handshake was done.
    pub unread: u32,
}

/// One end of a link. See the module for its states and rules.
pub struct Link {
    phase: Phase,
    /// What goes out before anything the phase has to say.
    outputs: VecDeque<LinkOutput>,
    /// Bytes at the transport that it has not taken yet.
    unwritten: u32,
    /// Whether the transport has an unordered channel.
    unordered: bool,
    /// The latest time that was told.
    now: UnixMillis,
    rng: Rng,
    stats: LinkStats,
}

enum Phase {
    Handshaking {
        handshake: Box<Handshake>,
        deadline: UnixMillis,
        /// When our last message went out, until it is answered.
        asked: UnixMillis,
    },
    Established(Box<Session>),
    Ended,
}

impl Link {
    /// The end that opened the transport, or made the offer of a data channel.
    pub fn initiator(
        identity: &Identity,
        config: LinkConfig,
        rng: &mut Rng,
        now: UnixMillis,
    ) -> Self {
        Self::new(true, identity, config, rng, now)
    }

    /// The end that accepted the transport.
    pub fn responder(
        identity: &Identity,
        config: LinkConfig,
        rng: &mut Rng,
        now: UnixMillis,
    ) -> Self {
        Self::new(false, identity, config, rng, now)
    }

    fn new(
        initiator: bool,
        identity: &Identity,
        config: LinkConfig,
        rng: &mut Rng,
        now: UnixMillis,
    ) -> Self {
        let mut link = Self {
            phase: Phase::Ended,
            outputs: VecDeque::new(),
            unwritten: 0,
            unordered: false,
            now,
            rng: rng.fork(),
            stats: LinkStats::default(),
        };
        let LinkConfig { record, expected } = config;
        let made = Handshake::new(initiator, identity, record, expected, &mut link.rng).and_then(
            |mut handshake| Ok((initiator.then(|| handshake.start()).transpose()?, handshake)),
        );
        match made {
            Ok((first, handshake)) => {
                link.transmit(first);
                link.phase = Phase::Handshaking {
                    handshake: Box::new(handshake),
                    deadline: now.plus(HANDSHAKE_TIMEOUT_MS),
                    asked: now,
                };
            }
            Err(error) => link.outputs.push_back(LinkOutput::Failed(error)),
        }
        link
    }

    /// The transport has an unordered channel from now on (`open`), or no longer. Queries take it
    /// once the peer has said the same.
    pub fn set_unordered(&mut self, now: UnixMillis, open: bool) {
        self.now = self.now.max(now);
        self.unordered = open;
        if let Phase::Established(session) = &mut self.phase {
            session.set_unordered(open);
        }
    }

    /// Takes one transport message of the peer.
    pub fn receive(&mut self, now: UnixMillis, channel: Channel, frame: &[u8]) {
        self.now = self.now.max(now);
        self.stats.bytes_in += u64::from(size(frame.len()));
        if frame.len() > MAX_FRAME {
            return self.fail(LinkError::FrameTooLong {
                length: frame.len(),
            });
        }
        let result = match (&mut self.phase, channel) {
            (Phase::Handshaking { .. }, Channel::Ordered) => return self.shake_hands(now, frame),
            (Phase::Handshaking { .. }, Channel::Unordered) => {
                self.stats.unread = self.stats.unread.saturating_add(1);
                Ok(())
            }
            (Phase::Established(session), Channel::Ordered) => {
                session.receive(now, frame, &mut self.stats)
            }
            (Phase::Established(session), Channel::Unordered) => {
                session.receive_datagram(now, frame, &mut self.stats)
            }
            (Phase::Ended, _) => Ok(()),
        };
        if let Err(error) = result {
            self.fail(error);
        }
    }

    fn shake_hands(&mut self, now: UnixMillis, frame: &[u8]) {
        let Phase::Handshaking {
            handshake,
            deadline,
            asked,
        } = std::mem::replace(&mut self.phase, Phase::Ended)
        else {
            return;
        };
        match handshake.read(frame) {
            Ok(Step::Wait { handshake, frame }) => {
                self.transmit(Some(frame));
                self.phase = Phase::Handshaking {
                    handshake,
                    deadline,
                    asked: now,
                };
            }
            Ok(Step::Done {
                peer,
                cipher,
                frame,
            }) => {
                self.transmit(frame);
                self.outputs.push_back(LinkOutput::Established(peer));
                let mut trip = RoundTrip::default();
                trip.sample(asked, now);
                let mut session = Session::new(now, cipher, trip, &mut self.rng);
                session.set_unordered(self.unordered);
                self.phase = Phase::Established(Box::new(session));
            }
            Err(Refused { error, frame }) => {
                self.transmit(frame);
                self.outputs.push_back(LinkOutput::Failed(error));
            }
        }
    }

    /// Lets the transport send `frame`, if there is one.
    fn transmit(&mut self, frame: Option<Vec<u8>>) {
        if let Some(bytes) = frame {
            let channel = Channel::Ordered;
            self.outputs
                .push_back(LinkOutput::Transmit { channel, bytes });
        }
    }

    /// The transport has taken `bytes` of what was transmitted, on whichever channel.
    pub fn written(&mut self, now: UnixMillis, bytes: u32) {
        self.now = self.now.max(now);
        self.unwritten = self.unwritten.saturating_sub(bytes);
        if let Phase::Established(session) = &mut self.phase {
            session.alive.taken();
            let nearest = session.trip.nearest_ms();
            if let Some(share) = session.pace.taken(now, bytes, self.unwritten, nearest) {
                session.outgoing.set_bulk_share(share);
            }
        }
    }

    /// Queues a message for the peer. A query gets the number with which
    /// [`LinkOutput::Acked`] names it; other classes get none.
    ///
    /// # Errors
    /// [`SendError`]: the message is not taken, the link goes on.
    pub fn send(
        &mut self,
        now: UnixMillis,
        class: Class,
        message: Vec<u8>,
    ) -> Result<Option<QueryNumber>, SendError> {
        self.now = self.now.max(now);
        let Phase::Established(session) = &mut self.phase else {
            return Err(SendError::NotEstablished);
        };
        let number = session.push(now, class, message, self.unwritten)?;
        self.stats.messages_out += 1;
        Ok(number)
    }

    /// Ends the link and tells the peer `code`, which it gets as [`LinkError::ClosedByPeer`].
    /// What is queued is not sent any more.
    pub fn close(&mut self, code: u8) {
        if !matches!(self.phase, Phase::Ended) {
            self.end(LinkError::ClosedHere, Some(code));
        }
    }

    /// The next thing the link wants done; call until it gives nothing.
    pub fn poll(&mut self) -> Option<LinkOutput> {
        let output = match self.outputs.pop_front() {
            Some(output) => output,
            None => self.poll_session()?,
        };
        if let LinkOutput::Transmit { bytes, .. } = &output {
            self.unwritten = self.unwritten.saturating_add(size(bytes.len()));
            self.stats.bytes_out += u64::from(size(bytes.len()));
        }
        Some(output)
    }

    fn poll_session(&mut self) -> Option<LinkOutput> {
        let Phase::Established(session) = &mut self.phase else {
            return None;
        };
        if let Some(output) = session.tell(&mut self.stats) {
            return Some(output);
        }
        match session.next_frame(self.now, self.unwritten) {
            Ok(frame) => {
                if frame.is_none() && self.unwritten == 0 {
                    session.pace.idle();
                }
                frame
            }
            Err(error) => {
                self.fail(error);
                self.outputs.pop_front()
            }
        }
    }

    /// When [`Link::handle_timeout`] is to be called next; `None` once the link has ended.
    pub fn next_timeout(&self) -> Option<UnixMillis> {
        match &self.phase {
            Phase::Handshaking { deadline, .. } => Some(*deadline),
            Phase::Established(session) => Some(session.next_timeout()),
            Phase::Ended => None,
        }
    }

    /// Does what is due at `now`; calling it early does nothing.
    pub fn handle_timeout(&mut self, now: UnixMillis) {
        self.now = self.now.max(now);
        let waiting = self.unwritten > 0;
        let result = match &mut self.phase {
            Phase::Handshaking { deadline, .. } if now >= *deadline => {
                Err(LinkError::HandshakeTimeout)
            }
            Phase::Established(session) => session.handle_timeout(now, waiting, &mut self.rng),
            Phase::Handshaking { .. } | Phase::Ended => Ok(()),
        };
        if let Err(error) = result {
            self.fail(error);
        }
    }

    /// Whether messages can be sent.
    pub fn is_established(&self) -> bool {
        matches!(self.phase, Phase::Established(_))
    }

    /// Smoothed round trip in milliseconds; `None` before the handshake is done.
    pub fn rtt_ms(&self) -> Option<u32> {
        match &self.phase {
            Phase::Established(session) => session.trip.smoothed_ms(),
            Phase::Handshaking { .. } | Phase::Ended => None,
        }
    }

    /// Bytes of a class that wait to be sent, 64 for each message included; of queries over the
    /// unordered channel also what is not acknowledged.
    pub fn queued(&self, class: Class) -> u32 {
        match &self.phase {
            Phase::Established(session) => session.queued(class),
            Phase::Handshaking { .. } | Phase::Ended => 0,
        }
    }

    /// What went over the link so far.
    pub fn stats(&self) -> LinkStats {
        let mut stats = self.stats;
        if let Phase::Established(session) = &self.phase {
            stats.datagrams = session.unordered.datagrams.stats();
        }
        stats
    }

    /// Ends the link for `error`, telling the peer if it broke the rules.
    fn fail(&mut self, error: LinkError) {
        let tell = !matches!(
            error,
            LinkError::ClosedByPeer { .. } | LinkError::Silent | LinkError::Stalled
        );
        self.end(error, tell.then_some(RULES_BROKEN));
    }

    /// Ends the link: messages that arrived whole, the farewell, then the error.
    fn end(&mut self, error: LinkError, code: Option<u8>) {
        match std::mem::replace(&mut self.phase, Phase::Ended) {
            Phase::Ended => return,
            Phase::Handshaking { .. } => {}
            Phase::Established(mut session) => {
                while let Some(output) = session.tell(&mut self.stats) {
                    self.outputs.push_back(output);
                }
                self.stats.datagrams = session.unordered.datagrams.stats();
                let room = self.unwritten < SEND_CREDIT - size(TAG + LINK_ITEMS);
                let farewell = code
                    .filter(|_| room)
                    .map(|code| session.cipher.farewell(code));
                self.transmit(farewell.and_then(Result::ok));
            }
        }
        self.outputs.push_back(LinkOutput::Failed(error));
    }
}
