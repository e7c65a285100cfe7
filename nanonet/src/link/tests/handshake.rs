//! What a handshake promises.

use nano_core::{Network, UnixMillis};

use super::pair::{Pair, START, identity, link, link_with, record};
use crate::link::{Channel, Class, LinkConfig, LinkError, LinkOutput, SendError};
use crate::peer::PROTOCOL_VERSION;

fn failures(mut pair: Pair) -> [Option<LinkError>; 2] {
    pair.run_for(20_000_000);
    pair.ends.map(|end| end.failed)
}

#[test]
fn both_ends_learn_each_others_signed_record() {
    let pair = Pair::established();
    let [a, b] = pair.ends;
    assert_eq!(a.peer, Some(record(&identity(2), Network::Dev)));
    assert_eq!(b.peer, Some(record(&identity(1), Network::Dev)));
}

#[test]
fn a_handshake_takes_one_and_a_half_round_trips() {
    let mut pair = Pair::new();
    pair.run_for(39_000);
    assert!(!pair.ends[0].link.is_established());
    pair.run_for(4_000);
    assert!(pair.ends[0].link.is_established());
    assert!(!pair.ends[1].link.is_established());
    pair.run_for(20_000);
    assert!(pair.ends[1].link.is_established());
}

#[test]
fn nothing_is_sent_to_a_peer_that_is_not_proven() {
    let mut link = link(true, 1, Network::Dev, None);
    assert_eq!(
        link.send(UnixMillis(START), Class::Query, vec![1]),
        Err(SendError::NotEstablished)
    );
}

#[test]
fn the_other_network_is_named_at_both_ends() {
    let initiator = link(true, 1, Network::Dev, None);
    let responder = link(false, 2, Network::Live, None);
    let expected =
        [(Network::Live, Network::Dev), (Network::Dev, Network::Live)].map(|(theirs, ours)| {
            Some(LinkError::OtherNetwork {
                theirs: theirs.id(),
                ours,
            })
        });
    assert_eq!(failures(Pair::of(initiator, responder)), expected);
}

#[test]
fn the_other_version_is_named_at_both_ends() {
    // The hello of a node of the next version, as it goes over the wire.
    let mut initiator = link(true, 1, Network::Dev, None);
    let Some(LinkOutput::Transmit {
        bytes: mut hello, ..
    }) = initiator.poll()
    else {
        panic!("the initiator speaks first");
    };
    let version = 1 + 32 + 7;
    hello[version] += 1;
    let mut responder = link(false, 2, Network::Dev, None);
    responder.receive(UnixMillis(START), Channel::Ordered, &hello);
    let Some(LinkOutput::Transmit { bytes: refusal, .. }) = responder.poll() else {
        panic!("the responder says why");
    };
    let theirs = PROTOCOL_VERSION + 1;
    let error = LinkError::OtherVersion {
        theirs,
        ours: PROTOCOL_VERSION,
    };
    assert_eq!(responder.poll(), Some(LinkOutput::Failed(error)));
    // And the same refusal as a node of the next version would send it.
    let mut refusal = refusal;
    refusal[2] += 1;
    initiator.receive(UnixMillis(START), Channel::Ordered, &refusal);
    assert_eq!(initiator.poll(), Some(LinkOutput::Failed(error)));
}

#[test]
fn a_clear_text_that_hides_the_other_network_does_not_help() {
    // Both ends are told the same network, but the prologue knows better.
    let mut initiator = link(true, 1, Network::Live, None);
    let Some(LinkOutput::Transmit {
        bytes: mut hello, ..
    }) = initiator.poll()
    else {
        panic!("the initiator speaks first");
    };
    let network = 1 + 32 + 7 + 2;
    hello[network..network + 2].copy_from_slice(&Network::Dev.id());
    let mut responder = link(false, 2, Network::Dev, None);
    responder.receive(UnixMillis(START), Channel::Ordered, &hello);
    let Some(LinkOutput::Transmit { bytes: answer, .. }) = responder.poll() else {
        panic!("the responder answers");
    };
    initiator.receive(UnixMillis(START), Channel::Ordered, &answer);
    let error = LinkError::BadHandshake { message: 2 };
    assert_eq!(initiator.poll(), Some(LinkOutput::Failed(error)));
}

#[test]
fn another_node_than_expected_is_refused_and_told_so() {
    let expected = identity(3).node_key();
    let initiator = link(true, 1, Network::Dev, Some(expected));
    let found = identity(2).node_key();
    let errors = failures(Pair::of(initiator, link(false, 2, Network::Dev, None)));
    assert_eq!(errors[0], Some(LinkError::OtherPeer { expected, found }));
    assert_eq!(errors[1], Some(LinkError::Refused { code: 2 }));

    let responder = link(false, 2, Network::Dev, Some(expected));
    let found = identity(1).node_key();
    let errors = failures(Pair::of(link(true, 1, Network::Dev, None), responder));
    assert_eq!(errors[0], Some(LinkError::ClosedByPeer { code: 0 }));
    assert_eq!(errors[1], Some(LinkError::OtherPeer { expected, found }));
}

#[test]
fn the_expected_node_is_accepted() {
    let initiator = link(true, 1, Network::Dev, Some(identity(2).node_key()));
    let mut pair = Pair::of(initiator, link(false, 2, Network::Dev, None));
    pair.run_for(1_000_000);
    assert!(pair.ends[0].link.is_established());
}

#[test]
fn a_link_to_oneself_is_noticed() {
    let pair = Pair::of(
        link(true, 1, Network::Dev, None),
        link(false, 1, Network::Dev, None),
    );
    assert_eq!(failures(pair)[0], Some(LinkError::Ourselves));
}

#[test]
fn the_record_of_somebody_else_is_refused() {
    // Node 2 shows the record of node 3, which names another Noise key.
    let record = record(&identity(3), Network::Dev);
    let responder = link_with(
        false,
        2,
        LinkConfig {
            record,
            expected: None,
        },
    );
    let pair = Pair::of(link(true, 1, Network::Dev, None), responder);
    assert_eq!(failures(pair)[0], Some(LinkError::BadRecord));
}

#[test]
fn a_record_that_its_node_did_not_sign_is_refused() {
    // Node 2 shows its own Noise key under the name of node 3.
    for initiator in [true, false] {
        let mut record = record(&identity(2), Network::Dev);
        record.node_key = identity(3).node_key();
        let liar = link_with(
            initiator,
            2,
            LinkConfig {
                record,
                expected: None,
            },
        );
        let honest = link(!initiator, 1, Network::Dev, None);
        let errors = if initiator {
            failures(Pair::of(liar, honest))[1]
        } else {
            failures(Pair::of(honest, liar))[0]
        };
        assert!(
            matches!(errors, Some(LinkError::BadRecordSignature(_))),
            "{errors:?}"
        );
    }
}

#[test]
fn a_peer_that_sends_nothing_is_given_up_after_ten_seconds() {
    for initiator in [true, false] {
        let mut link = link(initiator, 1, Network::Dev, None);
        let deadline = link.next_timeout().unwrap();
        assert_eq!(deadline, UnixMillis(START + 10_000));
        link.handle_timeout(UnixMillis(deadline.0 - 1));
        assert!(link.next_timeout().is_some());
        link.handle_timeout(deadline);
        let last = std::iter::from_fn(|| link.poll()).last();
        assert_eq!(last, Some(LinkOutput::Failed(LinkError::HandshakeTimeout)));
        assert_eq!(link.next_timeout(), None);
    }
}

#[test]
fn one_seed_gives_the_same_frames_again() {
    let frames = || {
        let mut link = link(true, 1, Network::Dev, None);
        link.poll()
    };
    assert_eq!(frames(), frames());
}
