//! Plays scenarios of the overlay: `simulation SCENARIO --nodes N --seed S [--json]`.

use clap::{Args, Parser, Subcommand};
use nanonet::Noise;
use serde::Serialize;
use simulation::check::gossip::Plant;
use simulation::open::Open;
use simulation::scenario::{OPEN_FROM, Options, gossip, lookup};

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
    #[arg(long)]
    real: bool,
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
        self.real || self.nodes < OPEN_FROM
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

fn main() {
    match Cli::parse().scenario {
        Scenario::List => println!("lookup\ngossip"),
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
    }
}
