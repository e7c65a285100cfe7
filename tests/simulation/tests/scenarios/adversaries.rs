//! Faults and attacks: nothing is broken by them, and it is the defences that see to it.

use clap::ValueEnum as _;
use nanonet::Noise;
use simulation::open::Open;
use simulation::scenario::adversary::Adversary;
use simulation::scenario::trial::{Plant, Report, Setup, Without};
use simulation::scenario::{Options, Reported};

const NODES: usize = 100;

fn play<C: Reported>(which: Adversary, seed: u64, setup: Setup) -> Report {
    let options = Options {
        nodes: NODES,
        seed,
        kinds: false,
    };
    which.play::<C>(options, setup)
}

/// Nothing is broken, with real cryptography and without, and something was done to the network.
fn holds(which: Adversary) {
    let real = play::<Noise>(which, 1, Setup::default());
    let open = [1, 2].map(|seed| play::<Open>(which, seed, Setup::default()));
    for report in open.iter().chain([&real]) {
        assert_eq!(report.violations, 0, "{report:#?}");
        assert!(report.injected.values().sum::<u64>() > 0, "{report:#?}");
    }
}

#[test]
fn a_partition_heals() {
    holds(Adversary::Partition);
}

#[test]
fn a_victim_is_not_eclipsed() {
    holds(Adversary::Eclipse);
}

#[test]
fn sybils_do_not_censor_a_key() {
    holds(Adversary::Sybil);
}

#[test]
fn a_storm_of_forks_is_decided() {
    holds(Adversary::ForkStorm);
}

#[test]
fn bridges_may_go() {
    holds(Adversary::BridgeLoss);
}

#[test]
fn a_flood_drowns_nobody() {
    holds(Adversary::Flood);
}

#[test]
fn old_proofs_are_not_taken_for_new_ones() {
    holds(Adversary::OldProofReplay);
}

#[test]
fn the_largest_representative_may_go() {
    holds(Adversary::TableShift);
    // Bridges answered with proofs that weigh too little under the newer table.
    let again = play::<Open>(Adversary::TableShift, 3, Setup::default());
    assert_eq!(again.violations, 0, "{again:#?}");
}

/// Without the defence something is broken in the scenario that is about it.
fn matters(which: Adversary, without: Without) {
    let setup = Setup {
        plant: None,
        without: Some(without),
    };
    let report = play::<Open>(which, 1, setup);
    assert!(report.violations > 0, "{without:?}: {report:#?}");
}

#[test]
fn defences_against_crowds_matter() {
    matters(Adversary::Sybil, Without::Regions);
}

#[test]
fn defences_against_floods_matter() {
    matters(Adversary::Flood, Without::Buckets);
}

#[test]
fn defences_against_old_and_false_statements_matter() {
    matters(Adversary::OldProofReplay, Without::Order);
    matters(Adversary::OldProofReplay, Without::Sightings);
    matters(Adversary::TableShift, Without::Majority);
    matters(Adversary::TableShift, Without::Renewal);
}

#[test]
fn defences_against_forks_matter() {
    matters(Adversary::ForkStorm, Without::SecondBridge);
    matters(Adversary::ForkStorm, Without::Rivals);
    matters(Adversary::ForkStorm, Without::Alarm);
}

#[test]
fn defences_against_loss_of_the_network_matter() {
    matters(Adversary::Partition, Without::Healing);
}

#[test]
fn each_planted_bug_is_found_by_its_checker() {
    let found = |which, plant, checker: &str| {
        let setup = Setup {
            plant: Some(plant),
            without: None,
        };
        let report = play::<Open>(which, 1, setup);
        assert!(report.broken.of(checker) > 0, "{plant:?}: {report:#?}");
    };
    found(Adversary::TableShift, Plant::BelievesAnything, "answers");
    found(Adversary::Sybil, Plant::LosesRecords, "blocks");
    found(Adversary::TableShift, Plant::NeverRepairs, "replicas");
    found(Adversary::Flood, Plant::RemembersEverything, "memory");
    found(Adversary::BridgeLoss, Plant::Restless, "budgets");
    found(Adversary::OldProofReplay, Plant::StaysBehind, "convergence");
}

#[test]
fn one_seed_is_one_run() {
    let trace = |seed| {
        let report = play::<Open>(Adversary::ForkStorm, seed, Setup::default());
        report.common.trace_hash
    };
    assert_eq!(trace(7), trace(7));
    assert_ne!(trace(7), trace(8));
}

#[test]
fn every_scenario_has_a_name_of_its_own() {
    let mut names: Vec<_> = Adversary::value_variants()
        .iter()
        .map(|which| which.name())
        .collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 8);
}
