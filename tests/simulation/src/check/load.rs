//! What full nodes are promised: they see next to nothing of what people ask, and a flood of
//! addresses that nobody has is capped. And what people are: no answer is wrong.

use clap::ValueEnum;
use nanonet::Bug;
use serde::Serialize;

/// Of a million questions, how many may reach a full node.
pub const MOST_PPM: u64 = 10_000;
/// Questions to the full nodes that one bridge may be made to ask at once, and per second.
pub const CAP: (u64, u64) = (300, 20);

/// A bug to be planted in every node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Plant {
    /// A bridge asks the full nodes whoever wants what and however often.
    AsksForAll,
}

impl Plant {
    /// The bug in the node.
    #[must_use]
    pub const fn bug(self) -> Bug {
        match self {
            Self::AsksForAll => Bug::AsksForAll,
        }
    }
}

/// What was broken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Violations {
    /// More questions reached full nodes than may.
    pub too_many_reached: u64,
    /// More of a flood did.
    pub flood_not_capped: u64,
    /// Answers with another frontier than the confirmed one, or with one for an account that was
    /// never opened.
    pub wrong_accepted: u64,
}

impl Violations {
    /// All of them.
    #[must_use]
    pub const fn sum(&self) -> u64 {
        self.too_many_reached + self.flood_not_capped + self.wrong_accepted
    }
}

/// A flood of random addresses.
#[derive(Debug, Clone, Copy)]
pub struct Flood {
    /// Bridges.
    pub bridges: u64,
    /// How long.
    pub seconds: u64,
    /// Their questions.
    pub queries: u64,
    /// Those that reached full nodes.
    pub reached: u64,
}

impl Flood {
    /// How many may have reached full nodes.
    #[must_use]
    pub const fn most(&self) -> u64 {
        let (burst, per_s) = CAP;
        self.bridges * (burst + per_s * self.seconds)
    }
}

/// Judges what reached the full nodes: `reached` of `asked` questions, and of a flood.
#[must_use]
pub fn judge(asked: u64, reached: u64, flood: &Flood) -> Violations {
    Violations {
        too_many_reached: u64::from(reached * 1_000_000 > asked * MOST_PPM),
        flood_not_capped: u64::from(flood.reached > flood.most()),
        wrong_accepted: 0,
    }
}
