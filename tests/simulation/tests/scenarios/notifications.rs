//! Notifications: a small run without a violation, and each checker finds what is planted for it.

use simulation::scenario::Options;
use simulation::scenario::notification_spam::{self, Plant as SpamPlant};
use simulation::scenario::notifications::{Plant, Report, Workload, play};

fn run(plant: Option<Plant>) -> Report {
    let options = Options {
        nodes: 60,
        seed: 7,
        kinds: false,
    };
    let work = Workload {
        days: 6,
        payments: Some(80),
        plant,
    };
    play(options, &work)
}

#[test]
fn nothing_is_lost_late_or_told_twice_and_a_run_replays() {
    let report = run(None);
    assert_eq!(report.violations, 0, "{report:?}");
    assert!(report.accepted > 300, "{report:?}");
    assert_eq!(run(None).trace_hash, report.trace_hash);
}

#[test]
fn stores_that_let_go_of_promises_are_found() {
    assert!(run(Some(Plant::Evicts)).broken.lost > 0);
}

#[test]
fn stores_that_promise_before_the_disk_has_it_are_found() {
    assert!(run(Some(Plant::PromisesEarly)).broken.lost > 0);
}

#[test]
fn stores_that_make_no_copies_anew_are_found() {
    assert!(run(Some(Plant::NeverRepairs)).broken.lost > 0);
}

#[test]
fn stores_that_hand_out_what_is_over_are_found() {
    assert!(run(Some(Plant::NeverEnds)).broken.late > 0);
}

#[test]
fn wallets_that_tell_twice_are_found() {
    assert!(run(Some(Plant::DeliversAgain)).broken.duplicates > 0);
}

fn flood(plant: Option<SpamPlant>) -> notification_spam::Report {
    let options = Options {
        nodes: 100,
        seed: 7,
        kinds: false,
    };
    let work = notification_spam::Workload {
        minutes: 12,
        megahashes: 4_000,
        plant,
        once: true,
    };
    notification_spam::play(options, &work)
}

#[test]
fn a_flood_raises_the_price_and_the_honest_are_delivered_in_bearable_time() {
    let report = flood(None);
    assert_eq!(report.violations, 0, "{report:?}");
}

#[test]
fn a_price_that_does_not_rise_is_found() {
    let report = flood(Some(SpamPlant::NeverRaises));
    assert_eq!(report.broken.price_did_not_rise, 1, "{report:?}");
}

#[test]
fn a_price_that_rises_beyond_what_the_honest_can_pay_is_found() {
    let report = flood(Some(SpamPlant::RaisesTooMuch));
    assert_eq!(report.broken.work_too_long, 1, "{report:?}");
}
