//! Private messages.

use nanonet::Noise;
use simulation::check::messages::Plant;
use simulation::open::Open;
use simulation::scenario::messages::{Report, Workload, play};
use simulation::scenario::{Options, Reported};

fn run<C: Reported>(nodes: usize, messages: usize, plant: Option<Plant>) -> Report {
    let work = Workload {
        messages,
        ..Workload::default()
    };
    let options = Options {
        nodes,
        seed: 3,
        kinds: false,
    };
    play::<C>(options, work, plant)
}

#[test]
fn messages_come_once_in_order_and_nobody_on_the_way_sees_both_ends_or_content() {
    let (real, open) = (run::<Noise>(60, 60, None), run::<Open>(60, 60, None));
    for report in [&real, &open] {
        assert_eq!(report.violations, 0, "{report:?}");
        assert_eq!(report.leaks, 0, "{report:?}");
        assert!(report.tally.messages > 30, "{report:?}");
        assert!(report.tally.delivered_once >= 0.999, "{report:?}");
        assert!(report.looked_at.followed > 60, "{report:?}");
        assert_eq!(report.looked_at.shortest, 3, "{report:?}");
    }
}

#[test]
fn each_planted_bug_is_found_by_its_checker() {
    let found = |plant| run::<Open>(40, 30, Some(plant));
    assert!(found(Plant::DeliversTwice).tally.delivered_twice > 0);
    assert!(found(Plant::ShortRoutes).looked_at.both_ends > 0);
    assert!(found(Plant::WritesOpenly).looked_at.content > 0);
}

#[test]
fn one_seed_is_one_run() {
    let trace = || run::<Open>(30, 12, None).common.trace_hash;
    assert_eq!(trace(), trace());
}
