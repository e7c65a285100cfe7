//! The scenarios of faults and attacks by name.

use clap::ValueEnum;

use super::trial::{Report, Setup, Trial};
use super::{
    Options, Reported, bridge_loss, eclipse, flood, fork_storm, partition, replay, sybil,
    table_shift,
};
use crate::world::Rules;
use nano_core::Difficulty;

/// Faults and attacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Adversary {
    /// Two halves that do not reach each other for ten minutes.
    Partition,
    /// Hostile nodes around a victim.
    Eclipse,
    /// 64 ids of one attacker nearest to a key.
    Sybil,
    /// Many accounts published as forks at once.
    ForkStorm,
    /// Bridges go, all of them, and come back.
    BridgeLoss,
    /// A thousand messages a second from each attacker.
    Flood,
    /// Old proofs served again, with false sightings.
    OldProofReplay,
    /// The largest representative is gone from the weight table.
    TableShift,
}

/// The work of ids where the attacker has to pay for them: 256 hashes.
const PRICE: Difficulty = Difficulty::new(0xff00_0000_0000_0000);

impl Adversary {
    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Partition => "partition",
            Self::Eclipse => "eclipse",
            Self::Sybil => "sybil",
            Self::ForkStorm => "fork-storm",
            Self::BridgeLoss => "bridge-loss",
            Self::Flood => "flood",
            Self::OldProofReplay => "old-proof-replay",
            Self::TableShift => "table-shift",
        }
    }

    /// Plays it.
    #[must_use]
    pub fn play<C: Reported>(self, options: Options, setup: Setup) -> Report {
        let accounts = (options.nodes / 8).clamp(24, 80);
        let trial =
            |change: fn(&mut Rules)| Trial::<C>::new(self.name(), options, setup, accounts, change);
        match self {
            Self::Partition => partition::play(trial(|_| {})),
            Self::Eclipse => eclipse::play(trial(|rules| {
                rules.join_threshold = PRICE;
                rules.addressed = true;
            })),
            Self::Sybil => sybil::play(trial(|_| {})),
            Self::ForkStorm => fork_storm::play(trial(|_| {})),
            Self::BridgeLoss => bridge_loss::play(trial(|_| {})),
            Self::Flood => flood::play(trial(|_| {})),
            Self::OldProofReplay => replay::play(trial(|_| {})),
            Self::TableShift => table_shift::play(trial(table_shift::rules)),
        }
    }
}
