//! A question asked while megabytes go the same way waits for almost none of them.

use super::pair::Pair;
use crate::link::{Class, Phase};

const BULK_MESSAGE: usize = 256 * 1024;
const BULK_MESSAGES: usize = 20;

/// From the first end only, and both ways at once.
const ONE_WAY: [usize; 2] = [BULK_MESSAGES, 0];
const BOTH_WAYS: [usize; 2] = [BULK_MESSAGES; 2];

/// What a run measured, in microseconds.
#[derive(Debug)]
struct Measured {
    /// A question and its answer on an idle link.
    idle: u64,
    /// The slowest question during the transfer.
    loaded: u64,
    /// The whole transfer.
    transfer: u64,
}

/// Keeps the bulk queues of both ends filled until all was handed over.
struct Transfer {
    left: [usize; 2],
}

impl Transfer {
    fn feed(&mut self, pair: &mut Pair) {
        let now = pair.unix();
        for (left, end) in self.left.iter_mut().zip(&mut pair.ends) {
            let message = || vec![1; BULK_MESSAGE];
            while *left > 0 && end.link.send(now, Class::Bulk, message()).is_ok() {
                *left -= 1;
            }
        }
    }
}

/// Asks 200 bytes, is answered 2,000, and gives the microseconds it took.
fn ask(pair: &mut Pair, asker: usize, transfer: &mut Transfer) -> u64 {
    let start = pair.now;
    let answerer = 1 - asker;
    let queries = |pair: &Pair, side: usize| {
        pair.ends[side]
            .messages
            .iter()
            .filter(|(_, class, _)| *class == Class::Query)
            .count()
    };
    let (asked, answered) = (queries(pair, answerer), queries(pair, asker));
    pair.send(asker, Class::Query, vec![2; 200]).unwrap();
    let limit = start + 60_000_000;
    while queries(pair, answerer) == asked {
        transfer.feed(pair);
        assert!(pair.step(limit));
    }
    pair.send(answerer, Class::Query, vec![3; 2000]).unwrap();
    while queries(pair, asker) == answered {
        transfer.feed(pair);
        assert!(pair.step(limit));
    }
    pair.now - start
}

/// Measures with `bulk` messages on their way from each end.
fn measure(priority: bool, bulk: [usize; 2]) -> Measured {
    measure_over(Pair::established(), priority, bulk)
}

fn measure_over(mut pair: Pair, priority: bool, bulk: [usize; 2]) -> Measured {
    for end in &mut pair.ends {
        if let Phase::Established(session) = &mut end.link.phase {
            session.outgoing.first_come_first_served = !priority;
        }
    }
    let mut transfer = Transfer { left: [0; 2] };
    let idle = ask(&mut pair, 0, &mut transfer).max(ask(&mut pair, 1, &mut transfer));
    let start = pair.now;
    transfer.left = bulk;
    transfer.feed(&mut pair);
    let arrived = |pair: &Pair| {
        let messages = pair.ends[1].messages.iter();
        messages
            .filter(|(_, class, _)| *class == Class::Bulk)
            .count()
    };
    let mut loaded = 0;
    while arrived(&pair) < BULK_MESSAGES {
        // From both ends, at moments that do not fall into step with the frames.
        for (asker, pause) in [(0, 3_700), (1, 11_300)] {
            transfer.feed(&mut pair);
            pair.run_for(pause);
            loaded = loaded.max(ask(&mut pair, asker, &mut transfer));
        }
    }
    let mut messages = pair.ends[1].messages.iter().rev();
    let last = messages.find(|(_, class, _)| *class == Class::Bulk);
    Measured {
        idle,
        loaded,
        transfer: last.unwrap().0 - start,
    }
}

/// The promise: at most twice the idle time.
fn holds(measured: &Measured) -> bool {
    measured.loaded <= 2 * measured.idle
}

#[test]
fn a_question_during_a_5_mb_transfer_takes_at_most_twice_its_idle_time() {
    let measured = measure(true, ONE_WAY);
    assert!(holds(&measured), "{measured:?}");
    // 20 ms each way and 2,200 bytes at 20 Mbit/s: the pipe measures what it says.
    assert!((40_800..42_000).contains(&measured.idle), "{measured:?}");
}

#[test]
fn transfers_both_ways_at_once_do_not_break_the_promise() {
    let measured = measure(true, BOTH_WAYS);
    assert!(holds(&measured), "{measured:?}");
}

#[test]
fn the_promise_holds_over_slow_and_fast_and_near_and_far_transports() {
    for latency_ms in [5, 20, 100] {
        // 250 kbit/s to 100 Mbit/s.
        for bytes_per_ms in [31, 125, 500, 2_500, 12_500] {
            let pair = Pair::over(latency_ms * 1_000, bytes_per_ms);
            let measured = measure_over(pair, true, BOTH_WAYS);
            assert!(
                holds(&measured),
                "{latency_ms} ms, {bytes_per_ms} bytes/ms: {measured:?}"
            );
        }
    }
}

#[test]
fn the_transfer_loses_little_to_the_questions() {
    let measured = measure(true, ONE_WAY);
    // 20 messages of 256 KiB at 20 Mbit/s.
    let ideal = (BULK_MESSAGES * BULK_MESSAGE) as u64 * 1000 / 2_500;
    assert!(measured.transfer >= ideal);
    assert!(
        measured.transfer <= ideal * 110 / 100,
        "{measured:?}, ideal {ideal}"
    );
}

#[test]
fn without_priority_the_same_measurement_fails() {
    let measured = measure(false, ONE_WAY);
    assert!(!holds(&measured), "{measured:?}");
}
