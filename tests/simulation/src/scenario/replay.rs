//! Old proofs are served again, and bridges sign that what was is what is.
//!
//! A fifth of the browsers answer with the first proof they ever held of an account. Two bridges that
//! are nobody's anchors, and one that is an anchor, push old proofs with sightings of today and answer
//! with them when they are asked. Half of the accounts get new blocks meanwhile; newcomers who know
//! nothing ask, as well as those who are there.

use nanonet::adversary::Tamper;
use nanonet::testing::TestKeys;
use nanonet::{GetOptions, Input};

use super::trial::{Report, Trial};
use super::{Reported, pick};
use crate::check::answers::Demand;
use crate::world::Place;

/// The anchor that lies.
const LIAR: Place = 2;
/// How long it lasts.
const REPLAY_MS: u64 = 120_000;
/// Time between two rounds.
const ROUND_MS: u64 = 10_000;

/// Plays it.
pub(super) fn play<C: Reported>(mut trial: Trial<C>) -> Report {
    let strangers = [trial.add_stranger(), trial.add_stranger()];
    let mut bridges = vec![LIAR];
    bridges.extend(strangers);
    for bridge in &bridges {
        trial.world.faults.replaying.insert(*bridge);
        trial.inject("bridges_that_sign_false_sightings", 1);
    }
    for place in trial.honest().into_iter().step_by(5) {
        trial.world.node_mut(place).remember_now();
        trial
            .world
            .node_mut(place)
            .lie(Tamper::OlderProof, TestKeys::new());
        trial.hostile.insert(place);
        trial.inject("browsers_that_serve_old_proofs", 1);
    }
    // A fifth of the holders do not count.
    trial.replicas.least = trial.replicas.least * 3 / 5;
    let changing: Vec<_> = trial.accounts.iter().copied().step_by(2).collect();
    for account in &changing {
        trial.confirm_next(*account, 0);
        trial.inject("blocks_confirmed", 1);
    }
    trial.pass(ROUND_MS * 2);
    for round in 0..REPLAY_MS / ROUND_MS {
        for bridge in &bridges {
            for _ in 0..4 {
                let account = pick(&mut trial.rng, &changing);
                push(&mut trial, *bridge, &account);
            }
        }
        if round % 3 == 0 {
            let account = pick(&mut trial.rng, &changing);
            trial.confirm_next(account, 0);
            trial.inject("blocks_confirmed", 1);
            let newcomer = trial.join();
            trial.world.dial(newcomer, strangers[0]);
            trial.inject("newcomers", 1);
        }
        trial.question(8, Demand::Answer);
        let honest = trial.honest();
        for asker in honest.iter().rev().take(4) {
            let account = pick(&mut trial.rng, &changing);
            trial.ask(*asker, account, Demand::Nothing);
            let fresh = GetOptions {
                fresh: true,
                ..GetOptions::default()
            };
            let account = pick(&mut trial.rng, &changing);
            let request = trial.world.ask(*asker, account, fresh);
            trial
                .answers
                .asked(*asker, request, account, Demand::Nothing);
        }
        trial.pass(ROUND_MS);
    }
    trial.pass(11_000);
    let tally = trial.settle("while old proofs were served", 95);
    trial.figure("asked_meanwhile", tally.asked);
    for place in trial.hostile.clone() {
        if trial.world.is_browser(place) {
            trial.world.node_mut(place).stop_lying();
        }
    }
    for bridge in strangers {
        trial.world.stop(bridge);
    }
    trial.world.faults.replaying.clear();
    trial.hostile.clear();
    trial.replicas.least = usize::from(trial.world.rules.replicas) * 3 / 4;
    trial.replicas.allowed_ms = 120_000;
    trial.pass(90_000);
    trial.finish(60)
}

/// A bridge pushes what was first of an account, as if it had just been confirmed.
fn push<C: Reported>(trial: &mut Trial<C>, bridge: Place, account: &nano_core::Account) {
    let Some(record) = trial.world.replayed(account).map(Box::new) else {
        return;
    };
    let receivable = None;
    trial
        .world
        .input(bridge, Input::Confirmed { record, receivable });
    trial.inject("old_proofs_pushed", 1);
}
