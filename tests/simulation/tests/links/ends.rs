//! Two ends of a link, each transport channel between them, and virtual time.

use std::collections::{BTreeMap, VecDeque};

use nano_core::{Network, UnixMillis};
use nanonet::link::{LinkConfig, LinkEnd, LinkError, LinkOutput, SendError};
use nanonet::testing::TEST_TIME;
use nanonet::{Addresses, Channel, Class, Identity, NodeKey, QueryNumber, Rng, Role};

/// One way, in milliseconds.
pub(crate) const WAY_MS: u64 = 40;

/// What is on its way: to which end, over which channel.
type Flying = (usize, Channel, Vec<u8>);

/// Two ends and what came of them.
pub(crate) struct Ends<L> {
    pub(crate) links: [L; 2],
    pub(crate) keys: [NodeKey; 2],
    pub(crate) now: UnixMillis,
    /// When the copies of each of the next unordered frames arrive, after how many milliseconds;
    /// beyond these, once after [`WAY_MS`].
    pub(crate) fates: VecDeque<Vec<u64>>,
    /// Whether every unordered frame is lost.
    pub(crate) deaf: bool,
    pub(crate) peers: [Option<NodeKey>; 2],
    pub(crate) got: [Vec<(Class, Vec<u8>)>; 2],
    pub(crate) acked: [Vec<QueryNumber>; 2],
    pub(crate) failed: [Option<LinkError>; 2],
    /// The longest frame that each end sent over each channel.
    pub(crate) longest: [[usize; 2]; 2],
    flying: BTreeMap<(UnixMillis, u64), Flying>,
    sent: u64,
}

impl<L: LinkEnd> Ends<L> {
    pub(crate) fn new() -> Self {
        let identities = [1, 2].map(|seed| Identity::generate(&mut Rng::from_seed([seed; 32])));
        let config = |identity: &Identity| LinkConfig {
            record: identity.peer_record(
                Role::Browser,
                Network::Dev,
                Addresses::default(),
                TEST_TIME,
            ),
            expected: None,
        };
        let rng = &mut Rng::from_seed([3; 32]);
        let [first, second] = &identities;
        Self {
            links: [
                L::initiator(first, config(first), rng, TEST_TIME),
                L::responder(second, config(second), rng, TEST_TIME),
            ],
            keys: [first.node_key(), second.node_key()],
            now: TEST_TIME,
            fates: VecDeque::new(),
            deaf: false,
            peers: [None, None],
            got: Default::default(),
            acked: Default::default(),
            failed: [None, None],
            longest: Default::default(),
            flying: BTreeMap::new(),
            sent: 0,
        }
    }

    pub(crate) fn established() -> Self {
        let mut ends = Self::new();
        ends.run(500);
        assert!(ends.peers.iter().all(Option::is_some));
        ends
    }

    pub(crate) fn with_unordered() -> Self {
        let mut ends = Self::established();
        ends.set_unordered(0, true);
        ends.set_unordered(1, true);
        ends
    }

    /// One end's transport has an unordered channel, or no longer, and the other end knows.
    pub(crate) fn set_unordered(&mut self, side: usize, open: bool) {
        self.links[side].set_unordered(self.now, open);
        self.run(WAY_MS);
    }

    pub(crate) fn send(
        &mut self,
        side: usize,
        class: Class,
        message: Vec<u8>,
    ) -> Result<Option<QueryNumber>, SendError> {
        self.links[side].send(self.now, class, message)
    }

    pub(crate) fn run(&mut self, millis: u64) {
        let until = self.now.plus(millis);
        loop {
            self.poll();
            let arrival = self.flying.first_key_value().map(|((at, _), _)| *at);
            let timers = self.links.iter().filter_map(LinkEnd::next_timeout);
            let Some(next) = timers.chain(arrival).min().filter(|at| *at <= until) else {
                break;
            };
            self.now = self.now.max(next);
            if arrival == Some(next)
                && let Some((_, (to, channel, frame))) = self.flying.pop_first()
            {
                self.links[to].receive(self.now, channel, &frame);
            }
            for link in &mut self.links {
                if link.next_timeout().is_some_and(|at| at <= self.now) {
                    link.handle_timeout(self.now);
                }
            }
        }
        self.now = until;
    }

    fn poll(&mut self) {
        for side in [0, 1] {
            while let Some(output) = self.links[side].poll() {
                assert_eq!(self.failed[side], None, "nothing comes after the end");
                match output {
                    LinkOutput::Transmit { channel, bytes } => self.carry(side, channel, bytes),
                    LinkOutput::Established(peer) => self.peers[side] = Some(peer.node_key),
                    LinkOutput::Message { class, bytes } => self.got[side].push((class, bytes)),
                    LinkOutput::Acked(query) => self.acked[side].push(query),
                    LinkOutput::Failed(error) => self.failed[side] = Some(error),
                }
            }
        }
    }

    /// Transports take what they get at once.
    fn carry(&mut self, side: usize, channel: Channel, frame: Vec<u8>) {
        let longest = &mut self.longest[side][channel as usize];
        *longest = frame.len().max(*longest);
        self.links[side].written(self.now, u32::try_from(frame.len()).unwrap());
        let delays = match channel {
            Channel::Ordered => vec![WAY_MS],
            Channel::Unordered if self.deaf => Vec::new(),
            Channel::Unordered => self.fates.pop_front().unwrap_or_else(|| vec![WAY_MS]),
        };
        for delay in delays {
            self.sent += 1;
            let at = (self.now.plus(delay), self.sent);
            self.flying.insert(at, (1 - side, channel, frame.clone()));
        }
    }
}
