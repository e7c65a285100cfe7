//! Messages arrive, nothing fills up, and links that say nothing stay.

use proptest::prelude::*;

use super::pair::{End, Pair};
use crate::link::class::MESSAGE_COST;
use crate::link::{Class, LinkError, LinkStats, Phase, SEND_CREDIT, SendError};

/// Bytes the link of this end holds of a class.
fn held(end: &End, class: Class) -> u32 {
    match &end.link.phase {
        Phase::Established(session) => session.incoming.held(class),
        Phase::Handshaking { .. } | Phase::Ended => 0,
    }
}

/// A message that tells its number and length.
fn message(number: usize, length: usize) -> Vec<u8> {
    (0..length)
        .map(|at| u8::try_from((number * 31 + at) % 251).unwrap())
        .collect()
}

#[test]
fn the_longest_message_of_every_class_arrives_unchanged() {
    let mut pair = Pair::established();
    for class in Class::ALL {
        let longest = message(1, class.message_limit() as usize);
        pair.send(0, class, longest.clone()).unwrap();
        let count = pair.ends[1].messages.len() + 1;
        pair.run_until_messages(1, count);
        let (_, found, bytes) = pair.ends[1].messages.pop().unwrap();
        assert_eq!((found, bytes == longest), (class, true));
    }
}

#[test]
fn a_receiver_that_is_busy_stops_the_sender_and_goes_on_where_it_stopped() {
    for class in Class::ALL {
        let mut pair = Pair::established();
        pair.ends[1].busy = true;
        let length = class.message_limit() as usize;
        let mut sent = 0;
        for _ in 0..50 {
            while pair.send(0, class, message(sent, length)).is_ok() {
                sent += 1;
            }
            pair.run_for(1_000_000);
            assert!(held(&pair.ends[1], class) <= class.window());
        }
        // Queue and window are full, and the link has not ended.
        let refused = pair.send(0, class, message(sent, length));
        assert_eq!(refused, Err(SendError::Full { class }));
        assert!(held(&pair.ends[1], class) + class.message_limit() > class.window() / 2);
        assert_eq!(pair.ends[0].failed, None);
        pair.ends[1].busy = false;
        pair.run_until_messages(1, sent);
        for (number, (_, _, bytes)) in pair.ends[1].messages.iter().enumerate() {
            assert!(*bytes == message(number, length));
        }
    }
}

#[test]
fn a_transport_that_takes_nothing_gets_no_more_than_the_send_credit() {
    let mut pair = Pair::established();
    // Nobody calls `step`: nothing is ever written.
    for class in Class::ALL {
        while pair
            .send(0, class, vec![0; class.message_limit() as usize])
            .is_ok()
        {}
    }
    pair.poll();
    assert!(pair.ends[0].most_unwritten <= SEND_CREDIT);
    assert!(pair.ends[0].most_unwritten > SEND_CREDIT / 2);
}

#[test]
fn a_link_with_nothing_to_say_stays_for_days_on_its_pings() {
    let mut pair = Pair::established();
    let before = pair.ends[0].link.stats();
    pair.run_for(48 * 3600 * 1_000_000);
    for end in &pair.ends {
        assert_eq!(end.failed, None);
        // A ping or a pong every ten seconds, 25 bytes each.
        let bytes = end.link.stats().bytes_out - before.bytes_out;
        assert!(bytes <= 48 * 3600 / 10 * 30, "{bytes}");
    }
}

#[test]
fn an_idle_link_is_small() {
    // A bridge holds thousands. Besides these, two ciphers of 64 bytes; queues are empty.
    let bytes = size_of::<crate::link::Link>() + size_of::<crate::link::Session>();
    assert!(bytes <= 1536, "{bytes}");
}

#[test]
fn the_round_trip_is_measured() {
    let pair = Pair::established();
    for end in &pair.ends {
        assert_eq!(end.link.rtt_ms(), Some(40));
    }
}

#[test]
fn a_peer_that_vanishes_is_given_up_after_a_minute() {
    let mut pair = Pair::established();
    let [end, _] = &mut pair.ends;
    while end.failed.is_none() {
        let at = end.link.next_timeout().unwrap();
        end.link.handle_timeout(at);
        while let Some(output) = end.link.poll() {
            if let crate::link::LinkOutput::Failed(error) = output {
                end.failed = Some(error);
            }
        }
    }
    assert_eq!(end.failed, Some(LinkError::Silent));
    assert_eq!(end.link.next_timeout(), None);
}

#[test]
fn a_closed_link_tells_the_peer_why_after_what_it_said_before() {
    let mut pair = Pair::established();
    pair.send(0, Class::Query, vec![7]).unwrap();
    pair.poll();
    pair.ends[0].link.close(42);
    pair.ends[0].link.close(43);
    pair.run_for(1_000_000);
    assert_eq!(pair.ends[0].failed, Some(LinkError::ClosedHere));
    assert_eq!(
        pair.ends[1].failed,
        Some(LinkError::ClosedByPeer { code: 42 })
    );
    assert_eq!(pair.ends[1].messages.len(), 1);
    let now = pair.unix();
    for end in &mut pair.ends {
        assert_eq!(
            end.link.send(now, Class::Query, vec![1]),
            Err(SendError::NotEstablished)
        );
        assert_eq!(end.link.next_timeout(), None);
        assert!(!end.link.is_established());
    }
}

#[test]
fn both_ends_count_the_same_bytes_and_messages() {
    let mut pair = Pair::established();
    pair.send(0, Class::Bulk, vec![7; 100_000]).unwrap();
    pair.send(1, Class::Query, vec![7; 10]).unwrap();
    pair.run_for(1_000_000);
    let [a, b] = [0, 1].map(|side: usize| pair.ends[side].link.stats());
    let mirrored = LinkStats {
        bytes_in: a.bytes_out,
        bytes_out: a.bytes_in,
        messages_in: a.messages_out,
        messages_out: a.messages_in,
        ..LinkStats::default()
    };
    assert_eq!(b, mirrored);
    assert_eq!((a.messages_out, b.messages_out), (1, 1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_message_taken_arrives_whole_and_in_order(
        sends in prop::collection::vec(
            (0_usize..2, 0_usize..4, 1_usize..40_000, 0_u64..30_000),
            1..60,
        ),
    ) {
        let mut pair = Pair::established();
        let mut sent: [[Vec<Vec<u8>>; 4]; 2] = Default::default();
        for (number, (side, class, length, pause)) in sends.into_iter().enumerate() {
            let bytes = message(number, length);
            if pair.send(side, Class::ALL[class], bytes.clone()).is_ok() {
                sent[1 - side][class].push(bytes);
            }
            pair.run_for(pause);
        }
        pair.run_for(10_000_000);
        for (side, sent) in sent.iter().enumerate() {
            prop_assert_eq!(pair.ends[side].failed, None);
            prop_assert!(pair.ends[side].most_unwritten <= SEND_CREDIT);
            for class in Class::ALL {
                let messages = pair.ends[side].messages.iter();
                let found: Vec<_> = messages
                    .filter(|(_, found, _)| *found == class)
                    .map(|(_, _, bytes)| bytes)
                    .collect();
                let expected: Vec<_> = sent[class as usize].iter().collect();
                prop_assert!(found == expected);
                prop_assert_eq!(pair.ends[side].link.queued(class), 0);
            }
        }
    }

    #[test]
    fn longest_messages_back_to_back_never_lock_up(class in 0_usize..4, count in 2_usize..8) {
        let class = Class::ALL[class];
        let mut pair = Pair::established();
        let mut sent = 0;
        while sent < count {
            let longest = vec![1; class.message_limit() as usize];
            if pair.send(0, class, longest).is_ok() {
                sent += 1;
            }
            // Less than a chunk between two that are cut at other places.
            if pair.send(0, class, vec![1; MESSAGE_COST as usize]).is_ok() {
                sent += 1;
            }
            pair.run_for(100_000);
        }
        pair.run_until_messages(1, sent);
    }
}
