//! Keeping one channel to each address of one peer: dial, greet, serve, pause, again.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nano_core::PrivateKey;
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::channel::{Channel, ChannelId};
use super::nodes::Shared;
use super::{ChannelError, handshake};
use crate::backoff::Backoff;
use crate::clock;
use crate::metrics;

/// Longest wait for a TCP connection.
const CONNECT: Duration = Duration::from_secs(10);
/// A channel that lasted this long was good: the next attempt waits the shortest time again.
const GOOD: Duration = Duration::from_secs(30);
/// Shortest and longest pause between attempts.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(60));
/// Pause between two looks at a name's addresses.
const RESOLVE: Duration = Duration::from_secs(600);
/// Addresses of one name that are connected to; a node accepts four connections of one bridge.
const ADDRESSES: usize = 32;
/// How often representatives are asked for until the first has answered, and from then on.
const CRAWL: (Duration, Duration) = (Duration::from_secs(3), Duration::from_secs(60));

/// Numbers of channels, unique in this process.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// Keeps a channel to every address behind `name` (`host:port`). Ends only by being dropped.
pub(super) async fn keep(name: String, shared: Arc<Shared>) {
    let mut known = BTreeSet::new();
    let mut channels = JoinSet::new();
    let mut backoff = Backoff::new(PAUSES.0, PAUSES.1);
    loop {
        match lookup_host(&name).await {
            Ok(addresses) => {
                for address in addresses {
                    if known.len() < ADDRESSES && known.insert(address) {
                        channels.spawn(keep_address(address, Arc::clone(&shared)));
                    }
                }
                backoff.reset();
            }
            Err(error) => tracing::warn!(name, %error, "this peer's name has no address"),
        }
        sleep(if known.is_empty() {
            backoff.pause()
        } else {
            RESOLVE
        })
        .await;
    }
}

async fn keep_address(address: SocketAddr, shared: Arc<Shared>) {
    let mut backoff = Backoff::new(PAUSES.0, PAUSES.1);
    loop {
        let since = Instant::now();
        let error = serve(address, &shared).await;
        metrics::count(&shared.setting.metrics.full_node_closed, error.code());
        tracing::info!(%address, %error, "no channel to this full node");
        if since.elapsed() >= GOOD {
            backoff.reset();
        }
        sleep(backoff.pause()).await;
    }
}

/// One connection from dialling to its end.
async fn serve(address: SocketAddr, shared: &Arc<Shared>) -> ChannelError {
    let setting = &shared.setting;
    // A fresh id for each connection: a node refuses an id that it believes still connected, and
    // nothing is gained by being recognised.
    let key = match clock::random::<32>() {
        Ok(seed) => PrivateKey::from_bytes(seed),
        Err(error) => return error.into(),
    };
    let mut stream = match timeout(CONNECT, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return ChannelError::Connect(error),
        Err(_) => return ChannelError::TimedOut("connecting"),
    };
    if let Err(error) = stream.set_nodelay(true) {
        return ChannelError::Broken(error);
    }
    let node = match handshake::greet(&mut stream, &key, setting).await {
        Ok(node) => node,
        Err(error) => return error,
    };
    let id = ChannelId(NEXT.fetch_add(1, Ordering::Relaxed));
    let (channel, driver) = Channel::new(id, address, node);
    tracing::info!(%address, "channel to a full node is open");
    let _open = Open { shared, id };
    shared.opened(Arc::clone(&channel));
    let (reader, writer) = stream.into_split();
    tokio::select! {
        error = channel.run(driver, reader, writer, setting) => error,
        error = crawl(&channel, shared) => error,
    }
}

/// Asks for the representatives behind the channel again and again.
async fn crawl(channel: &Channel, shared: &Shared) -> ChannelError {
    loop {
        if channel.ask_representatives(shared.setting.network).is_err() {
            return ChannelError::Closed("serving");
        }
        let known = !channel.representatives().is_empty();
        sleep(if known { CRAWL.1 } else { CRAWL.0 }).await;
    }
}

/// Takes the channel off the list however its task ends.
struct Open<'a> {
    shared: &'a Shared,
    id: ChannelId,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.shared.ended(self.id);
    }
}
