//! `/v1/bridges` and `/v1/peers`: introductions for those whose WebSocket fails.
//!
//! Each is a signed record that its reader verifies; what stands beside it is for people. At most
//! [`nanonet::MAX_TOLD`] of each kind, and this bridge's own.

use axum::Json;
use axum::extract::State;
use nanonet::PeerRecord;
use serde::Serialize;

use super::Site;
use super::api::{ApiError, stopping};
use crate::bridges::Told;

#[derive(Serialize)]
pub(super) struct Bridges {
    network: String,
    bridges: Vec<Introduced>,
}

#[derive(Serialize)]
pub(super) struct Peers {
    network: String,
    peers: Vec<Introduced>,
}

/// A record, and what a person wants to know of it.
#[derive(Serialize)]
struct Introduced {
    key: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    addresses: Vec<String>,
    #[serde(flatten)]
    told: Told,
}

impl Introduced {
    fn new(record: &PeerRecord) -> Self {
        let addresses = record.addresses.iter().map(|one| one.as_str().to_owned());
        Self {
            key: record.node_key.to_string(),
            addresses: addresses.collect(),
            told: Told {
                record: hex::encode(record.to_bytes()),
            },
        }
    }
}

/// This bridge, if it says where it is, and those it knows.
pub(super) async fn bridges(State(site): State<Site>) -> Result<Json<Bridges>, ApiError> {
    let (own, _) = site.node.introductions().await.ok_or_else(stopping)?;
    let own = Some(own).filter(|own| !own.addresses.is_empty());
    let known = site.directory.all();
    Ok(Json(Bridges {
        network: site.identity.network.to_string(),
        bridges: own.iter().chain(&known).map(Introduced::new).collect(),
    }))
}

/// Browsers that are linked or known here.
pub(super) async fn peers(State(site): State<Site>) -> Result<Json<Peers>, ApiError> {
    let (_, browsers) = site.node.introductions().await.ok_or_else(stopping)?;
    Ok(Json(Peers {
        network: site.identity.network.to_string(),
        peers: browsers.iter().map(Introduced::new).collect(),
    }))
}
