//! All bridges but one go, then that one, too; then they come back.
//!
//! Meanwhile a third of the browsers leave without a word, everything is still asked for and must be
//! answered by browsers, and own blocks wait until a bridge is there.

use super::trial::{Report, Trial};
use super::{Reported, pick};
use crate::check::answers::Demand;

/// Time with one bridge.
const ONE_MS: u64 = 60_000;
/// Time without any.
const NONE_MS: u64 = 180_000;

/// Plays it.
pub(super) fn play<C: Reported>(mut trial: Trial<C>) -> Report {
    let accounts = trial.accounts.clone();
    let mut authors = Vec::new();
    let browsers = trial.honest();
    for account in accounts.iter().take(8) {
        let author = pick(&mut trial.rng, &browsers);
        trial.own(author, *account);
        authors.push((author, *account));
    }
    trial.pass(10_000);
    for bridge in [1, 2] {
        trial.world.stop(bridge);
        trial.inject("bridges_gone", 1);
    }
    for _ in 0..ONE_MS / 10_000 {
        let account = pick(&mut trial.rng, &accounts[8..]);
        trial.confirm_next(account, 0);
        trial.question(10, Demand::Browsers);
        trial.pass(10_000);
    }
    trial.world.stop(0);
    trial.inject("bridges_gone", 1);
    let mut leaving = trial.honest();
    leaving.retain(|place| !authors.iter().any(|(author, _)| author == place));
    let leavers = leaving.len() / 3;
    trial.replicas.allowed_ms = 180_000;
    for step in 0..NONE_MS / 10_000 {
        // They go within the first two thirds of that time.
        for _ in 0..leavers.div_ceil(12) {
            if step < 12 && !leaving.is_empty() {
                let number = trial.rng.below(u32::try_from(leaving.len()).unwrap_or(1));
                let place = leaving.swap_remove(number as usize);
                trial.world.stop(place);
                trial.inject("browsers_that_left", 1);
            }
        }
        if step == 2 {
            for (author, account) in authors.clone() {
                trial.publish(author, account, 2);
                trial.inject("blocks_published_without_a_bridge", 1);
            }
        }
        trial.question(10, Demand::Browsers);
        trial.pass(10_000);
    }
    let tally = trial.settle("without bridges", 95);
    trial.figure("asked_without_bridges", tally.asked);
    for bridge in [0, 1, 2] {
        trial.world.start(bridge);
        trial.rearm(bridge);
    }
    trial.pass(180_000);
    trial.finish(60)
}
