//! What a node may rely on of a link, shown of the product's own and of the stand-in without
//! encryption alike: a world of many nodes shows nothing that links do not really do.

// A test that meets what cannot be shall stop.
#![allow(clippy::unwrap_used)]

mod ends;

use nanonet::link::datagram::{Datagrams, MAX_DATAGRAM};
use nanonet::link::{Link, LinkEnd, LinkError, SendError};
use nanonet::{Channel, Class, MAX_FRAME, Rng};
use simulation::open::OpenLink;

use crate::ends::{Ends, WAY_MS};

/// Runs every promise with both kinds of links.
macro_rules! promises {
    ($($name:ident),* $(,)?) => {
        mod with_encryption {
            $(#[test]
            fn $name() {
                super::$name::<super::Link>();
            })*
        }
        mod without_encryption {
            $(#[test]
            fn $name() {
                super::$name::<super::OpenLink>();
            })*
        }
    };
}

promises!(
    both_ends_learn_who_the_other_is_and_how_far_away,
    messages_of_every_class_arrive_whole_and_in_order,
    queries_are_numbered_and_acknowledged_over_an_ordered_transport,
    queries_take_the_unordered_channel_while_both_ends_have_it,
    long_queries_take_the_ordered_channel,
    what_is_lost_comes_again_after_twice_the_round_trip,
    what_is_lost_five_times_is_given_up,
    whatever_the_channel_does_queries_come_at_most_once_and_mostly,
    a_channel_that_takes_nothing_back_fills_up_and_refuses,
    before_the_handshake_and_after_the_end_nothing_is_taken,
);

fn both_ends_learn_who_the_other_is_and_how_far_away<L: LinkEnd>() {
    let ends = Ends::<L>::established();
    for side in [0, 1] {
        assert_eq!(ends.peers[side], Some(ends.keys[1 - side]));
        let trip = ends.links[side].rtt_ms().map(u64::from);
        assert_eq!(trip, Some(2 * WAY_MS));
    }
}

fn messages_of_every_class_arrive_whole_and_in_order<L: LinkEnd>() {
    let mut ends = Ends::<L>::established();
    for class in Class::ALL {
        for number in 0..10 {
            let message = vec![number; 1 + usize::from(number) * 1_000];
            ends.send(0, class, message).unwrap();
        }
        ends.run(2_000);
        let got = std::mem::take(&mut ends.got[1]);
        assert_eq!(got.len(), 10);
        for (number, (found, bytes)) in (0_u8..).zip(got) {
            assert_eq!(found, class);
            assert_eq!(bytes, vec![number; 1 + usize::from(number) * 1_000]);
        }
    }
}

fn queries_are_numbered_and_acknowledged_over_an_ordered_transport<L: LinkEnd>() {
    let mut ends = Ends::<L>::established();
    let mut numbers = Vec::new();
    for class in [Class::Query, Class::Gossip, Class::Query, Class::Bulk] {
        numbers.extend(ends.send(0, class, vec![1; 300]).unwrap());
    }
    let named: Vec<u32> = numbers.iter().map(|query| query.number).collect();
    assert_eq!(named, [0, 1]);
    let ordered = |query: &nanonet::QueryNumber| query.channel == Channel::Ordered;
    assert!(numbers.iter().all(ordered));
    ends.run(2 * WAY_MS);
    assert_eq!(ends.acked[0], numbers);
    assert_eq!(ends.got[1].len(), 4);
    assert!(ends.acked[1].is_empty());
    // Nothing is sent again, and no timer runs but those of every link.
    ends.run(5_000);
    assert_eq!(ends.got[1].len(), 4);
}

fn queries_take_the_unordered_channel_while_both_ends_have_it<L: LinkEnd>() {
    let mut ends = Ends::<L>::established();
    let way = |ends: &mut Ends<L>| {
        let query = ends.send(0, Class::Query, vec![1; 300]).unwrap().unwrap();
        ends.run(500);
        assert_eq!(ends.acked[0].pop(), Some(query));
        assert_eq!(ends.got[1].pop(), Some((Class::Query, vec![1; 300])));
        query.channel
    };
    assert_eq!(way(&mut ends), Channel::Ordered);
    ends.set_unordered(0, true);
    assert_eq!(way(&mut ends), Channel::Ordered);
    ends.set_unordered(1, true);
    assert_eq!(way(&mut ends), Channel::Unordered);
    ends.set_unordered(1, false);
    assert_eq!(way(&mut ends), Channel::Ordered);
    ends.set_unordered(1, true);
    ends.set_unordered(0, false);
    assert_eq!(way(&mut ends), Channel::Ordered);
    let [ordered, unordered] = ends.longest[0];
    assert!(ordered <= MAX_FRAME && unordered <= MAX_DATAGRAM);
}

fn long_queries_take_the_ordered_channel<L: LinkEnd>() {
    let mut ends = Ends::<L>::with_unordered();
    let most = (1..=Class::Query.message_limit() as usize)
        .rev()
        .find(|length| Datagrams::fits(*length))
        .unwrap();
    for (length, channel) in [(most, Channel::Unordered), (most + 1, Channel::Ordered)] {
        let query = ends.send(0, Class::Query, vec![5; length]).unwrap();
        assert_eq!(query.unwrap().channel, channel);
        ends.run(1_000);
        assert_eq!(ends.got[1].pop(), Some((Class::Query, vec![5; length])));
        assert_eq!(ends.acked[0].pop(), query);
    }
    assert!(ends.longest[0][1] > 1_000 && ends.longest[0][1] <= MAX_DATAGRAM);
}

fn what_is_lost_comes_again_after_twice_the_round_trip<L: LinkEnd>() {
    let mut ends = Ends::<L>::with_unordered();
    ends.fates.extend([Vec::new()]);
    let query = ends.send(0, Class::Query, vec![1; 300]).unwrap();
    ends.run(4 * WAY_MS + 9 + WAY_MS);
    assert!(ends.got[1].is_empty());
    ends.run(1);
    assert_eq!(ends.got[1].len(), 1);
    ends.run(WAY_MS);
    assert_eq!(ends.acked[0], [query.unwrap()]);
    let stats = ends.links[0].stats().datagrams;
    assert_eq!((stats.sent, stats.resent, stats.given_up), (2, 1, 0));
}

fn what_is_lost_five_times_is_given_up<L: LinkEnd>() {
    let mut ends = Ends::<L>::with_unordered();
    ends.fates.extend(vec![Vec::new(); 5]);
    ends.send(0, Class::Query, vec![1; 300]).unwrap();
    ends.run(10_000);
    assert!(ends.got[1].is_empty() && ends.acked[0].is_empty());
    assert_eq!(ends.links[0].stats().datagrams.given_up, 1);
    assert!(ends.failed.iter().all(Option::is_none));
    let query = ends.send(0, Class::Query, vec![2; 300]).unwrap();
    ends.run(1_000);
    assert_eq!(ends.got[1], [(Class::Query, vec![2; 300])]);
    assert_eq!(ends.acked[0], [query.unwrap()]);
}

/// Loses up to three quarters, repeats a tenth, lets half overtake.
fn whatever_the_channel_does_queries_come_at_most_once_and_mostly<L: LinkEnd>() {
    for seed in 0..20_u8 {
        let mut rng = Rng::from_seed([seed; 32]);
        let mut ends = Ends::<L>::with_unordered();
        let loss = u32::from(seed) * 4;
        let mut sent = 0_u16;
        while sent < 100 {
            for _ in 0..10 {
                let copies = match rng.below(100) {
                    chance if chance < loss => 0,
                    chance if chance % 10 == 0 => 2,
                    _ => 1,
                };
                let delays = (0..copies).map(|_| WAY_MS + u64::from(rng.below(60)));
                ends.fates.push_back(delays.collect());
            }
            for side in [0, 1] {
                let mut message = sent.to_le_bytes().to_vec();
                message.resize(2 + rng.below(3_000) as usize, 7);
                ends.send(side, Class::Query, message).unwrap();
            }
            sent += 1;
            ends.run(u64::from(rng.below(40)));
        }
        ends.run(30_000);
        for side in [0, 1] {
            assert_eq!(ends.failed[side], None);
            let mut numbers: Vec<_> = ends.got[side]
                .iter()
                .map(|(_, bytes)| &bytes[..2])
                .collect();
            let count = numbers.len();
            numbers.sort_unstable();
            numbers.dedup();
            assert_eq!(numbers.len(), count, "each at most once");
            assert!(ends.acked[1 - side].len() <= count);
            let least = if loss <= 20 { 99 } else { 25 };
            assert!(count >= least, "{count} of {sent} came at {loss} % loss");
        }
    }
}

fn a_channel_that_takes_nothing_back_fills_up_and_refuses<L: LinkEnd>() {
    let class = Class::Query;
    let mut ends = Ends::<L>::with_unordered();
    ends.deaf = true;
    let mut taken = 0;
    let refused = loop {
        match ends.send(0, class, vec![1; 1_000]) {
            Ok(_) => taken += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(refused, SendError::Full { class });
    assert!((200..400).contains(&taken), "{taken}");
    ends.run(1);
    assert_eq!(ends.links[0].stats().datagrams.sent, 32);
    // Given up in time, which makes room.
    ends.run(60_000);
    assert!(ends.send(0, class, vec![1; 1_000]).is_ok());
    assert_eq!(ends.got[1], []);
}

fn before_the_handshake_and_after_the_end_nothing_is_taken<L: LinkEnd>() {
    let mut ends = Ends::<L>::new();
    let refused = Err(SendError::NotEstablished);
    assert_eq!(ends.send(0, Class::Query, vec![1]), refused);
    let now = ends.now;
    ends.links[1].receive(now, Channel::Unordered, &[0, 0, 0, 0, 0, 0, 1, 7]);
    ends.run(1_000);
    assert_eq!(ends.got[1], []);
    assert_eq!(ends.links[1].stats().unread, 1);
    ends.links[0].close(9);
    ends.run(1_000);
    let expected = [LinkError::ClosedHere, LinkError::ClosedByPeer { code: 9 }];
    assert_eq!(ends.failed, expected.map(Some));
    for side in [0, 1] {
        assert_eq!(ends.send(side, Class::Query, vec![1]), refused);
        assert_eq!(ends.links[side].next_timeout(), None);
    }
}
