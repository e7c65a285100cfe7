//! What must never happen, in files of their own: a scenario tells a checker what it did and what
//! it saw, and the checker counts what was broken. Each checker is shown to work by a bug that is
//! planted in every node.
//!
//! | checker | what it watches |
//! |---|---|
//! | [`answers`] | no wrong balance is accepted, nothing stale is shown as fresh, questions are answered |
//! | [`blocks`] | no confirmed block is lost, and every own block is decided and its author told |
//! | [`replicas`] | replication is restored in time |
//! | [`memory`] | no node holds more than its limits |
//! | [`budgets`] | links, links made, and messages stay within what is allowed |
//! | [`convergence`] | after the faults everyone is in one network and knows the same |
//! | [`slice`] | no record is lost, few copies are soon enough again, and that costs little |
//! | [`load`] | full nodes see next to nothing, and a flood is capped |
//! | [`gossip`] | news comes once, to everyone |
//! | [`messages`] | private messages come once, from who sent them, in order |
//! | [`leaks`] | nobody but its ends sees both ends of a private message, or its content |

pub mod answers;
pub mod blocks;
pub mod budgets;
pub mod convergence;
pub mod gossip;
pub mod leaks;
pub mod load;
pub mod lookup;
pub mod memory;
pub mod messages;
pub mod replicas;
pub mod slice;

use std::collections::BTreeMap;

use nano_core::UnixMillis;
use nanonet::testing::TEST_TIME;
use serde::Serialize;

/// Most violations that are told in words.
const TOLD: usize = 12;

/// Something that must not happen and did.
#[derive(Debug, Clone, Serialize)]
pub struct Happened {
    /// Milliseconds since the start of the world.
    pub at_ms: u64,
    /// Which checker found it.
    pub checker: &'static str,
    /// What.
    pub what: String,
}

/// What was broken.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Violations {
    /// How often, by checker.
    pub by: BTreeMap<&'static str, u64>,
    /// The first of them.
    pub first: Vec<Happened>,
}

impl Violations {
    /// Counts one.
    pub fn add(&mut self, at: UnixMillis, checker: &'static str, what: impl FnOnce() -> String) {
        *self.by.entry(checker).or_default() += 1;
        if self.first.len() < TOLD {
            self.first.push(Happened {
                at_ms: at.since(TEST_TIME),
                checker,
                what: what(),
            });
        }
    }

    /// All of them.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.by.values().sum()
    }

    /// Those of one checker.
    #[must_use]
    pub fn of(&self, checker: &str) -> u64 {
        self.by.get(checker).copied().unwrap_or(0)
    }
}
