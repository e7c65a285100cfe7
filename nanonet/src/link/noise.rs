//! The handshake (Noise XX) and the encryption after it.
//!
//! Handshake frames start with a byte that tells which they are:
//!
//! | first byte | from | rest |
//! |---|---|---|
//! | 1 | initiator | Noise message 1; payload in the clear: `nanonet`, version u16, network id |
//! | 2 | responder | Noise message 2; payload: its peer record |
//! | 3 | initiator | Noise message 3; payload: its peer record |
//! | 0 | whoever refuses | code, its version u16, its network id; in the clear |
//!
//! The prologue is `nanonet link v1` ‖ version ‖ network id, so that ends that disagree about
//! either cannot finish; the clear text in message 1 and in a refusal is only there to tell *why*.
//! A forged refusal does no more than cutting the connection would.
//!
//! Each peer record names the Noise key that the handshake proves, and the node key signs the
//! record: so the handshake proves the node key. Message 2 is shown to anybody who dials, message
//! 3 only to the responder's Noise key, and neither to a listener.

use nano_core::Network;
use snow::params::{
    BaseChoice, CipherChoice, DHChoice, HandshakeChoice, HandshakeModifierList, HandshakePattern,
    HashChoice, NoiseParams,
};
use snow::{Builder, HandshakeState, StatelessTransportState};

use super::RULES_BROKEN;
use super::class::TAG;
use super::datagram::{MAX_DATAGRAM, Seen, Window};
use super::error::LinkError;
use super::frame::Item;
use super::resolver::Resolver;
use crate::id::NodeKey;
use crate::identity::Identity;
use crate::peer::{PROTOCOL_VERSION, PeerRecord};
use crate::rng::Rng;

const PATTERN: &str = "Noise_XX_25519_ChaChaPoly_BLAKE2b";
const PROLOGUE: &[u8] = b"nanonet link v1";
const HELLO: &[u8; 7] = b"nanonet";
const REFUSAL: u8 = 0;

/// Refusal code: the other side is of another version or network.
const OTHER_TERMS: u8 = 1;

/// Refusal code: the peer record is not accepted.
const OTHER_RECORD: u8 = 2;

/// What came of a handshake frame that holds.
pub(super) enum Step {
    /// Send `frame`, then wait for the next.
    Wait {
        handshake: Box<Handshake>,
        frame: Vec<u8>,
    },
    /// The peer is proven; send `frame`, if any, before anything encrypted.
    Done {
        peer: Box<PeerRecord>,
        cipher: Cipher,
        frame: Option<Vec<u8>>,
    },
}

/// Why a handshake ended, and the frame that tells the peer, if it can be told.
pub(super) struct Refused {
    pub(super) error: LinkError,
    pub(super) frame: Option<Vec<u8>>,
}

impl From<LinkError> for Refused {
    fn from(error: LinkError) -> Self {
        Self { error, frame: None }
    }
}

/// A handshake under way.
pub(super) struct Handshake {
    pub(super) noise: HandshakeState,
    ours: PeerRecord,
    expected: Option<NodeKey>,
    /// The message to come: 1 and 3 at the responder, 2 at the initiator.
    awaited: u8,
}

impl Handshake {
    /// Prepares one end. The initiator sends [`Handshake::start`].
    pub(super) fn new(
        initiator: bool,
        identity: &Identity,
        ours: PeerRecord,
        expected: Option<NodeKey>,
        rng: &mut Rng,
    ) -> Result<Self, LinkError> {
        let params = NoiseParams::new(
            PATTERN.to_owned(),
            BaseChoice::Noise,
            HandshakeChoice {
                pattern: HandshakePattern::XX,
                modifiers: HandshakeModifierList { list: Vec::new() },
            },
            DHChoice::Curve25519,
            CipherChoice::ChaChaPoly,
            HashChoice::Blake2b,
        );
        let prologue = [PROLOGUE, &terms(ours.network)].concat();
        let noise = Builder::with_resolver(params, Box::new(Resolver::new(rng)))
            .local_private_key(identity.noise_secret().as_bytes())
            .and_then(|builder| builder.prologue(&prologue))
            .and_then(|builder| {
                if initiator {
                    builder.build_initiator()
                } else {
                    builder.build_responder()
                }
            })
            .map_err(|_| LinkError::Setup)?;
        let awaited = if initiator { 2 } else { 1 };
        Ok(Self {
            noise,
            ours,
            expected,
            awaited,
        })
    }

    /// The initiator's first frame.
    pub(super) fn start(&mut self) -> Result<Vec<u8>, LinkError> {
        let hello = [&HELLO[..], &terms(self.ours.network)].concat();
        self.write(1, &hello)
    }

    /// Takes the peer's next frame.
    pub(super) fn read(mut self: Box<Self>, frame: &[u8]) -> Result<Step, Refused> {
        let awaited = self.awaited;
        let broken = match awaited {
            1 => LinkError::NotNanonet,
            message => LinkError::BadHandshake { message },
        };
        let Some((&kind, message)) = frame.split_first() else {
            return Err(broken.into());
        };
        if kind == REFUSAL && awaited != 1 {
            return Err(self.read_refusal(message).into());
        }
        if kind != awaited {
            return Err(broken.into());
        }
        let mut payload = vec![0; message.len()];
        let length = self
            .noise
            .read_message(message, &mut payload)
            .map_err(|_| broken)?;
        payload.truncate(length);
        match awaited {
            1 => self.answer(&payload),
            2 => match self.check_record(&payload) {
                Ok(peer) => {
                    let frame = Some(self.write_record(3)?);
                    Ok(Step::Done {
                        peer,
                        cipher: self.into_cipher()?,
                        frame,
                    })
                }
                Err(error) => Err(Refused {
                    error,
                    frame: Some(self.refusal(OTHER_RECORD)),
                }),
            },
            _ => {
                let peer = self.check_record(&payload);
                let mut cipher = self.into_cipher()?;
                match peer {
                    Ok(peer) => Ok(Step::Done {
                        peer,
                        cipher,
                        frame: None,
                    }),
                    Err(error) => {
                        let frame = cipher.farewell(RULES_BROKEN).ok();
                        Err(Refused { error, frame })
                    }
                }
            }
        }
    }

    /// The responder's answer to message 1.
    fn answer(mut self: Box<Self>, hello: &[u8]) -> Result<Step, Refused> {
        let terms = hello.strip_prefix(HELLO).ok_or(LinkError::NotNanonet)?;
        if let Err(error) = self.check_terms(terms) {
            let frame = match error {
                LinkError::NotNanonet => None,
                _ => Some(self.refusal(OTHER_TERMS)),
            };
            return Err(Refused { error, frame });
        }
        let frame = self.write_record(2)?;
        self.awaited = 3;
        Ok(Step::Wait {
            handshake: self,
            frame,
        })
    }

    fn check_terms(&self, theirs: &[u8]) -> Result<(), LinkError> {
        let &[low, high, a, b] = theirs else {
            return Err(LinkError::NotNanonet);
        };
        let version = u16::from_le_bytes([low, high]);
        if version != PROTOCOL_VERSION {
            return Err(LinkError::OtherVersion {
                theirs: version,
                ours: PROTOCOL_VERSION,
            });
        }
        if [a, b] != self.ours.network.id() {
            return Err(LinkError::OtherNetwork {
                theirs: [a, b],
                ours: self.ours.network,
            });
        }
        Ok(())
    }

    /// What a peer record in a handshake must fulfil.
    fn check_record(&self, bytes: &[u8]) -> Result<Box<PeerRecord>, LinkError> {
        let (peer, rest) =
            postcard::take_from_bytes::<PeerRecord>(bytes).map_err(|_| LinkError::BadRecord)?;
        let proven = self.noise.get_remote_static();
        if !rest.is_empty() || proven != Some(peer.noise_key.as_bytes()) {
            return Err(LinkError::BadRecord);
        }
        self.check_terms(&terms_of(peer.version, peer.network))?;
        if peer.node_key == self.ours.node_key {
            return Err(LinkError::Ourselves);
        }
        peer.verify().map_err(LinkError::BadRecordSignature)?;
        match self.expected {
            Some(expected) if expected != peer.node_key => Err(LinkError::OtherPeer {
                expected,
                found: peer.node_key,
            }),
            _ => Ok(Box::new(peer)),
        }
    }

    fn read_refusal(&self, refusal: &[u8]) -> LinkError {
        let Some((&code, terms)) = refusal.split_first() else {
            return LinkError::BadHandshake {
                message: self.awaited,
            };
        };
        match self.check_terms(terms) {
            Ok(()) => LinkError::Refused { code },
            Err(LinkError::NotNanonet) => LinkError::BadHandshake {
                message: self.awaited,
            },
            Err(error) => error,
        }
    }

    fn refusal(&self, code: u8) -> Vec<u8> {
        [&[REFUSAL, code][..], &terms(self.ours.network)].concat()
    }

    fn write_record(&mut self, message: u8) -> Result<Vec<u8>, LinkError> {
        let record = postcard::to_allocvec(&self.ours).map_err(|_| LinkError::Setup)?;
        self.write(message, &record)
    }

    pub(super) fn write(&mut self, message: u8, payload: &[u8]) -> Result<Vec<u8>, LinkError> {
        // Two keys and two tags are the most a message of this pattern has besides its payload.
        let mut frame = vec![0; 1 + 2 * (32 + TAG) + payload.len()];
        frame[0] = message;
        let length = self
            .noise
            .write_message(payload, &mut frame[1..])
            .map_err(|_| LinkError::Setup)?;
        frame.truncate(1 + length);
        Ok(frame)
    }

    fn into_cipher(self) -> Result<Cipher, LinkError> {
        let transport = self
            .noise
            .into_stateless_transport_mode()
            .map_err(|_| LinkError::Setup)?;
        Ok(Cipher::new(transport))
    }
}

/// Version and network as they stand in prologue, hello and refusal.
fn terms(network: Network) -> [u8; 4] {
    terms_of(PROTOCOL_VERSION, network)
}

fn terms_of(version: u16, network: Network) -> [u8; 4] {
    let ([low, high], [a, b]) = (version.to_le_bytes(), network.id());
    [low, high, a, b]
}

/// Nonces of the unordered channel have this bit, those of the ordered one do not: one key, and
/// no nonce twice.
const UNORDERED: u64 = 1 << 63;

/// Bytes in front of an unordered frame: the low half of its number.
const NUMBER: usize = 4;

/// Why a frame of the unordered channel is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    /// It came before, or so late that nobody knows.
    Repeated,
    /// It is not the peer's.
    Forged,
}

/// Encrypts and decrypts the frames after the handshake.
///
/// Each frame of the ordered channel has the next number of its direction as its nonce, implicitly:
/// a repeated, dropped or reordered frame does not decrypt. A frame of the unordered channel carries
/// the low 32 bits of its number, little-endian, in front; each number is read once.
pub(super) struct Cipher {
    noise: Box<StatelessTransportState>,
    sent: u64,
    received: u64,
    datagrams_sent: u64,
    datagrams_received: Window,
}

impl Cipher {
    fn new(noise: StatelessTransportState) -> Self {
        Self {
            noise: Box::new(noise),
            sent: 0,
            received: 0,
            datagrams_sent: 0,
            datagrams_received: Window::default(),
        }
    }

    /// The frame with these items.
    pub(super) fn seal(&mut self, items: &[u8]) -> Result<Vec<u8>, LinkError> {
        let mut frame = vec![0; items.len() + TAG];
        self.noise
            .write_message(self.sent, items, &mut frame)
            .map_err(|_| LinkError::Setup)?;
        self.sent += 1;
        Ok(frame)
    }

    /// The items of a frame.
    pub(super) fn open(&mut self, frame: &[u8]) -> Result<Vec<u8>, LinkError> {
        let mut items = vec![0; frame.len()];
        let length = self
            .noise
            .read_message(self.received, frame, &mut items)
            .map_err(|_| LinkError::Undecryptable)?;
        self.received += 1;
        items.truncate(length);
        Ok(items)
    }

    /// The frame of the unordered channel with this datagram.
    pub(super) fn seal_datagram(&mut self, datagram: &[u8]) -> Result<Vec<u8>, LinkError> {
        let number = self.datagrams_sent;
        let mut frame = vec![0; NUMBER + datagram.len() + TAG];
        frame[..NUMBER].copy_from_slice(&number.to_le_bytes()[..NUMBER]);
        self.noise
            .write_message(UNORDERED | number, datagram, &mut frame[NUMBER..])
            .map_err(|_| LinkError::Setup)?;
        self.datagrams_sent += 1;
        Ok(frame)
    }

    /// The datagram in a frame of the unordered channel.
    pub(super) fn open_datagram(&mut self, frame: &[u8]) -> Result<Vec<u8>, Unread> {
        let (number, sealed) = frame.split_first_chunk().ok_or(Unread::Forged)?;
        if frame.len() > MAX_DATAGRAM {
            return Err(Unread::Forged);
        }
        let window = &mut self.datagrams_received;
        let number = window
            .extend(u32::from_le_bytes(*number))
            .filter(|number| number & UNORDERED == 0)
            .ok_or(Unread::Forged)?;
        if window.seen(number) != Seen::New {
            return Err(Unread::Repeated);
        }
        let mut datagram = vec![0; sealed.len()];
        let length = self
            .noise
            .read_message(UNORDERED | number, sealed, &mut datagram)
            .map_err(|_| Unread::Forged)?;
        window.note(number);
        datagram.truncate(length);
        Ok(datagram)
    }

    /// A frame that closes the link with `code`.
    pub(super) fn farewell(&mut self, code: u8) -> Result<Vec<u8>, LinkError> {
        let mut items = Vec::new();
        Item::Close { code }.write(&mut items);
        self.seal(&items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::{Addresses, Role};
    use nano_core::UnixMillis;

    fn handshake(initiator: bool, seed: u8, network: Network) -> Box<Handshake> {
        let mut rng = Rng::from_seed([seed; 32]);
        let identity = Identity::generate(&mut rng);
        let (addresses, at) = (Addresses::default(), UnixMillis(0));
        let ours = identity.peer_record(Role::Browser, network, addresses, at);
        Box::new(Handshake::new(initiator, &identity, ours, None, &mut rng).unwrap())
    }

    #[test]
    fn who_lies_about_its_network_in_the_clear_cannot_finish() {
        let mut liar = handshake(true, 1, Network::Live);
        let hello = [&HELLO[..], &terms(Network::Dev)].concat();
        let first = liar.write(1, &hello).unwrap();
        let Ok(Step::Wait { frame, .. }) = handshake(false, 2, Network::Dev).read(&first) else {
            panic!("the responder believes the clear text");
        };
        let error = liar.read(&frame).err().map(|refused| refused.error);
        assert_eq!(error, Some(LinkError::BadHandshake { message: 2 }));
    }
}
