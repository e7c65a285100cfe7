//! The largest representative is gone from the weight table.
//!
//! All proofs at hand count on its votes: without them they have too little weight, so that no node
//! which does not hold them yet would take them (what `Renewal` is about). At the same time one of the
//! anchors offers a table in which its own keys weigh most, and a block that only they voted for
//! (`Majority`). Then a third of the browsers leave and others come, who know only the new table.

use std::collections::BTreeMap;

use nano_core::proof::{BalanceProof, Certificate, Frontier};
use nano_core::{Account, PrivateKey, Raw, Vote, VoteTimestamp, WeightTable};
use nanonet::gossip::{News, Tell};
use nanonet::testing::{TestKeys, account_key};
use nanonet::weights::refresh;
use nanonet::{AccountRecord, Event, Input, NodeKey, SignedWeights};

use super::trial::{Report, Trial, Without};
use super::{Reported, pick};
use crate::check::answers::Demand;
use crate::ledger::Voters;
use crate::world::{Place, Rules};

/// The anchor that lies.
const LIAR: Place = 2;
/// Age of the table that is held: a quarter of the weight may move in that time.
const AGE_MS: u64 = 15 * 86_400_000;
/// Time for outdated proofs to be made anew.
const RENEW_MS: u64 = 180_000;

/// What is different from other worlds.
pub(super) fn rules(rules: &mut Rules) {
    rules.weights_age_ms = AGE_MS;
    rules.voters = Voters::Heaviest(4);
}

/// What the shell of a node has heard of weights.
struct Shell {
    held: WeightTable,
    offers: Vec<SignedWeights>,
}

/// Plays it.
pub(super) fn play<C: Reported>(mut trial: Trial<C>) -> Report {
    let held = trial.world.ledger.weights();
    let mut shells: BTreeMap<Place, Shell> = BTreeMap::new();
    let (shifted, false_table) = tables(&held, trial.world.now);
    trial.world.ledger.voters = Voters::WithoutLargest;
    offer(&mut trial, LIAR, &false_table);
    trial.inject("false_tables_offered", 1);
    trial.pass(5_000);
    renew(&mut trial, &mut shells, &held);
    let accounts = trial.accounts.clone();
    for account in accounts.iter().take(6) {
        forge(&mut trial, *account, &false_table);
    }
    for bridge in [0, 1] {
        offer(&mut trial, bridge, &shifted);
        trial.inject("tables_without_the_largest", 1);
    }
    trial.pass(5_000);
    renew(&mut trial, &mut shells, &held);
    for bridge in [0, 1] {
        let table = Box::new(shifted.clone());
        trial.world.input(bridge, Input::Weights(table));
    }
    let moved = |shell: &&Shell| shell.held.as_of > held.as_of;
    let moved = shells.values().filter(moved).count() as u64;
    trial.figure("nodes_with_the_new_table", moved);
    trial.question(40, Demand::Answer);
    trial.pass(RENEW_MS);
    let _ = trial.settle("after the shift", 95);

    trial.replicas.allowed_ms = 120_000;
    let mut leaving = trial.honest();
    let leavers = leaving.len() / 3;
    for _ in 0..leavers {
        let number = trial.rng.below(u32::try_from(leaving.len()).unwrap_or(1));
        let place = leaving.swap_remove(number as usize);
        trial.world.stop(place);
        trial.inject("browsers_that_left", 1);
        let newcomer = trial.join();
        trial
            .world
            .input(newcomer, Input::Weights(Box::new(shifted.clone())));
        trial.pass(120_000 / leavers as u64);
    }
    trial.question(40, Demand::Browsers);
    trial.pass(120_000);
    let _ = trial.settle("after others came", 95);
    trial.finish(60)
}

/// The table without its largest representative, and one in which the attacker's key weighs most.
fn tables(held: &WeightTable, now: nano_core::UnixMillis) -> (WeightTable, WeightTable) {
    let mut shifted = held.clone();
    shifted.as_of = now;
    let largest = shifted.weights.iter().max_by_key(|(_, weight)| **weight);
    if let Some(largest) = largest.map(|(key, _)| *key) {
        shifted.weights.remove(&largest);
    }
    shifted.online_weight = shifted.total();
    let mut false_table = shifted.clone();
    let total = held.total().number();
    // The sum stays about what it was, so that it gives nothing away.
    for weight in false_table.weights.values_mut() {
        *weight = Raw::new(weight.number() / 8);
    }
    let most = Raw::new(total - total / 8);
    false_table.weights.insert(bought().account(), most);
    false_table.online_weight = false_table.total();
    (shifted, false_table)
}

/// The attacker's representative.
fn bought() -> PrivateKey {
    account_key(u64::MAX - 9)
}

/// An anchor tells everyone a table.
fn offer<C: Reported>(trial: &mut Trial<C>, bridge: Place, table: &WeightTable) {
    let identity = trial.world.identity(bridge);
    if let Ok(weights) = SignedWeights::sign(&identity, table.clone()) {
        let tell = Tell::Weights(Box::new(weights));
        trial.world.input(bridge, Input::Tell(Box::new(tell)));
    }
}

/// Shells do with tables they heard of what they do in the product.
fn renew<C: Reported>(
    trial: &mut Trial<C>,
    shells: &mut BTreeMap<Place, Shell>,
    held: &WeightTable,
) {
    let anchors: Vec<NodeKey> = trial
        .anchors()
        .iter()
        .map(|place| trial.world.status(*place).key)
        .collect();
    let now = trial.world.now;
    for (place, event) in std::mem::take(&mut trial.told) {
        let Event::News { news, .. } = event else {
            continue;
        };
        let News::Weights(weights) = *news else {
            continue;
        };
        let shell = shells.entry(place).or_insert_with(|| Shell {
            held: held.clone(),
            offers: Vec::new(),
        });
        shell.offers.push(*weights);
        let taken = if trial.setup.without == Some(Without::Majority) {
            shell.offers.last().map(|offer| offer.table.clone())
        } else {
            refresh(&shell.held, &anchors, &shell.offers, now).ok()
        };
        if let Some(table) = taken.filter(|table| table.as_of > shell.held.as_of) {
            shell.held = table.clone();
            trial.world.input(place, Input::Weights(Box::new(table)));
        }
    }
}

/// The lying anchor pushes a block that was never confirmed, with the vote of its own key.
fn forge<C: Reported>(trial: &mut Trial<C>, account: Account, table: &WeightTable) {
    let mut fork = trial.world.ledger.chain(&account).fork_after(0);
    let to = pick(&mut trial.rng, &trial.accounts);
    let hash = fork.send(&to, Raw::new(99 * Raw::NANO.number()));
    let vote = Vote::sign(&bought(), VoteTimestamp::FINAL, vec![hash]);
    let (Some(block), Ok(certificate)) = (fork.blocks().last(), Certificate::from_votes([&vote]))
    else {
        return;
    };
    let proof = BalanceProof {
        network: TestKeys::new().weights().network,
        frontier: Frontier::State(*block),
        certificate,
    };
    let record = Box::new(AccountRecord::new(proof));
    trial
        .world
        .input(LIAR, Input::Weights(Box::new(table.clone())));
    let receivable = None;
    trial
        .world
        .input(LIAR, Input::Confirmed { record, receivable });
    trial.inject("blocks_with_bought_votes", 1);
}
