//! Links fed with anything, for [`crate::decoders`].

use super::datagram::MAX_DATAGRAM;
use super::noise::{Cipher, Handshake, Step};
use super::{Channel, Class, Link, LinkConfig, LinkOutput, MAX_FRAME};
use crate::decoders::{START, Steps, identity, introduction, number};
use crate::{Rng, Role};

/// Bytes of every chunk but the last of a message.
pub(crate) const LONGEST_CHUNK: usize = super::class::MAX_CHUNK;
/// Bytes of every part but the last of a message in datagrams.
pub(crate) const PART: usize = super::datagram::PART;

const ORDERED: Channel = Channel::Ordered;

/// The link under test.
fn ours(initiator: bool) -> Link {
    let identity = identity(1);
    let config = LinkConfig {
        record: introduction(&identity, Role::Browser),
        expected: None,
    };
    let mut rng = Rng::from_seed([3; 32]);
    if initiator {
        Link::initiator(&identity, config, &mut rng, START)
    } else {
        Link::responder(&identity, config, &mut rng, START)
    }
}

/// The other end's handshake, which says what the bytes tell it to.
fn theirs(initiator: bool) -> Option<Box<Handshake>> {
    let identity = identity(2);
    let record = introduction(&identity, Role::Browser);
    let mut rng = Rng::from_seed([4; 32]);
    let handshake = Handshake::new(initiator, &identity, record, None, &mut rng).ok()?;
    Some(Box::new(handshake))
}

/// What a link did, checked for what every link keeps.
#[derive(Default)]
struct Seen {
    frames: Vec<Vec<u8>>,
    established: bool,
    ended: bool,
}

impl Seen {
    fn take(&mut self, link: &mut Link) {
        while let Some(output) = link.poll() {
            assert!(!self.ended, "a link says nothing after its end");
            match output {
                LinkOutput::Transmit { channel, bytes } => {
                    let most = match channel {
                        Channel::Ordered => MAX_FRAME,
                        Channel::Unordered => MAX_DATAGRAM,
                    };
                    assert!((1..=most).contains(&bytes.len()));
                    self.frames.push(bytes);
                }
                LinkOutput::Established(peer) => {
                    assert!(!self.established && peer.verify().is_ok());
                    self.established = true;
                }
                LinkOutput::Message { class, bytes } => {
                    assert!(self.established, "a message before the peer is proven");
                    assert!((1..=class.message_limit() as usize).contains(&bytes.len()));
                }
                LinkOutput::Acked(_) => assert!(self.established),
                LinkOutput::Failed(_) => self.ended = true,
            }
        }
    }
}

/// A handshake with payloads and frames that the bytes say. First byte: 0 and 1 raw frames for a
/// responder and an initiator; 2, 3 and 4 the payload of message 1, 2 and 3. Accepted if the link
/// is established.
pub fn handshake(bytes: &[u8]) -> bool {
    let Some((kind, rest)) = bytes.split_first() else {
        return false;
    };
    let seen = match kind % 5 {
        raw @ (0 | 1) => {
            let mut link = ours(raw == 1);
            let mut seen = Seen::default();
            for (_, frame) in Steps(rest) {
                link.receive(START, ORDERED, frame);
                seen.take(&mut link);
            }
            Some(seen)
        }
        2 => with_hello(rest),
        3 => with_answer(rest),
        _ => with_finish(rest),
    };
    seen.is_some_and(|seen| seen.established && !seen.ended)
}

/// Our link answers a hello.
fn with_hello(payload: &[u8]) -> Option<Seen> {
    let first = theirs(true)?.write(1, payload).ok()?;
    let (mut link, mut seen) = (ours(false), Seen::default());
    link.receive(START, ORDERED, &first);
    seen.take(&mut link);
    // Accepted, as far as a first message can be.
    seen.established = seen.frames.last().is_some_and(|frame| frame[0] == 2);
    Some(seen)
}

/// Our link reads the responder's record.
fn with_answer(payload: &[u8]) -> Option<Seen> {
    let (mut link, mut seen, mut peer) = (ours(true), Seen::default(), theirs(false)?);
    seen.take(&mut link);
    peer.hear(&seen.frames.pop()?)?;
    link.receive(START, ORDERED, &peer.write(2, payload).ok()?);
    seen.take(&mut link);
    Some(seen)
}

/// Our link reads the initiator's record.
fn with_finish(payload: &[u8]) -> Option<Seen> {
    let (mut link, mut seen, mut peer) = (ours(false), Seen::default(), theirs(true)?);
    link.receive(START, ORDERED, &peer.start().ok()?);
    seen.take(&mut link);
    peer.hear(&seen.frames.pop()?)?;
    link.receive(START, ORDERED, &peer.write(3, payload).ok()?);
    seen.take(&mut link);
    Some(seen)
}

impl Handshake {
    /// Takes the other end's frame without an answer.
    fn hear(&mut self, frame: &[u8]) -> Option<()> {
        let mut payload = vec![0; frame.len()];
        self.noise
            .read_message(frame.get(1..)?, &mut payload)
            .ok()?;
        Some(())
    }
}

/// An established link and the cipher of its other end.
fn established() -> Option<(Link, Seen, Cipher)> {
    let (mut link, mut seen, mut peer) = (ours(false), Seen::default(), theirs(true)?);
    link.receive(START, ORDERED, &peer.start().ok()?);
    seen.take(&mut link);
    let Ok(Step::Done { cipher, frame, .. }) = peer.read(&seen.frames.pop()?) else {
        return None;
    };
    link.receive(START, ORDERED, &frame?);
    seen.take(&mut link);
    Some((link, seen, cipher))
}

/// An established link that hears [`Steps`]: 0 a raw frame, 1 an encrypted frame of these items,
/// 2 so many milliseconds pass, 3 to 6 we send this as a message of class 0 to 3, 7 the transport
/// takes so many bytes, 8 our transport has an unordered channel from now on if there are bytes, 9 a
/// raw frame there, 10 an encrypted datagram with these bytes. Accepted if the link still stands at
/// the end.
pub fn link(bytes: &[u8]) -> bool {
    let Some((mut link, mut seen, mut cipher)) = established() else {
        return false;
    };
    let mut now = START;
    for (what, content) in Steps(bytes) {
        match what % 11 {
            0 => link.receive(now, ORDERED, content),
            1 => {
                let Ok(frame) = cipher.seal(content) else {
                    continue;
                };
                link.receive(now, ORDERED, &frame);
            }
            2 => {
                now = now.plus(u64::from(number(content)));
                link.handle_timeout(now);
            }
            7 => link.written(now, u32::from(number(content))),
            8 => link.set_unordered(now, !content.is_empty()),
            9 => link.receive(now, Channel::Unordered, content),
            10 => {
                let Ok(frame) = cipher.seal_datagram(content) else {
                    continue;
                };
                link.receive(now, Channel::Unordered, &frame);
            }
            class => {
                let class = Class::ALL[usize::from(class - 3)];
                // Refused when it is empty, too long, or too much waits already.
                let _ = link.send(now, class, content.to_vec());
            }
        }
        seen.take(&mut link);
        assert!(seen.ended == link.next_timeout().is_none());
    }
    seen.established && !seen.ended
}
