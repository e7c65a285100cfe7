//! The task around the book and the names: does what they say, and tells them what became of it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use nano_core::UnixMillis;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::book::{Change, Demand};
use super::names::{ADDRESSES, Names};
use super::settings::Resolve;
use super::shared::Shared;
use super::{ChannelError, connect};
use crate::store::{Store, Write};

/// Shortest and longest sleep between two looks at the book, unless something wakes it.
const LOOKS: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// What the task works with.
pub(super) struct Parts {
    pub(super) shared: Arc<Shared>,
    pub(super) names: Names,
    pub(super) resolver: Arc<dyn Resolve>,
    pub(super) store: Option<Store>,
}

/// What a job of the task has done.
enum Done {
    Channel,
    Lookup(String, io::Result<Vec<SocketAddr>>),
}

/// Looks names up, dials, gives channels up and stores what was reached. Ends only by being
/// dropped, and every channel it dialled with it.
pub(super) async fn run(mut parts: Parts) {
    let shared = Arc::clone(&parts.shared);
    let mut jobs: JoinSet<Done> = JoinSet::new();
    let mut stored = UnixMillis(0);
    loop {
        let now = shared.now();
        let demand = shared.demand();
        for name in parts.names.due(now, demand != Demand::Quorum) {
            jobs.spawn(look_up(
                name,
                Arc::clone(&parts.resolver),
                shared.setting.timing.connect,
            ));
        }
        loop {
            let Some(endpoint) = shared.book().next(now, demand) else {
                break;
            };
            let shared = Arc::clone(&shared);
            jobs.spawn(async move {
                connect::dial(endpoint, shared).await;
                Done::Channel
            });
        }
        let given_up = shared.book().give_up(now, demand);
        if let Some(channel) = given_up {
            shared.end(channel, ChannelError::GivenUp);
        }
        let known = shared.book().len();
        let gauge = &shared.setting.metrics.full_node_endpoints;
        gauge.set(i64::try_from(known).unwrap_or(i64::MAX));
        let every = u64::try_from(shared.setting.timing.store.as_millis()).unwrap_or(u64::MAX);
        if let Some(store) = &parts.store
            && now.since(stored) >= every
        {
            stored = now;
            let changes = shared.book().changes(now);
            save(store, changes).await;
        }
        let wake = shared.book().wake_at().map_or(LOOKS.1, |at| {
            Duration::from_millis(at.since(now)).clamp(LOOKS.0, LOOKS.1)
        });
        tokio::select! {
            () = sleep(wake) => {}
            () = shared.wake.notified() => {}
            Some(done) = jobs.join_next() => {
                if let Ok(Done::Lookup(name, found)) = done {
                    note(&mut parts.names, &shared, &name, found);
                }
            }
        }
    }
}

async fn look_up(name: String, resolver: Arc<dyn Resolve>, limit: Duration) -> Done {
    let found = timeout(limit, resolver.resolve(name.clone()))
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
    Done::Lookup(name, found)
}

fn note(names: &mut Names, shared: &Shared, name: &str, found: io::Result<Vec<SocketAddr>>) {
    names.looked_up(shared.now(), name);
    match found {
        Ok(addresses) => {
            shared.setting.step("name-found");
            let addresses: Vec<_> = addresses.into_iter().take(ADDRESSES).collect();
            let gone = names.found(name, &addresses);
            let mut book = shared.book();
            book.demote(gone);
            book.configure(addresses);
        }
        Err(error) => {
            shared.setting.step("name-not-found");
            tracing::warn!(name, %error, "this peer's name has no address");
        }
    }
}

async fn save(store: &Store, changes: Vec<Change>) {
    for change in changes {
        let write = match change {
            Change::Keep(endpoint, reached) => Write::PutPeer { endpoint, reached },
            Change::Forget(endpoint) => Write::RemovePeer { endpoint },
        };
        if let Err(error) = store.write(write).await {
            tracing::warn!(%error, "reached full nodes are not stored");
            return;
        }
    }
}
