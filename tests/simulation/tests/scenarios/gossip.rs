//! News that everyone is told.

use nanonet::Noise;
use simulation::check::gossip::Plant;
use simulation::open::Open;
use simulation::scenario::gossip::{Report, Workload, play};
use simulation::scenario::{Options, Reported};

fn run<C: Reported>(nodes: usize, messages: usize, plant: Option<Plant>) -> Report {
    let work = Workload {
        messages,
        rate: 10,
        loss_ppm: 50_000,
        #[cfg(feature = "iroh")]
        compare: false,
    };
    play::<C>(
        Options {
            nodes,
            seed: 3,
            kinds: false,
        },
        &work,
        plant,
    )
}

#[test]
fn a_hundred_browsers_miss_nothing_with_real_cryptography_and_without() {
    let (real, open) = (run::<Noise>(100, 60, None), run::<Open>(100, 60, None));
    for report in [&real, &open] {
        assert_eq!(report.violations, 0, "{report:?}");
        assert!(report.gossip.deliveries > 5_000, "{report:?}");
        assert!(report.gossip.redundancy <= 1.0, "{report:?}");
        assert!(report.gossip.payloads_per_delivery <= 2.2, "{report:?}");
        assert!(report.gossip.last_hop <= 12, "{report:?}");
    }
}

#[test]
fn each_planted_bug_is_found_by_its_checker() {
    let found = |plant, messages| run::<Open>(25, messages, Some(plant)).broken;
    assert!(found(Plant::DeliversTwice, 20).delivered_twice > 0);
    assert!(found(Plant::Invents, 20).invented > 0);
    assert!(found(Plant::KeepsForItself, 20).missed > 0);
    // More than a node may keep.
    assert!(found(Plant::NeverForgets, 600).over_limits > 0);
    assert_eq!(run::<Open>(25, 600, None).violations, 0);
}

#[test]
fn one_seed_is_one_run() {
    let trace = |nodes| run::<Open>(nodes, 20, None).common.trace_hash;
    assert_eq!(trace(30), trace(30));
}

#[cfg(feature = "iroh")]
#[test]
fn the_same_workload_comes_to_almost_everyone_through_iroh_gossip() {
    let work = Workload {
        messages: 20,
        rate: 10,
        loss_ppm: 50_000,
        compare: true,
    };
    let report = play::<Open>(
        Options {
            nodes: 60,
            seed: 3,
            kinds: false,
        },
        &work,
        None,
    );
    let theirs = &report.compared[0];
    assert_eq!(theirs.published, report.gossip.published);
    assert!(theirs.deliveries > 1_000, "{theirs:?}");
    assert!(theirs.missed < theirs.deliveries / 20, "{theirs:?}");
}
