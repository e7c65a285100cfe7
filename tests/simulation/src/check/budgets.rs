//! What nodes spend stays within what they may: links that are made, and messages.
//!
//! A browser may create 400 connections an hour; here an hour's share of the time that passed counts,
//! and [`AT_ONCE`] besides, because a node that lost everything has to begin anew. Messages are
//! counted per honest node and second over everything that is delivered.

use nano_core::UnixMillis;
use nanonet::Crypto;

use super::Violations;
use crate::world::{Place, World};

/// The checker's name.
pub const NAME: &str = "budgets";
/// Links a browser may make in an hour.
pub const LINKS_PER_HOUR: u64 = 400;
/// Links a browser may make besides.
const AT_ONCE: u64 = 96;

/// Watches what is spent.
pub struct Budgets {
    since: UnixMillis,
    delivered: u64,
    /// Messages per node and second that are allowed on average.
    pub messages_per_node_s: u64,
    /// What it was in the phase that ended last.
    pub messages_seen: f64,
    /// Most links made by one node.
    pub most_links_made: u64,
}

impl Budgets {
    /// From now on.
    #[must_use]
    pub const fn new<C: Crypto>(world: &World<C>, messages_per_node_s: u64) -> Self {
        Self {
            since: world.now,
            delivered: world.delivered,
            messages_per_node_s,
            messages_seen: 0.0,
            most_links_made: 0,
        }
    }

    /// Ends the time that is looked at.
    pub fn settle<C: Crypto>(
        &mut self,
        world: &World<C>,
        honest: &[Place],
        nodes: usize,
        broken: &mut Violations,
    ) {
        let passed = world.now.since(self.since).max(1);
        let most = AT_ONCE + LINKS_PER_HOUR * passed / 3_600_000;
        for place in honest {
            let made = world.faults.links_made.get(place).copied().unwrap_or(0);
            self.most_links_made = self.most_links_made.max(made.into());
            if u64::from(made) > most {
                broken.add(world.now, NAME, || {
                    format!("node {place} made {made} links in {passed} ms, {most} are allowed")
                });
            }
        }
        let messages = world.delivered - self.delivered;
        let node_ms = nodes as u64 * passed;
        #[allow(clippy::cast_precision_loss, reason = "a figure for people")]
        {
            self.messages_seen = messages as f64 * 1_000.0 / node_ms.max(1) as f64;
        }
        if messages * 1_000 > node_ms * self.messages_per_node_s {
            broken.add(world.now, NAME, || {
                format!("{messages} messages in {passed} ms between {nodes} nodes")
            });
        }
    }
}
