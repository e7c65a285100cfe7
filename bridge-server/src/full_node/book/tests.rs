//! What the book promises, without sockets.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use nano_core::{Network, Raw, UnixMillis};

use super::{Book, Change, Demand, End, Ignored, Limits, Refused};
use crate::full_node::ChannelId;

pub(super) const SEED: [u8; 32] = [7; 32];

pub(super) fn at(ms: u64) -> UnixMillis {
    UnixMillis(1_000_000_000 + ms)
}

fn book() -> Book {
    Book::new(Limits::of(Network::Live), SEED)
}

/// A public endpoint, each in a subnet of its own.
fn endpoint(number: u32) -> SocketAddr {
    let [_, _, high, low] = number.to_be_bytes();
    SocketAddr::from(([60, high, low, 1], 7075))
}

pub(super) fn channel(number: u32) -> ChannelId {
    ChannelId(u64::from(number))
}

/// Everything dialled at this moment.
fn all_due(book: &mut Book, now: UnixMillis, demand: Demand) -> Vec<SocketAddr> {
    std::iter::from_fn(|| book.next(now, demand)).collect()
}

#[test]
fn stored_endpoints_come_first_at_start_and_the_last_reached_before_the_others() {
    let mut book = book();
    book.configure([endpoint(9)]);
    book.restore(endpoint(1), at(10));
    book.restore(endpoint(2), at(20));
    let order = all_due(&mut book, at(30), Demand::Quorum);
    assert_eq!(order, [endpoint(2), endpoint(1), endpoint(9)]);
}

#[test]
fn an_endpoint_that_hosted_weight_is_dialled_before_all_others_and_the_heaviest_first() {
    let mut book = book();
    for number in 1..=3 {
        book.restore(endpoint(number), at(0));
    }
    all_due(&mut book, at(0), Demand::Quorum);
    for (number, weight) in [(1, 0), (2, 5), (3, 9)] {
        book.opened(at(0), endpoint(number), channel(number));
        book.weigh(endpoint(number), Raw::new(weight));
        book.ended(at(60_000), endpoint(number), End::Usual);
    }
    book.configure([endpoint(4)]);
    let order = all_due(&mut book, at(4_000_000), Demand::Quorum);
    assert_eq!(order, [endpoint(3), endpoint(2), endpoint(4), endpoint(1)]);
}

#[test]
fn heard_endpoints_are_tried_at_the_pace_after_a_burst() {
    let mut book = book();
    let limits = *book.limits();
    for number in 0..100 {
        book.hear(channel(number), endpoint(number)).unwrap();
    }
    let mut times = BTreeMap::new();
    for ms in 0..20_000 {
        while let Some(tried) = book.next(at(ms), Demand::Quorum) {
            times.insert(tried, ms);
            book.ended(at(ms), tried, End::Foreign);
        }
    }
    let mut times: Vec<_> = times.into_values().collect();
    times.sort_unstable();
    let burst = times.iter().filter(|ms| **ms == 0).count();
    assert!(
        (limits.attempts..=limits.attempts + 1).contains(&burst),
        "{burst}"
    );
    let rest = &times[burst..];
    assert!(rest.len() > 50, "the others are tried, too");
    assert!(rest.windows(2).all(|pair| pair[1] - pair[0] >= limits.pace));
}

#[test]
fn configured_endpoints_do_not_wait_for_others() {
    let mut book = book();
    for number in 0..100 {
        book.restore(endpoint(number), at(0));
    }
    book.configure([endpoint(200)]);
    let tried = all_due(&mut book, at(1), Demand::Quorum);
    assert!(tried.contains(&endpoint(200)));
    assert!(tried.len() <= book.limits().attempts + 1, "{}", tried.len());
}

#[test]
fn pauses_grow_with_each_failure_and_a_good_channel_makes_them_short_again() {
    let mut book = book();
    book.configure([endpoint(1)]);
    let mut now = 0;
    let mut pauses = Vec::new();
    for _ in 0..10 {
        assert_eq!(book.next(at(now), Demand::Quorum), Some(endpoint(1)));
        book.ended(at(now), endpoint(1), End::Usual);
        let until = book.wake_at().unwrap().0 - at(0).0;
        assert_eq!(book.next(at(until - 1), Demand::Quorum), None);
        pauses.push(until - now);
        now = until;
    }
    let (first, cap) = book.limits().configured_pauses;
    assert!(
        pauses[0] <= first && pauses[9] >= cap / 2 && pauses[9] <= cap,
        "{pauses:?}"
    );
    book.next(at(now), Demand::Quorum);
    book.opened(at(now), endpoint(1), channel(1));
    now += book.limits().good;
    book.ended(at(now), endpoint(1), End::Usual);
    assert!(book.wake_at().unwrap() <= at(now + first));
}

#[test]
fn a_channel_that_ends_at_once_is_no_success() {
    let mut book = book();
    book.configure([endpoint(1)]);
    let mut now = 0;
    for _ in 0..6 {
        book.next(at(now), Demand::Quorum).unwrap();
        book.opened(at(now), endpoint(1), channel(1));
        book.ended(at(now), endpoint(1), End::Usual);
        now = book.wake_at().unwrap().0 - at(0).0;
    }
    assert!(now > 4_000, "six pauses add up to {now} ms");
}

#[test]
fn an_endpoint_nobody_configured_is_forgotten_after_eight_failures_and_storage_is_told() {
    let mut book = book();
    book.restore(endpoint(1), at(0));
    book.configure([endpoint(2)]);
    let mut now = 0;
    for _ in 0..100 {
        for tried in all_due(&mut book, at(now), Demand::Quorum) {
            book.ended(at(now), tried, End::Usual);
        }
        now = book.wake_at().unwrap().0 - at(0).0;
    }
    assert_eq!(book.len(), 1, "the configured one stays");
    assert_eq!(book.changes(at(now)), [Change::Forget(endpoint(1))]);
}

#[test]
fn an_endpoint_of_another_network_is_left_alone_and_our_own_is_never_dialled_again() {
    let mut book = book();
    book.restore(endpoint(1), at(0));
    book.configure([endpoint(2)]);
    all_due(&mut book, at(0), Demand::Quorum);
    book.ended(at(0), endpoint(1), End::Foreign);
    book.ended(at(0), endpoint(2), End::Own);
    let foreign = book.limits().foreign;
    assert_eq!(book.next(at(foreign - 1), Demand::Quorum), None);
    assert_eq!(book.next(at(foreign), Demand::Quorum), Some(endpoint(1)));
    assert_eq!(book.next(at(100 * foreign), Demand::Quorum), None);
}

#[test]
fn with_enough_weight_only_configured_and_spare_channels_are_dialled() {
    let mut book = book();
    for number in 0..40 {
        book.hear(channel(number), endpoint(number)).unwrap();
    }
    book.configure((100..103).map(endpoint));
    let mut open = 0;
    for ms in (0..100_000).step_by(250) {
        while let Some(tried) = book.next(at(ms), Demand::Nothing) {
            open += 1;
            book.opened(at(ms), tried, channel(open));
        }
    }
    assert_eq!(open as usize, book.limits().spare);
}

#[test]
fn limits_per_address_and_subnet_count_both_directions_and_spare_the_operator() {
    let mut book = book();
    let near = |port| SocketAddr::from(([60, 1, 1, 1], port));
    for number in 0..2 {
        book.admit(channel(number), near(1).ip()).unwrap();
    }
    for port in 1..=9 {
        book.hear(channel(9), near(port)).unwrap();
    }
    let dialled = all_due(&mut book, at(0), Demand::Quorum);
    assert_eq!(dialled.len(), book.limits().per_address - 2);
    assert_eq!(book.admit(channel(7), near(1).ip()), Err(Refused::Address));
    book.configure([near(77)]);
    assert_eq!(book.next(at(0), Demand::Quorum), Some(near(77)));

    let mut admitted = 0;
    let refused = (2..200).find_map(|host| {
        let ip = SocketAddr::from(([61, 1, 1, host], 1)).ip();
        let result = book.admit(channel(1_000 + u32::from(host)), ip);
        admitted += usize::from(result.is_ok());
        result.err()
    });
    assert_eq!(refused, Some(Refused::Subnet));
    assert_eq!(admitted, book.limits().per_subnet);
}

#[test]
fn configured_endpoints_are_dialled_beyond_the_channels_of_others_up_to_their_own_limit() {
    let limits = Limits {
        channels: 3,
        configured: 5,
        ..Limits::of(Network::Live)
    };
    let mut book = Book::new(limits, SEED);
    for number in 0..4 {
        book.restore(endpoint(number), at(0));
    }
    assert_eq!(all_due(&mut book, at(1), Demand::Quorum).len(), 3);
    book.configure((10..20).map(endpoint));
    assert_eq!(all_due(&mut book, at(1), Demand::Quorum).len(), 5);
}

#[test]
fn a_place_that_was_left_is_free_again() {
    let mut book = book();
    let ip = endpoint(1).ip();
    for number in 0..4 {
        book.admit(channel(number), ip).unwrap();
    }
    assert_eq!(book.admit(channel(9), ip), Err(Refused::Address));
    book.left(channel(2));
    assert_eq!(book.admit(channel(9), ip), Ok(()));
}

#[test]
fn private_and_impossible_endpoints_are_not_learned_on_a_public_network() {
    let mut live = book();
    let private = "192.168.1.7:7075".parse().unwrap();
    let result = live.hear(channel(1), private);
    assert_eq!(result, Err(Ignored::Private));
    assert_eq!(live.admit(channel(1), private.ip()), Err(Refused::Private));
    let nowhere = "60.1.1.1:0".parse().unwrap();
    assert_eq!(live.hear(channel(1), nowhere), Err(Ignored::Impossible));
    live.configure([private]);
    assert_eq!(live.len(), 1, "the operator may name a private one");

    let mut dev = Book::new(Limits::of(Network::Dev), SEED);
    assert_eq!(dev.hear(channel(1), "127.0.0.2:1".parse().unwrap()), Ok(()));
}

#[test]
fn one_peer_cannot_fill_the_book_and_a_full_book_keeps_what_works() {
    let mut book = book();
    let limits = *book.limits();
    for number in 0..300 {
        let result = book.hear(channel(1), endpoint(number));
        assert_eq!(result.is_ok(), (number as usize) < limits.per_gossip);
    }
    for number in 0..2_000 {
        // From as many peers as it takes.
        let _ = book.hear(channel(number), endpoint(number));
    }
    assert_eq!(book.len(), limits.endpoints);
    let newcomer = endpoint(60_000);
    assert_eq!(book.hear(channel(5_000), newcomer), Err(Ignored::Full));
    let failed = book.next(at(0), Demand::Quorum).unwrap();
    book.ended(at(0), failed, End::Usual);
    assert_eq!(book.hear(channel(5_000), newcomer), Ok(()));
    assert_eq!(book.len(), limits.endpoints);
}

#[test]
fn with_weight_missing_a_channel_without_representatives_makes_room_for_a_stranger() {
    let mut book = book();
    let limits = *book.limits();
    book.configure([endpoint(0)]);
    for number in 0..60_u32 {
        book.hear(channel(number), endpoint(number + 1)).unwrap();
    }
    let mut open = 0;
    let mut now = 0;
    while open < 61 {
        now += 250;
        while let Some(tried) = book.next(at(now), Demand::Quorum) {
            open += 1;
            book.opened(at(now), tried, channel(open));
            // All but a few host representatives.
            let weight = if tried == endpoint(0) || open % 20 == 0 {
                0
            } else {
                1
            };
            book.weigh(tried, Raw::new(weight));
        }
    }
    now += limits.grace;
    assert_eq!(
        book.give_up(at(now), Demand::Quorum),
        None,
        "there is room left"
    );
    for number in 100..110 {
        book.hear(channel(number), endpoint(number)).unwrap();
    }
    while let Some(tried) = book.next(at(now), Demand::Quorum) {
        book.opened(at(now), tried, channel(1_000));
        book.weigh(tried, Raw::new(1));
    }
    assert_eq!(book.give_up(at(now), Demand::Nothing), None);
    let gone = book.give_up(at(now), Demand::Margin).unwrap();
    assert_ne!(gone, channel(1), "the configured one stays");
    assert_eq!(gone.0 % 20, 0, "one without weight goes");
    assert_eq!(book.give_up(at(now), Demand::Margin), None, "one at a time");
}

#[test]
fn with_a_quorum_missing_the_lightest_channel_makes_room_and_returns_when_nothing_better_came() {
    let mut book = book();
    let limits = *book.limits();
    for number in 0..64 {
        book.hear(channel(number), endpoint(number)).unwrap();
    }
    let mut open = BTreeMap::new();
    let mut now = 0;
    while open.len() < limits.channels {
        now += limits.pace;
        while let Some(tried) = book.next(at(now), Demand::Quorum) {
            let number = u32::try_from(open.len()).unwrap();
            book.opened(at(now), tried, channel(number));
            book.weigh(tried, Raw::new(u128::from(10 + number)));
            open.insert(channel(number), tried);
        }
    }
    let stranger = endpoint(200);
    book.hear(channel(0), stranger).unwrap();
    now += limits.grace;
    let margin = book.give_up(at(now), Demand::Margin);
    assert_eq!(margin, None, "a quorum is not risked");
    let light = open[&channel(0)];
    let gone = book.give_up(at(now), Demand::Quorum);
    assert_eq!(gone, Some(channel(0)), "the lightest");
    assert_eq!(book.give_up(at(now), Demand::Quorum), None, "one at a time");
    book.ended(at(now), light, End::GivenUp);
    assert_eq!(book.next(at(now), Demand::Quorum), Some(stranger));
    book.opened(at(now), stranger, channel(99));
    now += limits.grace - 1;
    assert_eq!(
        book.give_up(at(now), Demand::Quorum),
        None,
        "still in its grace"
    );
    now += 1;
    let gone = book.give_up(at(now), Demand::Quorum);
    assert_eq!(gone, Some(channel(99)), "it showed nobody");
    book.ended(at(now), stranger, End::GivenUp);
    assert_eq!(book.next(at(now), Demand::Quorum), Some(light));
}

#[test]
fn an_endpoint_that_is_the_operators_no_longer_is_forgotten_like_any_other() {
    let mut book = book();
    book.configure([endpoint(1)]);
    book.demote([endpoint(1), endpoint(2)]);
    let mut now = 0;
    for _ in 0..8 {
        assert_eq!(book.next(at(now), Demand::Quorum), Some(endpoint(1)));
        book.ended(at(now), endpoint(1), End::Usual);
        now += book.limits().other_pauses.1;
    }
    assert!(book.is_empty());
}

#[test]
fn nothing_is_given_up_for_an_endpoint_that_may_not_be_dialled() {
    let limits = Limits {
        channels: 2,
        per_subnet: 1,
        ..Limits::of(Network::Live)
    };
    let mut book = Book::new(limits, SEED);
    for number in 1..=2 {
        book.hear(channel(number), endpoint(number)).unwrap();
        let tried = book.next(at(0), Demand::Quorum).unwrap();
        book.opened(at(0), tried, channel(number));
    }
    let mut neighbour = endpoint(1);
    neighbour.set_port(1);
    book.hear(channel(1), neighbour).unwrap();
    let now = at(limits.grace);
    assert_eq!(book.give_up(now, Demand::Quorum), None);
    book.hear(channel(1), endpoint(3)).unwrap();
    assert!(book.give_up(now, Demand::Quorum).is_some());
}

#[test]
fn an_endpoint_that_is_given_up_again_and_again_is_not_forgotten() {
    let mut book = book();
    book.restore(endpoint(1), at(0));
    let mut now = 0;
    for number in 0..20 {
        assert_eq!(book.next(at(now), Demand::Quorum), Some(endpoint(1)));
        book.opened(at(now), endpoint(1), channel(number));
        book.ended(at(now), endpoint(1), End::GivenUp);
        now += book.limits().duplicate;
    }
    assert_eq!(book.len(), 1);
}

#[test]
fn only_reached_endpoints_are_passed_on() {
    let mut book = book();
    for number in 0..20 {
        book.hear(channel(number), endpoint(number)).unwrap();
    }
    assert!(book.sample(8).is_empty());
    for number in 1..=10 {
        let tried = book.next(at(0), Demand::Quorum).unwrap();
        book.opened(at(0), tried, channel(number));
    }
    let sample: BTreeSet<_> = book.sample(8).into_iter().collect();
    assert_eq!(sample.len(), 8);
    let other: BTreeSet<_> = book.sample(8).into_iter().collect();
    assert_ne!(sample, other, "not always the same");
}

#[test]
fn storage_hears_of_each_open_endpoint_again_and_again() {
    let mut book = book();
    book.configure([endpoint(1), endpoint(2)]);
    let open = book.next(at(0), Demand::Quorum).unwrap();
    book.opened(at(0), open, channel(1));
    assert_eq!(book.changes(at(5)), [Change::Keep(open, at(5))]);
    assert_eq!(book.changes(at(9)), [Change::Keep(open, at(9))]);
}
