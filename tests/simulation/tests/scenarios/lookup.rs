//! Questions for accounts that nobody asked for before.

use nanonet::Noise;
use simulation::open::Open;
use simulation::scenario::lookup::{Report, play};
use simulation::scenario::{Options, Reported};

const CHURN_MS: u64 = 60_000;

fn run<C: Reported>(nodes: usize, seed: u64) -> Report {
    play::<C>(Options { nodes, seed }, 40, CHURN_MS)
}

#[test]
fn browsers_answer_every_question_with_real_cryptography_and_without() {
    let (real, open) = (run::<Noise>(50, 1), run::<Open>(50, 1));
    for report in [&real, &open] {
        assert!(report.lookups >= 35, "{report:?}");
        assert!(report.found >= 1.0, "{report:?}");
        assert_eq!(report.wrong_accepted, 0, "{report:?}");
        assert_eq!(report.reached_full_node, 0, "{report:?}");
        assert!(report.from_browsers + report.from_own_slice >= report.from_bridges * 9);
    }
    assert!(open.common.signatures_checked > 0);
    assert!(open.common.signatures_checked < open.common.signatures_asked);
}

#[test]
fn one_seed_is_one_run_and_another_seed_another() {
    let trace = |seed| run::<Open>(30, seed).common.trace_hash;
    assert_eq!(trace(5), trace(5));
    assert_ne!(trace(5), trace(6));
}
