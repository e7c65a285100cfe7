//! Plays scenarios of the overlay: `simulation SCENARIO --nodes N --seed S [--json]`.

use clap::{Args, Parser, Subcommand, ValueEnum as _};
use nanonet::Noise;
use serde::Serialize;
use simulation::check::gossip::Plant;
use simulation::check::load::Plant as LoadPlant;
use simulation::check::messages::Plant as MessagesPlant;
use simulation::check::slice::Plant as SlicePlant;
use simulation::open::Open;
use simulation::scenario::adversary::Adversary;
use simulation::scenario::trial::Setup;
use simulation::scenario::{OPEN_FROM, Options, gossip, lookup, mainnet_load, messages, slice};

/// Plays scenarios of the overlay on virtual time with the product's own nodes: one seed, one run.
#[derive(Debug, Parser)]
#[command(name = "simulation", version, about)]
struct Cli {
    #[command(subcommand)]
    scenario: Scenario,
}

#[derive(Debug, Subcommand)]
enum Scenario {
    /// Names the scenarios.
    List,
    /// Questions for accounts nobody asked for before, while nodes come and go.
    Lookup(Lookup),
    /// News that random browsers tell everyone, while nodes come and go.
    Gossip(Gossip),
    /// Records that must not get lost while nodes come and go, and half of them leave at once.
    Slice(SliceArgs),
    /// What people ask on a usual day, and how much of that the full nodes see.
    MainnetLoad(Load),
    /// Private messages while nodes come and go and a fifth of them drops what it should pass on.
    Messages(MessagesArgs),
    /// Two halves that do not reach each other for ten minutes.
    Partition(Siege),
    /// Hostile nodes around a victim.
    Eclipse(Siege),
    /// 64 ids of one attacker nearest to a key.
    Sybil(Siege),
    /// Many accounts published as forks at once.
    ForkStorm(Siege),
    /// Bridges go, all of them, and come back.
    BridgeLoss(Siege),
    /// A thousand messages a second from each attacker.
    Flood(Siege),
    /// Old proofs served again, with false sightings.
    OldProofReplay(Siege),
    /// The largest representative is gone from the weight table.
    TableShift(Siege),
}

#[derive(Debug, Args)]
struct Siege {
    #[command(flatten)]
    world: World,
    #[command(flatten)]
    setup: Setup,
}

impl Siege {
    fn play(&self, which: Adversary) {
        let (options, setup) = (self.world.options(), self.setup);
        self.world.print(&if self.world.is_real() {
            which.play::<Noise>(options, setup)
        } else {
            which.play::<Open>(options, setup)
        });
    }
}

#[derive(Debug, Args)]
struct World {
    /// Browsers at a time.
    #[arg(long, default_value_t = 1_000)]
    nodes: usize,
    /// Which run.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    /// Count messages by what they are.
    #[arg(long)]
    kinds: bool,
    /// Real cryptography, however many nodes.
    #[arg(long, conflicts_with = "open")]
    real: bool,
    /// Links that are not encrypted, however few nodes.
    #[arg(long)]
    open: bool,
}

impl World {
    const fn options(&self) -> Options {
        Options {
            nodes: self.nodes,
            seed: self.seed,
            kinds: self.kinds,
        }
    }

    const fn is_real(&self) -> bool {
        self.real || (!self.open && self.nodes < OPEN_FROM)
    }

    fn print(&self, report: &impl Serialize) {
        let text = if self.json {
            serde_json::to_string(report)
        } else {
            serde_json::to_string_pretty(report)
        };
        match text {
            Ok(text) => println!("{text}"),
            Err(error) => eprintln!("the report cannot be written: {error}"),
        }
    }
}

#[derive(Debug, Args)]
struct Lookup {
    #[command(flatten)]
    world: World,
    #[command(flatten)]
    work: lookup::Workload,
}

#[derive(Debug, Args)]
struct Gossip {
    #[command(flatten)]
    world: World,
    #[command(flatten)]
    work: gossip::Workload,
    /// Plant a bug in every node, to see that a checker finds it.
    #[arg(long, value_enum)]
    plant: Option<Plant>,
}

#[derive(Debug, Args)]
struct SliceArgs {
    #[command(flatten)]
    world: World,
    #[command(flatten)]
    work: slice::Workload,
    /// Plant a bug in every node, to see that a checker finds it.
    #[arg(long, value_enum)]
    plant: Option<SlicePlant>,
}

#[derive(Debug, Args)]
struct MessagesArgs {
    #[command(flatten)]
    world: World,
    #[command(flatten)]
    work: messages::Workload,
    /// Plant a bug in every node, to see that a checker finds it.
    #[arg(long, value_enum)]
    plant: Option<MessagesPlant>,
}

#[derive(Debug, Args)]
struct Load {
    #[command(flatten)]
    world: World,
    #[command(flatten)]
    work: mainnet_load::Workload,
    /// Plant a bug in every node, to see that a checker finds it.
    #[arg(long, value_enum)]
    plant: Option<LoadPlant>,
}

fn main() {
    match Cli::parse().scenario {
        Scenario::List => {
            println!("lookup\ngossip\nslice\nmainnet-load\nmessages");
            for scenario in Adversary::value_variants() {
                println!("{}", scenario.name());
            }
        }
        Scenario::Partition(siege) => siege.play(Adversary::Partition),
        Scenario::Eclipse(siege) => siege.play(Adversary::Eclipse),
        Scenario::Sybil(siege) => siege.play(Adversary::Sybil),
        Scenario::ForkStorm(siege) => siege.play(Adversary::ForkStorm),
        Scenario::BridgeLoss(siege) => siege.play(Adversary::BridgeLoss),
        Scenario::Flood(siege) => siege.play(Adversary::Flood),
        Scenario::OldProofReplay(siege) => siege.play(Adversary::OldProofReplay),
        Scenario::TableShift(siege) => siege.play(Adversary::TableShift),
        Scenario::Lookup(Lookup { world, work }) => {
            let options = world.options();
            world.print(&if world.is_real() {
                lookup::play::<Noise>(options, &work)
            } else {
                lookup::play::<Open>(options, &work)
            });
        }
        Scenario::Gossip(Gossip { world, work, plant }) => {
            let options = world.options();
            world.print(&if world.is_real() {
                gossip::play::<Noise>(options, &work, plant)
            } else {
                gossip::play::<Open>(options, &work, plant)
            });
        }
        Scenario::Slice(SliceArgs { world, work, plant }) => {
            let options = world.options();
            world.print(&if world.is_real() {
                slice::play::<Noise>(options, &work, plant)
            } else {
                slice::play::<Open>(options, &work, plant)
            });
        }
        Scenario::Messages(MessagesArgs { world, work, plant }) => {
            let options = world.options();
            world.print(&if world.is_real() {
                messages::play::<Noise>(options, work, plant)
            } else {
                messages::play::<Open>(options, work, plant)
            });
        }
        Scenario::MainnetLoad(Load { world, work, plant }) => {
            let options = world.options();
            world.print(&if world.is_real() {
                mainnet_load::play::<Noise>(options, &work, plant)
            } else {
                mainnet_load::play::<Open>(options, &work, plant)
            });
        }
    }
}
