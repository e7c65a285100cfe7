//! What a node is told once, at its start.

use nano_core::{Difficulty, Network, WeightTable};

use crate::join::join_threshold;
use crate::{Addresses, NodeKey, Role};

/// Most anchors; the first count.
pub const MAX_ANCHORS: usize = 64;

/// Settings of one node. Values out of range are brought into range by
/// [`Node::new`](crate::Node::new), as each field says.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Which Nano network; nodes of other networks are refused.
    pub network: Network,
    /// Browser or bridge. Bridges accept puts, publishes and watches. Without the feature `bridge`
    /// every node is a browser.
    pub role: Role,
    /// Where it can be dialled: how browsers find a bridge again, so a bridge's public web address
    /// first. None for a browser.
    pub addresses: Addresses,
    /// Most links at once, 3 to 4096. Places for two bridges (one below 8 links) are kept free.
    pub max_links: u16,
    /// Nodes that shall hold each record, 1 to 16.
    pub replicas: u8,
    /// Bridges whose sightings and weights count, at most [`MAX_ANCHORS`]; such statements of others
    /// are worth nothing, so without anchors nobody's are.
    pub anchors: Vec<NodeKey>,
    /// Voting weights that proofs are checked against.
    pub weights: WeightTable,
    /// What the work of ids must reach, see [`join_threshold`]. Only simulations change it: nodes of
    /// one network that do not agree take each other for leaves.
    pub join_threshold: Difficulty,
    /// Whether the shell keeps what it is given to store. If not, changes of storage are put out
    /// without their bytes.
    pub durable: bool,
    /// Most bytes of records kept; least useful ones go first beyond it.
    pub record_budget_bytes: u64,
}

impl Config {
    /// A browser's defaults: 24 links, 16 replicas, 64 MiB of records.
    #[must_use]
    pub fn browser(network: Network, weights: WeightTable, anchors: Vec<NodeKey>) -> Self {
        Self {
            network,
            role: Role::Browser,
            addresses: Addresses::default(),
            max_links: 24,
            replicas: 16,
            anchors,
            weights,
            join_threshold: join_threshold(network),
            durable: true,
            record_budget_bytes: 64 << 20,
        }
    }

    /// The same for a small device: at most 8 links and 1 MiB of records.
    #[must_use]
    pub fn small(self) -> Self {
        Self {
            max_links: self.max_links.min(8),
            record_budget_bytes: self.record_budget_bytes.min(1 << 20),
            ..self
        }
    }

    /// A bridge's defaults: 1024 links, 16 replicas, 1 GiB of records.
    #[cfg(feature = "bridge")]
    #[must_use]
    pub fn bridge(network: Network, weights: WeightTable, anchors: Vec<NodeKey>) -> Self {
        Self {
            network,
            role: Role::Bridge,
            addresses: Addresses::default(),
            max_links: 1024,
            replicas: 16,
            anchors,
            weights,
            join_threshold: join_threshold(network),
            durable: true,
            record_budget_bytes: 1 << 30,
        }
    }
}
