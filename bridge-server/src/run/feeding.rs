//! Tasks that carry what one part says to another: stored things to the node at the start, its
//! questions to the prover, confirmations and weights to whom they concern.

use std::sync::Arc;

use nano_core::message::RequestedBlock;
use nano_core::{Block, Network};
use nanonet::{Input, ResolveOutcome, StoreKey, StoredEntry};
use tokio::sync::{Semaphore, broadcast, mpsc, watch};
use tokio::task::JoinSet;

use crate::bridges::{self, BridgeList, Directory};
use crate::config::{Config, ListFrom};
use crate::events::Followed;
use crate::full_node::FullNodes;
use crate::live::Confirmation;
use crate::metrics::Metrics;
use crate::prove::{self, Proven, Prover};
use crate::receivables::Receivables;
use crate::shell::{self, LinkDoor, NodeHandle, RelayJob, ResolveJob};
use crate::store::Loaded;
use crate::weights::Weights;

/// Stored records handed to the node at once.
const LOAD: usize = 256;

/// Hands the node what it stored in an earlier run; it verifies all of it again.
pub(super) async fn load(node: &NodeHandle, loaded: &Loaded) {
    for batch in loaded.records.chunks(LOAD) {
        let entries = batch
            .iter()
            .filter_map(|(key, bytes)| {
                Some(StoredEntry {
                    key: StoreKey::from_text(key)?,
                    bytes: bytes.clone(),
                })
            })
            .collect();
        node.input(Input::Loaded { entries }).await;
    }
    let bridges = loaded.bridges.as_deref().map(Directory::read);
    if let Some(bridges) = bridges {
        node.input(Input::Introduced(bridges)).await;
    }
}

/// Goes on with the transactions of an earlier run.
pub(super) async fn resume(pending: Vec<Vec<u8>>, relays: mpsc::Sender<RelayJob>) {
    for bytes in pending {
        match Block::parse_typed(&bytes) {
            Ok(block) => {
                if relays
                    .send(RelayJob {
                        request: None,
                        block,
                    })
                    .await
                    .is_err()
                {
                    return;
                }
            }
            Err(error) => tracing::warn!(%error, "a stored transaction cannot be read"),
        }
    }
}

/// Has representatives asked about each block that was seen confirmed.
pub(super) async fn follow_confirmed(
    mut seen: broadcast::Receiver<Confirmation>,
    full_nodes: FullNodes,
) {
    loop {
        match seen.recv().await {
            Ok(Confirmation { hash, root }) => full_nodes.confirmed(RequestedBlock { hash, root }),
            // Any of them will do.
            Err(broadcast::error::RecvError::Lagged(_)) => {}
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}

/// What the node's questions are answered with.
#[derive(Clone)]
pub(super) struct Resolving {
    pub(super) prover: Prover,
    pub(super) receivables: Receivables,
    pub(super) followed: Followed,
    pub(super) node: NodeHandle,
}

/// Answers the node's questions, [`prove::OPEN`] at once.
pub(super) async fn resolve_all(mut jobs: mpsc::Receiver<ResolveJob>, parts: Resolving) {
    let slots = Arc::new(Semaphore::new(prove::OPEN));
    let mut running = JoinSet::new();
    while let Some(job) = jobs.recv().await {
        while running.try_join_next().is_some() {}
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else {
            return;
        };
        let parts = parts.clone();
        running.spawn(async move {
            parts.followed.note(job.account);
            let (proven, receivables) = tokio::join!(
                parts.prover.resolve(job.account, job.held),
                parts.receivables.of(job.account),
            );
            let outcome = match proven {
                Ok(Proven::Opened(record)) => ResolveOutcome::Found {
                    record,
                    receivables,
                },
                Ok(Proven::Diverged(both)) => {
                    // The overlay keeps both and raises the alarm; neither wins.
                    let [first, second] = *both;
                    let second = Input::Confirmed {
                        record: Box::new(second),
                        receivable: None,
                    };
                    parts.node.input(second).await;
                    ResolveOutcome::Found {
                        record: Box::new(first),
                        receivables,
                    }
                }
                Ok(Proven::Unopened(sighting)) => ResolveOutcome::Unopened {
                    sighting,
                    receivables,
                },
                Err(failure) => ResolveOutcome::Failed(failure),
            };
            let request = job.request;
            parts.node.input(Input::Resolved { request, outcome }).await;
            drop(slot);
        });
    }
}

/// Tells the node of each new weight table.
pub(super) async fn follow_weights(weights: Weights, node: NodeHandle) {
    let mut changes = weights.changes();
    while changes.changed().await.is_ok() {
        let table = changes.borrow_and_update().as_ref().clone();
        if !node.input(Input::Weights(Box::new(table))).await {
            return;
        }
    }
}

/// Exchanges introductions with other bridges.
pub(super) fn meet_bridges(
    config: &Config,
    list: &watch::Receiver<BridgeList>,
    directory: &Directory,
    node: &NodeHandle,
    tasks: &mut JoinSet<()>,
) {
    let (directory, node) = (directory.clone(), node.clone());
    tasks.spawn(bridges::tell_all(directory.clone(), node.clone()));
    tasks.spawn(bridges::endorse_all(config.endorsed.clone(), node.clone()));
    let own = config.public.clone();
    tasks.spawn(bridges::ask_all(list.clone(), directory, own, node));
}

/// The list of bridges to begin with, kept current.
pub(super) fn listed(config: &Config, tasks: &mut JoinSet<()>) -> watch::Receiver<BridgeList> {
    match &config.list {
        ListFrom::Fixed(list) => {
            if list.is_empty() && config.bridges.is_empty() && config.network != Network::Dev {
                tracing::warn!(
                    network = %config.network,
                    "no bridge of this network is listed yet: until operators publish theirs, name others with --bridge, --bridge-list or --bridge-dns"
                );
            }
            watch::channel(list.clone()).1
        }
        ListFrom::Dns(name) => {
            let (list, follow) = watch::channel(BridgeList::default());
            tasks.spawn(bridges::follow_dns(name.clone(), list));
            follow
        }
    }
}

/// Dials the bridges that the operator named and those of the list.
pub(super) fn dial(
    config: &Config,
    list: watch::Receiver<BridgeList>,
    door: &LinkDoor,
    metrics: &Metrics,
    tasks: &mut JoinSet<()>,
) {
    let named = config.bridges.clone();
    tasks.spawn(bridges::dial_listed(
        list,
        named,
        door.clone(),
        metrics.clone(),
    ));
    for bridge in &config.bridges {
        tasks.spawn(shell::dial_forever(
            bridge.clone(),
            door.clone(),
            metrics.clone(),
        ));
    }
}
