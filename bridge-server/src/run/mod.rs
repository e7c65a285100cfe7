//! The `run` command: every part of a bridge started, wired, and stopped in order.

mod feeding;
mod starting;

use std::net::SocketAddr;
use std::sync::Arc;

use dev_node::{DevNode, DevNodeError};
use tokio::net::TcpListener;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};

use self::feeding::Resolving;
use crate::ask::Asker;
use crate::backfill::{self, Coverage, Progress, Told};
use crate::bridges::Directory;
use crate::clock::RandomError;
use crate::config::{Config, ConfigError};
use crate::events::{self, Followed};
use crate::facade::{self, Facade};
use crate::faucet::Faucet;
use crate::full_node::{self, FullNodes, Peering};
use crate::http::{self, About, Site};
use crate::listener::{self, Hall};
use crate::live::{self, Confirmation, Decided, Elections};
use crate::metrics::Metrics;
use crate::prove::{self, Prover, Roots};
use crate::receivables::Receivables;
use crate::relay;
use crate::shell::{self, NodeHandle, NodeParts};
use crate::store::{Store, StoreError};
use crate::weights::anchors::renew;
use crate::weights::{self, Own, Weights, WeightsError};

/// Questions and transactions that may wait.
const QUEUE: usize = 256;

/// Why the bridge did not start.
#[derive(Debug, thiserror::Error)]
pub enum BridgeError {
    /// The port is not to be had.
    #[error("cannot listen on {address}: {source}; choose another --listen or stop what uses it")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The port for full nodes is not to be had.
    #[error(
        "cannot accept full nodes at {address}: {source}; choose another --peer-listen or leave it out"
    )]
    PeerListen {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The address listened at cannot be told to others.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The storage cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The stored node key is damaged.
    #[error(
        "the node key in the data folder cannot be read: {0}; restore a backup, or move the folder away to become a new bridge"
    )]
    Identity(String),
    /// There is no weight table.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The development node did not start.
    #[error("the development node did not start: {0}")]
    DevNode(#[from] DevNodeError),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// A running bridge. Dropping it ends its tasks without saving what is in flight; prefer
/// [`Bridge::stop`].
#[derive(Debug)]
pub struct Bridge {
    address: SocketAddr,
    dev: Option<Arc<DevNode>>,
    node: NodeHandle,
    node_task: JoinHandle<()>,
    full_nodes: FullNodes,
    prover: Prover,
    weights: Weights,
    metrics: Metrics,
    confirmations: broadcast::Sender<Confirmation>,
    backfilled: Told,
    store: Store,
    stop: watch::Sender<bool>,
    listener: JoinHandle<()>,
    tasks: JoinSet<()>,
}

impl Bridge {
    /// Starts everything; when it returns, the port answers.
    ///
    /// # Errors
    /// The first thing that failed; what was started before is ended again.
    pub async fn start(config: Config) -> Result<Self, BridgeError> {
        let metrics = Metrics::default();
        let listen = |source| BridgeError::Listen {
            address: config.listen,
            source,
        };
        let socket = TcpListener::bind(config.listen).await.map_err(listen)?;
        let address = socket.local_addr().map_err(listen)?;
        let mut config = config;
        config.listens_at(address)?;
        let (store, loaded) = Store::open(config.data.as_deref(), metrics.clone())?;
        let identity = starting::identity(&store, &loaded).await?;
        let dev = match config.embedded_devnet {
            true => Some(Arc::new(starting::embedded(&config).await?)),
            false => None,
        };
        let rpc = starting::rpc(&config, dev.as_deref(), &metrics)?;
        let weights = starting::starting_weights(&config, rpc.as_ref(), &loaded).await?;
        let signer = Arc::new(starting::copy(&identity)?);
        let own_weights = Own::default();

        let mut tasks = JoinSet::new();
        if let Some(rpc) = rpc.clone() {
            tasks.spawn(weights::follow(weights::Following {
                network: config.network,
                rpc,
                minimum: config.minimum,
                weights: weights.clone(),
                own: own_weights.clone(),
                identity: Arc::clone(&signer),
            }));
        }
        if !config.anchors.is_empty() {
            let anchors = config.anchors.clone();
            tasks.spawn(renew(
                weights.clone(),
                anchors,
                store.clone(),
                metrics.clone(),
            ));
        }
        let mut peers = config.peers.clone();
        peers.extend(dev.iter().map(|dev| dev.peering_addr().to_string()));
        let (live, stream) = mpsc::channel(live::STREAM);
        let settings = full_node::Settings {
            network: config.network,
            peers,
            weights: weights.clone(),
            live: live.clone(),
            metrics: metrics.clone(),
        };
        let peering = Peering {
            stored: loaded.peers.clone(),
            store: Some(store.clone()),
            listener: starting::peer_listener(&config).await?,
            ..Peering::of(config.network)
        };
        let full_nodes = FullNodes::start_with(settings, peering, &mut tasks);
        let roots = Roots::default();
        let asker = Asker::new(
            full_nodes.clone(),
            weights.clone(),
            roots.clone(),
            metrics.clone(),
        );
        let prover = Prover::new(
            config.network,
            full_nodes.clone(),
            asker.clone(),
            weights.clone(),
            signer,
            roots.clone(),
            metrics.clone(),
        );

        let about = Arc::new(About {
            network: config.network,
            key: identity.node_key(),
        });
        let (resolves, resolve_jobs) = mpsc::channel(QUEUE);
        let (relays, relay_jobs) = mpsc::channel(QUEUE);
        let node = starting::overlay(&config, &weights.current(), identity)?;
        let directory = Directory::default();
        let parts = NodeParts {
            store: store.clone(),
            resolves,
            relays: relays.clone(),
            metrics: metrics.clone(),
            directory: directory.clone(),
            places: config.max_links,
        };
        let (node, door, node_task) = shell::start(node, parts);
        feeding::load(&node, &loaded).await;

        let (confirmations, _) = broadcast::channel(live::CONFIRMATIONS);
        let decided = Decided::default();
        let (elections, shown) = Elections::new();
        tasks.spawn(live::run(
            stream,
            live::Parts {
                network: config.network,
                full_nodes: full_nodes.clone(),
                asker: asker.clone(),
                weights: weights.clone(),
                prover: prover.clone(),
                roots: roots.clone(),
                node: node.clone(),
                confirmations: confirmations.clone(),
                decided: decided.clone(),
                shown,
                metrics: metrics.clone(),
            },
        ));
        tasks.spawn(relay::run(
            relay_jobs,
            relay::Parts {
                limits: config.relay,
                network: config.network,
                full_nodes: full_nodes.clone(),
                weights: weights.clone(),
                asker: asker.clone(),
                roots: roots.clone(),
                live: live.clone(),
                node: node.clone(),
                confirmations: confirmations.subscribe(),
                decided,
                store: store.clone(),
                metrics: metrics.clone(),
            },
        ));
        let followed = Followed::default();
        if let Some(url) = config.ws.clone() {
            tasks.spawn(events::run(events::Parts {
                url,
                rpc: rpc.clone(),
                followed: followed.clone(),
                roots: roots.clone(),
                node: node.clone(),
                live: live.clone(),
                metrics: metrics.clone(),
            }));
        }
        let resolving = Resolving {
            prover: prover.clone(),
            receivables: Receivables::new(rpc.clone(), asker.clone(), prover.clone()),
            followed,
            node: node.clone(),
        };
        tasks.spawn(feeding::resolve_all(resolve_jobs, resolving));
        tasks.spawn(feeding::follow_confirmed(
            confirmations.subscribe(),
            full_nodes.clone(),
        ));
        tasks.spawn(prove::renew_all(prover.clone(), node.clone()));
        tasks.spawn(feeding::follow_weights(weights.clone(), node.clone()));
        tasks.spawn(feeding::resume(loaded.pending, relays.clone()));
        let list = feeding::listed(&config, &mut tasks);
        feeding::dial(&config, list.clone(), &door, &metrics, &mut tasks);
        feeding::meet_bridges(&config, &list, &directory, &node, &mut tasks);
        let backfilled = Told::default();
        if config.backfill > 0 {
            let others = backfill::Others::default();
            tasks.spawn(backfill::ask_all(config.bridges.clone(), others.clone()));
            tasks.spawn(backfill::run(backfill::Parts {
                pace: config.backfill,
                own: about.key,
                others,
                progress: loaded
                    .backfill
                    .as_deref()
                    .map_or_else(Progress::default, Progress::from_bytes),
                asker: asker.clone(),
                prover: prover.clone(),
                node: node.clone(),
                store: store.clone(),
                told: backfilled.clone(),
                metrics: metrics.clone(),
            }));
        }

        let facade = Facade::new(facade::Parts {
            network: config.network,
            node: node.clone(),
            rpc,
            weights: weights.clone(),
            full_nodes: full_nodes.clone(),
            relays,
            metrics: metrics.clone(),
        });
        let (stop, stopping) = watch::channel(false);
        let site = Site {
            identity: about,
            own_weights,
            weights: weights.clone(),
            metrics: metrics.clone(),
            full_nodes: full_nodes.clone(),
            node: node.clone(),
            door: door.clone(),
            backfill: backfilled.clone(),
            directory,
            elections,
            faucet: dev.as_ref().map(|dev| Faucet::new(dev.faucet())),
            facade,
        };
        let hall = Hall {
            router: http::router(site, config.www.clone()),
            door,
            places: config.max_links,
            metrics: metrics.clone(),
        };
        let listener = tokio::spawn(listener::serve(socket, hall, stopping));
        tracing::info!(%address, network = %config.network, "the bridge is running");
        Ok(Self {
            address,
            dev,
            node,
            node_task,
            full_nodes,
            prover,
            weights,
            metrics,
            confirmations,
            backfilled,
            store,
            stop,
            listener,
            tasks,
        })
    }

    /// Where it listens, with the real port.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The development node inside, if there is one.
    #[must_use]
    pub fn dev_node(&self) -> Option<&DevNode> {
        self.dev.as_deref()
    }

    /// The overlay node.
    #[must_use]
    pub const fn node(&self) -> &NodeHandle {
        &self.node
    }

    /// The channels to full nodes.
    #[must_use]
    pub const fn full_nodes(&self) -> &FullNodes {
        &self.full_nodes
    }

    /// Makes proofs.
    #[must_use]
    pub const fn prover(&self) -> &Prover {
        &self.prover
    }

    /// The weight table in force.
    #[must_use]
    pub const fn weights(&self) -> &Weights {
        &self.weights
    }

    /// What was counted.
    #[must_use]
    pub const fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Tells of each block seen confirmed from now on.
    #[must_use]
    pub fn confirmations(&self) -> broadcast::Receiver<Confirmation> {
        self.confirmations.subscribe()
    }

    /// How far the backfill is.
    #[must_use]
    pub fn backfill(&self) -> Coverage {
        self.backfilled.get()
    }

    /// The ready line for programs.
    #[must_use]
    pub fn ready(&self) -> serde_json::Value {
        let mut ready =
            serde_json::json!({ "ready": true, "url": format!("http://{}/", self.address) });
        if let Some(dev) = &self.dev {
            ready["devnet"] = crate::devnet::ready(std::slice::from_ref(dev.as_ref()));
        }
        ready
    }

    /// The same for a person.
    #[must_use]
    pub fn greeting(&self) -> String {
        let mut text = format!("The bridge is running: http://{}/", self.address);
        if let Some(dev) = &self.dev {
            text.push_str("\n\n");
            text.push_str(&crate::devnet::greeting(std::slice::from_ref(dev.as_ref())));
        }
        text
    }

    /// Stops in order: no new connections, links closed, records on disk, then the rest.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        self.node.stop().await;
        // Both end by themselves after that; a task that was cancelled has ended, too.
        let _ = self.node_task.await;
        let _ = self.listener.await;
        self.tasks.shutdown().await;
        if let Err(error) = self.store.sync().await {
            tracing::warn!(%error, "storage was closed early");
        }
        if let Some(dev) = self.dev.take().and_then(Arc::into_inner) {
            dev.stop().await;
        }
    }
}
