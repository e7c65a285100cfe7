//! What a peer or a network that means harm achieves: the end of this one link, by name.

use nano_core::{Network, UnixMillis};
use proptest::prelude::*;

use super::pair::{Pair, START, link};
use crate::link::class::{LINK_ITEMS, MAX_CHUNK, MESSAGE_COST};
use crate::link::frame::Item;
use crate::link::{Channel, Class, Link, LinkError, LinkOutput, MAX_FRAME, Phase};

const NOW: UnixMillis = UnixMillis(START + 2000);

/// The frame a peer sends that writes what it wants instead of what the rules allow.
fn forged(peer: &mut Link, items: &[u8]) -> Vec<u8> {
    match &mut peer.phase {
        Phase::Established(session) => session.cipher.seal(items).unwrap(),
        Phase::Handshaking { .. } | Phase::Ended => panic!("the pair is established"),
    }
}

fn items(items: &[Item<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for item in items {
        item.write(&mut bytes);
    }
    bytes
}

/// How the link ended, if it did.
fn end_of(link: &mut Link) -> Option<LinkError> {
    std::iter::from_fn(|| link.poll()).find_map(|output| match output {
        LinkOutput::Failed(error) => Some(error),
        _ => None,
    })
}

/// How an honest end answers to a frame with these items.
fn answer_to(bytes: &[u8]) -> Option<LinkError> {
    let mut pair = Pair::established();
    let frame = forged(&mut pair.ends[0].link, bytes);
    pair.ends[1].link.receive(NOW, Channel::Ordered, &frame);
    end_of(&mut pair.ends[1].link)
}

/// The frames of an honest peer that sends these bulk bytes.
fn frames(pair: &mut Pair, length: usize) -> Vec<Vec<u8>> {
    let peer = &mut pair.ends[0].link;
    peer.send(NOW, Class::Bulk, vec![1; length]).unwrap();
    std::iter::from_fn(|| peer.poll())
        .map(|output| match output {
            LinkOutput::Transmit { bytes: frame, .. } => frame,
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn garbage_a_replay_a_swap_and_a_gap_end_the_link() {
    let tamper: [fn(&mut Vec<Vec<u8>>); 5] = [
        |frames| frames[0] = vec![0x55; 400],
        |frames| frames[0] = Vec::new(),
        |frames| frames.insert(1, frames[0].clone()),
        |frames| frames.swap(0, 1),
        |frames| drop(frames.remove(0)),
    ];
    for tamper in tamper {
        let mut pair = Pair::established();
        let mut frames = frames(&mut pair, 30_000);
        tamper(&mut frames);
        let link = &mut pair.ends[1].link;
        for frame in &frames {
            link.receive(NOW, Channel::Ordered, frame);
        }
        assert_eq!(end_of(link), Some(LinkError::Undecryptable));
        assert_eq!(link.next_timeout(), None);
    }
}

#[test]
fn a_frame_longer_than_allowed_ends_the_link_before_it_is_read() {
    let length = MAX_FRAME + 1;
    let expected = Some(LinkError::FrameTooLong { length });
    let mut pair = Pair::established();
    pair.ends[1]
        .link
        .receive(NOW, Channel::Ordered, &vec![0; length]);
    assert_eq!(end_of(&mut pair.ends[1].link), expected);
    let mut fresh = link(false, 2, Network::Dev, None);
    fresh.receive(NOW, Channel::Ordered, &vec![0; length]);
    assert_eq!(end_of(&mut fresh), expected);
}

#[test]
fn malformed_items_end_the_link() {
    assert_eq!(answer_to(&[]), Some(LinkError::MalformedFrame { at: 0 }));
    let mut bytes = items(&[Item::Ping { token: 1 }]);
    bytes.push(0xff);
    assert_eq!(answer_to(&bytes), Some(LinkError::MalformedFrame { at: 9 }));
}

#[test]
fn more_than_the_granted_credit_ends_the_link() {
    let class = Class::Query;
    let mut pair = Pair::established();
    let [peer, honest] = &mut pair.ends;
    let bytes = [1; MAX_CHUNK];
    let mut received = 0;
    // The honest node is busy: it takes nothing.
    let error = (0..).find_map(|number| {
        let frame = forged(
            &mut peer.link,
            &items(&[Item::Chunk {
                class,
                number,
                last: true,
                bytes: &bytes,
            }]),
        );
        honest.link.receive(NOW, Channel::Ordered, &frame);
        received += u32::try_from(MAX_CHUNK).unwrap() + MESSAGE_COST;
        matches!(honest.link.phase, Phase::Ended).then(|| end_of(&mut honest.link))
    });
    assert_eq!(error, Some(Some(LinkError::WindowExceeded { class })));
    assert!(received > class.window() && received <= class.window() + 2 * 16_384);
}

#[test]
fn what_no_honest_sender_does_is_named() {
    let class = Class::Control;
    let short = [1; 10];
    let cases: [(Item<'_>, LinkError); 5] = [
        (
            Item::Chunk {
                class,
                number: 7,
                last: true,
                bytes: &short,
            },
            LinkError::OutOfOrder {
                class,
                expected: 0,
                found: 7,
            },
        ),
        (
            Item::Chunk {
                class,
                number: 0,
                last: false,
                bytes: &short,
            },
            LinkError::ShortChunk { class },
        ),
        (
            Item::Credit { class, amount: 1 },
            LinkError::BadCredit { class },
        ),
        (
            Item::Credit { class, amount: 0 },
            LinkError::BadCredit { class },
        ),
        (Item::Close { code: 9 }, LinkError::ClosedByPeer { code: 9 }),
    ];
    for (item, error) in cases {
        assert_eq!(answer_to(&items(&[item])), Some(error));
    }
}

#[test]
fn a_message_beyond_its_limit_ends_the_link() {
    let class = Class::Control;
    let long = [1; MAX_CHUNK];
    let bytes = items(&[Item::Chunk {
        class,
        number: 0,
        last: false,
        bytes: &long,
    }]);
    let mut pair = Pair::established();
    let [peer, honest] = &mut pair.ends;
    for _ in 0..2 {
        honest
            .link
            .receive(NOW, Channel::Ordered, &forged(&mut peer.link, &bytes));
    }
    assert_eq!(
        end_of(&mut honest.link),
        Some(LinkError::MessageTooLong { class })
    );
}

#[test]
fn a_frame_full_of_pings_costs_one_pong() {
    let mut pair = Pair::established();
    let [peer, honest] = &mut pair.ends;
    let pings: Vec<_> = (0..1800).map(|token| Item::Ping { token }).collect();
    honest.link.receive(
        NOW,
        Channel::Ordered,
        &forged(&mut peer.link, &items(&pings)),
    );
    let before = honest.link.stats().bytes_out;
    assert_eq!(end_of(&mut honest.link), None);
    assert!(honest.link.stats().bytes_out - before <= (LINK_ITEMS + 16) as u64);
}

#[test]
fn the_peer_at_fault_is_told() {
    let mut pair = Pair::established();
    let frame = forged(&mut pair.ends[0].link, &[0xff]);
    let now = pair.unix();
    pair.ends[1].link.receive(now, Channel::Ordered, &frame);
    pair.run_for(1_000_000);
    assert_eq!(
        pair.ends[1].failed,
        Some(LinkError::MalformedFrame { at: 0 })
    );
    assert_eq!(
        pair.ends[0].failed,
        Some(LinkError::ClosedByPeer { code: 0 })
    );
}

/// Runs a handshake in which `tamper` sees message `number` (1 to 3) on its way; how both ended,
/// and whether they were established before.
fn tampered(number: usize, tamper: impl Fn(&mut Vec<u8>)) -> [(bool, Option<LinkError>); 2] {
    let mut links = [
        link(true, 1, Network::Dev, None),
        link(false, 2, Network::Dev, None),
    ];
    let mut seen: [Vec<LinkOutput>; 2] = Default::default();
    for message in 1..=3 {
        let from = (message + 1) % 2;
        let mut frame = match links[from].poll() {
            Some(LinkOutput::Transmit { bytes: frame, .. }) => frame,
            other => {
                seen[from].extend(other);
                break;
            }
        };
        if message == number {
            tamper(&mut frame);
        }
        links[1 - from].receive(NOW, Channel::Ordered, &frame);
    }
    [0, 1].map(|side: usize| {
        let mut outputs = std::mem::take(&mut seen[side]);
        outputs.extend(std::iter::from_fn(|| links[side].poll()));
        let up = outputs
            .iter()
            .any(|output| matches!(output, LinkOutput::Established(_)));
        let error = outputs.into_iter().find_map(|output| match output {
            LinkOutput::Failed(error) => Some(error),
            _ => None,
        });
        (up, error)
    })
}

/// The length of each handshake message.
fn lengths() -> [usize; 3] {
    [1, 2, 3].map(|number| {
        let length = std::cell::Cell::new(0);
        tampered(number, |frame| length.set(frame.len()));
        length.get()
    })
}

#[test]
fn a_truncated_handshake_message_is_named_whatever_is_left_of_it() {
    let lengths = lengths();
    for length in 0..lengths[0] {
        let [_, (up, error)] = tampered(1, |frame| frame.truncate(length));
        assert_eq!((up, error), (false, Some(LinkError::NotNanonet)));
    }
    for length in 0..lengths[1] {
        let [(up, error), _] = tampered(2, |frame| frame.truncate(length));
        assert_eq!(
            (up, error),
            (false, Some(LinkError::BadHandshake { message: 2 }))
        );
    }
    for length in 0..lengths[2] {
        let [_, (up, error)] = tampered(3, |frame| frame.truncate(length));
        assert_eq!(
            (up, error),
            (false, Some(LinkError::BadHandshake { message: 3 }))
        );
    }
}

#[test]
fn a_forged_refusal_does_no_more_than_cut_the_connection() {
    let [(up, error), _] = tampered(2, |frame| *frame = vec![0, 77, 1, 0, b'R', b'A']);
    assert_eq!((up, error), (false, Some(LinkError::Refused { code: 77 })));
    let [(up, error), _] = tampered(2, |frame| *frame = vec![0]);
    assert_eq!(
        (up, error),
        (false, Some(LinkError::BadHandshake { message: 2 }))
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_altered_handshake_never_establishes_both_ends(
        number in 1_usize..=3, place: usize, change in 1_u8..,
    ) {
        let [initiator, responder] = tampered(number, |frame| {
            let place = place % frame.len();
            frame[place] ^= change;
        });
        prop_assert!(!responder.0);
        prop_assert!(responder.1.is_some() || initiator.1.is_some());
    }

    #[test]
    fn whatever_a_stranger_sends_first_ends_in_an_error_or_a_wait(
        initiator: bool, kind in 0_u8..5, rest in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let mut link = link(initiator, 1, Network::Dev, None);
        let mut frame = vec![kind];
        frame.extend_from_slice(&rest);
        link.receive(NOW, Channel::Ordered, &frame);
        let end = end_of(&mut link);
        prop_assert!(!link.is_established());
        prop_assert_eq!(end.is_none(), link.next_timeout().is_some());
    }

    #[test]
    fn whatever_a_proven_peer_writes_ends_the_link_or_stays_within_its_windows(
        chunks in prop::collection::vec(
            (prop::collection::vec(0_u8..0x70, 0..30), any::<bool>(), 0_u8..4), 1..40,
        ),
    ) {
        let mut pair = Pair::established();
        let [peer, honest] = &mut pair.ends;
        for (number, (noise, chunk, class)) in (0..).zip(chunks) {
            let bytes = if chunk {
                let class = Class::ALL[usize::from(class)];
                items(&[Item::Chunk { class, number, last: true, bytes: &[1; 5000] }])
            } else {
                noise
            };
            honest.link.receive(NOW, Channel::Ordered, &forged(&mut peer.link, &bytes));
            if let Phase::Established(session) = &honest.link.phase {
                for class in Class::ALL {
                    prop_assert!(session.incoming.held(class) <= class.window());
                }
            }
        }
    }
}
