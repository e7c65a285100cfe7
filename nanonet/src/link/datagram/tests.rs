//! Two ends on a channel that loses, repeats and reorders as it is told.

use std::collections::{BTreeMap, BTreeSet};

use nano_core::UnixMillis;
use proptest::prelude::*;

use super::form::{Part, write};
use super::*;

/// One way, in milliseconds.
const WAY: u64 = 50;

/// Says after how many milliseconds the copies of a datagram arrive; none, and it is lost. Gets
/// the sender and how many datagrams there were before.
type Fate = Box<dyn FnMut(usize, usize) -> Vec<u64>>;

/// Two ends, what is on its way, and what came of it.
struct Ends {
    ends: [Datagrams; 2],
    trips: [RoundTrip; 2],
    now: UnixMillis,
    flying: BTreeMap<(UnixMillis, usize), (usize, Vec<u8>)>,
    fate: Fate,
    /// When each datagram was sent, and by whom.
    sent: Vec<(u64, usize)>,
    got: [Vec<Vec<u8>>; 2],
    acked: [Vec<u32>; 2],
    copies: usize,
}

impl Ends {
    /// A channel that does what `fate` says.
    fn with(fate: impl FnMut(usize, usize) -> Vec<u64> + 'static) -> Self {
        Self {
            ends: Default::default(),
            trips: Default::default(),
            now: UnixMillis::new(1_000_000),
            flying: BTreeMap::new(),
            fate: Box::new(fate),
            sent: Vec::new(),
            got: Default::default(),
            acked: Default::default(),
            copies: 0,
        }
    }

    /// A channel that loses nothing; both ends know the round trip.
    fn sound() -> Self {
        let mut ends = Self::with(|_, _| vec![WAY]);
        for trip in &mut ends.trips {
            trip.sample(ends.now, ends.now.plus(2 * WAY));
        }
        ends
    }

    fn poll(&mut self) {
        for (side, end) in self.ends.iter_mut().enumerate() {
            self.acked[side].extend(std::iter::from_fn(|| end.next_acked()));
            self.got[side].extend(std::iter::from_fn(|| end.next_message()));
            while let Some(datagram) = end.next_datagram(self.now, &self.trips[side]) {
                for delay in (self.fate)(side, self.sent.len()) {
                    self.copies += 1;
                    let at = (self.now.plus(delay), self.copies);
                    self.flying.insert(at, (1 - side, datagram.clone()));
                }
                self.sent.push((self.now.number(), side));
            }
        }
    }

    fn run(&mut self, millis: u64) {
        let until = self.now.plus(millis);
        loop {
            self.poll();
            let arrival = self.flying.first_key_value().map(|((at, _), _)| *at);
            let timers = self.ends.iter().filter_map(Datagrams::next_timeout);
            let Some(next) = timers.chain(arrival).min().filter(|at| *at <= until) else {
                break;
            };
            self.now = self.now.max(next);
            if arrival == Some(next) {
                let (_, (to, datagram)) = self.flying.pop_first().unwrap();
                let taken = self.ends[to].receive(self.now, &datagram, &mut self.trips[to]);
                assert_eq!(taken, Ok(()), "honest ends keep the rules");
            }
            for end in &mut self.ends {
                end.handle_timeout(self.now);
            }
        }
        self.now = until;
    }

    /// When end 0 sent, after `start`.
    fn times(&self, start: UnixMillis) -> Vec<u64> {
        let sent = self.sent.iter().filter(|(_, side)| *side == 0);
        sent.map(|(at, _)| at - start.number()).collect()
    }
}

fn message(number: usize, length: usize) -> Vec<u8> {
    let bytes = (0..length).map(|at| u8::try_from((number * 31 + at) % 251).unwrap());
    bytes.collect()
}

#[test]
fn a_message_arrives_as_it_was_and_is_acknowledged_once() {
    let mut ends = Ends::sound();
    for (at, length) in [1, PART - 1, PART, PART + 1, PART * usize::from(MAX_PARTS)]
        .into_iter()
        .enumerate()
    {
        let number = ends.ends[0].push(message(at, length)).unwrap();
        ends.run(2 * WAY);
        assert_eq!(ends.got[1].pop(), Some(message(at, length)));
        assert_eq!(std::mem::take(&mut ends.acked[0]), [number]);
    }
    assert!(ends.got[1].is_empty());
    assert_eq!(ends.ends[0].queued(), 0);
    assert_eq!(ends.ends[0].next_timeout(), None);
    assert_eq!(ends.ends[0].stats().resent, 0);
}

#[test]
fn an_acknowledgement_travels_with_an_answer_given_in_the_same_moment() {
    let mut ends = Ends::sound();
    ends.ends[0].push(message(1, 10)).unwrap();
    ends.poll();
    let (_, (_, datagram)) = ends.flying.pop_first().unwrap();
    ends.now = ends.now.plus(WAY);
    let trip = &mut ends.trips[1];
    ends.ends[1].receive(ends.now, &datagram, trip).unwrap();
    ends.ends[1].push(message(2, 10)).unwrap();
    ends.run(WAY);
    assert_eq!(ends.ends[1].stats().sent, 1);
    assert_eq!((ends.acked[0].len(), ends.got[0].len()), (1, 1));
}

#[test]
fn what_is_lost_goes_again_after_twice_the_round_trip_and_the_rest_does_not() {
    let mut ends = Ends::sound();
    // The second of three parts, once.
    ends.fate = Box::new(|_, before| if before == 1 { vec![] } else { vec![WAY] });
    let start = ends.now;
    ends.ends[0].push(message(1, 3 * PART)).unwrap();
    ends.run(1_000);
    assert_eq!(ends.times(start), [0, 0, 0, 4 * WAY + SLACK_MS]);
    assert_eq!(ends.got[1], [message(1, 3 * PART)]);
    assert_eq!(ends.acked[0], [0]);
}

#[test]
fn waits_grow_until_the_message_is_given_up_and_later_ones_go_on() {
    let mut ends = Ends::sound();
    ends.fate = Box::new(|_, before| if before < 5 { vec![] } else { vec![WAY] });
    let start = ends.now;
    ends.ends[0].push(message(1, 10)).unwrap();
    ends.run(10_000);
    let first = 4 * WAY + SLACK_MS;
    let [second, third] = [first + 2 * first, first + 2 * first + 4 * first];
    let expected = [0, first, second, third, third + MAX_WAIT_MS];
    assert_eq!(ends.times(start), expected);
    assert_eq!(ends.ends[0].stats().given_up, 1);
    assert_eq!(ends.ends[0].queued(), 0);
    assert_eq!(ends.ends[0].next_timeout(), None);
    let number = ends.ends[0].push(message(2, 10)).unwrap();
    ends.run(1_000);
    assert_eq!(ends.got[1], [message(2, 10)]);
    assert_eq!(ends.acked[0], [number]);
}

#[test]
fn a_message_of_which_one_part_never_arrives_is_given_up_whole() {
    let mut ends = Ends::sound();
    // Part 0 and each of its repetitions: what goes out first, and everything later.
    ends.fate = Box::new(|side, before| match (side, before) {
        (0, 0 | 17..) => vec![],
        _ => vec![WAY],
    });
    ends.ends[0].push(message(1, 16 * PART)).unwrap();
    ends.run(10_000);
    assert_eq!(ends.ends[0].stats().given_up, 1);
    assert_eq!(ends.ends[0].queued(), 0);
    assert!(ends.got[1].is_empty() && ends.acked[0].is_empty());
}

#[test]
fn a_lost_acknowledgement_costs_a_repetition_and_no_second_message() {
    let mut ends = Ends::sound();
    ends.fate = Box::new(|side, before| {
        if side == 1 && before < 4 {
            vec![]
        } else {
            vec![WAY]
        }
    });
    let number = ends.ends[0].push(message(1, 10)).unwrap();
    ends.run(5_000);
    assert_eq!(ends.got[1], [message(1, 10)]);
    assert_eq!(ends.acked[0], [number]);
    assert_eq!(ends.ends[0].stats().resent, 2);
    assert_eq!(ends.ends[1].stats().repeated, 2);
}

#[test]
fn the_round_trip_is_measured_from_what_was_sent_once_only() {
    let mut ends = Ends::with(|_, before| if before == 0 { vec![] } else { vec![WAY] });
    ends.ends[0].push(message(1, 10)).unwrap();
    ends.run(2_000);
    assert_eq!(ends.acked[0], [0]);
    assert_eq!(ends.trips[0].smoothed_ms(), None);
    ends.ends[0].push(message(2, 10)).unwrap();
    ends.run(2_000);
    assert_eq!(ends.trips[0].smoothed_ms(), Some(100));
}

#[test]
fn only_so_many_parts_are_on_their_way_and_the_others_follow() {
    let mut ends = Ends::sound();
    for number in 0..100 {
        ends.ends[0].push(message(number, 700)).unwrap();
    }
    ends.poll();
    assert_eq!(ends.flying.len(), MAX_FLYING);
    ends.run(8 * WAY);
    assert_eq!(ends.got[1].len(), 100);
    assert_eq!(ends.ends[0].stats().resent, 0);
}

#[test]
fn while_one_part_is_missing_the_newest_is_never_beyond_what_the_receiver_remembers() {
    let mut ends = Ends::sound();
    // The first datagram is lost; acknowledgements make room for all others.
    ends.fate = Box::new(|_, before| if before == 0 { vec![] } else { vec![1] });
    for number in 0..300 {
        ends.ends[0].push(message(number, 10)).unwrap();
    }
    ends.run(4 * WAY + SLACK_MS - 1);
    assert_eq!(ends.got[1].len() as u64, SPAN - 1);
    ends.run(1_000);
    assert_eq!(ends.got[1].len(), 300);
}

#[test]
fn a_full_queue_refuses_and_what_is_abandoned_makes_room() {
    let mut ends = Ends::with(|_, _| vec![]);
    let longest = PART * usize::from(MAX_PARTS);
    let mut taken = 0;
    while ends.ends[0].push(message(taken, longest)).is_ok() {
        taken += 1;
    }
    let class = Class::Query;
    let full = Err(SendError::Full { class });
    assert_eq!(ends.ends[0].push(message(0, longest)), full);
    assert!(ends.ends[0].queued() <= class.queue_limit());
    assert!(taken >= 14);
    assert_eq!(ends.ends[0].push(Vec::new()), Err(SendError::Empty));
    let length = longest + 1;
    let too_long = Err(SendError::TooLong { class, length });
    assert_eq!(ends.ends[0].push(vec![0; length]), too_long);
    ends.poll();
    ends.ends[0].abandon();
    assert_eq!(ends.ends[0].queued(), 0);
    assert_eq!(ends.ends[0].next_timeout(), None);
    assert_eq!(usize::try_from(ends.ends[0].stats().given_up), Ok(taken));
    assert!(
        ends.ends[0]
            .next_datagram(ends.now, &ends.trips[0])
            .is_none()
    );
}

#[test]
fn an_acknowledgement_of_what_was_never_sent_breaks_the_rules() {
    let mut ends = Ends::sound();
    let (now, trip) = (ends.now, &mut RoundTrip::default());
    let end = &mut ends.ends[0];
    for number in [0, 1, u32::MAX] {
        let bad = end.receive(now, &write(&[number], None), trip);
        assert_eq!(bad, Err(LinkError::BadAck));
    }
    // Pushed, but not sent.
    end.push(message(1, 10)).unwrap();
    let bad = end.receive(now, &write(&[0], None), trip);
    assert_eq!(bad, Err(LinkError::BadAck));
    end.next_datagram(now, trip);
    assert_eq!(end.receive(now, &write(&[0], None), trip), Ok(()));
    // Again: it may have been on its way twice.
    assert_eq!(end.receive(now, &write(&[0], None), trip), Ok(()));
    assert_eq!(end.next_acked(), Some(0));
    assert_eq!(end.next_acked(), None);
}

#[test]
fn messages_that_never_end_take_bounded_memory() {
    let mut end = Datagrams::default();
    let (now, trip) = (UnixMillis::new(0), &mut RoundTrip::default());
    for message in 0..1_000 {
        for index in 0..MAX_PARTS - 1 {
            let part = Part {
                number: message * u32::from(MAX_PARTS) + u32::from(index),
                index,
                count: MAX_PARTS,
                bytes: &[1; PART],
            };
            end.receive(now, &write(&[], Some(part)), trip).unwrap();
        }
        let most = usize::try_from(SPAN).unwrap() + usize::from(MAX_PARTS);
        assert!(end.held() <= most * PART);
    }
    assert_eq!(end.next_message(), None);
}

#[test]
fn while_nobody_takes_messages_no_more_are_acknowledged_than_a_window_holds() {
    let mut ends = [Datagrams::default(), Datagrams::default()];
    let (mut now, mut trip) = (UnixMillis::new(0), RoundTrip::default());
    trip.sample(now, now.plus(1));
    while ends[0].push(message(1, PART)).is_ok() {}
    for _ in 0..200 {
        now = now.plus(5);
        for side in [0, 1] {
            while let Some(datagram) = ends[side].next_datagram(now, &trip) {
                ends[1 - side].receive(now, &datagram, &mut trip).unwrap();
            }
        }
    }
    let window = Class::Query.window() as usize;
    assert!((window / 2..window + PART).contains(&ends[1].held()));
    // Taken, and the sender goes on with what it sends again.
    let mut taken = 0;
    for _ in 0..2_000 {
        now = now.plus(5);
        taken += std::iter::from_fn(|| ends[1].next_message()).count();
        ends[0].handle_timeout(now);
        for side in [0, 1] {
            while let Some(datagram) = ends[side].next_datagram(now, &trip) {
                ends[1 - side].receive(now, &datagram, &mut trip).unwrap();
            }
        }
    }
    assert!(taken > window / PART);
}

#[test]
fn a_fifth_lost_both_ways_loses_hardly_a_message() {
    let mut rng = crate::Rng::from_seed([7; 32]);
    let mut ends = Ends::with(move |_, _| match rng.below(100) {
        0..20 => vec![],
        delay => vec![WAY + u64::from(delay) / 4],
    });
    for number in 0..2_000 {
        ends.ends[0]
            .push(message(number, 1 + number * 7 % 3_000))
            .unwrap();
        ends.run(60);
    }
    ends.run(20_000);
    let stats = ends.ends[0].stats();
    assert!(ends.got[1].len() >= 1_990, "{stats:?}");
    assert!(ends.acked[0].len() >= 1_940, "{stats:?}");
    assert!(stats.resent < 2 * stats.sent / 3, "{stats:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_happens_on_the_way_messages_arrive_at_most_once_and_unchanged(
        messages in prop::collection::vec((0_usize..2, 1_usize..5_000, 0_u64..60), 1..80),
        fates in prop::collection::vec(
            prop::collection::vec(0_u64..400, 0..3), 1..100,
        ),
    ) {
        let lossy = fates.iter().any(Vec::is_empty);
        let mut ends = Ends::with(move |_, before| fates[before * 7 % fates.len()].clone());
        let mut pushed: [BTreeSet<Vec<u8>>; 2] = Default::default();
        let mut numbers: [BTreeMap<u32, Vec<u8>>; 2] = Default::default();
        for (at, (side, length, pause)) in messages.into_iter().enumerate() {
            // Each says which it is, so that no two are alike.
            let mut bytes = at.to_le_bytes().to_vec();
            bytes.extend(message(at, length));
            let number = ends.ends[side].push(bytes.clone());
            if let Ok(number) = number {
                prop_assert!(numbers[side].insert(number, bytes.clone()).is_none());
                pushed[side].insert(bytes);
            }
            ends.run(pause);
        }
        ends.run(120_000);
        for side in [0, 1] {
            let got: BTreeSet<_> = ends.got[1 - side].iter().cloned().collect();
            prop_assert_eq!(got.len(), ends.got[1 - side].len(), "at most once");
            prop_assert!(got.is_subset(&pushed[side]), "unchanged");
            let acked: BTreeSet<_> = ends.acked[side].iter().collect();
            prop_assert_eq!(acked.len(), ends.acked[side].len(), "told once");
            for number in acked {
                prop_assert!(got.contains(&numbers[side][number]), "acknowledged and not there");
            }
            let given_up = ends.ends[side].stats().given_up as usize;
            prop_assert_eq!(ends.acked[side].len() + given_up, pushed[side].len());
            prop_assert_eq!(ends.ends[side].queued(), 0);
            prop_assert!(lossy || (given_up == 0 && got == pushed[side]));
        }
    }
}
