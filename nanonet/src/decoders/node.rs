//! A whole node with one link, fed with anything by whoever is at the other end.

use nano_core::{Account, Network, UnixMillis};

use super::{START, Steps, identity, introduction, number};
use crate::link::{Link, LinkConfig, LinkOutput};
use crate::slice::decoders::entry;
use crate::testing::{TestKeys, account_key};
use crate::wire::{Ask, Bytes, MAX_HOPS, Message, Reply, Request, Response, Target};
use crate::{
    Channel, Class, Config, Event, GetOptions, Input, LinkId, LinkOrigin, MAX_FRAME, Node,
    NoiseKey, Output, RequestId, Rng, Role, SEND_CREDIT, StoreKey, StoredEntry, Transport, seal,
};

/// The one link.
const LINK: LinkId = LinkId(1);
/// Outputs to one input are bounded; this many are far beyond anything an honest limit allows.
const MAX_OUTPUTS: usize = 10_000;

/// The account the node asks about and watches.
pub(super) fn account() -> Account {
    account_key(1).account()
}

/// A node that stands, and the peer at the other end of its link.
struct Scene {
    now: UnixMillis,
    node: Node,
    noise_key: NoiseKey,
    up: bool,
    peer: Link,
    rng: Rng,
    /// The id of the last request that the node sent.
    asked: u64,
    /// Answers to its own question.
    answers: u32,
}

impl Scene {
    fn new(role: Role, peer_role: Role) -> Self {
        let weights = TestKeys::new().weights().clone();
        let (ours, theirs) = (identity(1), identity(2));
        let anchors = vec![theirs.node_key()];
        let config = Config {
            role,
            ..Config::browser(Network::Dev, weights, anchors)
        };
        let mut rng = Rng::from_seed([5; 32]);
        let link = LinkConfig {
            record: introduction(&theirs, peer_role),
            expected: None,
        };
        let noise_key = ours.noise_key();
        let mut scene = Self {
            now: START,
            node: Node::new(config, ours, [6; 32], START),
            noise_key,
            up: true,
            peer: Link::initiator(&theirs, link, &mut rng, START),
            rng,
            asked: 0,
            answers: 0,
        };
        scene.input(Input::LinkOpened {
            link: LINK,
            origin: LinkOrigin::Accepted,
            // The one kind of link over which a bridge may come to us.
            transport: Transport::Tcp,
        });
        scene
    }

    /// Hands something to the node; carries between both ends until they are done.
    fn input(&mut self, input: Input) {
        self.node.handle_input(self.now, input);
        self.carry();
    }

    fn carry(&mut self) {
        let mut outputs = 0;
        loop {
            let before = outputs;
            while let Some(output) = self.node.poll_output() {
                outputs += 1;
                match output {
                    Output::Transmit { link, bytes, .. } => {
                        assert!(self.up && link == LINK, "a frame on a link that is gone");
                        assert!((1..=MAX_FRAME).contains(&bytes.len()));
                        let size = u32::try_from(bytes.len()).unwrap_or(SEND_CREDIT);
                        self.peer.receive(self.now, Channel::Ordered, &bytes);
                        let written = Input::LinkWritten {
                            link: LINK,
                            bytes: size,
                        };
                        self.node.handle_input(self.now, written);
                    }
                    Output::Close { link, .. } => {
                        assert!(self.up && link == LINK, "a link is closed once");
                        self.up = false;
                    }
                    Output::Event(Event::Answer { .. }) => self.answers += 1,
                    _ => {}
                }
            }
            while let Some(output) = self.peer.poll() {
                outputs += 1;
                match output {
                    LinkOutput::Transmit { channel, bytes } => {
                        self.peer.written(self.now, SEND_CREDIT);
                        let received = Input::LinkReceived {
                            link: LINK,
                            channel,
                            bytes,
                        };
                        self.node.handle_input(self.now, received);
                    }
                    LinkOutput::Message { class, bytes } => {
                        let message = Message::decode(class, &bytes);
                        assert!(message.is_ok(), "a node says what nodes can read");
                        if let Ok(Message::Request(request)) = message {
                            self.asked = request.id;
                        }
                    }
                    LinkOutput::Established(_) | LinkOutput::Acked(_) | LinkOutput::Failed(_) => {}
                }
            }
            assert!(outputs < MAX_OUTPUTS, "a node that never stops talking");
            if outputs == before {
                return;
            }
        }
    }

    /// The peer says something.
    fn say(&mut self, class: Class, bytes: Vec<u8>) {
        // Refused when it is empty, too long, or too much waits already.
        let _ = self.peer.send(self.now, class, bytes);
        self.carry();
    }

    fn message(&mut self, message: &Message) {
        if let Ok(bytes) = message.encode() {
            self.say(message.class(), bytes);
        }
    }

    /// One step of the bytes.
    fn step(&mut self, what: u8, content: &[u8]) {
        match what % 9 {
            0 => {
                let bytes = content.to_vec();
                self.input(Input::LinkReceived {
                    link: LINK,
                    channel: Channel::Ordered,
                    bytes,
                });
            }
            class @ 1..=4 => {
                let class = Class::ALL[usize::from(class - 1)];
                self.say(class, content.to_vec());
            }
            5 => {
                let sealed = seal(&self.noise_key, "signal", content, &mut self.rng);
                let Ok(sealed) = sealed.map(Bytes) else {
                    return;
                };
                let request = Request {
                    id: self.rng.next_u64(),
                    target: Target::Exactly(self.node.id()),
                    hops_left: MAX_HOPS,
                    budget: 1,
                    body: Ask::Signal {
                        carriers: Role::Browser,
                        sealed,
                    },
                };
                self.message(&Message::Request(Box::new(request)));
            }
            6 => {
                if let Ok(body) = postcard::from_bytes::<Reply>(content) {
                    let (id, hops) = (self.asked, 1);
                    let response = Response { id, hops, body };
                    self.message(&Message::Response(Box::new(response)));
                }
            }
            7 => {
                self.now = self.now.plus(u64::from(number(content)));
                self.peer.handle_timeout(self.now);
                self.input(Input::Timeout);
            }
            _ => {
                let key = StoreKey::Account(account());
                let entry = StoredEntry {
                    key,
                    bytes: entry(content),
                };
                self.input(Input::Loaded {
                    entries: vec![entry],
                });
            }
        }
    }
}

/// A node that asks about an account and then takes [`Steps`] of its peer: 0 a raw frame, 1 to 4 a
/// message of class 0 to 3, 5 a signal sealed for it, 6 an answer to its last question, 7 so many
/// milliseconds pass, 8 an entry of its storage. First byte: bit 0, it is a bridge; bit 1, so is
/// its peer. Accepted if the link still stands at the end.
pub fn node(bytes: &[u8]) -> bool {
    let Some((kind, rest)) = bytes.split_first() else {
        return false;
    };
    let role = |bit| {
        if kind & bit == 0 {
            Role::Browser
        } else {
            Role::Bridge
        }
    };
    let mut scene = Scene::new(role(1), role(2));
    scene.carry();
    scene.input(Input::Watch { account: account() });
    scene.input(Input::Get {
        request: RequestId(1),
        account: account(),
        options: GetOptions::default(),
    });
    for (what, content) in Steps(rest) {
        scene.step(what, content);
    }
    let up = scene.up;
    // Whatever came, the node goes on: its question is answered, once.
    scene.now = scene.now.plus(60_000);
    scene.input(Input::Timeout);
    assert_eq!(scene.answers, 1);
    up
}
