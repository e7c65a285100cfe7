//! What channels are opened with: settings, times, and where addresses of names come from.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use nano_core::{Network, UnixMillis};
use tokio::net::{TcpListener, lookup_host};

use super::book::Limits;
use super::{Live, LiveSender};
use crate::metrics::{self, ByKind, Metrics};
use crate::store::Store;
use crate::weights::Weights;

/// What full nodes are reached with.
#[derive(Debug)]
pub struct Settings {
    /// Nano network.
    pub network: Network,
    /// Configured peers, `host:port`, the host a name or an address.
    pub peers: Vec<String>,
    /// The weight table.
    pub weights: Weights,
    /// Where the live stream goes.
    pub live: LiveSender,
    /// The metrics.
    pub metrics: Metrics,
}

/// How peers are found and kept, beyond the configured ones.
#[derive(Debug)]
pub struct Peering {
    /// Endpoints reached in earlier runs, with the time they were last open.
    pub stored: Vec<(SocketAddr, UnixMillis)>,
    /// Where reached endpoints are kept; `None` = nowhere.
    pub store: Option<Store>,
    /// Where full nodes are accepted; `None` = nowhere, and no port is announced.
    pub listener: Option<TcpListener>,
    /// Finds the addresses of configured names.
    pub resolver: Arc<dyn Resolve>,
    /// Bounds of the book.
    pub limits: Limits,
    /// Times.
    pub timing: Timing,
}

impl Peering {
    /// Nothing stored, not listening, the system's names, the network's limits and times.
    #[must_use]
    pub fn of(network: Network) -> Self {
        Self {
            stored: Vec::new(),
            store: None,
            listener: None,
            resolver: Arc::new(SystemResolver),
            limits: Limits::of(network),
            timing: Timing::of(network),
        }
    }
}

/// The addresses of a name, some time later.
pub type Looked = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// Finds addresses of names; a test has its own.
pub trait Resolve: std::fmt::Debug + Send + Sync {
    /// All addresses of `name`, which is `host:port`.
    fn resolve(&self, name: String) -> Looked;
}

/// The operating system's names.
#[derive(Clone, Copy, Debug)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: String) -> Looked {
        Box::pin(async move { Ok(lookup_host(name).await?.collect()) })
    }
}

/// How long things may take and how often they happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Longest wait for a TCP connection, and for the addresses of a name.
    pub connect: Duration,
    /// Longest handshake: a full node forgets its cookie after 5 s.
    pub handshake: Duration,
    /// Longest time from a message's first byte to its last, and for writing one.
    pub message: Duration,
    /// Longest silence of a full node, which sends a keepalive every 15 s and telemetry every 60 s
    /// (1 s and 0.5 s on a development network).
    pub silence: Duration,
    /// Between two keepalives of ours. A full node drops what is silent for 120 s (15 s on a
    /// development network).
    pub keepalive: Duration,
    /// Between two questions who votes at a channel, while weight is missing or nobody has
    /// answered there.
    pub crawl_poor: Duration,
    /// The same with enough weight.
    pub crawl_rich: Duration,
    /// A representative that did not answer for so long is forgotten at its channel: four
    /// questions.
    pub forget: Duration,
    /// Between two writes of reached endpoints to storage (`ongoing_peer_store`).
    pub store: Duration,
    /// First pause between two look-ups of a configured name while a quorum is not reachable, and
    /// the longest.
    pub lookups: (Duration, Duration),
}

impl Timing {
    /// Those of a network, as its full nodes have them where they have them.
    #[must_use]
    pub const fn of(network: Network) -> Self {
        let live = Self {
            connect: Duration::from_secs(10),
            handshake: Duration::from_secs(5),
            message: Duration::from_secs(15),
            silence: Duration::from_secs(120),
            keepalive: Duration::from_secs(15),
            crawl_poor: Duration::from_secs(3),
            crawl_rich: Duration::from_secs(20),
            forget: Duration::from_secs(90),
            store: Duration::from_secs(15),
            lookups: (Duration::from_secs(5), Duration::from_secs(300)),
        };
        match network {
            Network::Live | Network::Beta | Network::Test => live,
            Network::Dev => Self {
                message: Duration::from_secs(5),
                keepalive: Duration::from_secs(1),
                crawl_poor: Duration::from_millis(500),
                crawl_rich: Duration::from_secs(5),
                forget: Duration::from_secs(30),
                store: Duration::from_secs(1),
                lookups: (Duration::from_millis(500), Duration::from_secs(30)),
                ..live
            },
        }
    }
}

/// What all channels share.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub(super) network: Network,
    pub(super) metrics: Metrics,
    pub(super) live: LiveSender,
    pub(super) timing: Timing,
}

impl Setting {
    pub(super) const fn family(&self, upkeep: bool) -> &ByKind {
        if upkeep {
            &self.metrics.full_node_upkeep
        } else {
            &self.metrics.full_node_requests
        }
    }

    pub(super) fn tell(&self, live: Live) {
        if self.live.try_send(live).is_err() {
            metrics::count(&self.metrics.live_dropped, "stream-behind");
        }
    }

    /// Counts a step of a handshake.
    pub(super) fn step(&self, step: &'static str) {
        metrics::count(&self.metrics.full_node_handshake, step);
    }
}
