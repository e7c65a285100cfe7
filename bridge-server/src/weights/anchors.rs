//! The weight table renewed by what several other bridges say.
//!
//! Each anchor is asked for its signed table at `/v1/weights/signed`; what follows from them is
//! decided by [`nanonet::weights::refresh`]. An anchor that cannot be reached, or answers with
//! something else, counts as one that says nothing.
//!
//! A table that was accepted is stored before the next attempt, so that a restart goes on from it.
//!
//! Limits: [`TIME_OUT`] and [`MAX_BYTES`] per anchor; all anchors together are as many as the
//! configuration allows.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use futures_util::future::join_all;
use nano_core::WeightTable;
use nanonet::weights::{is_stale, refresh};
use nanonet::{NodeKey, RefreshError, SignedWeights};
use tokio::time::sleep;

use super::Weights;
use crate::client::client;
use crate::clock;
use crate::config::Anchor;
use crate::full_node::book::subnet;
use crate::metrics::{self, Metrics};
use crate::store::{Store, Write};

/// Pause between two attempts after one that changed something or found nothing newer.
const PAUSE: Duration = Duration::from_secs(60 * 60);
/// The same after one that failed.
const RETRY: Duration = Duration::from_secs(5 * 60);
/// Longest wait for one anchor.
const TIME_OUT: Duration = Duration::from_secs(10);
/// Longest statement in bytes.
const MAX_BYTES: usize = nano_core::WeightTable::MAX_JSON_BYTES + 1_024;

/// Renews `weights` now and again and again. Ends only by being dropped.
pub async fn renew(weights: Weights, anchors: Vec<Anchor>, store: Store, metrics: Metrics) {
    let keys: Vec<NodeKey> = anchors.iter().map(|anchor| anchor.key).collect();
    let groups = groups(&anchors);
    if groups < anchors.len() {
        tracing::warn!(
            anchors = anchors.len(),
            groups,
            "anchors with one host or subnet are likely to be one party's; choose independent ones"
        );
    }
    loop {
        let offers = join_all(anchors.iter().map(ask)).await;
        let offers: Vec<SignedWeights> = offers.into_iter().flatten().collect();
        let held = weights.current();
        let outcome = refresh(&held, &keys, &offers, clock::now());
        let pause = match &outcome {
            Ok(_) | Err(RefreshError::NotNewer) => PAUSE,
            Err(_) => RETRY,
        };
        let told = match outcome {
            Ok(table) => {
                tracing::info!(
                    as_of = table.as_of.0,
                    "the anchors renewed the weight table"
                );
                keep(&store, &table).await;
                weights.offer(table);
                "renewed"
            }
            Err(RefreshError::NotNewer) => RefreshError::NotNewer.code(),
            Err(error) => {
                let is_old = is_stale(&held, clock::now());
                tracing::warn!(%error, is_old, "the weight table was not renewed");
                error.code()
            }
        };
        metrics::count(&metrics.weights_refresh, told);
        sleep(pause).await;
    }
}

/// How many different hosts the anchors have, addresses of one subnet as one.
fn groups(anchors: &[Anchor]) -> usize {
    let group = |anchor: &Anchor| {
        let url = reqwest::Url::parse(&anchor.url).ok()?;
        let host = url.host_str()?;
        let ip: Result<IpAddr, _> = host.trim_matches(['[', ']']).parse();
        Some(ip.map_or_else(|_| host.to_owned(), |ip| subnet(ip).to_string()))
    };
    let groups: BTreeSet<_> = anchors.iter().map(group).collect();
    groups.len()
}

/// Stores a table for the next start.
async fn keep(store: &Store, table: &WeightTable) {
    let kept = match table.to_bytes() {
        Ok(value) => {
            let name = Store::WEIGHTS;
            let written = store.write(Write::Meta { name, value }).await;
            written.map_err(|error| error.to_string())
        }
        Err(error) => Err(error.to_string()),
    };
    if let Err(error) = kept {
        tracing::warn!(error, "the renewed weights are lost at the next restart");
    }
}

/// One anchor's statement; `None` when there is none of its key.
async fn ask(anchor: &Anchor) -> Option<SignedWeights> {
    let client = client(TIME_OUT).ok()?;
    let url = format!("{}/v1/weights/signed", anchor.url);
    let mut response = client.get(url).send().await.ok()?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        if body.len() + chunk.len() > MAX_BYTES {
            return None;
        }
        body.extend_from_slice(&chunk);
    }
    let signed: SignedWeights = serde_json::from_slice(&body).ok()?;
    // The signature is checked by the policy; another anchor's word from here is no second one.
    (signed.bridge == anchor.key).then_some(signed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nanonet::{Identity, Rng};

    #[test]
    fn anchors_of_one_host_or_subnet_are_one_group() {
        let key = Identity::generate(&mut Rng::from_seed([5; 32])).node_key();
        let anchors = |urls: &[&str]| {
            let anchor = |url: &&str| Anchor {
                key,
                url: (*url).to_owned(),
            };
            urls.iter().map(anchor).collect::<Vec<_>>()
        };
        let alike = anchors(&["http://a.example:1", "http://a.example:2"]);
        assert_eq!(groups(&alike), 1);
        let near = anchors(&["http://60.1.1.1", "http://60.1.1.9", "http://60.1.2.1"]);
        assert_eq!(groups(&near), 2);
        let apart = anchors(&["http://a.example", "http://b.example", "http://[2606::1]:7"]);
        assert_eq!(groups(&apart), 3);
    }
}
