//! What a bridge needs before anything runs: its identity, its first weight table, its overlay
//! node, its listener for full nodes.

use dev_node::{DevNode, DevNodeConfig, DevNodeError};
use nano_core::WeightTable;
use nanonet::notify::RelayConfig;
use nanonet::{Identity, Node, Rng};
use tokio::net::TcpListener;

use super::BridgeError;
use crate::clock::{self, RandomError};
use crate::config::{Config, RpcUrl, WeightsFrom};
use crate::metrics::Metrics;
use crate::rpc::Rpc;
use crate::store::{Loaded, Store, Write};
use crate::weights::{self, Weights, WeightsError};

pub(super) async fn peer_listener(config: &Config) -> Result<Option<TcpListener>, BridgeError> {
    let Some(address) = config.peer_listen else {
        return Ok(None);
    };
    let bound = TcpListener::bind(address).await;
    bound
        .map(Some)
        .map_err(|source| BridgeError::PeerListen { address, source })
}

pub(super) async fn embedded(config: &Config) -> Result<DevNode, DevNodeError> {
    let data = config.data.as_ref().map(|data| data.join("devnet"));
    DevNode::start(DevNodeConfig {
        data,
        dialect: config.dialect,
        accounts: config.accounts,
        ..DevNodeConfig::default()
    })
    .await
}

/// The stored identity, or a new one, stored before it is used.
pub(super) async fn identity(store: &Store, loaded: &Loaded) -> Result<Identity, BridgeError> {
    if let Some(bytes) = &loaded.identity {
        return Identity::from_bytes(bytes).map_err(|e| BridgeError::Identity(e.to_string()));
    }
    let identity = Identity::generate(&mut Rng::from_seed(clock::random()?));
    let value = identity.to_bytes().to_vec();
    store
        .write(Write::Meta {
            name: Store::IDENTITY,
            value,
        })
        .await?;
    store.sync().await?;
    Ok(identity)
}

/// The same identity for another owner: the node takes one, the prover signs with one.
pub(super) fn copy(identity: &Identity) -> Result<Identity, BridgeError> {
    Identity::from_bytes(&identity.to_bytes()).map_err(|e| BridgeError::Identity(e.to_string()))
}

/// The RPC: the one given, or the development node's.
pub(super) fn rpc(
    config: &Config,
    dev: Option<&DevNode>,
    metrics: &Metrics,
) -> Result<Option<Rpc>, WeightsError> {
    let inside = dev.map(|dev| RpcUrl(format!("http://{}/", dev.rpc_addr())));
    let url = config.rpc.clone().or(inside);
    let rpc = url.map(|url| Rpc::new(url, metrics.clone()));
    Ok(rpc.transpose()?)
}

/// The first table: the configured one, or what the anchors gave in an earlier run if that is newer.
pub(super) async fn starting_weights(
    config: &Config,
    rpc: Option<&Rpc>,
    loaded: &Loaded,
) -> Result<Weights, WeightsError> {
    let (table, source) = match (&config.weights, rpc) {
        (WeightsFrom::File(path), _) => {
            let table = weights::from_file(path.clone(), config.network)?;
            (table, weights::FILE)
        }
        (from @ (WeightsFrom::Rpc(_) | WeightsFrom::Embedded), Some(rpc)) => {
            let table = weights::first_from_rpc(rpc, config.network, config.minimum).await?;
            let is_inside = *from == WeightsFrom::Embedded;
            let source = if is_inside {
                weights::EMBEDDED
            } else {
                weights::RPC
            };
            (table, source)
        }
        (WeightsFrom::Nowhere, _) => (weights::none(config.network), weights::NOWHERE),
        (WeightsFrom::LiveSnapshot | WeightsFrom::Rpc(_) | WeightsFrom::Embedded, _) => {
            (WeightTable::live_snapshot(), weights::LIVE_SNAPSHOT)
        }
    };
    // The minimum is the operator's, whatever was stored with another.
    let minimum = config.minimum.unwrap_or(table.minimum);
    let (mut table, source) = weights::newest(table, source, loaded.weights.as_deref());
    table.minimum = minimum;
    Ok(Weights::new(table, source))
}

pub(super) fn overlay(
    config: &Config,
    table: &WeightTable,
    identity: Identity,
) -> Result<Node, RandomError> {
    // Itself, and the bridges that the operator names: what others call themselves counts for nothing.
    let mut anchors = vec![identity.node_key()];
    anchors.extend(config.anchors.iter().map(|anchor| anchor.key));
    let settings = nanonet::Config {
        max_links: config.max_links,
        replicas: config.replicas,
        addresses: config.addresses.clone(),
        notifications: config.notifications.map(|limits| RelayConfig {
            limits,
            anchors: config.anchors.iter().map(|anchor| anchor.key).collect(),
        }),
        ..nanonet::Config::bridge(config.network, table.clone(), anchors)
    };
    Ok(Node::new(
        settings,
        identity,
        clock::random()?,
        clock::now(),
    ))
}
