//! The network is split in two halves for ten minutes, and both publish blocks that contradict each
//! other.
//!
//! Two thirds of the voting weight lie on one side, so only there anything is confirmed; the bridge
//! on the other side accepts blocks for which nobody votes. Afterwards the losers are handed back and
//! built anew, and both halves must be one network again.

use nanonet::Event;

use super::trial::{Report, Trial};
use super::{Reported, pick};
use crate::check::answers::Demand;

/// How long it is split.
const SPLIT_MS: u64 = 600_000;
/// Time between two confirmed blocks on the side with the weight.
const CONFIRM_EVERY_MS: u64 = 20_000;
/// Time after which everything must be well.
const HEAL_MS: u64 = 120_000;
/// The bridge on the side without.
const CUT_OFF: usize = 2;

/// Plays it.
pub(super) fn play<C: Reported>(mut trial: Trial<C>) -> Report {
    let browsers = trial.honest();
    let conflicts = (browsers.len() / 12)
        .clamp(4, 40)
        .min(trial.accounts.len() / 2);
    let sides: Vec<bool> = (0..trial.world.places())
        .map(|place| match place {
            0 | 1 => false,
            CUT_OFF => true,
            _ => trial.rng.below(2) == 1,
        })
        .collect();
    let (far, near): (Vec<_>, Vec<_>) = browsers.into_iter().partition(|place| sides[*place]);
    trial.inject("nodes_on_the_small_side", far.len() as u64);
    trial.inject("nodes_on_the_large_side", near.len() as u64);
    // One person each, with a tab on either side.
    let mut tabs = Vec::new();
    for account in trial.accounts.clone().into_iter().take(conflicts) {
        let (a, b) = (pick(&mut trial.rng, &near), pick(&mut trial.rng, &far));
        trial.own(a, account);
        trial.own(b, account);
        tabs.push((account, a, b));
    }
    trial.pass(10_000);

    trial.world.split(sides);
    trial.world.faults.stranded.insert(CUT_OFF);
    trial.inject("split_ms", SPLIT_MS);
    trial.replicas.allowed_ms = 180_000;
    trial.pass(60_000);
    let mut losers = Vec::new();
    for (account, a, b) in &tabs {
        let lost = trial.publish(*b, *account, 2);
        trial.publish(*a, *account, 3);
        losers.push((*b, lost));
        trial.inject("conflicting_blocks", 2);
    }
    let others: Vec<_> = trial.accounts[conflicts..].to_vec();
    for _ in 0..(SPLIT_MS - 60_000) / CONFIRM_EVERY_MS {
        let account = pick(&mut trial.rng, &others);
        trial.confirm_next(account, 0);
        trial.inject("confirmed_on_the_large_side", 1);
        trial.question(8, Demand::Browsers);
        trial.pass(CONFIRM_EVERY_MS);
    }
    let tally = trial.settle("while it was split", 95);
    trial.figure("asked_while_split", tally.asked);

    let swallowed = trial.world.faults.swallowed;
    trial.inject("messages_swallowed", swallowed);
    trial.world.faults.sides.clear();
    trial.world.rejoin_full_nodes();
    trial.pass(HEAL_MS);
    let suspected = |told: &&(usize, Event)| matches!(told.1, Event::Split { suspected: true });
    let suspected = trial.told.iter().filter(suspected).count();
    trial.figure("nodes_that_suspected_a_split", suspected as u64);
    let mut rebuilt = 0;
    for (place, lost) in losers {
        rebuilt += u64::from(trial.rebuild(place, lost));
    }
    trial.figure("rebuilt", rebuilt);
    trial.pass(20_000);
    trial.finish(60)
}
