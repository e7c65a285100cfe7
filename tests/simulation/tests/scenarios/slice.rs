//! Records that are kept while browsers come and go.

use nanonet::Noise;
use simulation::check::slice::Plant;
use simulation::open::Open;
use simulation::scenario::slice::{Report, Workload, play};
use simulation::scenario::{Options, Reported};

fn run<C: Reported>(nodes: usize, minutes: u64, plant: Option<Plant>) -> Report {
    run_with::<C>(nodes, nodes as u64 * 2, minutes, plant)
}

fn run_with<C: Reported>(
    nodes: usize,
    accounts: u64,
    minutes: u64,
    plant: Option<Plant>,
) -> Report {
    let options = Options {
        nodes,
        seed: 5,
        kinds: false,
    };
    let work = Workload {
        accounts: Some(accounts),
        minutes,
    };
    play::<C>(options, &work, plant)
}

#[test]
fn no_record_is_lost_with_real_cryptography_and_without() {
    let (real, open) = (run::<Noise>(60, 10, None), run::<Open>(100, 30, None));
    for report in [&real, &open] {
        assert_eq!(report.violations, 0, "{report:?}");
        assert!(report.record_bytes > 4_000);
        assert!(report.left > 0 && report.left_at_once >= 30, "{report:?}");
        assert!(report.replicas_mean >= 15.0, "{report:?}");
        assert!(report.after_half_left.shortages > 0, "it was noticed");
    }
}

#[test]
fn each_planted_bug_is_found_by_its_checker() {
    let found = |plant, minutes| run::<Open>(60, minutes, Some(plant)).broken;
    assert!(found(Plant::NeverRepairs, 5).too_long_short_after > 0);
    assert!(found(Plant::LosesRecords, 5).lost > 0);
    let pulls = run_with::<Open>(40, 3_000, 10, Some(Plant::PullsHeld));
    assert!(pulls.broken.too_many_bytes > 0, "{pulls:?}");
}

#[test]
fn one_seed_is_one_run() {
    let trace = || run::<Open>(40, 5, None).common.trace_hash;
    assert_eq!(trace(), trace());
}
