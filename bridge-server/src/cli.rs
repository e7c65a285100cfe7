//! The command line: what a person may type, and its help texts.
//!
//! Every option of `run` may also stand in the file given with `--config`, under the same name
//! (without the dashes). The command line wins over the file, the file over the default.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use dev_node::Dialect;
use nano_core::Network;
use serde::{Deserialize, Deserializer};

/// Connects browsers to each other and to Nano's full nodes. Holds no ledger.
#[derive(Debug, Parser)]
#[command(name = "bridge-server", version, about, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a development full node: a real ledger, voting representatives, Nano's peer protocol,
    /// RPC and WebSocket. For trying out and for tests, never for the live network.
    Devnet(DevnetOptions),
    /// Run the bridge: page, browser links, bridge links and metrics on one port; full nodes over
    /// Nano's own TCP protocol.
    Run(Box<RunOptions>),
    /// Build a weight table out of a full node's RPC, as JSON: for `--weights`, or to compare.
    Weights(WeightsOptions),
}

/// Options of `weights`.
#[derive(Clone, Debug, Args)]
pub struct WeightsOptions {
    /// The full node's RPC, e.g. http://127.0.0.1:7076. Plain http only.
    #[arg(long, value_name = "URL")]
    pub rpc: String,
    /// Nano network; a node of another one is refused.
    #[arg(long, value_name = "NAME", default_value = "live")]
    pub network: Network,
    /// File to write; without it the table goes to standard output.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Least weight a quorum is computed from, in whole nano.
    #[arg(long, value_name = "NANO", default_value_t = 60_000_000)]
    pub online_weight_minimum: u64,
}

/// Options of `devnet`.
#[derive(Clone, Debug, Default, Args)]
pub struct DevnetOptions {
    /// Folder that keeps the ledger; without it everything is forgotten at the end.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Port of Nano's peer protocol (0 = any free port).
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub peering_port: u16,
    /// Port of the RPC (0 = any free port).
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub rpc_port: u16,
    /// Port of the event WebSocket (0 = any free port).
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub websocket_port: u16,
    /// Run a network of N nodes (1 to 12) on 127.0.0.2, 127.0.0.3, …, with the voting weight split
    /// among them; from 4 on it survives the loss of any one. Default: one node on 127.0.0.1.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=12))]
    pub nodes: Option<u8>,
    /// Which full node it talks like where they differ: cpp (nano-node V28) or rs (RsNano).
    #[arg(long, value_name = "cpp|rs", default_value_t)]
    pub dialect: Dialect,
    /// Fill a fresh ledger with N accounts more (at most 100,000), each with one block.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub accounts: u32,
    /// Print the ready line as JSON even on a terminal.
    #[arg(long)]
    pub json: bool,
}

/// Options of `run`, on the command line and in the file given with `--config`.
#[derive(Clone, Debug, Default, Args, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RunOptions {
    /// TOML file with these options, same names: `listen = "127.0.0.1:7080"`, `peer = ["host:port"]`.
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    pub config: Option<PathBuf>,
    /// Nano network: dev, beta or live. UNTESTED ON THE LIVE NETWORK: the protocol was checked
    /// against development nodes only, so with `live` expect surprises and do not rely on it.
    #[arg(long, value_name = "NAME")]
    pub network: Option<Network>,
    /// Address of the one port: page, WebSocket links, TCP bridge links, metrics. Port 0 = any free
    /// port. [default: 127.0.0.1:7080]
    #[arg(long, value_name = "ADDR:PORT")]
    pub listen: Option<SocketAddr>,
    /// Full node to peer with, `host:port`; may be repeated. Default: the network's own DNS name
    /// (live, beta), none (dev).
    #[arg(long, value_name = "HOST:PORT")]
    pub peer: Vec<String>,
    /// Accept Nano full nodes at this address and announce its port to them. Without it the bridge
    /// only dials, and announces nothing.
    #[arg(long, value_name = "ADDR:PORT")]
    pub peer_listen: Option<SocketAddr>,
    /// Another bridge to link to over TCP, `host:port`; may be repeated.
    #[arg(long, value_name = "HOST:PORT")]
    pub bridge: Vec<String>,
    /// Where browsers and other bridges reach this one, `https://bridge.example` or
    /// `http://host:port`; may be repeated. It goes out in this bridge's signed introduction.
    /// Default: none; on the dev network the address of --listen.
    #[arg(long, value_name = "URL")]
    pub public_address: Vec<String>,
    /// JSON file with the bridges to begin with, `{"live": ["https://bridge.example"]}`, instead of
    /// the list that comes with this program (empty for live until operators publish theirs).
    #[arg(long, value_name = "FILE")]
    pub bridge_list: Option<PathBuf>,
    /// Name whose DNS TXT records are that list, each `nanonet-bridge=https://bridge.example`.
    #[arg(long, value_name = "NAME")]
    pub bridge_dns: Option<String>,
    /// DNS server to ask for it. [default: the system's]
    #[arg(long, value_name = "ADDR:PORT")]
    pub dns_server: Option<SocketAddr>,
    /// Folder for the node key and the records held; without it they are forgotten at the end.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Folder with the built page; without it `/` explains how to build it.
    #[arg(long, value_name = "DIR")]
    pub www: Option<PathBuf>,
    /// Start a development full node in this process and peer with it (network dev only). Gives
    /// `/v1/faucet`.
    #[arg(long)]
    pub embedded_devnet: bool,
    /// Which full node the embedded one talks like, cpp or rs. [default: cpp]
    #[arg(long, value_name = "cpp|rs")]
    #[serde(default, deserialize_with = "dialect")]
    pub dialect: Option<Dialect>,
    /// Fill the embedded one's fresh ledger with N accounts more (at most 100,000).
    #[arg(long, value_name = "N")]
    pub accounts: Option<u32>,
    /// Walk through all accounts of the full nodes in the background, this many per second, and
    /// keep a proof of each in the nanonet; bridges that walk and dial each other
    /// (--bridge) share it. 0 = off.
    /// [default: 5 on live and beta, off on dev]
    #[arg(long, value_name = "PER-SECOND")]
    pub backfill: Option<u32>,
    /// Full node RPC, e.g. http://127.0.0.1:45000: finds what accounts can receive, and gives the
    /// representatives' weights (on the dev network to this bridge; elsewhere as this bridge's
    /// offer to others, if they count it as an anchor). Plain http only.
    #[arg(long, value_name = "URL")]
    pub rpc: Option<String>,
    /// Full node WebSocket, e.g. ws://127.0.0.1:47000: one more source of confirmed blocks and
    /// votes. Plain ws only.
    #[arg(long, value_name = "URL")]
    pub ws: Option<String>,
    /// Bridge whose weights count, `KEY@http://host:port` (its key is shown at its /v1/info); may
    /// be repeated. Three are needed before their majority renews the weight table.
    #[arg(long, value_name = "KEY@URL")]
    pub anchor: Vec<String>,
    /// Setting of the network to propose or endorse, `NAME=VALUE` (`message-burst`, `registry-holders`); may be
    /// repeated. Nodes that count this bridge as an anchor take it once more than half of their anchors say
    /// the same.
    #[arg(long, value_name = "NAME=VALUE")]
    pub endorse: Vec<String>,
    /// Least weight a quorum is computed from, in whole nano. [default: 60000000, on the dev
    /// network what the full node says]
    #[arg(long, value_name = "NANO")]
    pub online_weight_minimum: Option<u64>,
    /// JSON file with a weight table (the form of `/v1/weights`) instead of RPC.
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,
    /// Nearest nodes that get a copy of each fresh record. [default: 16]
    #[arg(long, value_name = "N")]
    pub replicas: Option<u8>,
    /// Most links at once, browsers and bridges together. [default: 4096]
    #[arg(long, value_name = "N")]
    pub max_links: Option<u16>,
    /// Print the ready line as JSON even on a terminal.
    #[arg(long)]
    pub json: bool,
}

impl RunOptions {
    /// Fills what this one leaves open from `lower`; flags are or-ed.
    #[must_use]
    pub fn over(self, lower: Self) -> Self {
        let list = |upper: Vec<String>, lower: Vec<String>| {
            if upper.is_empty() { lower } else { upper }
        };
        Self {
            config: self.config.or(lower.config),
            network: self.network.or(lower.network),
            listen: self.listen.or(lower.listen),
            peer: list(self.peer, lower.peer),
            peer_listen: self.peer_listen.or(lower.peer_listen),
            bridge: list(self.bridge, lower.bridge),
            public_address: list(self.public_address, lower.public_address),
            bridge_list: self.bridge_list.or(lower.bridge_list),
            bridge_dns: self.bridge_dns.or(lower.bridge_dns),
            dns_server: self.dns_server.or(lower.dns_server),
            data: self.data.or(lower.data),
            www: self.www.or(lower.www),
            embedded_devnet: self.embedded_devnet || lower.embedded_devnet,
            dialect: self.dialect.or(lower.dialect),
            accounts: self.accounts.or(lower.accounts),
            backfill: self.backfill.or(lower.backfill),
            rpc: self.rpc.or(lower.rpc),
            ws: self.ws.or(lower.ws),
            anchor: list(self.anchor, lower.anchor),
            endorse: list(self.endorse, lower.endorse),
            online_weight_minimum: self.online_weight_minimum.or(lower.online_weight_minimum),
            weights: self.weights.or(lower.weights),
            replicas: self.replicas.or(lower.replicas),
            max_links: self.max_links.or(lower.max_links),
            json: self.json || lower.json,
        }
    }
}

/// A dialect by its name.
fn dialect<'de, D: Deserializer<'de>>(source: D) -> Result<Option<Dialect>, D::Error> {
    let text = String::deserialize(source)?;
    text.parse().map(Some).map_err(serde::de::Error::custom)
}
