//! What people ask on a usual day.

use nanonet::Noise;
use simulation::check::load::Plant;
use simulation::open::Open;
use simulation::scenario::mainnet_load::{Report, Workload, play};
use simulation::scenario::{Options, Reported};

fn run<C: Reported>(nodes: usize, seconds: u64, plant: Option<Plant>) -> Report {
    let options = Options {
        nodes,
        seed: 6,
        kinds: false,
    };
    let work = Workload {
        accounts: Some(nodes as u64 * 3),
        seconds,
    };
    play::<C>(options, &work, plant)
}

#[test]
fn full_nodes_see_next_to_nothing_with_real_cryptography_and_without() {
    let (real, open) = (run::<Noise>(50, 180, None), run::<Open>(120, 180, None));
    for report in [&real, &open] {
        assert_eq!(report.violations, 0, "{report:?}");
        assert!(report.reached_full_node <= 0.01, "{report:?}");
        for figures in [&report.popular, &report.tail, &report.unopened] {
            assert!(figures.asked > 0 && figures.answered >= 0.99, "{report:?}");
        }
        assert!(
            report.resolves > 0 && report.flood_queries > 0,
            "{report:?}"
        );
    }
}

#[test]
fn each_planted_bug_is_found_by_its_checker() {
    let broken = run::<Open>(60, 120, Some(Plant::AsksForAll)).broken;
    assert!(broken.too_many_reached > 0 && broken.flood_not_capped > 0);
}
