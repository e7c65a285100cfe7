//! 64 ids of one attacker are nearer to a key than any honest node.
//!
//! They say that they keep what is put, give nothing to anybody and pass nothing on. Blocks of the
//! account with this key go on being confirmed; each must be held by honest browsers and found there.

use super::Reported;
use super::eclipse::place_of;
use super::siege::Network;
use super::trial::{Report, Trial};
use crate::check::answers::Demand;

/// Ids nearest to the key.
const SYBILS: usize = 64;
/// Time for them to settle in, and to be noticed.
const CROWD_MS: u64 = 100_000;

/// Plays it.
pub(super) fn play<C: Reported>(mut trial: Trial<C>) -> Report {
    let victim = trial.accounts[0];
    let point = place_of(&victim);
    let nearest = trial
        .honest()
        .into_iter()
        .map(|place| point.distance(&trial.world.id(place).point()).shared_bits())
        .max()
        .unwrap_or(0);
    let crowd: Vec<_> = (0..SYBILS)
        .map(|_| trial.add_hostile(&point, nearest + 1, true, Network::Own))
        .collect();
    trial.inject("ids_nearest_to_the_key", SYBILS as u64);
    trial.conspire(&crowd);
    trial.let_in(&crowd);
    trial.replicas.allowed_ms = 60_000;
    trial.pass(CROWD_MS);
    for round in 0..3 {
        trial.confirm_next(victim, round % 3);
        trial.inject("blocks_of_the_account", 1);
        trial.pass(20_000);
        let honest = trial.honest();
        for place in honest.into_iter().step_by(trial.nodes() / 20) {
            trial.ask(place, victim, Demand::Browsers);
        }
        trial.pass(12_000);
    }
    let tally = trial.settle("while the key was crowded", 90);
    trial.figure("asked_for_the_key", tally.asked);
    trial.figure("answered_by_browsers", tally.by_browsers);
    for place in crowd {
        trial.world.stop(place);
    }
    trial.replicas.allowed_ms = 180_000;
    trial.pass(120_000);
    trial.finish(60)
}
