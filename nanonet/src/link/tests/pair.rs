//! Two links and the two directions of a transport with latency and bandwidth between them.

use std::collections::VecDeque;

use nano_core::{Network, UnixMillis};

use crate::id::NodeKey;
use crate::identity::Identity;
use crate::link::{
    Channel, Class, Link, LinkConfig, LinkError, LinkOutput, QueryNumber, SendError,
};
use crate::peer::{Addresses, PeerRecord, Role};
use crate::rng::Rng;

/// Where virtual time starts, in milliseconds.
pub(super) const START: u64 = 1_700_000_000_000;

pub(super) fn identity(seed: u8) -> Identity {
    Identity::generate(&mut Rng::from_seed([seed; 32]))
}

pub(super) fn record(identity: &Identity, network: Network) -> PeerRecord {
    identity.peer_record(
        Role::Browser,
        network,
        Addresses::default(),
        UnixMillis(START),
    )
}

/// The link of the node with `seed`, as initiator or responder on `network`.
pub(super) fn link(initiator: bool, seed: u8, network: Network, expected: Option<NodeKey>) -> Link {
    let identity = identity(seed);
    let record = record(&identity, network);
    link_with(initiator, seed, LinkConfig { record, expected })
}

pub(super) fn link_with(initiator: bool, seed: u8, config: LinkConfig) -> Link {
    let identity = identity(seed);
    let mut rng = Rng::from_seed([seed ^ 0x80; 32]);
    if initiator {
        Link::initiator(&identity, config, &mut rng, UnixMillis(START))
    } else {
        Link::responder(&identity, config, &mut rng, UnixMillis(START))
    }
}

/// One direction of the transport: frames leave at `bytes_per_ms`, arrive `latency` later.
struct Pipe {
    latency_us: u64,
    bytes_per_ms: u64,
    /// When the last frame has left, in microseconds.
    free_at: u64,
    /// Frames on their way out: when each has left, and its length.
    leaving: VecDeque<(u64, u32)>,
    /// Frames on their way: when each arrives.
    flying: VecDeque<(u64, Channel, Vec<u8>)>,
}

/// What one end experienced.
pub(super) struct End {
    pub(super) link: Link,
    pipe: Pipe,
    pub(super) peer: Option<PeerRecord>,
    /// Messages with the microsecond of their arrival.
    pub(super) messages: Vec<(u64, Class, Vec<u8>)>,
    /// Queries that the other end acknowledged.
    pub(super) acked: Vec<QueryNumber>,
    pub(super) failed: Option<LinkError>,
    /// Most bytes that ever lay at the transport.
    pub(super) most_unwritten: u32,
    unwritten: u32,
    /// While set, messages stay in the link: the node above is busy.
    pub(super) busy: bool,
}

/// Two ends and the time, in microseconds since the start.
pub(super) struct Pair {
    pub(super) ends: [End; 2],
    pub(super) now: u64,
    /// How many of the next frames of the unordered channel are lost.
    pub(super) lose: u32,
}

impl Pair {
    /// Initiator and responder, not yet connected; 20 ms and 20 Mbit/s in each direction.
    pub(super) fn new() -> Self {
        Self::of(
            link(true, 1, Network::Dev, None),
            link(false, 2, Network::Dev, None),
        )
    }

    /// The same over a transport of another kind, its handshake done.
    pub(super) fn over(latency_us: u64, bytes_per_ms: u64) -> Self {
        let mut pair = Self::new();
        for end in &mut pair.ends {
            end.pipe.latency_us = latency_us;
            end.pipe.bytes_per_ms = bytes_per_ms;
        }
        pair.run_for(2_000_000);
        assert!(pair.ends.iter().all(|end| end.link.is_established()));
        pair
    }

    pub(super) fn of(initiator: Link, responder: Link) -> Self {
        let end = |link| End {
            link,
            pipe: Pipe {
                latency_us: 20_000,
                bytes_per_ms: 2_500,
                free_at: 0,
                leaving: VecDeque::new(),
                flying: VecDeque::new(),
            },
            peer: None,
            messages: Vec::new(),
            acked: Vec::new(),
            failed: None,
            most_unwritten: 0,
            unwritten: 0,
            busy: false,
        };
        Self {
            ends: [end(initiator), end(responder)],
            now: 0,
            lose: 0,
        }
    }

    /// A pair whose handshake is done and that has nothing to say.
    pub(super) fn established() -> Self {
        let mut pair = Self::new();
        pair.run_for(1_000_000);
        assert!(pair.ends.iter().all(|end| end.link.is_established()));
        pair
    }

    pub(super) fn unix(&self) -> UnixMillis {
        UnixMillis(START + self.now / 1000)
    }

    /// Lets one end send a message.
    pub(super) fn send(
        &mut self,
        side: usize,
        class: Class,
        message: Vec<u8>,
    ) -> Result<Option<QueryNumber>, SendError> {
        let now = self.unix();
        self.ends[side].link.send(now, class, message)
    }

    /// Takes everything both links have to say.
    pub(super) fn poll(&mut self) {
        for end in &mut self.ends {
            while !end.busy {
                let Some(output) = end.link.poll() else { break };
                assert_eq!(end.failed, None, "nothing comes after the end");
                match output {
                    LinkOutput::Transmit { channel, bytes } => {
                        let lost = channel == Channel::Unordered && self.lose > 0;
                        self.lose -= u32::from(lost);
                        end.transmit(self.now, channel, bytes, lost);
                    }
                    LinkOutput::Established(peer) => end.peer = Some(*peer),
                    LinkOutput::Message { class, bytes } => {
                        end.messages.push((self.now, class, bytes));
                    }
                    LinkOutput::Acked(number) => end.acked.push(number),
                    LinkOutput::Failed(error) => end.failed = Some(error),
                }
            }
        }
    }

    /// Lets the next thing happen, at the latest at `limit`; says whether anything did.
    pub(super) fn step(&mut self, limit: u64) -> bool {
        self.poll();
        let next = self.ends.iter().filter_map(End::next_event).min();
        let Some(next) = next.filter(|next| *next <= limit) else {
            self.now = self.now.max(limit);
            return false;
        };
        self.now = self.now.max(next);
        let now = self.unix();
        for side in 0..2 {
            let end = &mut self.ends[side];
            while end
                .pipe
                .leaving
                .front()
                .is_some_and(|(at, _)| *at <= self.now)
            {
                let (_, length) = end.pipe.leaving.pop_front().unwrap();
                end.unwritten -= length;
                end.link.written(now, length);
            }
            if end.link.next_timeout().is_some_and(|at| at <= now) {
                end.link.handle_timeout(now);
            }
            let mut arrived = Vec::new();
            while end
                .pipe
                .flying
                .front()
                .is_some_and(|(at, ..)| *at <= self.now)
            {
                arrived.extend(end.pipe.flying.pop_front());
            }
            for (_, channel, frame) in arrived {
                self.ends[1 - side].link.receive(now, channel, &frame);
            }
        }
        self.poll();
        true
    }

    pub(super) fn run_for(&mut self, micros: u64) {
        let limit = self.now + micros;
        while self.step(limit) {}
    }

    /// Runs until `end` has seen `count` messages; the microsecond of the last one.
    pub(super) fn run_until_messages(&mut self, side: usize, count: usize) -> u64 {
        let limit = self.now + 60_000_000;
        while self.ends[side].messages.len() < count && self.step(limit) {}
        assert!(
            self.ends[side].messages.len() >= count,
            "the messages never arrived"
        );
        self.ends[side].messages[count - 1].0
    }
}

impl End {
    fn transmit(&mut self, now: u64, channel: Channel, frame: Vec<u8>, lost: bool) {
        let length = u32::try_from(frame.len()).unwrap();
        self.unwritten += length;
        self.most_unwritten = self.most_unwritten.max(self.unwritten);
        let pipe = &mut self.pipe;
        pipe.free_at = pipe.free_at.max(now) + u64::from(length) * 1000 / pipe.bytes_per_ms;
        pipe.leaving.push_back((pipe.free_at, length));
        if !lost {
            let arrives = pipe.free_at + pipe.latency_us;
            pipe.flying.push_back((arrives, channel, frame));
        }
    }

    fn next_event(&self) -> Option<u64> {
        let leaving = self.pipe.leaving.front().map(|(at, _)| *at);
        let flying = self.pipe.flying.front().map(|(at, ..)| *at);
        let timer = self.link.next_timeout().map(|at| (at.0 - START) * 1000);
        [leaving, flying, timer].into_iter().flatten().min()
    }
}
