//! Queries over a channel that loses, repeats and reorders, and what a peer achieves there.

use nano_core::{Network, UnixMillis};

use super::pair::{Pair, START, link};
use crate::link::datagram::MAX_DATAGRAM;
use crate::link::frame::Item;
use crate::link::{
    Channel, Class, Link, LinkError, LinkOutput, MAX_FORGED, MAX_FRAME, Phase, QueryNumber,
};

const NOW: UnixMillis = UnixMillis(START + 4000);
const UNORDERED: Channel = Channel::Unordered;

/// A pair whose ends have the channel and know it of each other.
fn with_channel() -> Pair {
    let mut pair = Pair::established();
    let now = pair.unix();
    for end in &mut pair.ends {
        end.link.set_unordered(now, true);
    }
    pair.run_for(1_000_000);
    pair
}

fn channel_of(number: Option<QueryNumber>) -> Option<Channel> {
    number.map(|number| number.channel)
}

/// The frames an end sends over the unordered channel now.
fn frames(link: &mut Link) -> Vec<Vec<u8>> {
    let outputs = std::iter::from_fn(|| link.poll());
    let frames = outputs.filter_map(|output| match output {
        LinkOutput::Transmit { channel, bytes } if channel == UNORDERED => Some(bytes),
        _ => None,
    });
    frames.collect()
}

/// The frame with whatever a proven peer likes to say.
fn forged(peer: &mut Link, datagram: &[u8]) -> Vec<u8> {
    match &mut peer.phase {
        Phase::Established(session) => session.cipher.seal_datagram(datagram).unwrap(),
        Phase::Handshaking { .. } | Phase::Ended => panic!("the pair is established"),
    }
}

/// A datagram with one short message.
fn short(number: u32) -> Vec<u8> {
    [&[0][..], &number.to_le_bytes(), &[0, 1, 7]].concat()
}

/// What the link tells: messages, and how it ended.
fn told(link: &mut Link) -> (usize, Option<LinkError>) {
    let (mut messages, mut end) = (0, None);
    while let Some(output) = link.poll() {
        match output {
            LinkOutput::Message { .. } => messages += 1,
            LinkOutput::Failed(error) => end = Some(error),
            _ => {}
        }
    }
    (messages, end)
}

#[test]
fn queries_that_fit_take_the_channel_once_both_ends_have_it() {
    let mut pair = Pair::established();
    let query = |pair: &mut Pair, length| {
        let number = pair.send(0, Class::Query, vec![1; length]).unwrap();
        let count = pair.ends[1].messages.len() + 1;
        pair.run_until_messages(1, count);
        pair.run_for(1_000_000);
        assert_eq!(pair.ends[0].acked.pop(), number);
        channel_of(number)
    };
    assert_eq!(query(&mut pair, 10), Some(Channel::Ordered));
    let now = pair.unix();
    pair.ends[0].link.set_unordered(now, true);
    pair.run_for(1_000_000);
    assert_eq!(query(&mut pair, 10), Some(Channel::Ordered));
    pair.ends[1].link.set_unordered(now, true);
    pair.run_for(1_000_000);
    assert_eq!(query(&mut pair, 10), Some(UNORDERED));
    assert_eq!(query(&mut pair, 16 * 1024), Some(UNORDERED));
    assert_eq!(query(&mut pair, 16 * 1024 + 1), Some(Channel::Ordered));
    for class in [Class::Control, Class::Gossip, Class::Bulk] {
        assert_eq!(pair.send(0, class, vec![1]), Ok(None));
    }
}

#[test]
fn when_the_channel_is_gone_queries_go_the_ordered_way_again() {
    for side in [0, 1] {
        let mut pair = with_channel();
        let now = pair.unix();
        pair.send(0, Class::Query, vec![1; 10]).unwrap();
        pair.ends[side].link.set_unordered(now, false);
        pair.run_for(1_000_000);
        assert_eq!(pair.ends[0].link.queued(Class::Query), 0);
        let number = pair.send(0, Class::Query, vec![2; 10]).unwrap();
        assert_eq!(channel_of(number), Some(Channel::Ordered));
        pair.run_for(1_000_000);
        assert_eq!(pair.ends[1].messages.last().unwrap().2, [2; 10]);
        assert!(pair.ends[0].acked.contains(&number.unwrap()));
    }
}

#[test]
fn a_query_lost_on_the_way_comes_after_twice_the_round_trip() {
    let mut pair = with_channel();
    pair.lose = 1;
    let start = pair.now;
    pair.send(0, Class::Query, vec![1; 10]).unwrap();
    let count = pair.ends[1].messages.len() + 1;
    let arrived = pair.run_until_messages(1, count);
    // The way is 20 ms; two round trips and the slack before it goes again.
    assert!((109_000..115_000).contains(&(arrived - start)), "{arrived}");
    pair.run_for(1_000_000);
    assert_eq!(pair.ends[1].messages.len(), count);
    assert_eq!(pair.ends[0].acked.len(), 1);
    assert_eq!(pair.ends[0].link.stats().datagrams.resent, 1);
}

#[test]
fn the_round_trip_is_known_when_the_handshake_is_done() {
    let pair = Pair::established();
    for end in &pair.ends {
        let trip = end.link.rtt_ms().unwrap();
        assert!((40..45).contains(&trip), "{trip}");
    }
}

#[test]
fn frames_are_read_in_any_order_and_each_once() {
    let mut pair = with_channel();
    for _ in 0..20 {
        pair.send(0, Class::Query, vec![1; 10]).unwrap();
    }
    let [peer, honest] = &mut pair.ends;
    let frames = frames(&mut peer.link);
    assert_eq!(frames.len(), 20);
    for frame in frames.iter().rev() {
        honest.link.receive(NOW, UNORDERED, frame);
    }
    assert_eq!(told(&mut honest.link), (20, None));
    for frame in &frames {
        honest.link.receive(NOW, UNORDERED, frame);
    }
    assert_eq!(told(&mut honest.link), (0, None));
    assert_eq!(honest.link.stats().unread, 20);
    // Not even read: neither acknowledged again nor counted as repeated.
    assert_eq!(honest.link.stats().datagrams.repeated, 0);
}

#[test]
fn a_frame_too_late_to_be_told_from_a_replay_is_dropped() {
    let mut pair = with_channel();
    let [peer, honest] = &mut pair.ends;
    let late = forged(&mut peer.link, &short(0));
    for number in 1..=128 {
        let frame = forged(&mut peer.link, &short(number));
        honest.link.receive(NOW, UNORDERED, &frame);
    }
    assert_eq!(told(&mut honest.link), (128, None));
    honest.link.receive(NOW, UNORDERED, &late);
    assert_eq!(told(&mut honest.link), (0, None));
    assert_eq!(honest.link.stats().unread, 1);
}

#[test]
fn what_is_not_the_peers_is_dropped_and_too_much_of_it_ends_the_link() {
    let mut pair = with_channel();
    let [peer, honest] = &mut pair.ends;
    let good = forged(&mut peer.link, &short(0));
    let mut altered = good.clone();
    altered[10] ^= 1;
    let garbage = [
        Vec::new(),
        vec![1; 3],
        vec![7; 300],
        vec![7; MAX_FRAME],
        altered,
    ];
    for frame in &garbage {
        honest.link.receive(NOW, UNORDERED, frame);
    }
    assert_eq!(told(&mut honest.link), (0, None));
    assert_eq!(honest.link.stats().unread, 5);
    honest.link.receive(NOW, UNORDERED, &good);
    assert_eq!(told(&mut honest.link), (1, None));
    for _ in 5..MAX_FORGED {
        honest.link.receive(NOW, UNORDERED, &garbage[2]);
    }
    assert_eq!(told(&mut honest.link), (0, None));
    honest.link.receive(NOW, UNORDERED, &garbage[2]);
    assert_eq!(told(&mut honest.link), (0, Some(LinkError::Forged)));
}

#[test]
fn a_frame_of_one_channel_is_not_read_on_the_other() {
    let mut pair = with_channel();
    pair.send(0, Class::Control, vec![1; 10]).unwrap();
    let [peer, honest] = &mut pair.ends;
    let Some(LinkOutput::Transmit { channel, bytes }) = peer.link.poll() else {
        panic!("the message goes out");
    };
    assert_eq!(channel, Channel::Ordered);
    // Whatever number it is given there.
    for number in 0..50_u32 {
        let frame = [&number.to_le_bytes()[..], &bytes].concat();
        honest.link.receive(NOW, UNORDERED, &frame);
    }
    assert_eq!(honest.link.stats().unread, 50);
    let unordered = forged(&mut peer.link, &short(0));
    honest.link.receive(NOW, Channel::Ordered, &unordered[4..]);
    let end = Some(LinkError::Undecryptable);
    assert_eq!(told(&mut honest.link), (0, end));
}

#[test]
fn before_the_handshake_is_done_nothing_of_the_channel_is_read() {
    let mut fresh = link(false, 2, Network::Dev, None);
    fresh.receive(NOW, UNORDERED, &[1; 50]);
    assert_eq!(told(&mut fresh), (0, None));
    assert_eq!(fresh.stats().unread, 1);
    let mut pair = Pair::new();
    pair.ends[1].link.receive(NOW, UNORDERED, &[1; 50]);
    pair.run_for(1_000_000);
    assert!(pair.ends.iter().all(|end| end.link.is_established()));
}

#[test]
fn what_no_honest_sender_does_is_named() {
    let never_sent = [&[1][..], &9_u32.to_le_bytes()].concat();
    let cases = [
        (&[][..], LinkError::MalformedFrame { at: 0 }),
        (&[0][..], LinkError::MalformedFrame { at: 0 }),
        (&never_sent, LinkError::BadAck),
    ];
    for (datagram, error) in cases {
        let mut pair = with_channel();
        let [peer, honest] = &mut pair.ends;
        let frame = forged(&mut peer.link, datagram);
        honest.link.receive(NOW, UNORDERED, &frame);
        assert_eq!(told(&mut honest.link), (0, Some(error)));
    }
    // The same over the ordered channel.
    for number in [0, 7, u32::MAX] {
        let mut pair = Pair::established();
        let [peer, honest] = &mut pair.ends;
        let mut items = Vec::new();
        Item::Ack { number }.write(&mut items);
        let Phase::Established(session) = &mut peer.link.phase else {
            panic!("the pair is established");
        };
        let frame = session.cipher.seal(&items).unwrap();
        honest.link.receive(NOW, Channel::Ordered, &frame);
        assert_eq!(told(&mut honest.link), (0, Some(LinkError::BadAck)));
    }
}

#[test]
fn no_frame_is_longer_than_a_packet_carries() {
    let mut pair = with_channel();
    // Acknowledgements that wait, and full parts.
    for number in 0..40 {
        let frame = forged(&mut pair.ends[1].link, &short(number));
        pair.ends[0].link.receive(NOW, UNORDERED, &frame);
    }
    for _ in 0..2 {
        pair.send(0, Class::Query, vec![1; 16 * 1024]).unwrap();
    }
    let frames = frames(&mut pair.ends[0].link);
    assert_eq!(frames.len(), 32);
    let longest = frames.iter().map(Vec::len).max().unwrap();
    assert!((1_080..=MAX_DATAGRAM).contains(&longest), "{longest}");
}
