//! Hostile nodes surround a victim.
//!
//! Of all nodes 30 % are hostile and have paid for their ids: half of those lie around the victim, the
//! others in each of its buckets where it would like to have a link best. They come from eight networks
//! of addresses (what [`Without::Diversity`](super::trial::Without) is about). As many again, each from a
//! network of its own, have paid nothing (what `JoinWork` is about). They hold nothing, pass nothing on
//! and name only each other. The victim restarts in the middle of them, asks, and must go on hearing of
//! what is confirmed; so must the honest nodes nearest to it.

use nanonet::{AccountKey, Point, Role};

use super::siege::Network;
use super::trial::{Report, Trial};
use super::{Reported, pick};
use crate::check::answers::Demand;
use crate::check::convergence;
use crate::check::replicas::Replicas;

/// Networks of addresses of those who have paid.
const FARM: u8 = 8;
/// Time for the crowd to settle in.
const CROWD_MS: u64 = 45_000;
/// How long the victim is watched.
const WATCH_MS: u64 = 80_000;
/// The fewest links to honest browsers that the victim must keep.
const HONEST_LINKS: usize = 2;

/// Plays it.
pub(super) fn play<C: Reported>(mut trial: Trial<C>) -> Report {
    let honest = trial.honest();
    let victim = pick(&mut trial.rng, &honest);
    let point = trial.world.id(victim).point();
    let bits = u16::try_from(honest.len().ilog2()).unwrap_or(0);
    let paid = honest.len() * 3 / 7;
    let mut crowd = Vec::new();
    for number in 0..paid {
        let place = if number % 2 == 0 {
            trial.add_hostile(&point, bits.saturating_sub(1), true, Network::Farm(FARM))
        } else {
            let bucket = u16::try_from(number / 2).unwrap_or(0) % bits;
            let liked = flipped(&point, bucket);
            trial.add_hostile(&liked, bucket + 4, true, Network::Farm(FARM))
        };
        crowd.push(place);
    }
    trial.inject("hostile_ids_paid_for", paid as u64);
    for _ in 0..paid {
        let place = trial.add_hostile(&point, bits / 2, false, Network::Own);
        crowd.push(place);
    }
    trial.inject("hostile_ids_not_paid_for", paid as u64);
    // Around the victim most of the nearest are the attacker's: what is counted is what remains.
    trial.replicas.allowed_ms = u64::MAX;
    trial.conspire(&crowd);
    trial.world.stop(victim);
    trial.let_in(&crowd);
    trial.pass(CROWD_MS);
    trial.world.start(victim);
    trial.rearm(victim);
    trial.pass(CROWD_MS);

    let accounts = trial.accounts.clone();
    for _ in 0..WATCH_MS / 10_000 {
        let account = pick(&mut trial.rng, &accounts);
        trial.confirm_next(account, 0);
        for _ in 0..4 {
            let account = pick(&mut trial.rng, &accounts);
            trial.ask(victim, account, Demand::Browsers);
            trial.inject("questions_of_the_victim", 1);
        }
        trial.pass(10_000);
        for (place, account) in trial.answers.take_failed() {
            trial.ask(place, account, Demand::Browsers);
        }
    }
    trial.pass(11_000);
    let tally = trial.settle("the victim", 75);
    trial.figure("victim_asked", tally.asked);
    trial.figure("victim_answered_by_browsers", tally.by_browsers);
    let links = trial.world.status(victim).links;
    let browsers = links.iter().filter(|link| link.role == Role::Browser);
    let of_crowd = browsers.clone().filter(|link| {
        let place = trial.world.place_of(link.peer);
        place.is_some_and(|place| crowd.contains(&place))
    });
    let (all, hostile) = (browsers.count(), of_crowd.count());
    trial.figure("victim_links", all as u64);
    trial.figure("victim_links_to_hostile", hostile as u64);
    if all - hostile < HONEST_LINKS {
        let now = trial.world.now;
        trial.broken.add(now, convergence::NAME, || {
            format!("of the victim's {all} links to browsers {hostile} lead to the attacker")
        });
    }
    trial.question(40, Demand::Browsers);
    trial.pass(15_000);
    let _ = trial.settle("everyone else", 90);
    for place in crowd {
        trial.world.stop(place);
    }
    let replicas = usize::from(trial.world.rules.replicas);
    trial.replicas = Replicas::new(replicas, 180_000);
    trial.pass(120_000);
    trial.finish(60)
}

/// `point` with another bit `bucket`.
fn flipped(point: &Point, bucket: u16) -> Point {
    let mut bytes = *point.as_bytes();
    bytes[usize::from(bucket / 8)] ^= 0x80 >> (bucket % 8);
    Point::from_bytes(bytes)
}

/// Where the records of an account lie.
pub(super) fn place_of(account: &nano_core::Account) -> Point {
    AccountKey::new(account).point()
}
