//! Many accounts are published as forks at once, each by two tabs of one person.
//!
//! One of the bridges takes blocks and does nothing with them (what `SecondBridge` is about). Some
//! persons publish twice in one tab (`Rivals`). And representatives who can be bought have voted for
//! two histories of some accounts (`Alarm`): nobody may take either for the truth.
//! Then half of those who lost agree to build their block anew, the others let it go.

use std::collections::BTreeSet;

use nano_core::{Account, Raw};
use nanonet::testing::TestKeys;
use nanonet::{Event, Input, PublishState};

use super::trial::{Report, Trial};
use super::{Reported, pick};
use crate::check::answers::Demand;
use crate::check::{answers, blocks, convergence};
use crate::world::Place;

/// The bridge that does nothing with blocks.
const SINK: Place = 2;
/// Accounts with two histories that were both voted for.
const CONTESTED: usize = 3;
/// Persons who publish twice in one tab.
const TWICE: usize = 4;
/// Time for everything to be decided.
const DECIDE_MS: u64 = 60_000;

/// Plays it.
pub(super) fn play<C: Reported>(mut trial: Trial<C>) -> Report {
    let accounts = trial.accounts.clone();
    let (contested, forked) = accounts.split_at(CONTESTED);
    let browsers = trial.honest();
    trial.world.faults.sinks.insert(SINK);
    let mut tabs = Vec::new();
    for account in forked {
        let (a, b) = (
            pick(&mut trial.rng, &browsers),
            pick(&mut trial.rng, &browsers),
        );
        trial.own(a, *account);
        trial.own(b, *account);
        tabs.push((*account, a, b));
    }
    trial.pass(10_000);
    let mut refused = BTreeSet::new();
    for (number, (account, a, b)) in tabs.iter().enumerate() {
        trial.publish(*a, *account, 2);
        trial.inject("forked_blocks", 1);
        if number < TWICE {
            let to = pick(&mut trial.rng, &accounts);
            let block = trial.world.ledger.build_send(account, &to, 4);
            refused.insert((*a, trial.world.publish(*a, block)));
            trial.inject("second_blocks_of_one_tab", 1);
        }
        if a != b {
            trial.publish(*b, *account, 3);
            trial.inject("forked_blocks", 1);
        }
    }
    // Of these no history is the right one, so that most checks have nothing to say of them.
    trial
        .accounts
        .retain(|account| !contested.contains(account));
    for account in contested {
        contest(&mut trial, *account);
    }
    trial.pass(DECIDE_MS);

    let told = std::mem::take(&mut trial.told);
    let mut alarmed: BTreeSet<(Place, Account)> = BTreeSet::new();
    let (mut lost, mut rivals) = (Vec::new(), BTreeSet::new());
    for (place, event) in told {
        match event {
            Event::Publish { hash, state, .. } => match state {
                PublishState::Superseded { .. } => lost.push((place, hash)),
                PublishState::Rival => {
                    rivals.insert((place, hash));
                }
                _ => {}
            },
            Event::Conflict {
                account,
                diverged: true,
            } => {
                alarmed.insert((place, account));
            }
            _ => {}
        }
    }
    let now = trial.world.now;
    for (place, hash) in refused.difference(&rivals) {
        trial.broken.add(now, blocks::NAME, || {
            format!("node {place} forked its own account with {hash}")
        });
    }
    let agreeing: Vec<_> = lost.iter().copied().step_by(2).collect();
    for (place, hash) in &lost {
        if agreeing.contains(&(*place, *hash)) {
            if !trial.rebuild(*place, *hash) {
                trial.broken.add(now, blocks::NAME, || {
                    format!("node {place} cannot build {hash} anew")
                });
            }
            trial.inject("blocks_built_anew", 1);
        } else {
            trial.world.input(*place, Input::LetGo { hash: *hash });
        }
    }
    for (place, _) in &lost {
        let kept = trial.world.stored_pending(*place).len();
        if kept != trial.world.node(*place).pending().count() {
            trial.broken.add(now, blocks::NAME, || {
                format!("node {place} keeps a block that was decided")
            });
        }
    }
    trial.figure("blocks_handed_back", lost.len() as u64);
    trial.figure("alarms", alarmed.len() as u64);
    trial.pass(DECIDE_MS);

    let honest = trial.honest();
    for account in contested {
        let replicas = usize::from(trial.world.rules.replicas);
        let near = convergence::nearest(&trial.world, &honest, account, replicas);
        let knowing = near
            .iter()
            .filter(|place| alarmed.contains(&(**place, *account)));
        let knowing = knowing.count();
        if knowing * 4 < near.len() * 3 {
            trial.broken.add(now, answers::NAME, || {
                let all = near.len();
                format!("of the {all} nodes nearest to {account} {knowing} know that it has two histories")
            });
        }
        for _ in 0..6 {
            let asker = pick(&mut trial.rng, &honest);
            trial.ask(asker, *account, Demand::Nothing);
        }
    }
    trial.pass(12_000);
    let now = trial.world.now;
    trial.answers.settle_contested(now, &mut trial.broken);
    trial.finish(60)
}

/// Two histories of an account come to two bridges, both with all votes.
fn contest<C: Reported>(trial: &mut Trial<C>, account: Account) {
    trial.answers.contest(account);
    trial.inject("accounts_with_two_certificates", 1);
    let keys = TestKeys::new();
    let chain = trial.world.ledger.chain(&account);
    let to = trial.accounts[0];
    let records = [7, 9].map(|nano| {
        let mut fork = chain.fork_after(0);
        fork.send(&to, Raw::new(nano * Raw::NANO.number()));
        Box::new(keys.record(&fork, 1, 1))
    });
    for (bridge, record) in records.into_iter().enumerate() {
        let receivable = None;
        trial
            .world
            .input(bridge, Input::Confirmed { record, receivable });
    }
}
