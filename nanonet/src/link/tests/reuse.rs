//! What was said on one link is worth nothing on another, nor said back to who said it.

use nano_core::{Network, UnixMillis};

use super::pair::{START, identity, record};
use crate::link::{Channel, Class, Link, LinkConfig, LinkOutput};
use crate::rng::Rng;

const NOW: UnixMillis = UnixMillis(START);

/// One end of a link of its own, whatever other links its node has.
fn end(initiator: bool, node: u8, entropy: u8) -> Link {
    let identity = identity(node);
    let config = LinkConfig {
        record: record(&identity, Network::Dev),
        expected: None,
    };
    let mut rng = Rng::from_seed([entropy; 32]);
    let start = if initiator {
        Link::initiator
    } else {
        Link::responder
    };
    start(&identity, config, &mut rng, NOW)
}

/// What a link wants transmitted; whether it has failed.
fn said(link: &mut Link) -> (Vec<Vec<u8>>, bool) {
    let (mut frames, mut failed) = (Vec::new(), false);
    while let Some(output) = link.poll() {
        match output {
            LinkOutput::Transmit { bytes, .. } => frames.push(bytes),
            LinkOutput::Failed(_) => failed = true,
            _ => {}
        }
    }
    (frames, failed)
}

fn hear(link: &mut Link, frames: &[Vec<u8>]) {
    for frame in frames {
        link.receive(NOW, Channel::Ordered, frame);
    }
}

/// Both ends of a link that stands, and everything that its initiator said.
fn established(entropy: u8) -> (Link, Link, Vec<Vec<u8>>) {
    let (mut a, mut b) = (end(true, 1, entropy), end(false, 2, entropy + 100));
    let mut recorded = Vec::new();
    for _ in 0..4 {
        let (frames, _) = said(&mut a);
        hear(&mut b, &frames);
        recorded.extend(frames);
        let (frames, _) = said(&mut b);
        hear(&mut a, &frames);
    }
    assert!(a.is_established() && b.is_established());
    (a, b, recorded)
}

#[test]
fn a_recorded_handshake_opens_no_other_link_to_the_same_node() {
    let (_, _, recorded) = established(1);
    let mut again = end(false, 2, 150);
    let mut failed = false;
    for frame in recorded {
        hear(&mut again, &[frame]);
        failed |= said(&mut again).1;
    }
    assert!(failed && !again.is_established());
}

#[test]
fn frames_of_one_link_are_refused_on_another_between_the_same_nodes() {
    let (mut first, _, _) = established(1);
    let (_, mut other, _) = established(2);
    first.send(NOW, Class::Control, b"once".to_vec()).unwrap();
    let (frames, _) = said(&mut first);
    assert!(!frames.is_empty());
    hear(&mut other, &frames);
    assert!(said(&mut other).1);
}

#[test]
fn what_a_node_said_is_refused_when_it_is_said_back_to_it() {
    // A challenge reflected.
    let mut alone = end(true, 1, 3);
    let (hello, _) = said(&mut alone);
    hear(&mut alone, &hello);
    assert!(said(&mut alone).1 && !alone.is_established());
    // A message reflected.
    let (mut a, _, _) = established(4);
    a.send(NOW, Class::Control, b"once".to_vec()).unwrap();
    let (frames, _) = said(&mut a);
    hear(&mut a, &frames);
    assert!(said(&mut a).1);
}

#[test]
fn nobody_answers_a_challenge_for_another_node() {
    // Node 3 passes what node 2 says on to node 1: node 1 is linked with node 2, and node 3 reads
    // nothing; what node 3 says itself ends the link.
    let (mut a, mut b, _) = established(5);
    let mut between = end(true, 3, 6);
    let (own, _) = said(&mut between);
    hear(&mut a, &own);
    assert!(said(&mut a).1);
    hear(&mut b, &own);
    assert!(said(&mut b).1);
}
