//! HTTP on the bridge's one port: the page, the API, metrics, and the WebSocket of browser links.
//!
//! Every answer carries the headers that make the page cross-origin isolated and keep it from
//! loading anything foreign (`headers`). Errors of the API are JSON: `{"error": code, "message":
//! what happened and what to do}`. Bodies and headers are bounded; a request that takes too long
//! to arrive is cut off by the listener.

mod api;
mod headers;
mod link;
mod nodes;
mod page;
mod rpc;

#[cfg(feature = "decoders")]
pub use api::faucet_request;

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{any, get, post};

use crate::backfill::Told;
use crate::facade::Facade;
use crate::faucet::Faucet;
use crate::full_node::FullNodes;
use crate::live::Elections;
use crate::metrics::Metrics;
use crate::shell::{LinkDoor, NodeHandle};
use crate::weights::Weights;

/// Largest body of a request in bytes.
pub const MAX_BODY_BYTES: usize = 16 * 1024;

/// What the handlers share.
#[derive(Clone, Debug)]
pub struct Site {
    /// What this bridge's full node says of weights.
    pub own_weights: crate::weights::Own,
    /// Network and key, fixed at start.
    pub identity: Arc<About>,
    /// The weight table in force.
    pub weights: Weights,
    /// The metrics.
    pub metrics: Metrics,
    /// The channels to full nodes.
    pub full_nodes: FullNodes,
    /// The overlay's node.
    pub node: NodeHandle,
    /// Where new overlay links go.
    pub door: LinkDoor,
    /// The bridges known.
    pub directory: crate::bridges::Directory,
    /// How far the backfill is.
    pub backfill: Told,
    /// How elections stand.
    pub elections: Elections,
    /// The development network's faucet, if there is one.
    pub faucet: Option<Faucet>,
    /// Answers a full node's RPC.
    pub facade: Facade,
}

/// The address a connection comes from; `None` if the system does not say.
#[derive(Clone, Copy, Debug)]
pub struct CameFrom(pub Option<std::net::IpAddr>);

/// What `/v1/info` says about the bridge itself.
#[derive(Clone, Debug)]
pub struct About {
    /// Nano network.
    pub network: nano_core::Network,
    /// Overlay key of the bridge.
    pub key: nanonet::NodeKey,
}

/// All routes. `www` is the folder of the built page.
pub fn router(site: Site, www: Option<PathBuf>) -> Router {
    let counting = site.metrics.clone();
    // Public facts: a page from elsewhere that links here may read them, too.
    let open = Router::new()
        .route("/v1/info", get(api::info))
        .route("/v1/weights", get(api::weights))
        .route("/v1/weights/signed", get(api::own_weights))
        .route("/v1/elections", get(api::elections))
        .route("/v1/bridges", get(nodes::bridges))
        .route("/v1/peers", get(nodes::peers))
        .route("/rpc", post(rpc::answer).options(rpc::preflight))
        .layer(from_fn(headers::anyone));
    let router = Router::new()
        .route("/healthz", get(api::healthz))
        .route("/metrics", get(api::metrics))
        .merge(open)
        .route("/v1/faucet", post(api::faucet))
        .route("/v1/link", any(link::upgrade))
        .route("/v1/{*rest}", any(api::unknown))
        .method_not_allowed_fallback(api::wrong_method)
        .with_state(site.clone());
    let root = post(rpc::answer)
        .options(rpc::preflight)
        .layer(from_fn(headers::anyone))
        .with_state(site);
    page::serve(router, www, root)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(from_fn(headers::add))
        .layer(from_fn_with_state(counting, headers::count))
}
