//! All channels together: who is open, which representatives are behind them, publishing.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use nano_core::Raw;
use nano_core::message::RequestedBlock;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::book::Book;
use super::channel::{Channel, ChannelId};
use super::names::Names;
use super::settings::{Peering, Setting, Settings};
use super::shared::{Reach, Shared};
use super::{connect, upkeep};
use crate::clock;

/// The open channels; cloning shares them.
#[derive(Clone, Debug)]
pub struct FullNodes {
    shared: Arc<Shared>,
}

impl FullNodes {
    /// Starts peering with nothing stored and without listening; see [`FullNodes::start_with`].
    #[must_use]
    pub fn start(settings: Settings, tasks: &mut JoinSet<()>) -> Self {
        let peering = Peering::of(settings.network);
        Self::start_with(settings, peering, tasks)
    }

    /// Starts peering in `tasks`.
    #[must_use]
    pub fn start_with(settings: Settings, peering: Peering, tasks: &mut JoinSet<()>) -> Self {
        let setting = Setting {
            network: settings.network,
            metrics: settings.metrics,
            live: settings.live,
            timing: peering.timing,
        };
        let mut book = Book::new(peering.limits, seed());
        for (endpoint, reached) in peering.stored {
            book.restore(endpoint, reached);
        }
        let (addresses, names) = split(settings.peers);
        book.configure(addresses.iter().copied());
        let address = peering.listener.as_ref().map(TcpListener::local_addr);
        let announced = address.and_then(Result::ok).map(|address| address.port());
        let shared = Arc::new(Shared::new(setting, settings.weights, book, announced));
        let millis = |pause: Duration| u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        let (first, longest) = peering.timing.lookups;
        let pauses = (millis(first), millis(longest));
        tasks.spawn(upkeep::run(upkeep::Parts {
            shared: Arc::clone(&shared),
            names: Names::new(names, addresses, pauses, seed()),
            resolver: peering.resolver,
            store: peering.store,
        }));
        if let Some(listener) = peering.listener {
            tasks.spawn(connect::accept(listener, Arc::clone(&shared)));
        }
        Self { shared }
    }

    /// The open channels, least busy first.
    #[must_use]
    pub fn channels(&self) -> Vec<Arc<Channel>> {
        let mut channels: Vec<_> = self.shared.channels().values().cloned().collect();
        channels.sort_by_key(|channel| std::cmp::Reverse(channel.free_slots()));
        channels
    }

    /// The open channels behind which representatives vote.
    #[must_use]
    pub fn voting_channels(&self) -> Vec<Arc<Channel>> {
        let mut channels = self.channels();
        channels.retain(|channel| !channel.representatives().is_empty());
        channels
    }

    /// Weight of all representatives behind open channels.
    #[must_use]
    pub fn reachable_weight(&self) -> Raw {
        self.shared.reach().reachable
    }

    /// Waits until enough weight for a proof is reachable, `limit` at most: after a start or a
    /// reconnection the representatives need a moment to show themselves.
    pub async fn reachable(&self, limit: Duration) {
        let mut changes = self.changes();
        let enough = || self.reachable_weight() >= self.shared.weights.current().threshold();
        // Time out or a stopped bridge: the question is asked all the same and says what is wrong.
        let _ = timeout(limit, async {
            while !enough() && changes.changed().await.is_ok() {}
        })
        .await;
    }

    /// Tells of every opened or ended channel and every representative found.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    /// Notes that a message which came by this channel turned out to be of no use; one that brings
    /// too many is ended.
    pub fn charge(&self, channel: ChannelId) {
        self.shared.charge(channel);
    }

    /// Notes a block that was seen confirmed: representatives are asked about it, too.
    pub fn confirmed(&self, block: RequestedBlock) {
        self.shared.subjects().add(block);
    }

    /// Notes whether anybody behind this channel answered a request for votes that every
    /// representative could: who never does is not counted on.
    pub fn balloted(&self, channel: &Channel, answered: bool) {
        if channel.hosted().balloted(answered) {
            self.shared.changed();
        }
    }

    /// How much voting weight is reachable, and how much is needed.
    #[must_use]
    pub fn reach(&self) -> Reach {
        self.shared.reach()
    }
}

/// For order and jitter only: a system without randomness fails at the first handshake.
fn seed() -> [u8; 32] {
    clock::random().unwrap_or_default()
}

/// Addresses, and names that have to be looked up.
fn split(peers: Vec<String>) -> (Vec<SocketAddr>, Vec<String>) {
    let mut addresses = Vec::new();
    let mut names = Vec::new();
    for peer in peers {
        match peer.parse() {
            Ok(address) => addresses.push(address),
            Err(_) => names.push(peer),
        }
    }
    (addresses, names)
}
