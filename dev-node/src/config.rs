//! What a development node is told at its start.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use nano_core::{PrivateKey, Raw};

use crate::{DevKeys, Dialect};

/// What a fresh ledger holds besides the genesis block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Distribution {
    /// Twelve representatives of uneven weight, a faucet and sample accounts; see [`DevKeys`].
    /// The same blocks, and so the same hashes, at every fresh start.
    #[default]
    Standard,
    /// Nothing: the genesis account holds everything and is its own representative.
    GenesisOnly,
}

/// Most accounts that a fresh ledger is filled with.
pub const MAX_ACCOUNTS: u32 = 100_000;

/// Settings of one [`crate::DevNode`]; `Default` is a node in memory that hosts every
/// representative, on free ports of 127.0.0.1.
#[derive(Clone, Debug)]
pub struct DevNodeConfig {
    /// Folder of the ledger (`dev-ledger.sqlite` in it, created when missing); `None` keeps
    /// everything in memory.
    pub data: Option<PathBuf>,
    /// Where peers connect; port 0 takes a free one.
    pub peering: SocketAddr,
    /// Where the RPC listens (HTTP); port 0 takes a free one.
    pub rpc: SocketAddr,
    /// Where the WebSocket listens; port 0 takes a free one.
    pub websocket: SocketAddr,
    /// Keys of the representatives that vote here; empty makes a node that does not vote. Two
    /// nodes must not host the same one: they could sign different final votes for one root.
    pub representatives: Vec<PrivateKey>,
    /// What a fresh ledger holds. All nodes of one network need the same.
    pub distribution: Distribution,
    /// So many accounts more in a fresh ledger of the standard distribution, each with one block:
    /// [`DevKeys::holder`] from 0 on. At most [`MAX_ACCOUNTS`]; more are not made.
    pub accounts: u32,
    /// Which full node it talks like.
    pub dialect: Dialect,
    /// Peers to connect to, again and again until they answer.
    pub peers: Vec<SocketAddr>,
    /// Key of the node id; `None` draws a fresh one, as full nodes do at each start.
    pub node_key: Option<PrivateKey>,
    /// Floor under the online weight in the quorum (full nodes: 60,000,000 XNO).
    pub online_weight_minimum: Raw,
    /// Most connections of peers, both directions together; more are refused.
    pub max_peers: usize,
}

impl Default for DevNodeConfig {
    fn default() -> Self {
        let free_port = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
        Self {
            data: None,
            peering: free_port,
            rpc: free_port,
            websocket: free_port,
            representatives: DevKeys::representatives(),
            distribution: Distribution::Standard,
            accounts: 0,
            dialect: Dialect::default(),
            peers: Vec::new(),
            node_key: None,
            online_weight_minimum: Raw::new(60_000_000 * Raw::NANO.number()),
            max_peers: 256,
        }
    }
}
