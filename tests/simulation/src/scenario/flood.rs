//! Attackers send a thousand messages a second each.
//!
//! Half of them send all of it to one node, the others spread it over all their links; everything is a
//! question for an account that does not exist, so that it is passed on as far as it may. Who is dropped
//! comes back at once.

use std::collections::BTreeMap;

use nanonet::{Event, Input, NodeId};

use super::Reported;
use super::trial::{Report, Trial};
use crate::check::answers::Demand;
use crate::check::budgets;
use crate::world::Place;

/// Messages a second of each.
const PER_S: u32 = 1_000;
/// How long.
const FLOOD_MS: u64 = 60_000;
/// Messages a second and node that it may cause.
const MOST_PER_NODE_S: u64 = 250;
/// From which second on: before, everyone has something saved.
const AFTER_S: u64 = 15;
/// Time between two bursts.
const BURST_MS: u64 = 100;

/// Plays it.
pub(super) fn play<C: Reported>(mut trial: Trial<C>) -> Report {
    let honest = trial.honest();
    let attackers: Vec<Place> = honest
        .iter()
        .copied()
        .step_by(honest.len() / (honest.len() / 100).clamp(2, 8))
        .collect();
    for place in &attackers {
        trial.hostile.insert(*place);
    }
    trial.inject("attackers", attackers.len() as u64);
    trial.budgets = budgets::Budgets::new(&trial.world, 60);
    let (mut sent, mut tried) = (0, 0);
    let mut delivered = trial.world.delivered;
    for step in 0..FLOOD_MS / BURST_MS {
        for (number, place) in attackers.iter().enumerate() {
            let links = trial.world.status(*place).links;
            let one = links.first().map(|link| link.link);
            let over = one.filter(|_| number % 2 == 0);
            let burst = PER_S * u32::try_from(BURST_MS).unwrap_or(0) / 1_000;
            sent += u64::from(trial.world.node_mut(*place).spam(burst, over));
            tried += u64::from(burst);
            trial.world.input(*place, Input::Timeout);
            if links.len() < 4 && step % 10 == 0 {
                trial.world.dial(*place, number % 3);
            }
        }
        if step % 10 == 0 {
            trial.question(2, Demand::Browsers);
        }
        trial.pass(BURST_MS);
        if step % 10 == 9 {
            let in_second =
                trial.world.delivered - std::mem::replace(&mut delivered, trial.world.delivered);
            if step > AFTER_S * 10 && in_second > MOST_PER_NODE_S * trial.nodes() as u64 {
                let (now, nodes) = (trial.world.now, trial.nodes());
                trial.broken.add(now, budgets::NAME, || {
                    format!("the flood makes {in_second} messages a second among {nodes} nodes")
                });
                // There is nothing more to see.
                break;
            }
        }
    }
    came_back(&mut trial);
    trial.inject("messages_tried", tried);
    trial.inject("messages_sent", sent);
    trial.pass(11_000);
    let tally = trial.settle("while it was flooded", 95);
    trial.figure("asked_while_flooded", tally.asked);
    for place in attackers {
        trial.world.stop(place);
    }
    trial.replicas.allowed_ms = 120_000;
    trial.pass(60_000);
    trial.finish(60)
}

/// Who is dropped at fault is kept away: nobody has to drop one attacker again in so short a time.
fn came_back<C: Reported>(trial: &mut Trial<C>) {
    let mut drops: BTreeMap<(Place, NodeId), u64> = BTreeMap::new();
    for (place, event) in std::mem::take(&mut trial.told) {
        if let Event::PeerDropped { peer, .. } = event {
            *drops.entry((place, peer)).or_default() += 1;
        }
    }
    trial.figure("attackers_dropped", drops.len() as u64);
    let now = trial.world.now;
    for ((place, peer), times) in drops.into_iter().filter(|(_, times)| *times > 1) {
        trial.broken.add(now, budgets::NAME, || {
            format!("node {place} had to drop {peer} {times} times")
        });
    }
}
