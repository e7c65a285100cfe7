//! Questions for accounts that nobody asked for before.

use nanonet::Noise;
use simulation::open::Open;
use simulation::scenario::lookup::{Report, Workload, play};
use simulation::scenario::{Options, Reported};

fn run<C: Reported>(nodes: usize, seed: u64, liars: u32) -> Report {
    let options = Options {
        nodes,
        seed,
        kinds: false,
    };
    let work = Workload {
        lookups: 40,
        churn: 60,
        loss_ppm: 50_000,
        liars,
    };
    play::<C>(options, &work)
}

#[test]
fn browsers_answer_every_question_with_real_cryptography_and_without() {
    let (real, open) = (run::<Noise>(50, 1, 0), run::<Open>(50, 1, 0));
    for report in [&real, &open] {
        assert!(report.found.lookups >= 35, "{report:?}");
        assert_eq!(report.violations, 0, "{report:?}");
        // A holder that the newer block has not reached yet answers with the older one and its age.
        assert!(report.found.found >= 0.95, "{report:?}");
        assert_eq!(report.found.wrong_accepted, 0, "{report:?}");
        assert_eq!(report.reached_full_node, 0, "{report:?}");
        assert!(
            report.found.from_browsers + report.found.from_own_slice
                >= report.found.from_bridges * 9
        );
    }
    assert!(open.common.signatures_checked > 0);
    assert!(open.common.signatures_checked < open.common.signatures_asked);
}

#[test]
fn one_seed_is_one_run_and_another_seed_another() {
    let trace = |seed| run::<Open>(30, seed, 20).common.trace_hash;
    assert_eq!(trace(5), trace(5));
    assert_ne!(trace(5), trace(6));
}
