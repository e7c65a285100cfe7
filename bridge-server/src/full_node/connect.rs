//! One connection from dialling or accepting to its end.
//!
//! **Existing and new nodes.** A node is told apart by its node id, which the handshake proves. An
//! id that is new opens a channel. One that is connected already, from another port or address:
//! the seed of this design drops the old channel, today's nodes refuse the new one. Here the one
//! that answers is kept: the old channel is asked a question that every full node answers (the
//! state of the genesis account). If it answers in time the new connection ends as a duplicate and
//! its endpoint is left alone for a while; if not, the old one ends as replaced and the new one
//! takes its place. An id of our own is a connection to ourselves: its endpoint is never dialled
//! again in this run.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use nano_core::PublicKey;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::channel::{Channel, ChannelId};
use super::shared::Shared;
use super::{ChannelError, crawl, handshake};
use crate::metrics;

/// Numbers of channels, unique in this process.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// Channels to one node that are asked whether they still answer before a new one gives way.
const MAX_PREDECESSORS: usize = 2;

fn next_id() -> ChannelId {
    ChannelId(NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Dials an endpoint that the book has chosen, serves the channel, and tells the book of the end.
pub(super) async fn dial(endpoint: SocketAddr, shared: Arc<Shared>) {
    let error = dialled(endpoint, &shared).await;
    note_end(&shared, endpoint, &error);
    shared.book().ended(shared.now(), endpoint, error.end());
    shared.wake.notify_one();
}

fn note_end(shared: &Shared, address: SocketAddr, error: &ChannelError) {
    metrics::count(&shared.setting.metrics.full_node_closed, error.code());
    // Anybody can be refused as often as he likes.
    if matches!(error, ChannelError::Refused(_)) {
        tracing::debug!(%address, %error, "no channel to this full node");
    } else {
        tracing::info!(%address, %error, "no channel to this full node");
    }
}

async fn dialled(endpoint: SocketAddr, shared: &Arc<Shared>) -> ChannelError {
    let setting = &shared.setting;
    // A fresh id for each connection: a node refuses an id that it believes still connected, and
    // nothing is gained by being recognised.
    let own = match shared.own_id() {
        Ok(own) => own,
        Err(error) => return error.into(),
    };
    setting.step("dialled");
    let mut stream = match timeout(setting.timing.connect, TcpStream::connect(endpoint)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return ChannelError::Connect(error),
        Err(_) => return ChannelError::TimedOut("connecting"),
    };
    setting.step("connected");
    if let Err(error) = stream.set_nodelay(true) {
        return ChannelError::Broken(error);
    }
    match handshake::greet(&mut stream, &own, setting).await {
        Ok(node) => {
            let link = Link {
                id: next_id(),
                address: endpoint,
                endpoint: Some(endpoint),
                node,
            };
            serve(link, stream, shared).await
        }
        Err(error) => error,
    }
}

/// Accepts full nodes until the task is ended.
pub(super) async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let (stream, remote) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors and the like: let others finish first.
                tracing::warn!(%error, "cannot accept full nodes");
                sleep(shared.setting.timing.crawl_poor).await;
                continue;
            }
        };
        shared.setting.step("accepted");
        let id = next_id();
        if let Err(refused) = shared.book().admit(id, remote.ip()) {
            note_end(&shared, remote, &refused.into());
            continue;
        }
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            let _place = Place {
                shared: &shared,
                id,
            };
            let error = accepted(id, stream, remote, &shared).await;
            note_end(&shared, remote, &error);
        });
    }
}

/// Gives the place of an accepted connection back however it ends.
struct Place<'a> {
    shared: &'a Shared,
    id: ChannelId,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.shared.book().left(self.id);
    }
}

async fn accepted(
    id: ChannelId,
    mut stream: TcpStream,
    remote: SocketAddr,
    shared: &Arc<Shared>,
) -> ChannelError {
    let setting = &shared.setting;
    let own = match shared.own_id() {
        Ok(own) => own,
        Err(error) => return error.into(),
    };
    if let Err(error) = stream.set_nodelay(true) {
        return ChannelError::Broken(error);
    }
    match handshake::welcome(&mut stream, &own, setting).await {
        Ok(node) => {
            let link = Link {
                id,
                address: remote,
                endpoint: None,
                node,
            };
            serve(link, stream, shared).await
        }
        Err(error) => error,
    }
}

/// A connection whose handshake is complete.
struct Link {
    id: ChannelId,
    address: SocketAddr,
    /// Where it was dialled.
    endpoint: Option<SocketAddr>,
    node: PublicKey,
}

async fn serve(link: Link, stream: TcpStream, shared: &Arc<Shared>) -> ChannelError {
    let Link {
        id,
        address,
        endpoint,
        node,
    } = link;
    let (channel, driver, answers) = Channel::new(id, address, endpoint, node);
    if let Err(error) = settle(&channel, shared).await {
        return error;
    }
    let _open = Open { shared, id };
    match endpoint {
        Some(endpoint) => {
            shared.setting.step("open");
            shared.book().opened(shared.now(), endpoint, id);
        }
        None => shared.setting.step("open-accepted"),
    }
    tracing::info!(%address, "channel to a full node is open");
    shared.changed();
    let (reader, writer) = stream.into_split();
    tokio::select! {
        error = channel.run(driver, reader, writer, shared) => error,
        error = crawl::crawl(&channel, answers, shared) => error,
    }
}

/// Enters the channel; of two that lead to one node the one that answers is kept.
async fn settle(channel: &Arc<Channel>, shared: &Shared) -> Result<(), ChannelError> {
    for _ in 0..MAX_PREDECESSORS {
        let Err(old) = shared.enter(channel) else {
            return Ok(());
        };
        if old.answers(shared.setting.network).await {
            return Err(ChannelError::Duplicate);
        }
        old.end(ChannelError::Replaced);
        shared.leave(old.id());
    }
    shared.enter(channel).map_err(|_| ChannelError::Duplicate)
}

/// Takes the channel off the list however its task ends.
struct Open<'a> {
    shared: &'a Shared,
    id: ChannelId,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.shared.leave(self.id);
    }
}
